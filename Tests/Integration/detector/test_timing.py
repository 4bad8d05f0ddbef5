"""What time makes of a scan. Slow: each test plays all its scans at once, from different sources."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from harness.lines import Report, read
from harness.network import ATTACKER, TARGET
from harness.packets import LOW_PORTS, Segment, Sender, scan
from harness.scene import Scene, quick_only

QUICK, SLOW, PERSISTENT, PAUSED = (f"10.77.0.{last}" for last in range(21, 25))
LISTED = LOW_PORTS[:-1]


def report_of(source: str) -> Report:
    return Report(source, TARGET, LISTED, source_port=40000, tos=0, ttl=64)


def together(*plays: Callable[[], None]) -> None:
    """Runs all at the same time; a failure in one is a failure here."""
    failures: list[BaseException] = []

    def guarded(play: Callable[[], None]) -> None:
        try:
            play()
        except BaseException as failure:  # noqa: BLE001 - it is raised again, in the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(play,), daemon=True) for play in plays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def send_at(sender: Sender, moments: list[float], segments: list[Segment]) -> None:
    """Sends each segment at its moment. On a machine too busy to keep to them the test would say nothing."""
    with suppress(PermissionError):
        # Of this thread only. Some containers don't permit it.
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    start = time.monotonic()
    for moment, segment in zip(moments, segments, strict=True):
        time.sleep(max(0, start + moment - time.monotonic()))
        sender.send([segment])
        late = time.monotonic() - start - moment
        assert late < 0.08, f"this machine is too busy for tests of time: {late:.3f} s late"


def times_logged(scene: Scene, source: str) -> int:
    return sum(read(text)[0] == report_of(source) for text in scene.log.alerts())


@pytest.mark.long
@pytest.mark.reference
def test_pauses_up_to_three_seconds_keep_a_scan_together(idle_scene: Scene) -> None:
    """Four sources: ports 2.9 s and 3.1 s apart, and sources that go on 2 s and 4 s after their report."""
    scene = quick_only(idle_scene)
    def apart(source: str, gap: float) -> Callable[[], None]:
        moments = [number * gap for number in range(len(LOW_PORTS))]
        return lambda: send_at(scene.sender, moments, scan(source=source))

    def scan_twice(source: str, pause: float) -> Callable[[], None]:
        moments = [0.0] * len(LOW_PORTS) + [pause] * len(LOW_PORTS)
        other_ports = [port + 500 for port in LOW_PORTS]
        return lambda: send_at(scene.sender, moments, scan(source=source) + scan(other_ports, source=source))

    together(apart(QUICK, 2.9), apart(SLOW, 3.1), scan_twice(PERSISTENT, 2), scan_twice(PAUSED, 4))
    scene.assert_nothing_more(4)

    assert times_logged(scene, QUICK) == 1
    assert times_logged(scene, SLOW) == 0
    assert times_logged(scene, PERSISTENT) == 1
    reports = [read(text)[0] for text in scene.log.alerts()]
    again = Report(PAUSED, TARGET, tuple(port + 500 for port in LISTED), source_port=40000, tos=0, ttl=64)
    assert [report for report in reports if report.source == PAUSED] == [report_of(PAUSED), again]


@pytest.mark.reference
def test_the_time_in_the_line_is_that_of_the_first_packet(scene: Scene) -> None:
    first = time.time()
    together(lambda: send_at(scene.sender, [0.0] + [2.5] * 6, scan()))
    text = scene.log.wait_for_alerts(1)[0]
    report, clock = read(text)
    assert report == report_of(ATTACKER)
    second = int(first - 0.02)
    assert clock in [time.strftime("%H:%M:%S", time.localtime(moment)) for moment in (second, second + 1)]
    assert scene.log.messages[-1].arrived - first >= 2.5


@pytest.mark.long
@pytest.mark.reference
def test_scans_are_reported_again_after_twenty_quiet_seconds(scene: Scene) -> None:
    sources = [f"10.77.0.{last}" for last in range(31, 39)]
    for source in sources:
        scene.sender.send(scan(source=source))
    scene.log.wait_for_alerts(6)
    time.sleep(17)
    scene.sender.send(scan(source="10.77.0.40"))
    scene.log.stays_at(6, 0.5)
    time.sleep(5)
    later = "10.77.0.41"
    scene.sender.send(scan(source=later))
    line = scene.log.wait_for(
        lambda alerts: any(text.startswith(f"{later}:40000 to ") for text in alerts), "a line after the pause")[-1]
    assert read(line)[0] == report_of(later)
