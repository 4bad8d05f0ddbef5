"""The log: no line may be lost, or kept back, whatever happens to syslogd, and none may keep the sensor waiting."""

import os
import platform
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.daemon import is_idle, processes_named, status_fields, wait_until
from harness.network import tool
from harness.packets import LOW_PORTS, scan
from harness.places import LOG_SOCKET, TEMPORARY
from harness.scene import Scene
from harness.syslog_sink import SyslogSink
from harness.syslogd import Syslogd

KEPT = 256
LOST = "log lines lost: "
SENDTO = {"x86_64": "44", "aarch64": "206"}[platform.machine()]


@pytest.fixture(params=["rsyslogd", "busybox"])
def syslogd(request: pytest.FixtureRequest, idle_scene: Scene, tmp_path: Path) -> Iterator[Syslogd]:
    """A real syslogd that takes the place of the scene's own log, not started yet."""
    idle_scene.log.close()
    syslogd = Syslogd(request.param, tmp_path)
    yield syslogd
    idle_scene.daemon.tear_down()  # while somebody takes its last line
    syslogd.close()


def scanner(number: int) -> str:
    return f"10.77.0.{100 + number}"


def scan_from(scene: Scene, number: int) -> None:
    scene.sender.send(scan(source=scanner(number)))


def missing(syslogd: Syslogd, numbers: range) -> list[int]:
    lines = syslogd.lines()
    return [number for number in numbers if not any(line.startswith(f"{scanner(number)}:") for line in lines)]


def test_no_line_is_lost_when_syslogd_is_killed_and_restarted_during_scans(
    idle_scene: Scene, syslogd: Syslogd
) -> None:
    syslogd.start()
    idle_scene.daemon.start()
    scan_from(idle_scene, 0)
    syslogd.wait_for(scanner(0))
    syslogd.end(signal.SIGKILL)
    scan_from(idle_scene, 1)
    scan_from(idle_scene, 2)
    time.sleep(0.5)
    syslogd.start()
    syslogd.wait_for(scanner(2))
    syslogd.end()
    syslogd.start()
    scan_from(idle_scene, 3)
    syslogd.wait_for(scanner(3))
    syslogd.end()
    scan_from(idle_scene, 4)
    syslogd.start()
    syslogd.wait_for(scanner(4))
    assert missing(syslogd, range(5)) == []
    assert LOST not in "".join(syslogd.lines())


# The longer pause with one of the two only: it is the same to the daemon.
@pytest.mark.long
@pytest.mark.parametrize(("syslogd", "pause"), [("rsyslogd", 10.0), ("busybox", 1.0)], indirect=["syslogd"])
def test_no_line_is_lost_while_syslogd_is_stopped_with_its_socket_full(
    idle_scene: Scene, syslogd: Syslogd, pause: float
) -> None:
    syslogd.start()
    idle_scene.daemon.start()
    syslogd.wait_for("started")
    syslogd.stop_and_fill()
    for number in range(4):
        scan_from(idle_scene, number)
        time.sleep(pause / 4)
    assert missing(syslogd, range(4)) == [0, 1, 2, 3]
    idle_scene.daemon.send_signal(signal.SIGUSR1)
    syslogd.go_on()
    syslogd.wait_for("status: ")
    assert missing(syslogd, range(4)) == []
    status = next(line for line in syslogd.lines() if line.startswith("status: "))
    assert status.startswith(f"status: packets {4 * len(LOW_PORTS)}, "), "the sensor did not wait"
    assert status.endswith("log lines lost 0")


def test_the_logger_uses_no_processor_time_while_it_waits_for_syslogd(idle_scene: Scene, syslogd: Syslogd) -> None:
    syslogd.start()
    idle_scene.daemon.start()
    syslogd.wait_for("started")
    syslogd.stop_and_fill()
    scan_from(idle_scene, 0)

    def ticks() -> int:
        fields = Path(f"/proc/{idle_scene.daemon.pid}/stat").read_text().rpartition(") ")[2].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(1)
    assert ticks() - before <= os.sysconf("SC_CLK_TCK") // 50, "more than 2 % of a processor"
    syslogd.go_on()
    syslogd.wait_for(scanner(0))


def test_a_new_socket_in_the_place_of_the_old_is_found_even_if_the_old_still_works(scene: Scene) -> None:
    scan_from(scene, 0)
    scene.log.wait_for_alerts(1)
    time.sleep(0.2)  # a line is written again if the socket was gone right after it
    moved = LOG_SOCKET.with_name("moved")
    LOG_SOCKET.rename(moved)  # its owner still reads it
    scan_from(scene, 1)
    time.sleep(0.5)
    new = SyslogSink()
    try:
        scan_from(scene, 2)
        alerts = new.wait_for_alerts(2)
        assert [alert.partition(":")[0] for alert in alerts] == [scanner(1), scanner(2)]
        assert len(scene.log.alerts()) == 1
        scene.daemon.stop()
    finally:
        new.close()
        moved.rename(LOG_SOCKET)


