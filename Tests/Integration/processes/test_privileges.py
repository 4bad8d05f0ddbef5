"""What the running daemon is allowed to do and what it holds, as /proc shows it."""

import os
import re
from pathlib import Path

import pytest
from harness.accounts import GROUP, USER, as_user
from harness.daemon import Daemon, descriptors, finish, processes_named, status_fields, wait_until
from harness.places import CHROOT, PID_FILE
from harness.proc import capabilities, identity, kinds_of_descriptors, limits
from harness.scene import Scene
from harness.syslog_sink import SyslogSink

# What each backend holds open besides the log: sockets by the table of /proc/net that they are in.
SOCKETS = {
    # Netlink: the host's addresses and its sockets, and where interfaces can be named, these.
    "ring": {"netlink": 3, "packet": 1},
    "raw": {"netlink": 2, "raw": 1, "raw6": 1},
    "pcap": {"netlink": 3, "packet": 1},
    "nids": {"netlink": 3, "packet": 1},
}


@pytest.fixture(params=["daemon", "foreground"])
def manner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(SOCKETS))
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def running(manner: str, backend: str, daemon: Daemon, log: SyslogSink) -> Daemon:
    """A daemon that has logged its first line, so that both processes have done all they do at the start."""
    if manner == "daemon":
        daemon.start("--backend", backend)
    else:
        daemon.start_foreground("--backend", backend)
    wait_until(lambda: bool(log.messages), "nothing logged")
    assert len(processes_named()) == 2
    return daemon


def test_all_four_user_ids_are_those_of_the_user(running: Daemon) -> None:
    for pid in processes_named():
        assert identity(pid)[0] == [USER] * 4


def test_all_four_group_ids_are_those_of_the_user(running: Daemon) -> None:
    for pid in processes_named():
        assert identity(pid)[1] == [GROUP] * 4


def test_the_one_supplementary_group_is_the_users_own(running: Daemon) -> None:
    for pid in processes_named():
        assert identity(pid)[2] == [GROUP]


@pytest.mark.parametrize("kind", ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
def test_no_capability_is_left(running: Daemon, kind: str) -> None:
    for pid in processes_named():
        assert capabilities(pid)[kind] == 0


def test_no_new_privileges_can_be_gained(running: Daemon) -> None:
    for pid in processes_named():
        assert status_fields(pid)["NoNewPrivs"] == "1"


def test_the_sensors_root_and_working_directory_are_the_empty_one(running: Daemon) -> None:
    assert os.readlink(f"/proc/{running.sensor}/root") == str(CHROOT)
    assert os.readlink(f"/proc/{running.sensor}/cwd") == str(CHROOT)
    assert not list(CHROOT.iterdir())


def test_system_calls_are_filtered(running: Daemon) -> None:
    for pid in processes_named():
        assert status_fields(pid)["Seccomp"] == "2"


def test_nothing_can_be_forked_or_dumped(running: Daemon) -> None:
    for pid in processes_named():
        assert limits(pid)["Max processes"] == ("0", "0")
        assert limits(pid)["Max core file size"] == ("0", "0")


def test_no_process_can_be_looked_into_by_its_own_user(running: Daemon) -> None:
    for pid in processes_named():
        # The files of a process that can't be dumped belong to root.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0
        peek = [*as_user(USER, GROUP), "ls", f"/proc/{pid}/fd"]
        assert finish(peek).status != 0


def test_the_sensor_can_open_no_descriptor_and_write_no_file(running: Daemon) -> None:
    most = int(limits(running.sensor)["Max open files"][0])
    assert set(range(most)) <= set(descriptors(running.sensor)), "each number below the limit is taken"
    assert limits(running.sensor)["Max file size"] == ("0", "0")


def test_the_logger_can_open_few_descriptors(running: Daemon) -> None:
    most = int(limits(running.pid)["Max open files"][0])
    # Two for the log; the others held what the start needed to its end.
    assert len(set(range(most)) - set(descriptors(running.pid))) <= 4


def test_one_thread_runs(running: Daemon) -> None:
    for pid in processes_named():
        assert status_fields(pid)["Threads"] == "1"


def test_the_sensor_holds_its_sockets_its_way_to_the_logger_and_nothing_else(
    running: Daemon, backend: str
) -> None:
    kinds = kinds_of_descriptors(running.sensor)
    sockets = [table for table, count in SOCKETS[backend].items() for _ in range(count)]
    # unix: the logger, and syslog(3); libpcap has an event to break its loop.
    expected = sorted(["eventpoll", "pipe", *sockets, "signalfd", "unix", "unix"])
    assert [kind for kind in kinds if kind not in ("/dev/null", "eventfd")] == expected
    assert [descriptors(running.sensor)[number] for number in range(3)] == ["/dev/null"] * 3


def test_the_logger_holds_its_way_to_the_sensor_and_the_log_and_nothing_else(running: Daemon) -> None:
    kinds = kinds_of_descriptors(running.pid)
    pid_file = [] if running.in_foreground else [str(PID_FILE)]
    assert kinds == [*pid_file, "pipe", "signalfd", "unix", "unix"]


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
    for pid in processes_named():
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            permissions = line.split()[1]
            assert not ("w" in permissions and "x" in permissions), line
            # The ring of a packet socket is the kernel's and ours.
            assert "s" not in permissions or re.search(r" socket:\[\d+\]$", line), line


def test_a_foreground_daemon_holds_no_pid_file(idle_scene: Scene) -> None:
    idle_scene.daemon.start_foreground()
    assert not PID_FILE.exists()
