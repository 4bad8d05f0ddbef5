"""`make install` and `make uninstall`."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import Finished, finish
from harness.network import tool
from harness.places import BINARY, REPOSITORY, STAGE
from harness.programs import hidden

# Nothing is to be compiled here; this is for a machine that is busy.
TIMEOUT = 100


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    """The repository in its own place, with all that make writes kept in memory.

    Not a copy elsewhere: the paths in what was built, and so what make and SwiftPM hold to be up to date, stay valid.
    """
    above, work = STAGE / "above", STAGE / "work"
    above.mkdir()
    work.mkdir()
    options = f"lowerdir={REPOSITORY},upperdir={above},workdir={work}"
    subprocess.run(["mount", "-n", "-t", "overlay", "-o", options, "overlay", REPOSITORY], check=True, timeout=10)
    yield REPOSITORY
    subprocess.run(["umount", "--lazy", REPOSITORY], check=True, timeout=10)


def run_make(tree: Path, *arguments: str) -> Finished:
    return finish([tool("make"), "-C", str(tree), *arguments], TIMEOUT)


def make(tree: Path, *arguments: str) -> Finished:
    done = run_make(tree, *arguments)
    assert done.status == 0, done
    return done


def files_under(directory: Path) -> list[Path]:
    """What is there but for directories, relative to the top."""
    return sorted(path.relative_to(directory) for path in directory.rglob("*") if path.is_symlink() or path.is_file())


@pytest.fixture
def installed(tree: Path, tmp_path: Path) -> Path:
    make(tree, "install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    return tmp_path


def test_the_binary_is_installed_where_daemons_are(installed: Path) -> None:
    binary = installed / "usr/sbin/scanlogd"
    assert binary.stat().st_mode & 0o7777 == 0o755
    done = finish([str(binary), "--version"])
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout == finish([str(BINARY), "--version"]).stdout


@pytest.mark.parametrize("name", sorted(page.name for page in (REPOSITORY / "man").iterdir()))
def test_every_manual_page_is_installed(installed: Path, name: str) -> None:
    section = name[-1]
    pages = [path for path in files_under(installed) if path.match(f"man/man{section}/{name}*")]
    assert len(pages) == 1


def test_no_installed_file_has_a_placeholder_or_the_build_in_it(installed: Path) -> None:
    for path in files_under(installed):
        content = (installed / path).read_bytes()
        assert not re.search(rb"@[A-Z]+@", content), path
        assert os.fsencode(installed) not in content, path


def test_installed_scripts_name_the_installed_binary(installed: Path) -> None:
    scripts = [path for path in files_under(installed) if path.suffix == ".service" or "init.d" in path.parts]
    for path in scripts:
        assert "/usr/sbin/scanlogd" in (installed / path).read_text(), path


def test_installed_files_can_be_read_by_all_and_written_by_root_only(installed: Path) -> None:
    for path in installed.rglob("*"):
        if path.is_symlink():
            continue
        state = path.stat()
        assert (state.st_uid, state.st_gid) == (0, 0), path
        assert state.st_mode & 0o444 == 0o444, path
        assert state.st_mode & 0o7022 == 0, path


def test_uninstall_leaves_nothing(tree: Path, installed: Path) -> None:
    assert files_under(installed)
    make(tree, "uninstall", f"DESTDIR={installed}", "PREFIX=/usr")
    assert files_under(installed) == []


def test_uninstall_leaves_the_files_of_others(tree: Path, installed: Path) -> None:
    others = [installed / "usr/sbin/other", installed / "usr/share/man/man8/other.8"]
    for other in others:
        other.touch()
    make(tree, "uninstall", f"DESTDIR={installed}", "PREFIX=/usr")
    assert files_under(installed) == sorted(other.relative_to(installed) for other in others)


def test_installing_twice_is_the_same_as_once(tree: Path, installed: Path) -> None:
    before = files_under(installed)
    make(tree, "install", f"DESTDIR={installed}", "PREFIX=/usr")
    assert files_under(installed) == before


def test_another_prefix_is_followed(tree: Path, tmp_path: Path) -> None:
    make(tree, "install", f"DESTDIR={tmp_path}", "PREFIX=/opt/scanlogd")
    assert (tmp_path / "opt/scanlogd/sbin/scanlogd").exists()
    assert not (tmp_path / "usr").exists() or files_under(tmp_path / "usr") == []


def test_nothing_installed_names_another_place(tree: Path, tmp_path: Path) -> None:
    places = {"PREFIX": "/opt/a+b", "SYSCONFDIR": "/opt/etc:1", "MANDIR": "/opt/man,@x"}
    make(tree, "install", f"DESTDIR={tmp_path}", *(f"{name}={value}" for name, value in places.items()))
    contents = {path: (tmp_path / path).read_bytes() for path in files_under(tmp_path)}
    for path, content in contents.items():
        assert b"/usr/local" not in content and b"/etc/default/scanlogd" not in content, path
    assert {path.parts[1] for path in contents} == {"a+b", "etc:1", "man,@x"}
    manual = contents[Path("opt/man,@x/man8/scanlogd.8")]
    assert b"/opt/a+b/share/doc/scanlogd/fail2ban" in manual and b"/opt/etc:1/default/scanlogd" in manual
    for script in ("opt/etc:1/init.d/scanlogd", "opt/a+b/lib/systemd/system/scanlogd.service"):
        content = contents[Path(script)]
        assert b"/opt/a+b/sbin/scanlogd" in content and b"/opt/etc:1/default/scanlogd" in content


@pytest.mark.parametrize("path", [
    "/a b", "/a&b", "/a|b", "/a\\b", "/a'b", '/a"b', "/a;b", "/a`b`", "/a$$b", "/a#b", "/a%b", "/a*", "/a?", "/[a]", "/{a}",
    "/(a)", "/a<b", "/a>b", "/a!b", "/a^b", "/a\tb", "relative", "~/a", "-a",
])
def test_a_place_that_can_not_be_written_into_files_is_refused(tree: Path, tmp_path: Path, path: str) -> None:
    for action in ("install", "uninstall"):
        done = run_make(tree, action, f"DESTDIR={tmp_path}", f"PREFIX={path}")
        assert done.status == 2
        assert re.search("^install: (PREFIX|SBINDIR): '", done.stderr, re.MULTILINE), done
    if not path.startswith("relative"):
        done = run_make(tree, "install", f"DESTDIR={tmp_path}{path}" if path[0] == "/" else f"DESTDIR={path}")
        assert done.status == 2
        assert "\ninstall: DESTDIR: '" in f"\n{done.stderr}"
    assert files_under(tmp_path) == []


@pytest.fixture
def usr_local() -> Iterator[None]:
    """A /usr/local, and a place for what is known of manual pages, for the test alone."""
    places = ("/usr/local", "/var/cache/man")
    for place in places:
        subprocess.run(["mount", "-n", "-t", "tmpfs", "none", place], check=True, timeout=10)
    yield
    for place in places:
        subprocess.run(["umount", place], check=True, timeout=10)


def found(*command: str) -> set[str]:
    """The manual pages that a program to search them finds."""
    done = finish([tool(command[0]), *command[1:], "scanlogd"])
    return set(re.findall(r"^(scanlogd[a-z-]*) ?\(", done.stdout, re.MULTILINE))


PAGES = {"scanlogd", "scanlogd-connections", "scanlogd-events", "scanlogd-rules", "scanlogd-wrap"}


def test_the_manual_pages_can_be_searched(tree: Path, tmp_path: Path, usr_local: None) -> None:
    with hidden("makewhatis"):
        make(tree, "install", f"SYSCONFDIR={tmp_path}")
        assert found("man", "-k") == PAGES
        make(tree, "uninstall", f"SYSCONFDIR={tmp_path}")
        assert found("man", "-k") == set()


def test_the_manual_pages_can_be_searched_with_mandoc(tree: Path, tmp_path: Path, usr_local: None) -> None:
    search = ("mandoc", "-k", "-M", "/usr/local/share/man")
    with hidden("mandb"):
        make(tree, "install", f"SYSCONFDIR={tmp_path}")
        assert found(*search) == PAGES
        make(tree, "uninstall", f"SYSCONFDIR={tmp_path}")
        assert found(*search) == set()
        assert files_under(Path("/usr/local")) == []


def test_without_a_program_that_indexes_manual_pages_it_installs_them(
    tree: Path, tmp_path: Path, usr_local: None
) -> None:
    with hidden("mandb"), hidden("makewhatis"):
        make(tree, "install", f"SYSCONFDIR={tmp_path}")
        assert Path("/usr/local/share/man/man8/scanlogd.8").exists()
        make(tree, "uninstall", f"SYSCONFDIR={tmp_path}")
