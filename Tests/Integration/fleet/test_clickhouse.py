"""ClickHouse: what is in its tables, and what its views answer, is what SQLite has after `load` of the same files."""

import json
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.clickhouse import ClickHouse
from harness.fleet import FLEET, load
from harness.fleet_files import EXAMPLES, HOSTILE, NOW, event, write

pytestmark = pytest.mark.together

Rows = list[list[Any]]
SCHEMA = (FLEET / "clickhouse.sql").read_text()
TABLES = {
    "event": "day, host, run, seq, time, kind, src, sport, dst, nports, hosts, packets, first_time, last_time, lost,"
             " unlisted",
    "event_port": "*", "event_source": "*"}
VIEWS = ["scanned", "several_hosts", "under_threshold", "sweeps", "top_sources", "who_scanned_whom", "silent_hosts",
         "lost_events"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    server = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    yield server
    server.close()


@pytest.fixture
def clickhouse(server: ClickHouse) -> ClickHouse:
    server.use_new(f"test_{time.monotonic_ns()}")
    server.run(SCHEMA)
    return server


class Both:
    """The two databases, with the same files in them."""

    def __init__(self, clickhouse: ClickHouse, folder: Path) -> None:
        self._clickhouse = clickhouse
        self._file = folder / "fleet.db"

    def load(self, file: Path) -> None:
        done = load("--database", self._file, file)
        assert done.status == 0, done
        self._clickhouse.run(f"insert into line from infile '{file}' format LineAsString")

    def sqlite(self, query: str) -> Rows:
        found = sqlite3.connect(self._file).execute(query)
        return [[column[0] for column in found.description], *map(list, found)]

    def rows(self, query: str, ordered: bool = False) -> Rows:
        """What both answer, which is the same."""
        one, other = self.sqlite(query), self._clickhouse.rows(query)
        assert one[0] == other[0]
        if ordered:
            assert other == one
        assert sorted(map(repr, other)) == sorted(map(repr, one))
        return one[1:]

    def compare(self) -> dict[str, Rows]:
        """What all tables and views say, which is the same."""
        found = {name: self.rows(f"select {columns} from {name}") for name, columns in TABLES.items()}
        return found | {name: self.rows(f"select * from {name}", ordered=name != "scanned") for name in VIEWS}


def test_all_questions_have_the_answers_of_sqlite(clickhouse: ClickHouse, tmp_path: Path) -> None:
    both = Both(clickhouse, tmp_path)
    both.load(write(tmp_path / "day.json", *EXAMPLES))
    found = both.compare()
    assert all(found.values()), f"a question without an answer: {found}"


def test_bodies_are_the_events(clickhouse: ClickHouse, tmp_path: Path) -> None:
    clickhouse.run(f"insert into line from infile '{write(tmp_path / 'day.json', *EXAMPLES)}' format LineAsString")
    bodies = [json.loads(body) for (body,) in clickhouse.rows("select body from event")[1:]]
    assert sorted(bodies, key=repr) == sorted((line["event"] for line in EXAMPLES), key=repr)


def test_a_file_can_be_loaded_again(clickhouse: ClickHouse, tmp_path: Path) -> None:
    both = Both(clickhouse, tmp_path)
    file = write(tmp_path / "day.json", *EXAMPLES, EXAMPLES[0], b"garbage")
    both.load(file)
    before = both.compare()
    assert before["event"]
    copies = "select host, run, copies from copied_events"
    assert clickhouse.rows(copies)[1:] == [["a", "00c0ffee", 1]]
    assert both.sqlite("select copies from copied_events")[1:] == [[1]]
    clickhouse.run(SCHEMA)
    both.load(file)
    assert both.compare() == before
    events = len(EXAMPLES)
    assert clickhouse.rows("select sum(copies), sum(events) from copied_events")[1:] == [[events + 2, events]]
    clickhouse.run("optimize table stored_event final; optimize table faulty_line final; optimize table arrived final")
    assert both.compare() == before
    assert clickhouse.rows("select count() from stored_event")[1:] == [[events]]
    assert clickhouse.rows("select text from faulty_line")[1:] == [["garbage"]]
    assert clickhouse.rows("select sum(copies), sum(events) from copied_events")[1:] == [[events + 2, events]]


def test_a_line_that_is_no_event_is_kept_apart(clickhouse: ClickHouse, tmp_path: Path) -> None:
    both = Both(clickhouse, tmp_path)
    both.load(write(tmp_path / "day.json", event(1), *HOSTILE, event(2)))
    assert [row[3] for row in both.compare()["event"]] == [1, 2]
    kept = clickhouse.rows("select hex(text) from faulty_line")[1:]
    assert sorted(bytes.fromhex(text) for (text,) in kept) == sorted(HOSTILE)


def test_text_is_stored_as_it_is_whatever_is_in_it(clickhouse: ClickHouse, tmp_path: Path) -> None:
    texts = ["a\tb\\n\nc\r", "\\N", "\\.", "'; drop table stored_event; --", "é€𝄞", ""]
    both = Both(clickhouse, tmp_path)
    both.load(write(tmp_path / "day.json", *(
        event(n, host=text, src=text, kind="scan", sources=[text, text]) for n, text in enumerate(texts, 1))))
    assert {(row[1], row[6]) for row in both.compare()["event"]} == {(text, text) for text in texts}


def test_no_member_makes_an_insert_fail_by_days(clickhouse: ClickHouse, tmp_path: Path) -> None:
    """Each day there can be, in one insert; those before the last eight years are none."""
    file = write(tmp_path / "day.json", *(event(n, time=NOW - n * 86_400) for n in range(9 * 365)))
    clickhouse.run(f"insert into line from infile '{file}' format LineAsString")
    oldest = max(NOW - 8 * 365.25 * 86_400, 1_577_836_800)
    ((events, first),) = clickhouse.rows("select count(), min(time) from event")[1:]
    assert abs(first - oldest) < 2 * 86_400
    assert clickhouse.rows("select count() from faulty_line")[1:] == [[9 * 365 - events]]


def test_what_takes_lines_from_kafka_is_understood(clickhouse: ClickHouse) -> None:
    """As a library ClickHouse does not take them: no more than the grammar is shown."""
    statements = (FLEET / "clickhouse-kafka.sql").read_text().split(";\n")[:-1]
    assert len(statements) == 2
    for statement in statements:
        assert clickhouse.rows(f"explain ast {statement}")[1:]


def test_old_days_go(clickhouse: ClickHouse, tmp_path: Path) -> None:
    file = write(tmp_path / "day.json", *(event(n, time=NOW - n * 86_400) for n in range(1, 8)))
    clickhouse.run(f"insert into line from infile '{file}' format LineAsString")
    for table in ("stored_event", "arrived"):
        clickhouse.run(f"alter table {table} modify ttl day + interval 3 day; optimize table {table} final")
    assert clickhouse.rows("select seq from event order by seq")[1:] == [[1], [2]]
    assert clickhouse.rows("select sum(lines) from arrived")[1:] == [[2]]


def test_any_events_give_the_answers_of_sqlite(clickhouse: ClickHouse, tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    kinds = ["scan", "slow", "spread", "sweep", "ping", "udp", "ack", "protocols", "sctp", "end", "summary", "status",
             "attempt", "touch", "touch", "touch", "touch", "start", "stop", "fault"]
    names = [f"192.0.2.{n}" for n in range(40)]
    lines = []
    for host in "abcdefgh":
        start = chance.randrange(4 * 86_400)
        numbers = [n for n in range(1, 200) if chance.random() > 0.05]
        for seq in numbers + chance.sample(numbers, 10):
            fields: dict[str, Any] = {"time": NOW - start - 60 * (200 - seq) + 0.125}
            kind = random.Random(f"{seed} {host} {seq}").choice(kinds)
            picked = random.Random(f"{host} {seq} {seed}")
            if kind not in ("status", "stop", "summary"):
                ports = picked.sample(range(1000), picked.randrange(4))
                fields |= {"src": picked.choice(names if kind == "touch" else names[:15]), "ports": ports,
                           "nports": len(ports), "hosts": picked.randrange(50), "first": NOW - picked.randrange(99)}
            if kind == "summary":
                fields["sources"] = picked.sample(names[:15], 3)
            lines.append(event(seq, kind=kind, host=host, **fields))
    chance.shuffle(lines)
    both = Both(clickhouse, tmp_path)
    for number in range(3):
        both.load(write(tmp_path / f"{number}.json", *lines[number::3]))
    found = both.compare()
    assert found["under_threshold"] and found["top_sources"] and found["lost_events"]
    assert clickhouse.rows("select sum(copies) from copied_events")[1:] == both.sqlite(
        "select sum(copies) from copied_events")[1:] == [[80]]
