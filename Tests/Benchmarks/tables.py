"""What was measured, as Markdown tables."""

from statistics import median

from measures import IDLE_SECONDS, KINDS, RATES, STOPPED, Costs, Footprint, Load, host_cost, host_doubt
from program import Program

MEANINGS = {"data": "data", "syn": "SYN flood", "mix": "99:1"}
SHOWN_LOSS = 0.005  # below it, a table would say 0.00
HOST_PRECISION = 50.0  # of the kernel's clock, on a machine that does nothing else
EXPLANATION = """
Data is ACK and PSH+ACK of established connections to a port at which a service listens, the SYN flood is from 65,536
random sources in turn, 99:1 is 99 % data and 1 % SYN.
In brackets: the share of what C scanlogd takes. CPU of the whole host is that of the sender with the daemon, minus
without. A figure after < is what the clocks, or what else the machine did, allow to say."""


def print_row(label: str, cells: list[str]) -> None:
    print(f"| {' | '.join([label, *cells])} |")


def print_head(label: str, programs: list[Program]) -> None:
    print()
    print_row(label, [program.name for program in programs])
    print("|---|" + "---:|" * len(programs))


def number(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def share(part: float, whole: float) -> str:
    """A part of the whole, the way people say it: 1/50. Both are above 0."""
    times = float(f"{whole / part:.2g}")
    return f"1/{times:,g}" if times > 1 else f"{part / whole:.1f}"


def compared(values: list[float], least: float) -> list[str]:
    """The first as it is, the others with their share of it. What is too small to be measured is said to be less."""
    cells = [number(values[0]) if values[0] >= least else f"<{number(least)}"]
    for value in values[1:]:
        less = "<" if value < least else ""
        known = max(value, least)
        part = f" ({less}{share(known, values[0])})" if values[0] >= least else ""
        cells.append(f"{less}{number(known)}{part}")
    return cells


def name(load: Load, costs: Costs) -> str:
    rate = load.rate or round(median(costs.speeds), -4)
    return f"{MEANINGS[load.kind]}, {rate:,.0f}/s"


def show_process(costs: Costs, programs: list[Program]) -> None:
    print_head("CPU of the daemon, ns per packet", programs)
    for load in (Load(kind, rate) for kind in KINDS for rate in RATES):
        values = [median(costs.process[program, load]) for program in programs]
        print_row(name(load, costs), compared(values, 0.1))


def show_lost(costs: Costs, programs: list[Program]) -> None:
    loads = [Load(kind, rate) for kind in KINDS for rate in RATES]
    rows = {load: [median(costs.lost[program, load]) for program in programs] for load in loads}
    rows = {load: values for load, values in rows.items() if max(values) >= SHOWN_LOSS}
    if not rows:
        print("\nNobody lost a packet.")
        return
    print_head("packets lost, % (nobody lost any elsewhere)", programs)
    for load, values in rows.items():
        print_row(name(load, costs), [f"{value:.2f}" for value in values])


def show_host(costs: Costs, programs: list[Program]) -> None:
    print_head("CPU of the whole host, ns per packet", programs)
    for load in (Load(kind, rate) for kind in KINDS for rate in (0, 100_000)):
        values = [host_cost(costs, program, load) for program in programs]
        print_row(name(load, costs), compared(values, max(HOST_PRECISION, host_doubt(costs, load))))


def show_waiting(
    idle: dict[Program, float], delays: dict[Program, list[float]], footprints: dict[Program, Footprint]
) -> None:
    programs = list(footprints)
    print_head("while nothing happens, and when something does", programs)
    print_row("start to ready, ms, median", [f"{median(program.start_times) * 1000:.1f}" for program in programs])
    print_row(f"idle, CPU ms in {IDLE_SECONDS} s", [f"{idle[program]:.1f}" for program in programs])
    print_row("last probe to line, ms, median", [f"{median(delays[program]):.1f}" for program in programs])
    print_row("last probe to line, ms, longest", [f"{max(delays[program]):.1f}" for program in programs])
    held = [footprints[program].held for program in programs]
    print_row("packets kept for a stopped reader",
              [f"{count:,}" if count < STOPPED else f"{STOPPED:,} or more" for count in held])


def show_memory(footprints: dict[Program, Footprint]) -> None:
    print_head("size, kB", list(footprints))
    found = list(footprints.values())

    def row(label: str, values: list[int]) -> None:
        print_row(label, [f"{value:,}" for value in values])

    row("program file", [round(each.file / 1024) for each in found])
    row("Pss, idle", [each.idle.proportional for each in found])
    row("Pss, after traffic", [each.after_traffic.proportional for each in found])
    row("private dirty, idle", [each.idle.private_dirty for each in found])
    row("private dirty, after traffic", [each.after_traffic.private_dirty for each in found])
    row("resident, idle", [each.idle.resident for each in found])
    row("resident, after traffic", [each.after_traffic.resident for each in found])
    row("packet ring, besides", [each.after_traffic.ring for each in found])
