"""Signals, descriptors, terminals and time zones: what a daemon meets while it lives."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from harness.daemon import descriptors, processes_named, wait_until
from harness.lines import Report
from harness.network import ATTACKER, TARGET, tool
from harness.packets import LOW_PORTS, scan
from harness.places import LOG_SOCKET, PID_FILE, TEMPORARY
from harness.scene import Scene
from harness.syslog_sink import LOG_DAEMON, stamp_time

SCAN = Report(ATTACKER, TARGET, LOW_PORTS[:-1], source_port=40000, tos=0, ttl=64)

EVERY_WAY = pytest.mark.parametrize("foreground", [False, True], ids=["daemon", "foreground"])


def assert_detects(scene: Scene) -> None:
    scene.sender.send(scan())
    scene.expect(SCAN)


# Signals.


@EVERY_WAY
def test_hangups_do_no_harm(idle_scene: Scene, foreground: bool) -> None:
    idle_scene.start(foreground=foreground)
    for _ in range(5):
        idle_scene.daemon.send_signal(signal.SIGHUP)
    assert_detects(idle_scene)


@EVERY_WAY
def test_a_hangup_in_the_middle_of_a_scan_loses_nothing(idle_scene: Scene, foreground: bool) -> None:
    idle_scene.start(foreground=foreground)
    for segment in scan():
        idle_scene.sender.send([segment])
        idle_scene.daemon.send_signal(signal.SIGHUP)
    idle_scene.expect(SCAN)


@EVERY_WAY
def test_a_broken_pipe_does_no_harm(idle_scene: Scene, foreground: bool) -> None:
    idle_scene.start(foreground=foreground)
    idle_scene.daemon.send_signal(signal.SIGPIPE)
    assert_detects(idle_scene)


@EVERY_WAY
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_ends_it_with_status_zero(
    idle_scene: Scene, foreground: bool, number: signal.Signals
) -> None:
    idle_scene.start(foreground=foreground)
    assert idle_scene.daemon.stop(number) == 0
    assert processes_named() == []
    assert not PID_FILE.exists() or PID_FILE.read_text() == ""


def test_a_report_is_out_before_a_signal_ends_the_daemon(scene: Scene) -> None:
    scene.sender.send(scan())
    scene.log.wait_for_alerts(1)
    assert scene.daemon.stop() == 0
    assert scene.next_report() == SCAN


def test_after_a_kill_the_stale_pid_file_is_no_obstacle(scene: Scene) -> None:
    killed = scene.daemon.pid
    assert scene.daemon.stop(signal.SIGKILL) == -signal.SIGKILL
    assert PID_FILE.read_text() == f"{killed}\n"
    scene.daemon.start()
    assert PID_FILE.read_text() == f"{scene.daemon.pid}\n"
    assert_detects(scene)


def test_it_can_be_stopped_and_started_again(scene: Scene) -> None:
    for _ in range(5):
        assert scene.daemon.stop() == 0
        scene.daemon.start()
    assert_detects(scene)


# Standard descriptors.


@pytest.mark.parametrize("closed", [
    "", "<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-",
])
@EVERY_WAY
def test_closed_standard_descriptors_do_no_harm(idle_scene: Scene, foreground: bool, closed: str) -> None:
    daemon = idle_scene.daemon
    if foreground:
        daemon.start_foreground(redirections=closed)
    else:
        daemon.start(redirections=closed)
    idle_scene.began = time.time()
    # None of the three may be a socket, or a line meant for standard error would go out of it.
    names = descriptors(daemon.pid)
    assert [number for number in range(3) if names.get(number, "").startswith("socket:")] == []
    assert_detects(idle_scene)
    assert len(idle_scene.log.alerts()) == 2, "the scan and the witness, once each"


def test_in_the_foreground_each_line_also_goes_to_standard_error(idle_scene: Scene) -> None:
    idle_scene.start(foreground=True)
    assert_detects(idle_scene)
    lines = idle_scene.daemon.stderr().splitlines()
    alerts = [f"scanlogd: {text}" for text in idle_scene.log.alerts()]
    assert len(alerts) == 2
    assert [line for line in lines if " ports " in line] == alerts
    logged = [f"scanlogd: {message.text}" for message in idle_scene.log.messages]
    assert [line for line in lines if line not in logged] == [], "only what is logged is written"


def test_in_the_foreground_nothing_is_written_to_standard_output(idle_scene: Scene) -> None:
    output = TEMPORARY / "output"
    idle_scene.daemon.start_foreground(redirections=f">{output}")
    assert_detects(idle_scene)
    assert output.read_text() == ""
    output.unlink()


def test_in_the_foreground_a_full_standard_error_does_no_harm(idle_scene: Scene) -> None:
    idle_scene.daemon.start_foreground(redirections="2>/dev/full")
    assert_detects(idle_scene)


def test_in_the_foreground_a_reader_of_standard_error_that_left_does_no_harm(idle_scene: Scene) -> None:
    reading, writing = os.pipe()
    idle_scene.daemon.start_foreground(redirections=f"2>/proc/self/fd/{writing}", keep=(writing,))
    os.close(reading)
    os.close(writing)
    assert_detects(idle_scene)


# Terminals.


def test_a_daemon_outlives_the_terminal_it_was_started_from(idle_scene: Scene) -> None:
    master, slave = os.openpty()
    command = [tool("setsid"), "--ctty", "--wait", *idle_scene.daemon.command()]
    subprocess.run(command, stdin=slave, stdout=slave, stderr=slave, timeout=10, check=True)
    idle_scene.daemon.adopt()
    fields = Path(f"/proc/{idle_scene.daemon.pid}/stat").read_text().rpartition(") ")[2].split()
    assert fields[4] == "0", "it has no terminal"
    os.close(slave)
    os.close(master)
    assert_detects(idle_scene)


# The log.


def test_each_datagram_is_as_syslog_writes_it(scene: Scene) -> None:
    scene.sender.send(scan())
    scene.log.wait_for_alerts(1)
    for message in scene.log.messages:
        assert message.facility == LOG_DAEMON
        assert message.ident == "scanlogd"
        assert message.text.isprintable()
        difference = stamp_time(message).timestamp() - message.arrived
        assert -2 < difference <= 0.1


@pytest.fixture
def rsyslog_file(idle_scene: Scene, tmp_path: Path) -> Iterator[Path]:
    """The file of a real rsyslogd that takes the place of the scene's own log."""
    idle_scene.log.close()
    file = tmp_path / "log"
    file.touch()
    configuration = tmp_path / "rsyslog.conf"
    configuration.write_text(
        'module(load="imuxsock" SysSock.RateLimit.Interval="0")\n'
        'template(name="line" type="string" string="%syslogfacility-text%.%syslogseverity-text% %syslogtag%%msg%\\n")\n'
        f'action(type="omfile" file="{file}" template="line")\n')
    rsyslogd = subprocess.Popen([tool("rsyslogd"), "-n", "-i", "NONE", "-f", configuration],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(LOG_SOCKET.exists, "rsyslogd doesn't listen", 10)
        yield file
    finally:
        rsyslogd.terminate()
        rsyslogd.wait(10)
        LOG_SOCKET.unlink(missing_ok=True)


def test_lines_reach_rsyslogs_file(idle_scene: Scene, rsyslog_file: Path) -> None:
    idle_scene.daemon.start()
    idle_scene.sender.send(scan())
    wait_until(lambda: " ports " in rsyslog_file.read_text(), "no line in rsyslog's file", 10)
    lines = [line for line in rsyslog_file.read_text().splitlines() if " ports " in line]
    assert len(lines) == 1
    assert re.fullmatch(
        r"daemon\.alert scanlogd(\[\d+\])?: 10\.77\.0\.1:40000 to 10\.77\.0\.2 ports 21, 22, 23, 25, 53, 80, \.\.\., "
        r"fSrpauxy, TOS 00, TTL 64 @\d\d:\d\d:\d\d", lines[0])


# Time zones.


@EVERY_WAY
def test_the_time_is_that_of_the_zone_in_the_environment(idle_scene: Scene, foreground: bool) -> None:
    idle_scene.start(foreground=foreground, env={"TZ": "Asia/Tokyo"})
    idle_scene.zone = ZoneInfo("Asia/Tokyo")
    assert_detects(idle_scene)


@EVERY_WAY
def test_the_time_is_that_of_the_systems_zone(idle_scene: Scene, foreground: bool) -> None:
    zone = "Asia/Kathmandu"
    subprocess.run(["mount", "-n", "--bind", f"/usr/share/zoneinfo/{zone}", "/etc/localtime"], check=True, timeout=10)
    try:
        idle_scene.start(foreground=foreground)
        idle_scene.zone = ZoneInfo(zone)
        assert_detects(idle_scene)
    finally:
        subprocess.run(["umount", "/etc/localtime"], check=True, timeout=10)
