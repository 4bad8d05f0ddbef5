"""A start that does not get to its end: a process of its is killed, or somebody wants it to stop."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from harness.connections import SAMPLE, Connections
from harness.daemon import Daemon, finish, processes_named, reap, redirected, wait_until
from harness.network import tool
from harness.places import PID_FILE
from harness.syslog_sink import SyslogSink


def traced(injection: str) -> list[str]:
    """Runs a program, and its children, so that something happens at a system call."""
    return [tool("strace"), "-f", "-o", "/dev/null", "-e", f"inject={injection}"]


def no_process_is_left() -> bool:
    reap()
    return processes_named() == []


def is_empty(pid_file: Path) -> bool:
    return not pid_file.exists() or pid_file.read_text() == ""


# Killed.


# Each of these calls is one that only this process makes, before it is ready.
SENSOR, LOGGER = "fchdir", "chdir"
BAD_SYSTEM_CALL = "start: killed by signal 31 (Bad system call)"


@pytest.mark.parametrize(("options", "call", "said"), [
    ((), SENSOR, "sensor"), (("-d",), SENSOR, "sensor"), ((), LOGGER, "logger"),
], ids=["the sensor", "the sensor in the foreground", "the logger"])
def test_a_process_of_the_daemon_that_is_killed_while_it_starts_is_named(
    daemon: Daemon, log: SyslogSink, options: Sequence[str], call: str, said: str
) -> None:
    done = daemon.run(*options, wrapper=traced(f"{call}:signal=SIGSYS"))
    assert (done.status, done.stdout, done.stderr) == (1, "", f"scanlogd: {said}: {BAD_SYSTEM_CALL}\n")
    wait_until(no_process_is_left, "a process is left")
    assert is_empty(PID_FILE)
    assert "started" not in "".join(message.text for message in log.messages)


@pytest.mark.parametrize(("options", "call", "said"), [
    ((), "chdir", "broker"), (("-r",), "setsid", "host names"), (("-b", "-o", "out"), "fchdir", "reader"),
    (("-b", "-o", "out"), "chdir", "broker"),
], ids=["the broker", "the helper for names", "the reader", "the broker in the background"])
def test_a_process_of_connections_that_is_killed_while_it_starts_is_named(
    connections: Connections, tmp_path: Path, options: Sequence[str], call: str, said: str
) -> None:
    command = connections.command(
        "-i", "wire", "-P", tmp_path / "pid", *(tmp_path / word if word == "out" else word for word in options),
        wrapper=traced(f"{call}:signal=SIGSYS"))
    done = finish(command)
    assert (done.status, done.stdout, done.stderr) == (1, "", f"scanlogd: {said}: {BAD_SYSTEM_CALL}\n")
    wait_until(no_process_is_left, "a process is left")
    assert is_empty(tmp_path / "pid")


def test_a_broker_that_is_killed_while_a_file_is_to_be_read_is_named(connections: Connections) -> None:
    done = finish(connections.command("--read", SAMPLE, wrapper=traced("chdir:signal=SIGKILL")))
    assert (done.status, done.stderr) == (1, "scanlogd: broker: start: killed by signal 9 (Killed)\n")
    wait_until(no_process_is_left, "a process is left")


# Told to stop.


def end_first_process(number: signal.Signals) -> None:
    os.kill(processes_named()[0], number)


def end_all_processes(number: signal.Signals) -> None:
    """As service managers do to what they call a control group."""
    for pid in processes_named():
        os.kill(pid, number)


def assert_all_is_over(log: SyslogSink) -> None:
    """Nothing is left of a start, and the log does not tell of a daemon that runs."""
    wait_until(no_process_is_left, "a process is left")
    texts = [message.text.partition(",")[0] for message in log.messages]
    assert texts in ([], ["started", "stopped"])
    assert is_empty(PID_FILE)


@pytest.mark.parametrize("end", [end_first_process, end_all_processes])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_who_ends_a_start_that_has_written_its_process_id_leaves_nothing(
    daemon: Daemon, log: SyslogSink, end: Callable[[signal.Signals], None], number: signal.Signals
) -> None:
    with TemporaryFile() as stderr:
        start = subprocess.Popen(daemon.command(wrapper=traced("pwrite64:delay_exit=500000")),
                                 stdin=subprocess.DEVNULL, stderr=stderr)
        wait_until(lambda: not is_empty(PID_FILE), "no process id", 10)
        end(number)
        assert start.wait(10) in (-number, 128 + number)
        assert os.pread(stderr.fileno(), 100, 0) == b""
    assert_all_is_over(log)
    assert log.messages[-1].text == "stopped"


def test_who_kills_the_first_process_of_a_start_leaves_nothing(daemon: Daemon, log: SyslogSink) -> None:
    start = subprocess.Popen(daemon.command(wrapper=traced("pwrite64:delay_exit=500000")),
                             stdin=subprocess.DEVNULL)
    wait_until(lambda: not is_empty(PID_FILE), "no process id", 10)
    end_first_process(signal.SIGKILL)
    start.wait(10)
    assert_all_is_over(log)
    assert log.messages[-1].text == "stopped"


def test_who_ends_a_start_of_connections_leaves_nothing(connections: Connections, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    command = connections.command("-b", "-i", "wire", "-o", tmp_path / "out", "-P", pid_file,
                                  wrapper=traced("pwrite64:delay_exit=500000"))
    for number in (signal.SIGTERM, signal.SIGKILL):
        start = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        wait_until(lambda: not is_empty(pid_file), "no process id", 10)
        end_first_process(number)
        start.wait(10)
        wait_until(no_process_is_left, "a process is left")
        assert is_empty(pid_file)


STEPS = 40


@pytest.mark.parametrize("end", [end_first_process, end_all_processes])
@pytest.mark.parametrize("foreground", [False, True], ids=["daemon", "foreground"])
def test_whenever_a_start_is_ended_nothing_is_left(
    daemon: Daemon, log: SyslogSink, end: Callable[[signal.Signals], None], foreground: bool
) -> None:
    options = ["-d", "-P", PID_FILE] if foreground else []
    command = redirected(daemon.command(*options), "2>/dev/null")
    ended: list[int] = []
    for step in range(STEPS):
        told = len(log.messages)
        start = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        wait_until(lambda: processes_named() != [] or start.poll() is not None, "it does not begin")
        time.sleep(step * 0.0015)
        if start.poll() is None:
            try:
                end(signal.SIGTERM)
            except (IndexError, ProcessLookupError):
                pass
        status = start.wait(10)
        if status == 0 and not foreground:  # it was ready before
            for pid in processes_named():
                try:
                    os.kill(pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass
        ended.append(status)
        wait_until(no_process_is_left, "a process is left")
        texts = [message.text.partition(",")[0] for message in log.messages[told:]]
        assert (status, texts) in [(0, ["started", "stopped"]), (-signal.SIGTERM, []),
                                   (-signal.SIGTERM, ["started", "stopped"])], f"step {step}"
        assert is_empty(PID_FILE)
    assert set(ended) <= {0, -signal.SIGTERM}


def test_a_stale_number_does_not_outlive_a_start_that_is_ended(daemon: Daemon, log: SyslogSink) -> None:
    PID_FILE.write_text("4194300\n")
    PID_FILE.chmod(0o600)
    start = subprocess.Popen(daemon.command("-d", "-P", PID_FILE, wrapper=traced("fchdir:signal=SIGSYS")),
                             stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert start.wait(10) == 1
    assert_all_is_over(log)
