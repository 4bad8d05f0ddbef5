"""`scanlogd connections` beside tcpdump: both write a line for each attempt to connect into a file."""

import re
import signal
import subprocess
import time
from pathlib import Path
from statistics import median

from program import STAGE, pin, processes_of, processor_time
from tables import compared, print_row
from traffic import Generator
from waiting import wait

ROUNDS = 3
LOADS = {0: 400_000, 100_000: 200_000}  # packets a second (0: as fast as it goes), and how many
DROPS = re.compile(r"(\d+) packets dropped by kernel")
ATTEMPTS = "tcp[13] & 18 = 2"


class Watcher:
    """A program that writes lines into a file until it is told to stop, and says then what it lost."""

    def __init__(self, name: str, path: Path, *options: str) -> None:
        self.name = name
        self.path = path
        self._options = options
        self._lines = STAGE / "lines"
        self._words = STAGE / "words"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._lines.open("wb") as lines, self._words.open("wb") as words:
            self._process = subprocess.Popen([self.path, *self._options], stdin=subprocess.DEVNULL, stdout=lines,
                                             stderr=words, preexec_fn=lambda: pin(-1))
        time.sleep(0.5)

    def nanoseconds(self) -> int:
        return processor_time(processes_of(self.path))

    def stop(self) -> tuple[int, int]:
        """Ends it; how many lines it wrote, and how many packets it lost."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(10)
        wait(lambda: not processes_of(self.path), f"{self.name}: does not stop")
        lost = sum(int(count) for count in DROPS.findall(self._words.read_text()))
        with self._lines.open("rb") as lines:
            return sum(1 for _ in lines), lost


def watchers(ours: Path) -> list[Watcher]:
    path = STAGE / "bin" / "connections"
    path.touch()
    subprocess.run(["mount", "-n", "--bind", ours, path], check=True, timeout=10)
    # As nobody drops tcpdump's privileges to a user that the stage's folder is not for.
    tcpdump = Watcher("tcpdump", Path("/usr/bin/tcpdump"), "-Z", "root", "-n", "-i", "wire", ATTEMPTS)
    with_filter = ("connections", "-i", "wire", "--limit", "off", "-f", ATTEMPTS)
    return [tcpdump, Watcher("connections", path, *with_filter[:-2]), Watcher("connections -f", path, *with_filter)]


def show_connections(ours: Path, generator: Generator) -> None:
    """Prints what an attempt costs, and how many of them are lost."""
    compared_programs = watchers(ours)
    print()
    print_row("attempts to connect, a line each into a file", [watcher.name for watcher in compared_programs])
    print("|---|" + "---:|" * len(compared_programs))
    for rate, count in LOADS.items():
        costs: dict[Watcher, list[float]] = {watcher: [] for watcher in compared_programs}
        losses: dict[Watcher, list[float]] = {watcher: [] for watcher in compared_programs}
        speeds = []
        for _ in range(ROUNDS):
            for watcher in compared_programs:
                watcher.start()
                before = watcher.nanoseconds()
                sent = generator.send("syn", count, rate)
                taken = watcher.nanoseconds() - before
                written, lost = watcher.stop()
                costs[watcher].append(taken / max(written, 1))
                losses[watcher].append(100 * (sent.count - written) / sent.count)
                speeds.append(sent.rate)
        speed = f"{rate or round(median(speeds), -4):,.0f}/s"
        print_row(f"{speed}: CPU, ns per line", compared([median(costs[one]) for one in compared_programs], 0.1))
        print_row(f"{speed}: lost, %", [f"{median(losses[one]):.2f}" for one in compared_programs])
