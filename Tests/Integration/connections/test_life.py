"""scanlogd connections from its start to its end: signals, counters, the limit, the background, who reads its lines."""

import os
import pty
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.connections import END, SAMPLE, Connections, fields
from harness.daemon import START_TIMEOUT, children, processes_named, status_fields, wait_until
from harness.dns import NameServer, resolver_files
from harness.network import Namespace
from harness.packets import Segment, Sender
from harness.places import BINARY, CHROOT
from harness.syslog_sink import SyslogSink
from harness.syslogd import Syslogd


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("filter_", [(), ("-f", "tcp")], ids=["ring", "pcap"])
def test_counters_are_said_when_asked_for_and_at_the_end(
    connections: Connections, sender: Sender, filter_: tuple[str, ...], number: signal.Signals
) -> None:
    connections.start("-i", "wire", *filter_)
    sender.send([Segment(80), Segment(END)])
    connections.before_the_end()
    assert connections.ask_counters()["lines written"] == 2
    sender.send([Segment(81)])
    connections.wait_for(3)
    assert connections.stop(number) == 0
    last = connections.stderr().splitlines()[-7:]
    captured = connections.counters()["packets captured"]
    assert last == ["3 lines written", "0 lines suppressed", "0 lines lost", "0 copies left out",
                    f"{captured} packets captured", f"{captured} packets received by filter",
                    "0 packets dropped by kernel"]
    assert len(connections.stderr().splitlines()) == 14


@pytest.mark.parametrize("filter_", [(), ("-f", "tcp")], ids=["ring", "pcap"])
def test_a_hangup_ends_it_where_it_has_no_file(
    connections: Connections, sender: Sender, filter_: tuple[str, ...]
) -> None:
    connections.start("-i", "wire", *filter_)
    sender.send([Segment(80)])
    connections.wait_for(1)
    assert connections.stop(signal.SIGHUP) == 0
    assert connections.counters()["lines written"] == 1


def test_a_hangup_that_is_ignored_does_not_end_it(connections: Connections, sender: Sender) -> None:
    connections.start("-i", "wire", wrapper=["nohup"])
    connections.send_signal(signal.SIGHUP)
    sender.send([Segment(80)])
    connections.wait_for(1)
    connections.ask_counters()
    assert connections.stop() == 0


