"""What the two processes of scanlogd connections may do and what they hold, as /proc shows it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.accounts import GROUP, USER, as_user, without
from harness.connections import SAMPLE, Connections
from harness.daemon import descriptors, finish, processes_named, status_fields, wait_until
from harness.network import Namespace, missing
from harness.packets import Segment, Sender
from harness.places import CHROOT
from harness.proc import capabilities, identity, kinds_of_descriptors, limits
from harness.syslog_sink import SyslogSink

CAP_DAC_OVERRIDE = 1 << 1
FILTERS = {"ring": (), "pcap": ("-f", "tcp")}


@pytest.fixture(params=["stdout", "file", "background"])
def manner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["ring", "pcap"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def running(manner: str, backend: str, connections: Connections, sender: Sender, log: SyslogSink,
            tmp_path: Path) -> Connections:
    """A run that has written a line and logged one, so that both processes have done what they do."""
    options = ["-i", "wire", "--limit", "1", *FILTERS[backend]]
    if manner == "background":
        connections.start_background(*options, "-o", tmp_path / "out", pid_file=tmp_path / "pid")
    else:
        connections.start(*options, *(["-o", tmp_path / "out"] if manner == "file" else []))
    sender.send([Segment(80)])
    connections.wait_for(1, connections.stdout if manner == "stdout" else tmp_path / "out")
    if manner == "background":
        connections.send_signal(signal.SIGUSR1)
        wait_until(lambda: bool(log.messages), "nothing logged")
    assert processes_named() == sorted([connections.pid, connections.broker])
    return connections


def test_who_captures_is_a_user_without_any_privilege(running: Connections) -> None:
    assert identity(running.pid) == ([USER] * 4, [GROUP] * 4, [GROUP])
    assert set(capabilities(running.pid).values()) == {0}
    assert os.readlink(f"/proc/{running.pid}/root") == os.readlink(f"/proc/{running.pid}/cwd") == str(CHROOT)


def test_the_broker_is_root_only_to_make_files(running: Connections, manner: str) -> None:
    found = capabilities(running.broker)
    if manner == "stdout":
        assert identity(running.broker) == ([USER] * 4, [GROUP] * 4, [GROUP])
        assert set(found.values()) == {0}
    else:
        assert identity(running.broker)[0] == [0] * 4
        assert found == {"CapInh": 0, "CapPrm": CAP_DAC_OVERRIDE, "CapEff": CAP_DAC_OVERRIDE, "CapBnd": 0, "CapAmb": 0}


def test_a_root_that_has_less_makes_files_in_its_own_directory(connections: Connections, tmp_path: Path) -> None:
    connections.start("-i", "wire", "-o", tmp_path / "out", wrapper=without("dac_override"))
    assert set(capabilities(connections.broker).values()) == {0}
    (tmp_path / "out").rename(tmp_path / "old")
    connections.send_signal(signal.SIGHUP)
    wait_until((tmp_path / "out").exists, "no new file")


@pytest.mark.parametrize("options", [("-b", "-i", "wire"), ("-i", "wire")], ids=["-b", "live"])
def test_a_broker_that_can_not_be_made_harmless_is_one_line(
    connections: Connections, tmp_path: Path, options: tuple[object, ...]
) -> None:
    """Reported: it ended, and nobody waited for that: in the background the status was 0."""
    command = connections.command(*options, "-o", tmp_path / "out", wrapper=without("setpcap"))
    done = finish(command)
    said = "scanlogd: broker: empty bounding set: Operation not permitted\n"
    assert (done.status, done.stdout, done.stderr) == (1, "", said)
    assert not (tmp_path / "out").exists()
    assert not processes_named()


def test_both_are_in_a_sandbox_for_good(running: Connections) -> None:
    for pid in processes_named():
        status = status_fields(pid)
        assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")
        assert limits(pid)["Max processes"] == limits(pid)["Max core file size"] == ("0", "0")
        # The files of a process that can't be dumped belong to root.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0
        peek = [*as_user(USER, GROUP), "ls", f"/proc/{pid}/fd"]
        assert finish(peek).status != 0


def test_who_captures_holds_its_sockets_and_its_output(
    running: Connections, backend: str, manner: str, tmp_path: Path
) -> None:
    expected = ["eventpoll", "netlink", "packet", "signalfd", "unix"]
    expected += [] if manner == "stdout" else [str(tmp_path / "out")]
    expected += [str(tmp_path / "pid"), "unix"] if manner == "background" else []  # for a last word to the log
    found = [kind for kind in kinds_of_descriptors(running.pid) if kind not in ("eventfd", "/dev/null")]
    assert found == sorted(expected)
    standard = [descriptors(running.pid)[number] for number in range(3)]
    assert standard[0] == "/dev/null"
    assert (standard[1] == "/dev/null") == (manner != "stdout")
    assert (standard[2] == "/dev/null") == (manner == "background")


def test_who_captures_can_open_no_more_than_the_next_file(running: Connections, manner: str) -> None:
    most = int(limits(running.pid)["Max open files"][0])
    # The others held what the start needed to its end.
    assert len(set(range(most)) - set(descriptors(running.pid))) <= 3


def test_the_broker_holds_the_log_the_other_process_and_its_directory(
    running: Connections, manner: str, tmp_path: Path
) -> None:
    directory = [] if manner == "stdout" else [str(tmp_path)]
    assert kinds_of_descriptors(running.broker) == sorted(["unix", "unix", *directory])
    assert [descriptors(running.broker)[number] for number in range(3)] == ["/dev/null"] * 3


def test_the_broker_holds_nothing_that_its_starter_left_open(connections: Connections, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        process = subprocess.Popen(connections.command("-o", tmp_path / "out"), pass_fds=[secret.fileno()],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: len(processes_named()) == 2, "not started")
        connections.pid = process.pid
        wait_until(lambda: connections.is_confined(process.pid), "not confined")
        for pid in processes_named():
            assert str(tmp_path / "secret") not in descriptors(pid).values()
        process.terminate()
        assert process.wait(5) == 0
        connections.pid = 0


@pytest.fixture
def hooked(target: Namespace, tmp_path: Path) -> Iterator[Connections]:
    """A run, not started yet, of the program that can be told to do what it must not."""
    binary = Path(os.environ.get("SCANLOGD_WITH_TEST_HOOKS", "/nonexistent"))
    if not binary.exists():
        missing("no binary with test hooks: make integration")
    hooked = Connections(target, tmp_path, binary)
    yield hooked
    hooked.tear_down()


@pytest.mark.parametrize("way", ["{}/other/out", "../other/out"])
def test_the_broker_can_make_files_in_the_directory_and_nowhere_else(
    hooked: Connections, log: SyslogSink, tmp_path: Path, way: str
) -> None:
    """A path through which it would get elsewhere: landlock(7) stops it."""
    place, other = tmp_path / "place", tmp_path / "other"
    place.mkdir()
    other.mkdir()
    hooked.start("-i", "wire", "-o", place / "out", env={"SCANLOGD_TEST_HOOK": f"name {way.format(tmp_path)}"})
    hooked.send_signal(signal.SIGHUP)
    wait_until(lambda: bool(log.messages), "nothing logged")
    assert log.messages[0].text == f"{place}/out: open: Permission denied"
    assert list(other.iterdir()) == []


def test_a_file_that_is_not_named_in_that_directory_kills_the_broker(
    hooked: Connections, log: SyslogSink, tmp_path: Path
) -> None:
    """Also with the right flags."""
    hooked.start("-i", "wire", "-o", tmp_path / "out", env={"SCANLOGD_TEST_HOOK": f"path {tmp_path}/other"})
    hooked.send_signal(signal.SIGHUP)
    assert hooked.wait() == 1
    assert hooked.stderr().startswith("scanlogd: connections: broker of the log: it has ended\n")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("call", ["execve", "open", "socket"])
@pytest.mark.parametrize("options", [
    (), ("-f", "tcp"), ("-o", "/run/stage/tmp/hooked"), ("-b", "-o", "/run/stage/tmp/hooked")], ids=" ".join)
def test_a_call_that_is_not_on_its_list_kills_it(
    hooked: Connections, tmp_path: Path, call: str, options: tuple[str, ...]
) -> None:
    env = {"SCANLOGD_TEST_HOOK": call}
    if "-b" in options:
        hooked.start_background(*options[1:], pid_file=tmp_path / "pid", env=env)
    else:
        hooked.start(*options, env=env)
    assert hooked.stop(signal.SIGUSR2) == -signal.SIGSYS


def test_a_file_is_read_without_privileges() -> None:
    command = ["/run/stage/bin/scanlogd", "connections", "--read", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        try:
            wait_until(lambda: status_fields(process.pid)["Seccomp"] == "2", "not confined")
            assert identity(process.pid) == ([USER] * 4, [GROUP] * 4, [GROUP])
            assert set(capabilities(process.pid).values()) == {0}
            assert status_fields(process.pid)["NoNewPrivs"] == "1"
            assert os.readlink(f"/proc/{process.pid}/root") == str(CHROOT)
            process.stdin.write(SAMPLE.read_bytes())
            process.stdin.close()
            assert process.wait(5) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("backend", list(FILTERS))
def test_no_call_of_a_long_life_is_forbidden(
    connections: Connections, attacker: Namespace, target: Namespace, generator: Path, log: SyslogSink, backend: str,
    tmp_path: Path
) -> None:
    """All that may happen, one thing after another, while packets come fast: nothing of it ends a process."""
    connections.start("-i", "any", "-o", tmp_path / "out", *FILTERS[backend])
    flood = subprocess.Popen(attacker.command(generator, "wire", "02:00:00:00:77:02", "mix", 300_000, 100_000),
                             stdout=subprocess.DEVNULL)
    broker = connections.broker
    try:
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE, signal.SIGALRM) * 3:
            connections.send_signal(number)
            target.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "peer")
            target.run("ip", "link", "set", "other", "up")
            target.run("ip", "link", "set", "other", "name", "another")
            target.run("ip", "link", "set", "lo", "down")
            target.run("ip", "link", "delete", "another")
            target.run("ip", "link", "set", "lo", "up")
            os.kill(connections.pid, signal.SIGSTOP)
            os.kill(connections.pid, signal.SIGCONT)
        assert connections.broker == broker
    finally:
        assert flood.wait(30) == 0
    assert connections.stop() == 0
    assert {message.level for message in log.messages} <= {4, 5}
