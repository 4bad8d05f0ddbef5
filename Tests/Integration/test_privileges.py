"""What the running daemon is allowed to do and what it holds, as /proc shows it."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest
from harness.daemon import Daemon, descriptors, processes_named, status_fields
from harness.places import CHROOT, PID_FILE
from harness.scene import Scene

USER, GROUP = 48651, 48652


# What each backend holds open besides the log: sockets by the table of /proc/net that they are in.
SOCKETS = {
    "ring": {"packet": 1, "netlink": 1},
    "raw": {"raw": 1, "raw6": 1},
    "pcap": {"packet": 1, "netlink": 1},
    "nids": {"packet": 1, "netlink": 1},
}


@pytest.fixture(params=["daemon", "foreground"])
def manner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(SOCKETS))
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def running(manner: str, backend: str, daemon: Daemon) -> Daemon:
    if manner == "daemon":
        daemon.start("--backend", backend)
    else:
        daemon.start_foreground("--backend", backend)
    return daemon


def test_all_four_user_ids_are_those_of_the_user(running: Daemon) -> None:
    for pid in processes_named():
        assert status_fields(pid)["Uid"].split() == [str(USER)] * 4


def test_all_four_group_ids_are_those_of_the_user(running: Daemon) -> None:
    for pid in processes_named():
        assert status_fields(pid)["Gid"].split() == [str(GROUP)] * 4


def test_the_one_supplementary_group_is_the_users_own(running: Daemon) -> None:
    for pid in processes_named():
        assert status_fields(pid)["Groups"].split() == [str(GROUP)]


@pytest.mark.parametrize("kind", ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
def test_no_capability_is_left(running: Daemon, kind: str) -> None:
    for pid in processes_named():
        assert int(status_fields(pid)[kind], 16) == 0


def test_no_new_privileges_can_be_gained(running: Daemon) -> None:
    for pid in processes_named():
        assert status_fields(pid)["NoNewPrivs"] == "1"


def test_root_and_working_directory_are_the_empty_one(running: Daemon) -> None:
    assert os.readlink(f"/proc/{running.pid}/root") == str(CHROOT)
    assert os.readlink(f"/proc/{running.pid}/cwd") == str(CHROOT)
    assert not list(CHROOT.iterdir())


def test_one_thread_runs(running: Daemon) -> None:
    for pid in processes_named():
        assert status_fields(pid)["Threads"] == "1"


_TABLES = (
    ("raw", 9), ("raw6", 9), ("unix", 6), ("packet", 8), ("netlink", 9), ("tcp", 9), ("tcp6", 9), ("udp", 9), ("udp6", 9),
)


def socket_kinds(pid: int) -> dict[str, str]:
    """Which table of the daemon's network namespace each of its sockets' inodes is in."""
    kinds = {}
    for table, column in _TABLES:
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            kinds[line.split()[column]] = table
    return kinds


def test_open_descriptors_are_the_backends_sockets_and_the_log_and_nothing_else(
    running: Daemon, backend: str
) -> None:
    kinds = socket_kinds(running.pid)
    in_foreground = running.in_foreground
    counts: Counter[str] = Counter()
    for number, name in descriptors(running.pid).items():
        if inode := re.fullmatch(r"socket:\[(\d+)\]", name):
            counts[kinds[inode[1]]] += 1
        elif number <= 2:
            # In the foreground standard error is the tests' own file.
            assert name == "/dev/null" or (in_foreground and number == 2), (number, name)
        else:
            allowed = r"/dev/null|anon_inode:\[(eventpoll|signalfd|eventfd|timerfd)\]"
            is_pid_file = name == str(PID_FILE) and not in_foreground
            assert is_pid_file or re.fullmatch(allowed, name), (number, name)
    assert counts.pop("unix") >= 1
    assert counts == SOCKETS[backend]


def assert_detached(pid: int) -> None:
    """It has a session of its own, no terminal, and nothing of its starter's on descriptors 0 to 2."""
    names = descriptors(pid)
    assert [names.get(number) for number in range(3)] == ["/dev/null"] * 3
    # After the name, in parentheses: state, parent, group, session, terminal.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    assert int(fields[1]) == os.getpid(), "its parent is the first process"
    assert int(fields[3]) == pid, "it leads its session"
    assert fields[4] == "0", "it has no terminal"


def test_a_daemon_is_detached_at_the_moment_its_parent_exits(daemon: Daemon) -> None:
    # Many times, because a child that is still at it would often be quick enough.
    for _ in range(30):
        daemon.start()
        assert_detached(daemon.pid)
        assert daemon.stop() == 0


def test_no_memory_is_both_writable_and_executable_or_shared_but_with_the_kernel(running: Daemon) -> None:
    for line in Path(f"/proc/{running.pid}/maps").read_text().splitlines():
        permissions = line.split()[1]
        assert not ("w" in permissions and "x" in permissions), line
        # The ring of a packet socket is the kernel's and ours.
        assert "s" not in permissions or re.search(r" socket:\[\d+\]$", line), line


def test_a_foreground_daemon_holds_no_pid_file(idle_scene: Scene) -> None:
    idle_scene.daemon.start_foreground()
    assert not PID_FILE.exists()
