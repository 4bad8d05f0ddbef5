"""Capture files read by a root that has few privileges, or none, and where nothing is installed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.accounts import GROUP, NOBODY, USER, as_nobody, without
from harness.connections import SAMPLE
from harness.daemon import Finished, children, finish, processes_named, status_fields, wait_until
from harness.network import tool
from harness.places import ACCOUNTS, BINARY, CHROOT, REPOSITORY, TEMPORARY
from harness.proc import capabilities, identity

# Runs what follows in a user namespace that knows root alone, and where groups can be changed: for that the map must be
# written from outside.
WITH_GROUPS = """
import ctypes, os, sys
made, mapped = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if ctypes.CDLL(None).unshare(0x10000000):  # CLONE_NEWUSER
        sys.exit("no user namespace")
    os.write(made[1], b"x")
    os.read(mapped[0], 1)
    os.execv(sys.argv[1], sys.argv[1:])
os.read(made[0], 1)
for name in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{name}", "w") as file:
        file.write("0 0 1")
os.write(mapped[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
SCAN = REPOSITORY / "Tests/Fixtures/captures/nmap_sS.pcap"
OUTPUT = TEMPORARY / "reading/out"
ROLES = {
    "replay": ("-r", SCAN), "connections": ("connections", "--read", SAMPLE),
    "names": ("connections", "-r", "--read", SAMPLE), "file": ("connections", "-o", OUTPUT, "--read", SAMPLE),
}
# What takes it, as a container or a service manager does.
CAPABILITIES = ["all", "setuid", "setgid", "setpcap", "sys_chroot"]


ROOTS: dict[str, Sequence[str]] = {
    **{capability: without(capability) for capability in CAPABILITIES},
    "namespace": [tool("unshare"), "--user", "--map-root-user"],
    "namespace with a network": [tool("unshare"), "--user", "--map-root-user", "--net"],
    "namespace with groups": [sys.executable, "-c", WITH_GROUPS],
    "namespace of an ordinary user": [*as_nobody(), tool("unshare"), "--user", "--map-root-user"],
    "root": [],
}


@pytest.fixture(autouse=True, scope="module")
def place() -> Iterator[None]:
    """For the output of anybody."""
    OUTPUT.parent.mkdir()
    OUTPUT.parent.chmod(0o1777)
    yield
    shutil.rmtree(OUTPUT.parent)


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> Iterator[str]:
    yield str(request.param)
    wait_until(lambda: not processes_named(), "a process is left")


@contextmanager
def nothing_installed() -> Iterator[None]:
    """Neither the user nor the directory."""
    before = ACCOUNTS.read_text()
    ACCOUNTS.write_text("".join(line for line in before.splitlines(True) if not line.startswith("scanlogd:")))
    CHROOT.rmdir()
    try:
        yield
    finally:
        CHROOT.mkdir(mode=0o755)
        ACCOUNTS.write_text(before)


def read(role: str, wrapper: Sequence[str]) -> Finished:
    """What comes of it, the lines that went to a file included."""
    OUTPUT.unlink(missing_ok=True)
    done = finish([*wrapper, str(BINARY), *map(str, ROLES[role])], env={"TZ": "UTC"})
    return Finished(done.status, done.stdout + (OUTPUT.read_text() if OUTPUT.exists() else ""), done.stderr)


@pytest.fixture(scope="module")
def expected() -> dict[str, Finished]:
    """What an ordinary user gets."""
    found = {role: read(role, as_nobody()) for role in ROLES}
    for role, done in found.items():
        assert (done.status, done.stderr, len(done.stdout) > 100) == (0, "", True), (role, done)
    return found


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_with_less_reads_a_file_as_an_ordinary_user_does(
    expected: dict[str, Finished], role: str, root: str
) -> None:
    assert read(role, ROOTS[root]) == expected[role]


@pytest.mark.parametrize("root", ROOTS)
def test_so_it_does_where_nothing_is_installed(expected: dict[str, Finished], role: str, root: str) -> None:
    with nothing_installed():
        assert read(role, ROOTS[root]) == expected[role]


def test_debians_own_user_of_the_name_is_no_obstacle(expected: dict[str, Finished], role: str) -> None:
    """Whose group is one that whoever has none is in. The daemon refuses him."""
    before = ACCOUNTS.read_text()
    ACCOUNTS.write_text(before.replace(f":{USER}:{GROUP}:", f":{USER}:{NOBODY}:"))
    try:
        assert read(role, []) == expected[role]
    finally:
        ACCOUNTS.write_text(before)


# What is given up.


class Reader:
    """One that has given up what there was, and waits for its file."""

    def __init__(self, role: str, wrapper: Sequence[str]) -> None:
        arguments = [argument if isinstance(argument, str) else "-" for argument in ROLES[role]]
        if role == "file":
            arguments[2] = str(OUTPUT)
        self.process = subprocess.Popen([*wrapper, str(BINARY), *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: status_fields(self.process.pid)["NoNewPrivs"] == "1" and processes_named(), "not confined")
        wait_until(lambda: status_fields(self.process.pid)["State"].startswith("S"), "not waiting")

    @property
    def pids(self) -> list[int]:
        return [self.process.pid, *children(self.process.pid)]

    @property
    def root(self) -> str:
        return os.readlink(f"/proc/{self.process.pid}/root")

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()
        wait_until(lambda: not processes_named(), "a process is left")


@pytest.fixture
def reader() -> Iterator[Callable[[str, Sequence[str]], Reader]]:
    readers: list[Reader] = []

    def start(role: str, wrapper: Sequence[str]) -> Reader:
        readers.append(Reader(role, wrapper))
        return readers[-1]

    yield start
    for one in readers:
        one.end()


def users_and_groups(pid: int) -> tuple[set[int], set[int]]:
    users, groups, supplementary = identity(pid)
    return set(users), {*groups, *supplementary}


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("name", ["replay", "connections", "names"])
def test_what_there_is_is_given_up(reader: Callable[..., Reader], name: str, capability: str) -> None:
    one = reader(name, without(capability))
    for pid in one.pids:
        found = capabilities(pid)
        bounding = found.pop("CapBnd")
        assert set(found.values()) == {0}
        assert (bounding == 0) == (capability not in ("all", "setpcap")) or capability == "all"
        users, groups = users_and_groups(pid)
        assert users == ({0} if capability in ("all", "setuid") else {USER})
        assert (groups == {GROUP}) == (capability not in ("all", "setgid"))
        assert status_fields(pid)["NoNewPrivs"] == "1"
        assert (status_fields(pid)["Seccomp"] == "2") == (name != "replay")
    assert one.root == ("/" if capability in ("all", "sys_chroot") else str(CHROOT))


def test_the_broker_keeps_no_more_than_it_would(reader: Callable[..., Reader]) -> None:
    one = reader("file", without("setpcap"))
    (broker,) = children(one.process.pid)
    found = capabilities(broker)
    assert (found["CapPrm"], found["CapEff"], found["CapInh"], found["CapAmb"]) == (2, 2, 0, 0)  # CAP_DAC_OVERRIDE
    assert status_fields(broker)["NoNewPrivs"] == "1"


@pytest.mark.parametrize("name", ["replay", "connections", "names"])
def test_where_nothing_is_installed_root_becomes_nobody_in_a_directory_of_its_own(
    reader: Callable[..., Reader], name: str
) -> None:
    with nothing_installed():
        one = reader(name, [])
        for pid in one.pids:
            assert set(capabilities(pid).values()) == {0}
            assert users_and_groups(pid) == ({NOBODY}, {NOBODY})
        assert one.root == f"/proc/{one.process.pid}/fdinfo"
    # Nothing can be made there, not even by the real root.
    with pytest.raises(OSError):
        Path(f"/proc/{one.process.pid}/root/new").touch()


@pytest.mark.parametrize("name", ["replay", "connections", "names"])
def test_a_directory_that_others_can_write_to_is_not_entered(reader: Callable[..., Reader], name: str) -> None:
    CHROOT.chmod(0o777)
    try:
        one = reader(name, [])
        assert one.root == f"/proc/{one.process.pid}/fdinfo"
    finally:
        CHROOT.chmod(0o755)


@pytest.mark.parametrize("name", ["replay", "connections"])
@pytest.mark.parametrize("root", ["namespace", "namespace of an ordinary user"])
def test_in_a_user_namespace_its_privileges_are_given_up(reader: Callable[..., Reader], name: str, root: str) -> None:
    one = reader(name, ROOTS[root])
    assert set(capabilities(one.process.pid).values()) == {0}
    # To whoever knows root alone, the directory is somebody else's.
    assert one.root == (str(CHROOT) if root == "namespace" else f"/proc/{one.process.pid}/fdinfo")


@pytest.mark.parametrize("name", ["replay", "connections", "names"])
def test_a_capability_that_an_ordinary_user_was_given_is_given_up(reader: Callable[..., Reader], name: str) -> None:
    one = reader(name, [*as_nobody(), "--inh-caps=+net_raw", "--ambient-caps=+net_raw"])
    for pid in one.pids:
        assert {set for name, set in capabilities(pid).items() if name != "CapBnd"} == {0}


def test_a_capture_is_read_without_the_file_system() -> None:
    """Also by a root that can't change its root directory."""
    trace = TEMPORARY / "trace"
    wrapper = [*without("sys_chroot"), tool("strace"), "-f", "-o", str(trace), "-e", "trace=landlock_restrict_self,read"]
    assert read("replay", wrapper).status == 0
    lines = trace.read_text().splitlines()
    restricted = [number for number, line in enumerate(lines) if re.search(r"landlock_restrict_self\(.*= 0$", line)]
    assert len(restricted) == 1 and any("read(" in line for line in lines[restricted[0]:])


@pytest.mark.parametrize(("call", "words"), [
    ("setresuid", "privileges: set user"), ("setresgid", "privileges: set group"),
    ("setgroups", "privileges: set supplementary groups"), ("chroot", "/var/empty: chroot"),
    ("capset", "privileges: drop capabilities"),
])
@pytest.mark.parametrize("name", ["replay", "connections"])
def test_what_there_is_and_can_not_be_given_up_is_an_error(name: str, call: str, words: str) -> None:
    """It is not guessed from what fails that there is nothing."""
    wrapper = [tool("strace"), "-f", "-o", "/dev/null", "-e", f"inject={call}:error=EPERM"]
    done = read(name, wrapper)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr == f"scanlogd: {words}: Operation not permitted\n"


def test_a_capability_set_that_can_not_be_read_is_taken_for_a_full_one() -> None:
    wrapper = [*without("setuid"), tool("strace"), "-f", "-o", "/dev/null", "-e", "inject=capget:error=EPERM"]
    assert read("replay", wrapper) == Finished(1, "", "scanlogd: privileges: set user: Operation not permitted\n")
