"""The daemons that are compared: how they are run, and what of theirs can be read while they run."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from log_sink import LogSink
from waiting import wait

STAGE = Path("/run/stage")
DROPS = re.compile(r"(\d+) packets dropped by the kernel")
MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ ")
START_PAUSE = 0.2  # each has opened all it needs when its parent exits; this is for it to fall asleep


@dataclass(frozen=True)
class Memory:
    """What a daemon's processes have, in kilobytes, but for the packet ring, which they share with the kernel."""

    proportional: int
    private_dirty: int
    resident: int
    ring: int


class Program:
    """A daemon with its options. It has a path of its own, by which all of its processes are found."""

    def __init__(self, name: str, path: Path, log: LogSink, backend: str | None = None) -> None:
        """Without a backend it is the C daemon: it has no options, no process id file, and no word on what it lost."""
        self.name = name
        self.path = path
        self._log = log
        self._pid_file = Path(f"/run/{path.name}.pid") if backend else None
        self._options = ["--backend", backend, "-P", str(self._pid_file)] if backend else []
        self._log_start = 0
        self.start_times: list[float] = []

    def pids(self) -> list[str]:
        return processes_of(self.path)

    def start(self, *more: str) -> None:
        """Starts it, with more options."""
        self._log_start = self._log.position()
        begin = time.monotonic()
        subprocess.run([self.path, *self._options, *more], check=True, timeout=10, stdin=subprocess.DEVNULL,
                       preexec_fn=lambda: pin(-1))
        self.start_times.append(time.monotonic() - begin)
        time.sleep(START_PAUSE)
        if not self.pids():
            sys.exit(f"{self.name}: did not stay")

    def stop(self) -> int:
        """Ends it; how many packets were lost since it was started."""
        if not self._pid_file:
            lost = raw_socket_drops()
            self.signal(signal.SIGTERM)
            self._wait_for_end()
            return lost
        # It says what it lost at the last when it is told to stop.
        os.kill(int(self._pid_file.read_text()), signal.SIGTERM)
        self._wait_for_end()
        lines = self._log.lines[self._log_start:self._log.position()]
        return sum(int(count) for line in lines for count in DROPS.findall(line.text))

    def _wait_for_end(self) -> None:
        wait(lambda: not self.pids(), f"{self.name}: does not stop")

    def signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            os.kill(int(pid), number)

    def nanoseconds(self) -> int:
        return processor_time(self.pids())

    def memory(self) -> Memory:
        total, ring = dict.fromkeys(("Pss", "Private_Dirty", "Rss"), 0), 0
        for pid in self.pids():
            in_ring = False
            for line in Path("/proc", pid, "smaps").read_text().splitlines():
                if MAPPING.match(line):
                    in_ring = "socket:[" in line
                    continue
                name, value = line.split()[:2]
                name = name.rstrip(":")
                if in_ring and name == "Size":
                    ring += int(value)
                elif not in_ring and name in total:
                    total[name] += int(value)
        return Memory(total["Pss"], total["Private_Dirty"], total["Rss"], ring)


def processes_of(path: Path) -> list[str]:
    """Every process that runs a program: a daemon may be more than one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "exe") == str(path):
                found.append(process.name)
        except OSError:
            continue
    return found


def processor_time(pids: list[str]) -> int:
    """The processor time they have taken so far, user and system, in nanoseconds."""
    return sum(
        int(task.read_text().split()[0])
        for pid in pids for task in Path("/proc", pid, "task").glob("*/schedstat"))


def pin(which: int) -> None:
    """Gives the calling process the first or the last processor for itself, if there are two."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[which]})


def raw_socket_drops() -> int:
    """Packets that raw sockets had no room for: the last column of the kernel's list."""
    rows = Path("/proc/net/raw").read_text().splitlines()[1:]
    return sum(int(row.split()[-1]) for row in rows)


def programs(ours: Path, log: LogSink, earlier: Path | None = None) -> list[Program]:
    """C scanlogd, which the others are compared with, each backend of ours, and of an earlier build of ours if given."""
    found = [Program("C scanlogd", Path("/usr/sbin/scanlogd"), log)]
    builds = [(ours, "")]
    if earlier:
        builds.append((earlier, "earlier-"))
    for binary, prefix in builds:
        for backend in ("ring", "raw", "pcap", "nids"):
            # Bound, not copied: the stage's files are in memory, where the program's own pages count as the daemon's.
            path = STAGE / "bin" / f"{prefix}{backend}"
            path.touch()
            subprocess.run(["mount", "-n", "--bind", binary, path], check=True, timeout=10)
            found.append(Program(path.name, path, log, backend))
    return found
