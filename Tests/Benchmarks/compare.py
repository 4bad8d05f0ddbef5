"""Runs both daemons in turn under the same traffic and prints what they cost. Called by `run`, on its stage."""

import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

STAGE = Path("/run/stage")
HERE = Path(__file__).resolve().parent
MAC = "02:00:00:00:77:02"
ROUNDS = 3
MEMORY = {"Pss": "Pss", "private dirty": "Private_Dirty", "RSS": "Rss"}
KINDS = {"data": "data, ACK and PSH+ACK", "syn": "SYN flood, random sources", "mix": "99 % data, 1 % SYN"}
RATES = {0: 400_000, 100_000: 100_000, 10_000: 10_000}  # packets a second (0: as fast as it goes), and how many


@dataclass
class Program:
    """A daemon, and all that was measured of it."""

    name: str
    path: Path
    memory: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    cost: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    lost: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    def pids(self) -> list[str]:
        """Every process that runs the program: a daemon may be more than one."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "exe") == str(self.path):
                    found.append(process.name)
            except OSError:
                continue
        return found

    def start(self) -> None:
        subprocess.run([self.path], check=True, timeout=10, stdin=subprocess.DEVNULL, preexec_fn=lambda: pin(-1))
        time.sleep(1)
        if not self.pids():
            sys.exit(f"{self.name}: did not stay")

    def stop(self) -> None:
        for pid in self.pids():
            os.kill(int(pid), signal.SIGTERM)
        wait(lambda: not self.pids(), f"{self.name}: does not stop")

    def nanoseconds(self) -> int:
        """The processor time taken so far, user and system."""
        return sum(
            int(task.read_text().split()[0])
            for pid in self.pids() for task in Path("/proc", pid, "task").glob("*/schedstat"))

    def note_memory(self, moment: str) -> None:
        rows = [line.split() for pid in self.pids()
                for line in Path("/proc", pid, "smaps_rollup").read_text().splitlines()[1:]]
        for label, name in MEMORY.items():
            kilobytes = sum(int(row[1]) for row in rows if row[0] == f"{name}:")
            self.memory.setdefault((label, moment), []).append(kilobytes)


class Log:
    """The other end of syslog(3); counts the lines."""

    def __init__(self) -> None:
        self.lines = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while self._socket.recv(4096):
            self.lines += 1


def pin(which: int) -> None:
    """Gives the calling process the first or the last processor for itself, if there are two."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[which]})


