"""What a test plays on: a fresh daemon on the target, its log, and an attacker."""

import re
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from .daemon import QUICK_ONLY, Daemon, wait_until
from .lines import Report, clocks, read
from .network import TARGET, TARGET_6, Namespace
from .packets import LOW_PORTS, Sender, scan
from .syslog_sink import INFORMATION, SyslogSink

WITNESS = {4: "10.77.0.99", 6: "fd77::99"}


@dataclass
class Scene:
    """The daemon, the log and the two hosts, with the questions most tests ask."""

    attacker: Namespace
    target: Namespace
    daemon: Daemon
    log: SyslogSink
    sender: Sender
    zone: ZoneInfo | None = None
    began: float = field(default_factory=time.time)

    def start(self, *options: object, foreground: bool = False, env: Mapping[str, str] | None = None) -> None:
        """Starts the daemon, in the background if nothing else is said."""
        start = self.daemon.start_foreground if foreground else self.daemon.start
        start(*options, env=env)
        self.began = time.time()

    def status(self) -> dict[str, int]:
        """Asks the daemon for its status line, and returns the counters in it."""
        def lines() -> list[str]:
            return [text for text in self.log.texts(INFORMATION) if text.startswith("status: ")]
        count = len(lines())
        self.daemon.send_signal(signal.SIGUSR1)
        wait_until(lambda: len(lines()) > count, "no status line")
        counters = re.findall(r"([a-z ]+) (\d+)", lines()[-1].removeprefix("status: "))
        return {name.strip(): int(value) for name, value in counters}

    def next_report(self, after: int = 0, timeout: float = 10) -> Report:
        """The report that follows `after` earlier lines. Its clock is the scan's own."""
        alerts = self.log.wait_for_alerts(after + 1, timeout)
        report, clock = read(alerts[after])
        assert clock in clocks(self.began, time.time(), self.zone), f"wrong time: {alerts[after]}"
        return report

    def expect(self, *reports: Report) -> None:
        """These lines and no other are logged, in this order."""
        for number, report in enumerate(reports):
            assert self.next_report(after=number) == report
        self.assert_nothing_more(len(reports), family=6 if ":" in reports[-1].source else 4)

    def assert_nothing_more(self, lines: int = 0, family: int = 4) -> None:
        """No line but the first `lines` comes of what was sent so far.

        A scan from a witness shows it without waiting: packets of one family are judged in their order, so when its
        line is there, all before it has been judged. It is one of the five lines the daemon logs at a time.
        """
        destination = TARGET if family == 4 else TARGET_6
        self.sender.send(scan(source=WITNESS[family], destination=destination, source_port=41000))
        witness = Report(WITNESS[family], destination, LOW_PORTS[:-1], source_port=41000, tos=0, ttl=64)
        alerts = self.log.wait_for(
            lambda texts: any(text.startswith(witness.text("")[:-1]) for text in texts), "the witness's line")
        assert len(alerts) == lines + 1, f"expected {lines} lines and the witness's: {alerts}"
        assert read(alerts[-1])[0] == witness
        self.daemon.assert_running()


def quick_only(scene: Scene) -> Scene:
    """Starts the daemon of a scene so that it looks for port scans only, as the original does."""
    scene.start(*QUICK_ONLY)
    return scene