@pytest.mark.parametrize("foreground", [False, True], ids=["daemon", "foreground"])
def test_without_syslogd_it_starts_with_a_warning_and_logs_when_there_is_one(
    idle_scene: Scene, syslogd: Syslogd, foreground: bool
) -> None:
    daemon = idle_scene.daemon
    warning = ("scanlogd: /dev/log: find: No such file or directory; lines are kept until it is there\n")
    if foreground:
        daemon.start_foreground()
        wait_until(lambda: "started" in daemon.stderr(), "not started")
        assert daemon.stderr().startswith(warning)
    else:
        done = daemon.run()
        assert (done.status, done.stderr) == (0, warning)
        daemon.adopt()
    scan_from(idle_scene, 0)
    if foreground:
        wait_until(lambda: scanner(0) in daemon.stderr(), "a line does not wait for syslogd on standard error")
    time.sleep(0.3)
    syslogd.start()
    syslogd.wait_for(scanner(0))
    assert [line.partition(",")[0] for line in syslogd.lines()][0] == "started"
    if foreground:
        assert daemon.stderr().count(scanner(0)) == 1


def test_so_many_lines_are_kept_and_the_loss_of_others_is_one_line(idle_scene: Scene) -> None:
    daemon = idle_scene.daemon
    daemon.start_foreground()
    wait_until(lambda: bool(idle_scene.log.messages), "not started")
    # A line is written again if its log is gone before the logger has looked whether it arrived.
    wait_until(lambda: is_idle(daemon.pid), "the logger has not come to the end of its line")
    idle_scene.log.close()
    extra = 44
    for number in range(1, KEPT + extra + 1):
        daemon.send_signal(signal.SIGUSR1)
        wait_until(lambda: daemon.stderr().count("status: ") == number, f"no status line {number}")
    wait_until(lambda: is_idle(daemon.pid), "the logger does not come to the last line")
    log = SyslogSink()
    try:
        wait_until(lambda: any(LOST in message.text for message in log.messages), "no line about lost lines")
        texts = log.texts()
        assert [text.startswith("status: ") for text in texts] == [True] * KEPT + [False]
        assert texts[-1] == f"{LOST}{extra}: the system log took none for too long"
        assert log.messages[-1].level == 4
        daemon.send_signal(signal.SIGUSR1)
        wait_until(lambda: len(log.messages) > KEPT + 1, "no status line")
        assert log.messages[-1].text.endswith(f"log lines lost {extra}")
        assert daemon.stop() == 0
    finally:
        log.close()


def test_a_logger_that_does_not_read_keeps_nobody_waiting(scene: Scene) -> None:
    daemon = scene.daemon
    sensor = daemon.sensor
    wait_until(lambda: bool(scene.log.messages), "not started")
    daemon.send_signal(signal.SIGSTOP)
    count = 700
    for _ in range(count):
        os.kill(sensor, signal.SIGUSR1)
        wait_until(lambda: int(status_fields(sensor)["ShdPnd"], 16) == 0, "the sensor waits")
    daemon.send_signal(signal.SIGCONT)

    def written() -> int:
        return sum(message.text.startswith("status: ") for message in scene.log.messages)

    def lost() -> list[int]:
        found = (re.match(rf"{LOST}(\d+): ", message.text) for message in scene.log.messages)
        return [int(match[1]) for match in found if match]

    wait_until(lambda: written() + sum(lost()) >= count, "not all lines are accounted for")
    assert written() + sum(lost()) == count
    assert written() >= KEPT
    assert 1 <= len(lost()) <= 2, "one line of the sensor, for what the pipe does not hold, and one of the logger"
    scan_from(scene, 0)
    scene.log.wait_for_alerts(1)


def test_what_cannot_be_logged_at_the_end_is_told(idle_scene: Scene, syslogd: Syslogd) -> None:
    syslogd.start()
    daemon = idle_scene.daemon
    daemon.start_foreground()
    syslogd.wait_for("started")
    syslogd.stop_and_fill()
    scan_from(idle_scene, 0)
    wait_until(lambda: scanner(0) in daemon.stderr(), "no report")
    assert daemon.stop() == 1
    assert daemon.stderr().endswith("scanlogd: log lines lost: 1: the system log took none for too long\n")
    assert processes_named() == []
    syslogd.go_on()


def test_a_stop_does_not_wait_for_a_syslogd_that_nothing_is_to_be_told(idle_scene: Scene) -> None:
    idle_scene.log.close()
    idle_scene.daemon.start_foreground()
    wait_until(lambda: "started" in idle_scene.daemon.stderr(), "not started")
    before = time.monotonic()
    assert idle_scene.daemon.stop() == 0
    assert time.monotonic() - before < 1


