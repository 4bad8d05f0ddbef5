"""rc.d/prepare-host: what `make install` makes on a host."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import Finished, finish
from harness.places import REPOSITORY, STAGE

SCRIPT = REPOSITORY / "rc.d/prepare-host"


@pytest.fixture
def accounts() -> Iterator[Path]:
    """An /etc of its own, with the stage's users, in which these can be changed."""
    work = STAGE / "prepare"
    for name in ("above", "work"):
        (work / name).mkdir(parents=True)
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", work / "above" / name)
    options = f"lowerdir=/etc,upperdir={work}/above,workdir={work}/work"
    subprocess.run(["mount", "-n", "-t", "overlay", "-o", options, "overlay", "/etc"], check=True, timeout=10)
    yield Path("/etc")
    subprocess.run(["umount", "--lazy", "/etc"], check=True, timeout=10)
    shutil.rmtree(work)


def set_entries(accounts: Path, user: str | None, group: str | None) -> None:
    """Replaces the lines of the user and of the group."""
    for name, entry in (("passwd", user), ("group", group)):
        lines = [line for line in (accounts / name).read_text().splitlines() if not line.startswith("scanlogd:")]
        (accounts / name).write_text("\n".join([*lines, *([entry] if entry else [])]) + "\n")


def prepare() -> Finished:
    return finish(["sh", str(SCRIPT), "/nowhere/init.d/scanlogd"])


def ids() -> tuple[str, str]:
    """The name of the user's primary group, and of all of its groups."""
    return (finish(["id", "-gn", "scanlogd"]).stdout.strip(), finish(["id", "-Gn", "scanlogd"]).stdout.strip())


def nogroup() -> str:
    return "nogroup" if "nogroup:" in Path("/etc/group").read_text() else "nobody"


@pytest.mark.parametrize("group", [None, "scanlogd:x:701:"])
def test_a_user_of_debians_old_package_gets_a_group_of_its_own(accounts: Path, group: str | None) -> None:
    set_entries(accounts, "scanlogd:x:700:65534::/nonexistent:/usr/sbin/nologin", group)
    assert ids()[0] == nogroup()
    said = f"prepare-host: gave the user scanlogd the group scanlogd; it had {nogroup()}\n"
    assert prepare() == Finished(0, said, "")
    assert ids()[0] == "scanlogd"
    assert "\nscanlogd:x:700:" in (accounts / "passwd").read_text()
    assert prepare() == Finished(0, "", "")


@pytest.mark.parametrize(("user", "reason"), [
    ("scanlogd:x:700:1::/nonexistent:/bin/false", "its primary group is daemon; it must be a group scanlogd"),
    ("scanlogd:x:1700:65534::/home/scanlogd:/bin/sh", "it is no system user"),
    ("scanlogd:x:0:65534::/nonexistent:/bin/false", "is root under another name"),
])
def test_what_somebody_did_on_purpose_is_not_mended(accounts: Path, user: str, reason: str) -> None:
    set_entries(accounts, user, None)
    before = (accounts / "passwd").read_text()
    done = prepare()
    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert reason in done.stderr
    assert (accounts / "passwd").read_text() == before
    assert "\nscanlogd:" not in (accounts / "group").read_text()


def test_where_there_is_no_user_it_makes_one_with_a_group_of_its_own(accounts: Path) -> None:
    set_entries(accounts, None, None)
    assert prepare() == Finished(0, "prepare-host: made the user scanlogd\n", "")
    assert ids()[0] == "scanlogd"
