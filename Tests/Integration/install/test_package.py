"""The Debian package: what is in it, that it can be made anew bit for bit, and what it has others read."""

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import Finished, finish
from harness.log_writers import rsyslog
from harness.network import tool
from harness.packets import Sender, scan
from harness.places import BINARY, REPOSITORY, TEMPORARY
from harness.scene import Scene

pytestmark = [pytest.mark.together, pytest.mark.long]

TIMEOUT = 100
# What a package is made of, beside the binary.
PARTS = ("LICENSE", "Makefile", "README.md", "DETECTION.md", "SECURITY.md", "Sources/scanlogd/Main.swift", "man", "rc.d")
CONFFILES = {
    "/etc/default/scanlogd", "/etc/init.d/scanlogd", "/etc/logcheck/ignore.d.server/scanlogd",
    "/etc/logcheck/violations.d/scanlogd", "/etc/logrotate.d/scanlogd",
}
COMPLETION = REPOSITORY / "rc.d/bash-completion"


def copy_to(place: Path) -> Path:
    for part in PARTS:
        (place / part).parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / part).is_dir():
            shutil.copytree(REPOSITORY / part, place / part)
        else:
            shutil.copy(REPOSITORY / part, place / part)
    return place


def build(place: Path, architecture: str, binary: Path = BINARY, umask: int = 0o022) -> Finished:
    for needed in ("dpkg-buildpackage", "dh"):
        tool(needed)
    command = [place / "rc.d/debian/build", architecture, binary, place / ".build-deb"]
    return finish(["sh", "-c", 'umask "$1"; shift; exec "$@"', "sh", f"{umask:03o}", *map(str, command)], TIMEOUT,
                  env={**os.environ, "TZ": "Asia/Kathmandu" if umask != 0o022 else "UTC"})


@pytest.fixture(scope="module")
def package() -> Iterator[Path]:
    place = copy_to(TEMPORARY / "place")
    done = build(place, architecture=own_architecture())
    assert done.status == 0, done
    yield Path(done.stdout.strip())
    shutil.rmtree(place)


def own_architecture() -> str:
    return subprocess.run([tool("dpkg"), "--print-architecture"], check=True, capture_output=True, text=True,
                          timeout=10).stdout.strip()


@pytest.fixture(scope="module")
def unpacked(package: Path) -> Path:
    """Its files, and those for dpkg in DEBIAN."""
    subprocess.run(["dpkg-deb", "-R", package, package.parent / "unpacked"], check=True, timeout=TIMEOUT)
    return package.parent / "unpacked"


def contents(unpacked: Path) -> set[str]:
    return {f"/{path.relative_to(unpacked)}" for path in unpacked.rglob("*")
            if path.is_file() and path.relative_to(unpacked).parts[0] != "DEBIAN"}


def test_another_place_another_mask_and_another_zone_give_the_same_bytes(package: Path, tmp_path: Path) -> None:
    done = build(copy_to(tmp_path / "a-much-longer-name"), own_architecture(), umask=0o077)
    assert done.status == 0, done
    assert Path(done.stdout.strip()).read_bytes() == package.read_bytes()


def test_every_file_is_as_old_as_the_version(package: Path) -> None:
    listing = subprocess.run(["dpkg-deb", "-c", package], check=True, capture_output=True, text=True, timeout=20).stdout
    dates = {tuple(line.split()[3:5]) for line in listing.splitlines()}
    assert len(dates) == 1 and re.fullmatch(r"\d{4}-\d\d-\d\d", next(iter(dates))[0])


def test_lintian_has_no_error_and_no_warning(package: Path) -> None:
    done = finish([tool("lintian"), "--allow-root", "--tag-display-limit", "0", str(package)], TIMEOUT)
    assert (done.status, done.stdout) == (0, "")


