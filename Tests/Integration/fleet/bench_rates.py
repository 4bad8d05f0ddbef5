"""What `make fleet-bench` prints: rates and sizes of the databases, measured on the same events. It asserts no figure.

The stage is in memory, and PostgreSQL does not wait for its disk: the rates are those of the processor.
"""

import gzip
import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from harness.clickhouse import ClickHouse
from harness.fleet import FLEET, PostgreSQL, load
from harness.fleet_files import NOW

EVENTS = 100_000
HOSTS = 50
QUESTION = "select count(*) from under_threshold"


def made(path: Path) -> Path:
    """Nine of ten are touches of one to three ports, as where most sources are clients or try a port or two."""
    chance = random.Random(1)
    ports = [22, 23, 80, 443, 445, 1433, 2323, 3389, 5060, 5900, 6379, 8080, 8443, *range(1024, 1100)]
    sources = [f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
               for _ in range(20_000)]
    with path.open("w") as file:
        for number in range(EVENTS):
            host = number % HOSTS
            seen = round(NOW - 86_400 + number * 0.8, 6)
            touch = chance.random() < 0.9
            found = chance.sample(ports, chance.randrange(1, 4) if touch else 7)
            event = {"v": 1, "kind": "touch" if touch else "scan", "run": f"{host:08x}", "seq": number // HOSTS + 1,
                     "time": seen, "src": chance.choice(sources), "sport": chance.randrange(1024, 65536),
                     "dst": f"192.0.2.{host}", "dsts": False, "ports": found, "nports": len(found),
                     "first": round(seen - 60 * chance.random(), 6), "last": seen, "packets": chance.randrange(1, 9)}
            line = {"host": f"host{host}", "event": event}
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
    return path


def measured(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def tell(name: str, seconds: float, size: float, question: float) -> None:
    print(f"{name:<12} {EVENTS / seconds:>12,.0f} {size / EVENTS:>15.0f} {question:>26.2f}")


def succeed(*words: object) -> None:
    done = load(*words, timeout=500)
    assert done.status == 0, done


def test_rates(tmp_path: Path) -> None:
    file = made(tmp_path / "day.json")
    print(f"\n{EVENTS:,} events of {HOSTS} hosts; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"file: {file.stat().st_size / EVENTS:.0f} bytes an event; "
          f"gzip: {len(gzip.compress(file.read_bytes())) / EVENTS:.0f}")
    print(f"{'':<12} {'events/s':>12} {'bytes an event':>15} {'under_threshold, seconds':>26}")

    path = tmp_path / "fleet.db"
    seconds = measured(lambda: succeed("--database", path, file))
    question = measured(lambda: succeed("--database", path, "--view", "under_threshold"))
    tell("SQLite", seconds, path.stat().st_size, question)

    server = PostgreSQL(tmp_path / "postgresql")
    empty = int(server.rows("select pg_database_size(current_database())")[0][0])
    seconds = measured(lambda: succeed("--postgresql", server.conninfo, file))
    server.rows("analyze")
    question = measured(lambda: server.rows(QUESTION))
    tell("PostgreSQL", seconds, int(server.rows("select pg_database_size(current_database())")[0][0]) - empty, question)
    server.stop()

    clickhouse = ClickHouse(tmp_path / "clickhouse")
    clickhouse.use_new("fleet")
    clickhouse.run((FLEET / "clickhouse.sql").read_text())
    seconds = measured(lambda: clickhouse.run(f"insert into line from infile '{file}' format LineAsString"))
    question = measured(lambda: clickhouse.rows(QUESTION))
    clickhouse.run("optimize table stored_event final; optimize table arrived final")
    ((size,),) = clickhouse.rows(
        "select sum(bytes_on_disk) from system.parts where active and database = currentDatabase()")[1:]
    tell("ClickHouse", seconds, size, question)
    clickhouse.close()