@pytest.mark.parametrize("is_ignored", [False, True], ids=["", "nohup"])
def test_a_hangup_ends_the_reading_of_a_file(connections: Connections, tmp_path: Path, is_ignored: bool) -> None:
    """Also one that nobody has opened to write."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [*(["nohup"] if is_ignored else []), BINARY, "connections", "--read", pipe]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: len(children(process.pid)) == 1 and not is_blocked(process.pid, signal.SIGHUP), "not started")
    process.send_signal(signal.SIGHUP)
    if is_ignored:
        pipe.write_bytes(SAMPLE.read_bytes())
    printed, _ = process.communicate(timeout=5)
    assert (process.returncode, len(printed.splitlines())) == ((0, 7) if is_ignored else (-signal.SIGHUP, 0))


@pytest.mark.parametrize("count", [1, 2000])
@pytest.mark.parametrize("filter_", [(), ("-f", "tcp")], ids=["ring", "pcap"])
def test_what_came_before_it_was_told_to_end_is_a_line_or_counted(
    connections: Connections, sender: Sender, filter_: tuple[str, ...], count: int
) -> None:
    """Reported: what still waited in the kernel was neither."""
    connections.start("-i", "wire", "--limit", "off", *filter_)
    sender.send(Segment(80, source_port=1 + number) for number in range(count))
    assert connections.stop() == 0
    counters = connections.counters()
    assert counters["lines written"] + counters["packets dropped by kernel"] == count
    found = [fields(line)[1] for line in connections.lines()]
    assert len(found) == counters["lines written"] and found == sorted(set(found))


def test_it_ends_by_itself_after_so_many_lines(connections: Connections, sender: Sender) -> None:
    connections.start("-i", "wire", "-c", 3)
    sender.send(Segment(port) for port in range(1, 10))
    assert connections.wait() == 0
    assert [fields(line)[3] for line in connections.lines()] == [1, 2, 3]


def test_a_killed_command_leaves_nothing(connections: Connections, tmp_path: Path, log: SyslogSink) -> None:
    for options in ((), ("-o", tmp_path / "out")):
        connections.start("-i", "wire", *options)
        assert connections.stop(signal.SIGKILL) == -signal.SIGKILL


@pytest.mark.parametrize("options, expected", [
    ((), 1000), (("--limit", "10"), 10), (("--limit", "off"), 3000)], ids=str)
def test_lines_are_limited_and_it_is_said_so(
    connections: Connections, sender: Sender, log: SyslogSink, options: tuple[str, ...], expected: int
) -> None:
    connections.start("-i", "wire", *options)
    sender.send(Segment(80, source_port=1 + number) for number in range(3000))
    wait_until(lambda: connections.ask_counters()["packets captured"] >= 3000, "not all packets were seen")
    assert connections.stop() == 0
    counters = connections.counters()
    found = [fields(line)[1] for line in connections.lines()]
    assert len(found) == counters["lines written"] == 3000 - counters["lines suppressed"]
    # The packets may take longer than a second to send.
    assert len(found) % expected == 0 and found[:expected] == list(range(1, expected + 1))
    note = f"connections: {counters['lines suppressed']} lines suppressed in "
    if expected == 3000:
        assert "suppressed in" not in connections.stderr()
        return
    assert sum(f"scanlogd: {note}" in line for line in connections.stderr().splitlines()) == 1
    wait_until(lambda: any(message.text.startswith(note) for message in log.messages), "no note in the log")
    assert {(message.facility, message.level) for message in log.messages if "suppressed" in message.text} == {(3, 4)}


# Told to end while it starts.


def sleeps(pid: int) -> bool:
    return status_fields(pid)["State"].startswith("S")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("role", [("connections", "--read"), ("connections", "-r", "--read"), ("-r",)], ids=" ".join)
def test_it_ends_while_it_waits_for_a_writer(
    connections: Connections, tmp_path: Path, role: tuple[str, ...], number: signal.Signals
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen([BINARY, *role, pipe])
    helpers = len(role) - 1
    wait_until(lambda: len(children(process.pid)) == helpers and sleeps(process.pid), "it does not wait")
    if helpers:
        wait_until(lambda: not is_blocked(process.pid, number), "the signal has to wait")
    process.send_signal(number)
    assert process.wait(5) == -number
    wait_until(lambda: not processes_named(), "a process is left")


def is_blocked(pid: int, number: signal.Signals) -> bool:
    return bool(int(status_fields(pid)["SigBlk"], 16) >> number - 1 & 1)


@pytest.fixture
def silent_server(target: Namespace) -> Iterator[NameServer]:
    server = NameServer(target, dead=True)
    server.start()
    try:
        with resolver_files():
            yield server
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", [
    ("-i", "wire"), ("--read", SAMPLE), ("-b", "-o", "/run/stage/tmp/unused", "-P", "/run/stage/tmp/unused.pid")],
    ids=["live", "file", "background"])
def test_it_ends_while_a_name_in_its_filter_is_looked_up(
    connections: Connections, silent_server: NameServer, options: tuple[object, ...], number: signal.Signals
) -> None:
    """In the background whoever waits for its start is told."""
    process = subprocess.Popen(connections.command(*options, "-f", "host slow.example"))
    wait_until(lambda: bool(silent_server.questions), "nobody asks")
    process.send_signal(number)
    assert process.wait(5) == -number
    wait_until(lambda: not processes_named(), "a process is left")


def test_no_signal_is_lost_between_its_start_and_its_work(connections: Connections, tmp_path: Path) -> None:
    """A capture that never goes on, and an end at any moment of the start."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    try:
        for number in range(60):
            process = subprocess.Popen([BINARY, "connections", "--read", pipe])
            time.sleep(number / 5000)
            process.terminate()
            assert process.wait(5) in (0, -signal.SIGTERM)
    finally:
        os.close(writer)
    wait_until(lambda: not processes_named(), "a process is left")