def test_it_has_what_make_install_installs(unpacked: Path, package: Path, tmp_path: Path) -> None:
    place = package.parent.parent
    done = finish([tool("make"), "-C", str(place), "install", f"BINARY={BINARY}", f"DESTDIR={tmp_path}", "PREFIX=/usr"],
                  TIMEOUT)
    assert done.status == 0, done
    in_package = {re.sub(r"^/usr/lib/", "/lib/", path.removesuffix(".gz")).replace("/examples/", "/")
                  for path in contents(unpacked)}
    installed = {f"/{path.relative_to(tmp_path)}" for path in tmp_path.rglob("*") if path.is_file()}
    assert {re.sub(r"^/usr/lib/", "/lib/", path) for path in installed} - in_package == set()
    assert (unpacked / "usr/sbin/scanlogd").read_bytes() == BINARY.read_bytes()
    for page in (REPOSITORY / "man").iterdir():
        (packed,) = unpacked.glob(f"usr/share/man/man?/{page.name}.gz")
        text = gzip.decompress(packed.read_bytes())
        assert b"@SBINDIR@" not in text and b"/usr/local" not in text


def test_what_an_administrator_may_edit_is_kept_in_upgrades(unpacked: Path) -> None:
    assert set((unpacked / "DEBIAN/conffiles").read_text().split()) == CONFFILES
    assert {path for path in contents(unpacked) if path.startswith("/etc/")} == CONFFILES


def test_it_is_higher_than_the_version_that_debian_has() -> None:
    first = (REPOSITORY / "rc.d/debian/changelog").read_text().split("\n")[0]
    version = first.split("(")[1].split(")")[0]
    assert finish([tool("dpkg"), "--compare-versions", version, "gt", "2.2.8-0.1"]).status == 0
    assert f'let version = "{version.removeprefix("1:")}"' in (REPOSITORY / PARTS[5]).read_text()


