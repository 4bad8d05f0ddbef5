"""How the cost of a packet grows with what there is more of, as bars of text."""

import os
import subprocess
from pathlib import Path
from statistics import median

from log_sink import LogSink
from measures import warm_up
from program import STAGE, Program
from traffic import Generator, run

ROUNDS = 3
FLOOD = 400_000
WIDTH = 40

# What the benchmark of ScanCore calls its rows, and what they are about.
CORE = {
    "fill": ("sources of a flood that comes again, % of those remembered", ["1", "25", "50", "100"]),
    "kinds": ("kinds of scans looked for, in a flood that never comes again", ["1", "2", "9"]),
}


def show_bars(title: str, costs: dict[str, float]) -> None:
    print(f"\n{title}, ns per packet\n")
    most = max(costs.values())
    width = max(map(len, costs))
    for label, cost in costs.items():
        print(f"    {label:>{width}} {'#' * max(1, round(cost / most * WIDTH)):{WIDTH}} {cost:,.0f}")


def show_core_growth(rows: dict[str, float]) -> None:
    for name, (title, labels) in CORE.items():
        show_bars(title, {label: rows[f"{name}-{label}"] for label in labels})


def cost(generator: Generator, log: LogSink, path: Path, kind: str, *options: str) -> float:
    """Of a daemon with the ring and some options, under a flood or under scans."""
    program = Program(path.name, path, log, "ring")
    taken = []
    for _ in range(ROUNDS):
        program.start(*options)
        warm_up(generator)
        before = program.nanoseconds()
        sent = generator.send(kind, FLOOD, 0)
        spent = program.nanoseconds() - before
        lost = program.stop()
        taken.append(spent / max(sent.count - lost, 1))
    return median(taken)


def show_growth(ours: Path, generator: Generator, log: LogSink) -> None:
    path = STAGE / "bin" / "growing"
    path.touch()
    subprocess.run(["mount", "-n", "--bind", ours, path], check=True, timeout=10)
    for number in range(1, 16):
        run("ip", "link", "add", f"other{number}", "type", "veth", "peer", "name", f"end{number}")
    interfaces = {}
    for count in (1, 4, 16):
        names = ["wire", *(f"other{number}" for number in range(1, count))]
        interfaces[str(count)] = cost(
            generator, log, path, "flood", *(word for name in names for word in ("-i", name)))
    show_bars("interfaces named, under a flood, by the daemon with the ring", interfaces)
    for number in range(1, 16):
        run("ip", "link", "delete", f"other{number}")

    rules = STAGE / "exempt"
    lines = {}
    for count in (0, 16, 256):
        rules.write_text("".join(f"ALL: 192.{number >> 8}.{number & 255}.0/24\n" for number in range(count)))
        rules.chmod(0o644)
        lines[f"{count:,}"] = cost(generator, log, path, "scans", "--exempt", str(rules))
    show_bars("lines of --exempt, under scans by 1,000 sources, by the daemon with the ring", lines)


def show_wakeups(ours: Path, generator: Generator, log: LogSink) -> None:
    """How often data wakes the daemon: what is not woken costs nothing at any rate."""
    path = STAGE / "bin" / "sleeping"
    path.touch()
    subprocess.run(["mount", "-n", "--bind", ours, path], check=True, timeout=10)
    program = Program(path.name, path, log, "ring")
    program.start()
    before = wakeups(program)
    sent = generator.send("data", 200_000, 100_000)
    print(f"\n{sent.count:,} packets of data woke the daemon {wakeups(program) - before} times.")
    program.stop()


def wakeups(program: Program) -> int:
    """How often its processes have gone to sleep of their own accord."""
    total = 0
    for pid in program.pids():
        for line in Path("/proc", pid, "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


if __name__ == "__main__":
    from traffic import build_network
    Path("/run/scanlogd/empty").mkdir(parents=True, mode=0o755)
    sink = LogSink()
    build_network()
    wire = Generator()
    binary = Path(os.environ["SCANLOGD"]).resolve()
    show_wakeups(binary, wire, sink)
    show_growth(binary, wire, sink)