# In the background.


def start_background(connections: Connections, tmp_path: Path, *options: object) -> Path:
    connections.start_background("-i", "wire", "-o", tmp_path / "out", *options, pid_file=tmp_path / "pid")
    return tmp_path / "out"


def test_a_background_run_has_a_pid_file_and_logs_its_counters(
    connections: Connections, sender: Sender, tmp_path: Path, log: SyslogSink
) -> None:
    out = start_background(connections, tmp_path)
    assert (tmp_path / "pid").read_text() == f"{connections.pid}\n"
    again = connections.run("-b", "-o", tmp_path / "other", "-P", tmp_path / "pid")
    assert (again.status, again.stderr.count("\n")) == (1, 1)
    assert f"already running as process {connections.pid}" in again.stderr
    sender.send([Segment(80), Segment(END)])
    assert [line[3] for line in connections.before_the_end(out)] == [80]
    connections.send_signal(signal.SIGUSR1)
    wait_until(lambda: "connections: 2 lines written" in log.texts(), "no counters in the log")
    assert connections.stop() == 0
    assert (tmp_path / "pid").read_text() == ""
    wait_until(lambda: sum("packets dropped by kernel" in text for text in log.texts()) == 2, "no counters at the end")
    assert all(message.facility == 3 and message.ident == "scanlogd" for message in log.messages)


def test_a_background_run_has_let_go_of_whoever_started_it(connections: Connections, tmp_path: Path) -> None:
    """Who waits for the end of its output, as ssh does, is let go; and so is the directory that it was started in."""
    command = connections.command("-b", "-r", "-o", tmp_path / "out", "-P", tmp_path / "pid")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          cwd=tmp_path, timeout=START_TIMEOUT, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    connections.pid = int((tmp_path / "pid").read_text())
    processes = processes_named()
    assert len(processes) == 3 and connections.pid in processes
    for pid in processes:
        assert [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)] == ["/dev/null"] * 3
        assert os.readlink(f"/proc/{pid}/cwd") in ("/", str(CHROOT))


def test_notes_arrive_after_syslogd_was_started_again(
    connections: Connections, sender: Sender, tmp_path: Path
) -> None:
    syslogd = Syslogd("busybox", tmp_path)
    try:
        syslogd.start()
        start_background(connections, tmp_path)
        connections.send_signal(signal.SIGUSR1)
        syslogd.wait_for("connections: 0 lines written")
        syslogd.end()
        sender.send([Segment(80)])
        connections.wait_for(1, tmp_path / "out")
        connections.send_signal(signal.SIGUSR1)  # while nobody listens
        time.sleep(0.3)
        syslogd.start()
        syslogd.wait_for("connections: 1 lines written")
        assert connections.stop() == 0
    finally:
        syslogd.close()