def test_a_full_disk_behind_syslog_does_no_harm(idle_scene: Scene, syslogd: Syslogd) -> None:
    disk = syslogd.file.parent
    space = disk / "space"
    syslogd.start()
    idle_scene.daemon.start()
    syslogd.wait_for("started")
    syslogd.end()
    subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "size=16k", "full", str(disk)], check=True, timeout=10)
    try:
        (disk / "log").touch()
        configuration = 'module(load="imuxsock")\naction(type="omfile" file="%s")\n' % (disk / "log")
        (disk / "rsyslog.conf").write_text(configuration)
        with open(space, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(512))
            except OSError:
                pass
        syslogd.start()
        scan_from(idle_scene, 0)
        time.sleep(0.5)
        idle_scene.daemon.assert_running()
        space.unlink()
        scan_from(idle_scene, 1)
        wait_until(lambda: scanner(1) in (disk / "log").read_text(), "nothing logged when there is room again")
        assert idle_scene.daemon.stop() == 0
    finally:
        syslogd.end(signal.SIGKILL)
        subprocess.run(["umount", "-l", str(disk)], check=True, timeout=10)


def test_standard_error_that_is_the_journal_gets_no_copy(idle_scene: Scene) -> None:
    output = TEMPORARY / "journal"
    output.touch()
    status = output.stat()
    idle_scene.daemon.start_foreground(
        env={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}, redirections=f"2>{output}")
    scan_from(idle_scene, 0)
    idle_scene.log.wait_for_alerts(1)
    assert output.read_text() == ""
    output.unlink()


def test_the_tools_that_these_tests_need_are_there() -> None:
    for name in ("rsyslogd", "busybox"):
        assert tool(name)


# Whoever else writes to the log.


FLOODER = """
import socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.connect(sys.argv[1])
for _ in range(20000):
    log.send(b"<13>Jan  1 00:00:00 flood: x")
"""


@contextmanager
def flooded(log: socket.socket, senders: int = 4) -> Iterator[None]:
    """Has others send to the log whatever it takes, and wait for more room, during the block."""
    command = [sys.executable, "-c", FLOODER, str(LOG_SOCKET)]
    flooders = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(senders)]
    try:
        wait_until(lambda: all(waits_in_send(flooder.pid) for flooder in flooders), "the log is not full")
        yield
    finally:
        for flooder in flooders:
            flooder.kill()
            flooder.wait(10)


def waits_in_send(pid: int) -> bool:
    """Whether a process waits for a datagram of its to be taken."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[0] == SENDTO
    except ProcessLookupError:
        return False


@pytest.fixture
def slow_log(idle_scene: Scene) -> Iterator[socket.socket]:
    """A log that a test reads line by line."""
    idle_scene.log.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(LOG_SOCKET))
        LOG_SOCKET.chmod(0o666)
        log.settimeout(10)
        yield log
        idle_scene.daemon.tear_down()  # while somebody takes its last line
    LOG_SOCKET.unlink(missing_ok=True)


def test_who_keeps_the_log_full_can_not_keep_a_report_out(idle_scene: Scene, slow_log: socket.socket) -> None:
    """A report comes in its turn: after those who waited before, not when it happens to find room."""
    daemon = idle_scene.daemon
    daemon.start_foreground()
    assert b"started" in slow_log.recv(4096)
    with flooded(slow_log):
        scan_from(idle_scene, 0)
        wait_until(lambda: scanner(0) in daemon.stderr(), "no report")
        for taken in range(100):
            # Room for one, for long enough that whoever waits for it takes it.
            if scanner(0).encode() in slow_log.recv(4096):
                break
            time.sleep(0.01)
        else:
            pytest.fail(f"{taken + 1} lines of others before the report")


def test_signals_are_obeyed_while_the_log_is_full(idle_scene: Scene, slow_log: socket.socket) -> None:
    daemon = idle_scene.daemon
    daemon.start_foreground()
    assert b"started" in slow_log.recv(4096)
    with flooded(slow_log):
        scan_from(idle_scene, 0)
        daemon.send_signal(signal.SIGUSR1)
        wait_until(lambda: scanner(0) in daemon.stderr() and "status: " in daemon.stderr(), "no status")
        assert daemon.stop() == 1, "a line is lost"
    assert daemon.stderr().endswith("scanlogd: log lines lost: 1: the system log took none for too long\n")


@pytest.mark.parametrize("name", ["other", "two\nlines", "/some/where/x:", "scanlogd[1]"])
@pytest.mark.parametrize("foreground", [False, True], ids=["daemon", "foreground"])
def test_whatever_it_is_started_as_lines_bear_its_name(idle_scene: Scene, foreground: bool, name: str) -> None:
    daemon = idle_scene.daemon
    named = f"exec -a {shlex.quote(name)} "
    if foreground:
        daemon.start_foreground(wrapper=["bash", "-c", named + '"$@"', "bash"])
    else:
        daemon.start(wrapper=["bash", "-c", named + '"$@"', "bash"])
    scan_from(idle_scene, 0)
    idle_scene.log.wait_for_alerts(1)
    idle_scene.log.close()  # the next one is another, which has to be connected to
    log = SyslogSink()
    try:
        scan_from(idle_scene, 1)
        log.wait_for_alerts(1)
        assert daemon.stop() == 0
        assert {message.ident for message in [*idle_scene.log.messages, *log.messages]} == {"scanlogd"}
    finally:
        log.close()
