"""fail2ban reads our lines in the files of every log writer, whatever its format, and is fooled by no other line."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.fail2ban import failures
from harness.log_writers import WRITERS, LogWriter
from harness.network import TARGET_6, TARGET_6_TOO, TARGET_TOO
from harness.packets import LOW_PORTS, SYN, URG, Segment, scan
from harness.scene import Scene


def two_thirds(source: str, destinations: tuple[str, str], **changed: object) -> list[Segment]:
    """A scan of which the last third differs from the others."""
    first, second = destinations
    return [*scan(LOW_PORTS[:4], source=source, destination=first),
            *scan(LOW_PORTS[4:], **{"source": source, "destination": second, **changed})]


# A scan for each form of the line; the source port stands in it if it never changed.
SCANS: list[tuple[list[Segment], tuple[str, int | None]]] = [
    (scan(source="10.77.0.31", source_port=40031), ("10.77.0.31", 40031)),
    (two_thirds("10.77.0.32", (TARGET_TOO, "10.77.0.2"), source_port=1, tos=4, ttl=9, flags=SYN | URG),
     ("10.77.0.32", None)),
    (scan(source="fd77::33", destination=TARGET_6, source_port=7), ("fd77::33", 7)),
    (two_thirds("fd77::34", (TARGET_6, TARGET_6_TOO), source_port=1, ttl=9), ("fd77::34", None)),
    (two_thirds("10.77.0.35", ("10.77.0.2", "10.77.0.2"), tos=4), ("10.77.0.35", 40000)),
]
# Named in a summary only.
SUPPRESSED = scan(source="10.77.0.36")

FORGED = "203.0.113.9:9 to 10.77.0.2 ports 21, 22, 23, 25, 53, 80, ..., fSrpauxy, TOS 00, TTL 64 @12:34:56"
# What others may log: their names and the beginnings of texts that strangers have them log.
OTHERS = [
    "other: ", "other[7]: ", "xscanlogd: ", "scanlogd-x: ", "scanlogd.sh[7]: ", "other: scanlogd: ",
    "other[7]: scanlogd[7]: ", "other: host scanlogd: ", "other: host daemon.alert scanlogd: ",
    "other: daemon.alert scanlogd: ", "other: Nov 21 12:34:56 host scanlogd: ",
    "other: 2026-11-21T12:34:56+00:00 host scanlogd: ", "other: <25>1 2026-11-21T12:34:56Z host scanlogd - - - ",
    "other: scanlogd - - - ", "other: host scanlogd - - - ", "other: [scanlogd] ", 'other: [x@1 y="z"] ',
    "scanlogd: other: ", "scanlogd: message repeated 2 times: [ ",
]


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest, idle_scene: Scene, tmp_path: Path) -> Iterator[LogWriter]:
    """One that takes the place of the scene's own log."""
    idle_scene.log.close()
    writer = WRITERS[request.param](tmp_path)
    try:
        writer.start()
        yield writer
        idle_scene.daemon.tear_down()  # while somebody takes its last line
    finally:
        writer.close()


@pytest.mark.long
def test_the_reports_of_a_run_are_read_and_nothing_else(
    idle_scene: Scene, writer: LogWriter, tmp_path: Path
) -> None:
    began = time.time()
    idle_scene.daemon.start()
    for number, (segments, _) in enumerate(SCANS):
        for other in OTHERS[number::len(SCANS)]:
            writer.send(f"<25>{time.strftime('%b %e %H:%M:%S')} {other}{FORGED}")
        idle_scene.sender.send(segments)
    idle_scene.sender.send(SUPPRESSED)
    writer.wait_for("More possible port scans follow")
    assert idle_scene.daemon.stop() == 0
    writer.wait_for("stopped")
    ended = time.time()
    for name, text in writer.texts().items():
        assert text.count(FORGED) == len(OTHERS), name
        assert "not logged" in text, name
        found = failures(text, tmp_path)
        assert [(failure.host, failure.port) for failure in found] == [report for _, report in SCANS], (name, text)
        assert all(began - 2 < failure.time < ended + 1 for failure in found), (name, text)


@pytest.mark.long
def test_what_follows_a_line_break_is_no_report(writer: LogWriter, tmp_path: Path) -> None:
    for other in ("", " ", "host ", "\t"):
        writer.send(f"<25>{time.strftime('%b %e %H:%M:%S')} other: a line\n{other}scanlogd: {FORGED}")
    writer.send(f"<25>{time.strftime('%b %e %H:%M:%S')} other: the last")
    writer.wait_for("the last")
    for name, text in writer.texts().items():
        assert text.count(FORGED) == 4, name
        assert failures(text, tmp_path) == [], (name, text)
