"""What is measured of each daemon, one function a question."""

import random
import signal
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from log_sink import LogSink
from program import Memory, Program
from traffic import Generator
from waiting import wait

KINDS = ("data", "syn", "mix")
RATES = {0: 400_000, 100_000: 100_000, 10_000: 10_000}  # packets a second (0: as fast as it goes), and how many
ROUNDS = {0: 3, 100_000: 3, 10_000: 2}
WARM_UP = 2_500  # packets: each place of the table is used, each page touched
STOPPED = 100_000  # packets sent to a reader that does not read
IDLE_SECONDS = 10
SCANS, SCANS_A_START = 20, 5  # after five lines, a daemon is silent for a while
SCAN_PORTS = 7  # privileged ones: the last makes it a scan


@dataclass(frozen=True)
class Load:
    """Traffic of one kind at one rate."""

    kind: str
    rate: int


@dataclass
class Costs:
    """All that was measured under load; a list has one value a round."""

    process: defaultdict[tuple[Program, Load], list[float]] = field(default_factory=lambda: defaultdict(list))
    """Nanoseconds of the daemon for each packet that it was not too late for."""
    lost: defaultdict[tuple[Program, Load], list[float]] = field(default_factory=lambda: defaultdict(list))
    """Packets lost of a hundred."""
    host: defaultdict[tuple[Program | None, Load], list[float]] = field(default_factory=lambda: defaultdict(list))
    """Nanoseconds of all processors for each packet sent; of no daemon: what sending costs by itself."""
    speeds: list[float] = field(default_factory=list)
    """Packets a second when they are sent as fast as it goes."""


@dataclass(frozen=True)
class Footprint:
    """What a daemon needs of the machine's memory, and what it makes of that."""

    file: int
    idle: Memory
    after_traffic: Memory
    held: int
    """Packets that were there for a reader that had stopped reading."""


def warm_up(generator: Generator) -> None:
    generator.send("syn", WARM_UP, 25_000, pause=0.2)


def footprint(program: Program, generator: Generator) -> Footprint:
    program.start()
    idle = program.memory()
    warm_up(generator)
    after = program.memory()
    program.signal(signal.SIGSTOP)
    sent = generator.send("syn", STOPPED, 0)
    program.signal(signal.SIGCONT)
    time.sleep(1)
    return Footprint(program.path.stat().st_size, idle, after, sent.count - program.stop())


def delays(program: Program, generator: Generator, log: LogSink) -> list[float]:
    """Milliseconds from the last packet of a scan to the line about it, nothing else being on the wire."""
    chance = random.Random(program.name)  # a daemon that looks at fixed times must not be met in step
    found = []
    for scan in range(1, SCANS + 1):
        if scan % SCANS_A_START == 1:
            program.start()
        time.sleep(chance.uniform(0.05, 0.25))
        start, source = log.position(), f"10.77.1.{scan}:40000"
        sent = generator.send("scan", SCAN_PORTS, 1000, scanner=scan, pause=0)
        wait(lambda: log.first(source, start) is not None, f"{program.name}: does not report a scan")
        if line := log.first(source, start):
            found.append((line.time - sent.last) / 1e6)
        if scan % SCANS_A_START == 0:
            program.stop()
    return found


def idle_milliseconds(programs: list[Program]) -> dict[Program, float]:
    """The processor time each takes in 10 s without a packet, all at once."""
    for program in programs:
        program.start()
    time.sleep(1)
    before = {program: program.nanoseconds() for program in programs}
    time.sleep(IDLE_SECONDS)
    taken = {program: (program.nanoseconds() - before[program]) / 1e6 for program in programs}
    for program in programs:
        program.stop()
    return taken


def measure_load(program: Program, load: Load, generator: Generator, costs: Costs) -> None:
    """One round: a fresh daemon, as what it lost is only known of its whole life."""
    program.start()
    warm_up(generator)
    before = program.nanoseconds()
    sent = generator.send(load.kind, RATES[load.rate], load.rate)
    taken = program.nanoseconds() - before
    lost = program.stop()
    costs.process[program, load].append(taken / max(sent.count - lost, 1))  # a lost packet costs the daemon nothing
    costs.lost[program, load].append(lost / sent.count * 100)
    costs.host[program, load].append(sent.host / sent.count)
    if load.rate == 0:
        costs.speeds.append(sent.rate)


def measure_sending(load: Load, generator: Generator, costs: Costs) -> None:
    sent = generator.send(load.kind, RATES[load.rate], load.rate)
    costs.host[None, load].append(sent.host / sent.count)


def measure_loads(programs: list[Program], generator: Generator) -> Costs:
    """Each load for each program in turn, so that what else the machine does meets them all."""
    costs = Costs()
    for number in range(1, max(ROUNDS.values()) + 1):
        print(f"round {number} of {max(ROUNDS.values())}", file=sys.stderr)
        for load in (Load(kind, rate) for kind in KINDS for rate, rounds in ROUNDS.items() if number <= rounds):
            measure_sending(load, generator, costs)
            for program in programs:
                measure_load(program, load, generator, costs)
    return costs


def host_cost(costs: Costs, program: Program, load: Load) -> float:
    """What the whole machine does for a packet because the daemon is there, in nanoseconds."""
    pairs = zip(costs.host[program, load], costs.host[None, load], strict=True)
    return median(with_it - without for with_it, without in pairs)


def host_doubt(costs: Costs, load: Load) -> float:
    """How much the cost of sending by itself differed between rounds, to either side, in nanoseconds a packet."""
    return (max(costs.host[None, load]) - min(costs.host[None, load])) / 2
