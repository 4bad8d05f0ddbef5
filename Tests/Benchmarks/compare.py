"""Runs C scanlogd and each backend of ours in turn under the same traffic, and prints what they cost. Called by `run`,
on its stage."""

import os
import platform
import subprocess
from pathlib import Path

import tables
from connections import show_connections
from growth import show_core_growth, show_growth, show_wakeups
from log_sink import LogSink
from measures import delays, footprint, idle_milliseconds, measure_loads
from program import programs
from replaying import show_replaying
from traffic import Generator, build_network, run
from wrapping import show_wrapping


def first_line() -> str:
    model = next((line.split(": ", 1)[1] for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    try:
        swift = run("swift", "--version").splitlines()[0].split(" (")[0]
    except (OSError, subprocess.SubprocessError):
        swift = "Swift unknown"
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, {swift}. C scanlogd is Debian's 2.2.8."


def show_core() -> None:
    program = os.environ.get("CORE_BENCHMARK")
    if not program:
        return
    rows = [line.split("\t") for line in run(program).splitlines()[1:]]
    print("\n| packet bytes to verdict, without the kernel | ns, median | ns, least |")
    print("|---|---:|---:|")
    for kind, middle, least, _ in rows:
        print(f"| {kind} | {middle} | {least} |")
    show_core_growth({kind: float(least) for kind, _, least, _ in rows})


def main() -> None:
    print(first_line(), flush=True)
    Path("/run/scanlogd/empty").mkdir(parents=True, mode=0o755)  # where Debian's build locks itself into
    log = LogSink()
    build_network()
    generator = Generator()
    earlier = os.environ.get("EARLIER")
    compared = programs(Path(os.environ["SCANLOGD"]).resolve(), log, Path(earlier).resolve() if earlier else None)
    os.sync()  # pages that were not written to disk yet don't look shared

    footprints = {program: footprint(program, generator) for program in compared}
    waited = {program: delays(program, generator, log) for program in compared}
    idle = idle_milliseconds(compared)
    costs = measure_loads(compared, generator)

    print(tables.EXPLANATION)
    tables.show_process(costs, compared)
    tables.show_lost(costs, compared)
    tables.show_host(costs, compared)
    tables.show_waiting(idle, waited, footprints)
    tables.show_memory(footprints)
    show_connections(Path(os.environ["SCANLOGD"]).resolve(), generator)
    show_replaying(Path(os.environ["SCANLOGD"]).resolve(), Path(earlier).resolve() if earlier else None)
    show_wrapping(Path(os.environ["SCANLOGD"]).resolve())
    show_wakeups(Path(os.environ["SCANLOGD"]).resolve(), generator, log)
    show_growth(Path(os.environ["SCANLOGD"]).resolve(), generator, log)
    show_core()


if __name__ == "__main__":
    main()