def test_it_depends_on_the_c_library_that_it_needs(unpacked: Path) -> None:
    needed = subprocess.run([tool("readelf"), "-VW", BINARY], check=True, capture_output=True, text=True, timeout=20)
    versions = {tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_([0-9.]+)", needed.stdout)}
    said = re.search(r"^Depends: libc6 \(>= ([0-9.]+)\),", (unpacked / "DEBIAN/control").read_text(), re.MULTILINE)
    assert said and max(versions) == tuple(map(int, said[1].split(".")))


def test_options_are_left_to_the_administrator(unpacked: Path) -> None:
    lines = (unpacked / "etc/default/scanlogd").read_text().splitlines()
    assert all(line.startswith("#") for line in lines)
    assert re.fullmatch(r"# SCANLOGD_OPTIONS='[^']+'", lines[-1])


def test_a_binary_of_another_machine_is_refused(package: Path, tmp_path: Path) -> None:
    (other,) = {"amd64", "arm64"} - {own_architecture()}
    place = copy_to(tmp_path / "place")
    for binary, reason in ((BINARY, f": not for {other}"), (tmp_path / "none", ": not built"), (place, ": not for ")):
        done = build(place, architecture=other, binary=binary)
        assert (done.status, done.stdout) == (1, "")
        assert f"{binary}{reason}" in done.stderr


def test_a_program_of_another_version_is_not_packed(tmp_path: Path) -> None:
    place = copy_to(tmp_path / "place")
    main = place / PARTS[5]
    main.write_text(re.sub(r'^let version = ".*"', 'let version = "99.0"', main.read_text(), flags=re.MULTILINE))
    done = build(place, architecture=own_architecture())
    assert done.status == 1 and "and the program of 99.0" in done.stderr


def matching(rules: Path, lines: list[str]) -> list[str]:
    """The lines that logcheck would take for what the rules are of."""
    done = subprocess.run(["grep", "-E", "-f", rules], input="".join(f"{line}\n" for line in lines), text=True,
                          capture_output=True, timeout=10, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("beginning", ["Nov 27 12:00:00", "Nov  7 02:00:00", "2026-11-27T12:00:00.123456+00:00"])
def test_logcheck_reports_scans_and_not_that_it_runs(scene: Scene, sender: Sender, beginning: str) -> None:
    scene.status()
    for last in range(41, 48):  # one more than are reported one by one
        sender.send(scan(source=f"10.77.0.{last}"))
    sender.send(scan(source="fd77::48", destination="fd77::2", source_port=4))
    scene.log.wait_for_text("More possible port scans follow")
    scene.daemon.stop()
    texts = scene.log.texts()
    lines = [f"{beginning} a-host.example scanlogd[17]: {text}" for text in texts]
    violations = matching(REPOSITORY / "rc.d/debian/scanlogd.logcheck.violations", lines)
    ignored = matching(REPOSITORY / "rc.d/debian/scanlogd.logcheck.ignore.server", lines)
    assert violations == [line for line in lines if " ports " in line or "More possible" in line or " not logged" in line]
    assert len(violations) >= 6
    assert [line.split("]: ")[1].split(" ")[0].rstrip(",") for line in ignored] == ["started", "status:", "stopped"]
    assert set(violations) | set(ignored) == set(lines)
    # What others have logged is neither.
    others = [line.replace("scanlogd[17]: ", "other[17]: scanlogd[17]: ") for line in lines]
    assert matching(REPOSITORY / "rc.d/debian/scanlogd.logcheck.ignore.server", others) == []


def test_rsyslog_writes_the_alerts_and_nothing_else(tmp_path: Path) -> None:
    writer = rsyslog(tmp_path)
    own = (REPOSITORY / "rc.d/rsyslog.conf").read_text()
    assert own.count('"/var/log/scanlogd.log"') == 1
    with (tmp_path / "rsyslog.conf").open("a") as configuration:
        configuration.write(own.replace("/var/log/scanlogd.log", str(tmp_path / "scanlogd.log")))
    try:
        writer.start()
        for message in ("<30>scanlogd[7]: started", "<25>other[7]: alert", "<29>scanlogd[7]: notice", "<1>scanlogd: kern",
                        "<25>scanlogd[7]: first", "<25>scanlogd[7]: second"):
            writer.send(message)
        writer.wait_for("second")
        lines = (tmp_path / "scanlogd.log").read_text().splitlines()
        assert [line.split(": ")[1] for line in lines] == ["first", "second"]
        assert (tmp_path / "scanlogd.log").stat().st_mode & 0o777 == 0o640
    finally:
        writer.close()


def test_logrotate_reads_what_it_is_to_rotate() -> None:
    done = finish([tool("logrotate"), "-d", "-s", str(TEMPORARY / "state"),
                   str(REPOSITORY / "rc.d/debian/scanlogd.logrotate")])
    assert done.status == 0 and "error" not in done.stderr
    assert "/var/log/scanlogd.log  weekly (12 rotations)" in done.stderr


def completed(*words: str) -> set[str]:
    """What bash offers when Tab is pressed after these words."""
    script = ('. /usr/share/bash-completion/bash_completion && . "$1" && shift && COMP_WORDS=("$@") && '
              'COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} && _scanlogd && '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = finish([tool("bash"), "-c", script, "bash", str(COMPLETION), str(BINARY), *words])
    assert done.stderr == ""
    return set(done.stdout.split())


def options_in_help(*role: str) -> set[str]:
    lines = finish([str(BINARY), *role, "-h"]).stdout.splitlines()
    found = (re.match(r" {2,6}(?:(-[a-zA-Z])(?:, |\b))?(--[a-z-]+)?", line) for line in lines)
    return {option for match in found if match for option in match.groups() if option}


@pytest.mark.parametrize("words", [(), ("connections",), ("rules", "check")])
def test_bash_completes_the_options_that_the_help_lists(words: tuple[str, ...]) -> None:
    offered = completed(*words, "-")
    assert offered == options_in_help(*words[:1])
    assert "--help" in offered and len(offered) > 8


def test_bash_completes_roles_and_arguments(tmp_path: Path) -> None:
    roles = {line.split()[1] for line in finish([str(BINARY), "-h"]).stdout.splitlines()
             if re.match(r" +scanlogd [a-z]", line)}
    assert completed("") == roles and {"connections", "rules"} <= roles
    assert completed("rules", "") == {"check", "match"}
    assert completed("--backend", "r") == {"ring", "raw"}
    assert completed("-b", "--direction", "") == completed("connections", "--direction", "") == {"in", "out", "both"}
    assert completed("connections", "--date", "e") == {"epoch"}
    assert completed("--kinds", "s") == {"slow", "spread", "sweep", "sctp"}
    assert completed("-i", "l") == {"lo"}
    (tmp_path / "day.pcap").touch()
    for words in (("-r",), ("connections", "--read"), ("rules", "check", "--allow")):
        assert completed(*words, f"{tmp_path}/d") == {f"{tmp_path}/day.pcap"}
    # It is another -r there: names for addresses.
    assert completed("connections", "-r", "--c") == {"--count"}