@pytest.mark.parametrize("options", [
    ("-o", "out", "-i", "nosuch0"), ("-o", "out", "-f", "tcp and and"), ("-o", "/nonexistent/x"),
])
def test_a_background_run_that_can_not_start_says_so_and_leaves_nothing(
    connections: Connections, tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = connections.run("-b", *(tmp_path / word if word == "out" else word for word in options))
    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    wait_until(lambda: not processes_named(), "a process is left", 1)


# Whoever reads the lines.


def test_a_reader_that_has_enough_ends_it(connections: Connections, sender: Sender) -> None:
    reading, writing = os.pipe()
    connections.start("-i", "wire", stdout=writing)
    os.close(writing)
    sender.send([Segment(80)])
    assert os.read(reading, 4096).count(b"\n") == 1
    os.close(reading)
    # Nothing is being captured any more.
    assert connections.wait() == 0
    assert "scanlogd" not in connections.stderr()


@pytest.mark.parametrize("is_shared", [False, True], ids=["stdout", "both"])
@pytest.mark.parametrize("kind", ["pipe", "terminal", "socket"])
def test_it_ends_while_its_reader_is_stopped(
    connections: Connections, sender: Sender, log: SyslogSink, kind: str, is_shared: bool
) -> None:
    """Also if standard error goes to the same reader."""
    if kind == "pipe":
        reading, writing = os.pipe()
    elif kind == "terminal":
        reading, writing = pty.openpty()
    else:
        pair = socket.socketpair()
        reading, writing = pair[0].detach(), pair[1].detach()
    try:
        connections.start("-i", "wire", "--limit", "off", stdout=writing, stderr=writing if is_shared else None)
        for _ in range(2 if kind == "pipe" else 10):
            sender.send(Segment(80) for _ in range(2000))
        wait_until(lambda: not is_busy(connections.pid), "it does not stop to work")
        connections.send_signal(signal.SIGTERM)
        assert connections.wait(3) in (0, 1)
        if not is_shared:
            assert connections.counters()["lines lost"] > 0
    finally:
        os.close(reading)
        os.close(writing)


def is_busy(pid: int) -> bool:
    """Whether it takes any time of a processor."""
    def ticks() -> int:
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:13]))
    before = ticks()
    time.sleep(0.1)
    return ticks() != before


def test_without_its_broker_it_says_so_and_ends(connections: Connections, sender: Sender, tmp_path: Path) -> None:
    out = tmp_path / "out"
    connections.start("-i", "wire", "-o", out)
    sender.send([Segment(80)])
    wait_until(lambda: out.read_text() != "", "no line")
    os.kill(connections.broker, signal.SIGKILL)
    assert connections.wait() == 1
    assert connections.stderr().startswith("scanlogd: connections: broker of the log: it has ended\n")
    assert len(out.read_text().splitlines()) == 1


def test_what_a_busy_broker_had_no_room_for_is_made_up_for(
    connections: Connections, sender: Sender, tmp_path: Path, log: SyslogSink
) -> None:
    """Reported: lines were lost without a word, and a hangup."""
    out = start_background(connections, tmp_path)

    def obeys(number: signal.Signals) -> None:
        connections.send_signal(number)
        wait_until(lambda: not int(status_fields(connections.pid)["ShdPnd"], 16) >> number - 1 & 1, "it is not read")

    broker = connections.broker
    os.kill(broker, signal.SIGSTOP)
    try:
        wait_until(lambda: status_fields(broker)["State"].startswith("T"), "it is not stopped")
        for _ in range(200):
            obeys(signal.SIGUSR1)
        out.rename(tmp_path / "old")
        obeys(signal.SIGHUP)
        sender.send([Segment(80)])
        connections.wait_for(1, tmp_path / "old")
    finally:
        os.kill(broker, signal.SIGCONT)
    wait_until(out.exists, "no new file")

    def told() -> int:
        lost = re.findall(r"^log lines lost: (\d+)", "\n".join(log.texts()), re.MULTILINE)
        return sum(map(int, lost)) + sum(text.startswith("connections: ") for text in log.texts())
    wait_until(lambda: told() == 200 * 7, "not all lines are told of")
    assert any(text.startswith("log lines lost: ") for text in log.texts()), "the test has filled nothing"
    sender.send([Segment(81)])
    assert [fields(line)[3] for line in connections.wait_for(1, out)] == [81]


@pytest.mark.parametrize("is_new", [False, True], ids=["same", "another"])
def test_in_the_background_the_log_says_that_the_broker_has_ended(
    connections: Connections, tmp_path: Path, is_new: bool
) -> None:
    """Reported: nothing did. What was connected to cannot be told of another syslogd, but it ends in the same way."""
    syslogd = Syslogd("busybox", tmp_path)
    try:
        syslogd.start()
        start_background(connections, tmp_path)
        if is_new:
            syslogd.end()
            syslogd.start()
        os.kill(connections.broker, signal.SIGKILL)
        assert connections.wait() == 1
        assert (tmp_path / "pid").read_text() == ""
        if not is_new:
            syslogd.wait_for("connections: broker of the log: it has ended")
    finally:
        syslogd.close()