def wait(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(otherwise)
        time.sleep(0.05)


def run(*words: object) -> str:
    return subprocess.run(
        [str(word) for word in words], check=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True,
        text=True).stdout


def build_network() -> None:
    """The host under test is this namespace; the sender has one of its own, at the other end of a wire."""
    run("ip", "netns", "add", "sender")
    run("ip", "link", "add", "wire", "address", MAC, "type", "veth", "peer", "name", "wire", "netns", "sender")
    for command in ("link set lo up", "address add 10.77.0.2/16 dev wire", "link set wire up",
                    "route add default via 10.77.0.1"):
        run("ip", *command.split())
    run("ip", "-n", "sender", "link", "set", "wire", "up")
    for name in ("all", "default", "wire"):
        Path("/proc/sys/net/ipv4/conf", name, "rp_filter").write_text("0")
    time.sleep(2)  # until IPv6 has found that its addresses are its own


def build_generator() -> Path:
    program = STAGE / "bin/generator"
    run("cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, HERE / "generator.c")
    return program


def generate(generator: Path, kind: str, count: int, rate: int) -> tuple[int, float]:
    """Sends packets; how many were sent, and how many a second."""
    process = subprocess.run(
        ["nsenter", "--net=/run/netns/sender", generator, "wire", MAC, kind, str(count), str(rate)],
        check=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=lambda: pin(0))
    sent, nanoseconds = map(int, process.stdout.split())
    return sent, sent / nanoseconds * 1e9


def dropped() -> int:
    """Packets that raw sockets had no room for: the last column of the kernel's list."""
    rows = Path("/proc/net/raw").read_text().splitlines()[1:]
    return sum(int(row.split()[-1]) for row in rows)


def settle(program: Program) -> None:
    """Waits until everything sent is dealt with: the processor time stands still."""
    before, after = -1, program.nanoseconds()
    deadline = time.monotonic() + 5
    while after - before > 1_000_000 and time.monotonic() < deadline:
        time.sleep(0.2)
        before, after = after, program.nanoseconds()


def measure(program: Program, generator: Path, log: Log, speeds: list[float]) -> None:
    program.start()
    program.note_memory("idle")
    lines = log.lines
    generate(generator, "scan", 30, 1000)  # who does not see this one is not measured
    wait(lambda: log.lines > lines, f"{program.name}: does not report a scan")
    for kind in KINDS:
        for rate, count in RATES.items():
            time_before, drops_before = program.nanoseconds(), dropped()
            sent, speed = generate(generator, kind, count, rate)
            settle(program)
            drops = dropped() - drops_before  # a lost packet costs the daemon nothing
            cost = (program.nanoseconds() - time_before) / max(sent - drops, 1)
            program.cost.setdefault((kind, rate), []).append(cost)
            program.lost.setdefault((kind, rate), []).append(drops / sent * 100)
            if rate == 0:
                speeds.append(speed)
    program.note_memory("after traffic")
    program.stop()


def first_line() -> str:
    model = next((line.split(": ", 1)[1] for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    try:
        swift = run("swift", "--version").splitlines()[0].split(" (")[0]
    except (OSError, subprocess.SubprocessError):
        swift = "Swift unknown"
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, {swift}"


def show(c: Program, ours: Program, speed: float) -> None:
    print("| | C scanlogd 2.2.8 (Debian) | scanlogd | ratio |")
    print("|---|---:|---:|---:|")

    def row(label: str, theirs: float, mine: float, form: str) -> None:
        ratio = f"{mine / theirs:.2f}" if theirs else "-"
        print(f"| {label} | {form.format(theirs)} | {form.format(mine)} | {ratio} |")

    row("program file, bytes", c.path.stat().st_size, ours.path.stat().st_size, "{:,.0f}")
    for key in sorted(c.memory, key=lambda key: key[1] != "idle"):
        row(f"{key[0]}, {key[1]}, kB", median(c.memory[key]), median(ours.memory[key]), "{:,.0f}")
    for kind, meaning in KINDS.items():
        for rate in RATES:
            at = f"{rate:,}/s" if rate else f"about {round(speed, -4):,.0f}/s"
            of = (kind, rate)
            row(f"CPU ns per packet not lost: {meaning}, {at}", median(c.cost[of]), median(ours.cost[of]), "{:,.0f}")
            lost = median(c.lost[of]), median(ours.lost[of])
            if max(lost) >= 0.005:  # below it, the table would say 0.00 twice
                row("- packets lost of these, %", *lost, "{:.2f}")


def show_core() -> None:
    program = os.environ.get("CORE_BENCHMARK")
    if not program:
        return
    print("\n| packet bytes to verdict, without the kernel | ns, median | ns, least |")
    print("|---|---:|---:|")
    for line in run(program).splitlines()[1:]:
        kind, middle, least, _ = line.split("\t")
        print(f"| {kind} | {middle} | {least} |")


def main() -> None:
    print(first_line(), end="\n\n", flush=True)
    Path("/run/scanlogd/empty").mkdir(parents=True, mode=0o755)  # where Debian's build locks itself into
    log = Log()
    build_network()
    generator = build_generator()
    c = Program("C scanlogd", Path("/usr/sbin/scanlogd"))
    # Not the stage's copy: that one is in memory, where the program's own pages count as the daemon's.
    ours = Program("scanlogd", Path(os.environ["SCANLOGD"]).resolve())
    os.sync()  # nor do pages that were not written to disk yet look shared
    speeds: list[float] = []
    for _ in range(ROUNDS):
        for program in (c, ours):
            measure(program, generator, log, speeds)
    show(c, ours, median(speeds))
    show_core()


if __name__ == "__main__":
    main()
