"""The two processes: neither goes on without the other, and each says what became of the other."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from harness.daemon import Daemon, processes_named, wait_until
from harness.network import Namespace, missing, tool
from harness.packets import LOW_PORTS, Segment, scan
from harness.places import PID_FILE
from harness.scene import Scene
from harness.syslog_sink import CRITICAL, WARNING, SyslogSink

EVERY_WAY = pytest.mark.parametrize("foreground", [False, True], ids=["daemon", "foreground"])


def start(scene: Scene, *options: str, foreground: bool = False) -> None:
    """Until it has logged that it has started: it logs nothing else of its own by then."""
    scene.start(*options, foreground=foreground)
    scene.log.wait_for_text("started")


def assert_logged(log: SyslogSink, level: int, expected: str) -> None:
    """That line, and no other of the level, is logged or about to be."""
    wait_until(lambda: log.texts(level) != [], f"nothing of level {level}")
    assert log.texts(level) == [expected]


# Ends.


@EVERY_WAY
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSYS])
def test_the_death_of_the_sensor_is_logged_and_ends_the_logger(
    idle_scene: Scene, foreground: bool, number: signal.Signals
) -> None:
    start(idle_scene, foreground=foreground)
    os.kill(idle_scene.daemon.sensor, number)
    assert idle_scene.daemon.wait() == 1
    assert_logged(idle_scene.log, CRITICAL,
                  f"sensor: killed by signal {number.value} ({signal.strsignal(number.value)})")
    assert processes_named() == []
    assert not PID_FILE.exists() or PID_FILE.read_text() == ""


@EVERY_WAY
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSYS])
def test_the_death_of_the_logger_is_logged_and_ends_the_sensor(
    idle_scene: Scene, foreground: bool, number: signal.Signals
) -> None:
    start(idle_scene, foreground=foreground)
    assert idle_scene.daemon.stop(number) == -number
    wait_until(lambda: processes_named() == [], "the sensor goes on")
    assert_logged(idle_scene.log, CRITICAL, "logger: hand over lines: it has ended")


def test_the_death_of_the_logger_is_noticed_under_load(scene: Scene) -> None:
    end = time.monotonic() + 1
    flood = threading.Thread(target=lambda: [
        scene.sender.send(scan(range(1, 1000))) for _ in iter(lambda: time.monotonic() < end, False)])
    flood.start()
    time.sleep(0.2)
    scene.daemon.stop(signal.SIGKILL)
    wait_until(lambda: processes_named() == [], "the sensor goes on", 0.7)
    flood.join()


@EVERY_WAY
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_ends_the_sensor_ends_both_like_one_that_ends_the_logger(
    idle_scene: Scene, foreground: bool, number: signal.Signals
) -> None:
    start(idle_scene, foreground=foreground)
    os.kill(idle_scene.daemon.sensor, number)
    assert idle_scene.daemon.wait() == 0
    idle_scene.log.wait_for_text("stopped")
    assert idle_scene.log.texts(CRITICAL) == []


def test_a_sensor_that_does_not_obey_is_killed(idle_scene: Scene) -> None:
    start(idle_scene)
    os.kill(idle_scene.daemon.sensor, signal.SIGSTOP)
    assert idle_scene.daemon.stop() == 1
    assert_logged(idle_scene.log, CRITICAL, "sensor: killed by signal 9 (Killed)")
    assert processes_named() == []


@pytest.mark.parametrize("call", ["execve", "open", "socket"])
@pytest.mark.parametrize("process", ["sensor", "logger"])
def test_a_call_that_is_not_on_its_list_kills_a_process(
    target: Namespace, log: SyslogSink, call: str, process: str
) -> None:
    binary = Path(os.environ.get("SCANLOGD_WITH_TEST_HOOKS", "/nonexistent"))
    if not binary.exists():
        missing("no binary with test hooks: make integration")
    daemon = Daemon(target, binary)
    try:
        daemon.start(env={"SCANLOGD_TEST_HOOK": call})
        log.wait_for_text("started")
        sensor = daemon.sensor
        os.kill(sensor if process == "sensor" else daemon.pid, signal.SIGUSR2)
        assert daemon.wait() == (1 if process == "sensor" else -signal.SIGSYS)
        wait_until(lambda: processes_named(binary.name) == [], "one is left")
        assert_logged(log, CRITICAL, {
            "sensor": "sensor: killed by signal 31 (Bad system call)",
            "logger": "logger: hand over lines: it has ended"}[process])
    finally:
        daemon.tear_down()


def test_the_shipped_binary_has_no_test_hooks(scene: Scene) -> None:
    """SIGUSR2 does to it what it does to any program that does not know it."""
    os.kill(scene.daemon.sensor, signal.SIGUSR2)
    scene.daemon.wait()
    scene.log.wait_for_text("sensor: killed by signal 12 ")


@pytest.mark.alone
def test_many_starts_and_stops_leave_nothing(daemon: Daemon, log: SyslogSink) -> None:
    def files() -> int:
        return int(Path("/proc/sys/fs/file-nr").read_text().split()[0])

    before = files()
    for _ in range(int(os.environ.get("START_CYCLES", "100"))):
        daemon.start()
        assert daemon.stop() == 0
    assert processes_named() == []
    # The kernel counts those of everybody: what others open for a moment goes, what is left behind stays.
    wait_until(lambda: files() - before < 100, "files are left open")


# Storms and pauses.


@pytest.mark.parametrize("process", ["sensor", "logger", "both"])
def test_a_process_that_is_stopped_during_a_scan_misses_nothing(scene: Scene, process: str) -> None:
    stopped = [pid for name, pid in (("sensor", scene.daemon.sensor), ("logger", scene.daemon.pid))
               if process in (name, "both")]
    for number, segment in enumerate(scan()):
        if number == 2:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
        scene.sender.send([segment])
    time.sleep(0.2)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    assert scene.next_report().ports == LOW_PORTS[:-1]
    scene.assert_nothing_more(1)


def test_a_storm_of_signals_does_no_harm(scene: Scene) -> None:
    pids = (scene.daemon.pid, scene.daemon.sensor)
    end = time.monotonic() + 1

    def storm() -> None:
        while time.monotonic() < end:
            for pid in pids:
                for number in (signal.SIGHUP, signal.SIGSTOP, signal.SIGCONT, signal.SIGPIPE):
                    os.kill(pid, number)

    thread = threading.Thread(target=storm)
    thread.start()
    scene.sender.send(scan(), gap=0.1)
    thread.join()
    assert scene.next_report().ports == LOW_PORTS[:-1]
    scene.assert_nothing_more(1)


# Status.


def test_the_status_line_counts_what_was_sent(idle_scene: Scene) -> None:
    start(idle_scene)
    idle_scene.sender.send(scan())
    idle_scene.log.wait_for_alerts(1)
    found = idle_scene.status()
    expected = {"packets": 7, "probes": 7, "dropped by the kernel": 0, "ignored": 0, "malformed": 0,
                "sources held": 1, "evicted": 0, "reports": 1, "exempt": 0, "suppressed": 0, "log lines lost": 0}
    assert {name: found[name] for name in expected} == expected


@pytest.mark.alone
def test_drops_of_the_kernel_are_told_to_the_packet(idle_scene: Scene) -> None:
    start(idle_scene)
    os.kill(idle_scene.daemon.sensor, signal.SIGSTOP)
    sent = 60_000
    packets = [Segment(port) for port in range(1, 1001)]
    for _ in range(sent // len(packets)):
        idle_scene.sender.send(packets)
    os.kill(idle_scene.daemon.sensor, signal.SIGCONT)
    wait_until(lambda: idle_scene.log.texts(WARNING) != [], "no line about drops", 10)
    (line,) = idle_scene.log.texts(WARNING)
    told = re.fullmatch(r"(\d+) packets dropped by the kernel: more came than could be received", line)
    assert told and int(told[1]) > 0
    found = idle_scene.status()
    assert found["dropped by the kernel"] == int(told[1])
    assert found["packets"] + found["dropped by the kernel"] == sent


# Standard tools.


# The calls of every loop, and those of each backend.
LOOP = {"poll", "ppoll", "restart_syscall", "read", "write", "getsockopt", "clock_gettime"}
RECEIVING = {
    "ring": {"recvfrom", "epoll_wait", "epoll_pwait"},
    "raw": {"recvmmsg"},
    "pcap": {"recvfrom", "ioctl"},
    "nids": {"recvfrom", "ioctl"},
}


@pytest.mark.parametrize("backend", list(RECEIVING))
def test_strace_of_it_under_traffic_shows_calls_of_the_loop_only(idle_scene: Scene, backend: str) -> None:
    """The filter would kill it otherwise; this shows how few there are."""
    start(idle_scene, "--backend", backend)
    output = Path("/run/stage/tmp/strace")
    tracer = subprocess.Popen(
        [tool("strace"), "-f", "-c", "-U", "name", "-o", str(output), "-p", str(idle_scene.daemon.sensor)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert tracer.stderr and b"attached" in tracer.stderr.readline()
    for number in range(8):
        idle_scene.sender.send(scan(source=f"10.77.0.{number + 50}"))
    idle_scene.status()
    time.sleep(1.2)  # the kernel is asked for drops
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    calls = {line.strip() for line in output.read_text().splitlines()} - {"syscall", "total", ""}
    calls = {call for call in calls if not call.startswith("-")}
    assert calls <= LOOP | RECEIVING[backend]
    output.unlink()
