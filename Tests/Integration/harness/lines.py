"""The line a report is, both ways: what is expected written out, and what was logged read strictly."""

import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

SUPPRESSED = "More possible port scans follow"
LENGTH_LIMIT = 120
THRESHOLD = 21

_REPORT = re.compile(
    r"(?:(?P<v4>\d+\.\d+\.\d+\.\d+)(?::(?P<v4port>\d+))?|\[(?P<v6in>[0-9a-f:.]+)\]:(?P<v6port>\d+)|(?P<v6>[0-9a-f:.]+))"
    r" to (?P<destination>[0-9a-f:.]+)(?P<others> and others,)?"
    r" ports (?P<ports>\d+(?:, \d+)*), \.\.\., (?P<flags>[Ff?][Ss?][Rr?][Pp?][Aa?][Uu?][Xx?][Yy?])"
    r"(?:, TOS (?P<tos>[0-9a-f]{2}))?(?:, TTL (?P<ttl>\d+))? @(?P<clock>\d\d:\d\d:\d\d)"
)


_OTHER_KIND = re.compile(
    r"[0-9a-f.:\[\]/]+ to [0-9a-f.:]+(?: and others,)?"
    r" (?:(?:slow|spread|udp|ack|sctp) ports|protocols|sweep port \d+,|sweep ping,) .*@\d\d:\d\d:\d\d"
)


def is_of_other_kind(text: str) -> bool:
    """Whether a line is about a scan of another kind than the quick one."""
    return _OTHER_KIND.fullmatch(text) is not None


@dataclass(frozen=True)
class Report:
    """A report's parts, but for the time. None means that it changed during the scan."""

    source: str
    destination: str
    ports: tuple[int, ...]
    flags: str = "fSrpauxy"
    source_port: int | None = None
    tos: int | None = None
    ttl: int | None = None
    others: bool = False

    def text(self, clock: str) -> str:
        source = self.source
        if self.source_port is not None:
            source = f"[{source}]:{self.source_port}" if ":" in source else f"{source}:{self.source_port}"
        parts = [f"{source} to {self.destination}{' and others,' if self.others else ''} ports"]
        parts += [f"{port}," for port in self.ports] + [f"..., {self.flags}"]
        line = " ".join(parts)
        line += "" if self.tos is None else f", TOS {self.tos:02x}"
        line += "" if self.ttl is None else f", TTL {self.ttl}"
        return f"{line} @{clock}"


def read(text: str) -> tuple[Report, str]:
    """The report and its clock. The text must be, to the byte, what this report is written as."""
    match = _REPORT.fullmatch(text)
    assert match, f"not a report: {text!r}"
    found = match.groupdict()
    source_port = found["v4port"] or found["v6port"]
    report = Report(
        source=found["v4"] or found["v6in"] or found["v6"],
        destination=found["destination"],
        ports=tuple(int(port) for port in found["ports"].split(", ")),
        flags=found["flags"],
        source_port=int(source_port) if source_port else None,
        tos=int(found["tos"], 16) if found["tos"] else None,
        ttl=int(found["ttl"]) if found["ttl"] else None,
        others=found["others"] is not None,
    )
    assert report.text(found["clock"]) == text
    return report, found["clock"]


def clocks(start: float, end: float, zone: ZoneInfo | None = None) -> list[str]:
    """Every HH:MM:SS from `start` to `end`, in the local time zone or another."""
    # time(3) reads a clock that is a tick behind the one Python reads.
    seconds = range(int(start - 0.02), int(end) + 1)
    assert len(seconds) < 120, "too wide a window to say anything"
    if zone:
        return [datetime.fromtimestamp(second, zone).strftime("%H:%M:%S") for second in seconds]
    return [time.strftime("%H:%M:%S", time.localtime(second)) for second in seconds]


def weight(port: int) -> int:
    return 3 if port < 1024 else 1


def assert_tipped(ports: Collection[int], scanned: Collection[int]) -> None:
    """The listed ports are of those scanned, none twice, and one more reaches the threshold."""
    assert len(set(ports)) == len(ports)
    assert set(ports) < set(scanned)
    weights = sum(map(weight, ports))
    assert weights < THRESHOLD <= weights + max(weight(port) for port in set(scanned) - set(ports))


def full_line_length(report: Report) -> int:
    return len(report.text("00:00:00"))
