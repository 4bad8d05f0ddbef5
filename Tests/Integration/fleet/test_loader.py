"""The loader: the same rows and answers in SQLite and in PostgreSQL, however often a file is loaded, whatever is in it."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.fleet import FLEET, PostgreSQL, load
from harness.fleet_files import EXAMPLES, HOSTILE, NOW, event, write
from harness.network import missing

pytestmark = [pytest.mark.together, pytest.mark.long]

Rows = list[list[str]]
Query = Callable[[str], Rows]


class Database:
    """One of the two, with the words that choose it."""

    def __init__(self, server: PostgreSQL | None, folder: Path) -> None:
        self._server = server
        self._file = folder / "fleet.db"
        self.words = ["--postgresql", self._server.conninfo] if self._server else ["--database", str(self._file)]

    def rows(self, query: str) -> Rows:
        if self._server:
            return self._server.rows(query)
        return [["" if value is None else str(value) for value in row]
                for row in sqlite3.connect(self._file).execute(query)]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    if not Path("/usr/lib/postgresql").exists():
        missing("PostgreSQL is not installed")
    server = PostgreSQL(tmp_path_factory.mktemp("server") / "postgresql")
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database(None, tmp_path)
    server: PostgreSQL = request.getfixturevalue("server")
    server.use_new(f"test_{time.monotonic_ns()}")
    return Database(server, tmp_path)


def test_a_file_is_loaded_once_and_again_without_harm(database: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "day.json", event(1), event(2), event(2), event(1, host="b"))
    assert load(*database.words, file).stdout == f"{file}: events 4, copies 1, faulty lines 0\n"
    assert load(*database.words, file).stdout == f"{file}: events 0, copies 0, faulty lines 0\n"
    with file.open("ab") as more:
        more.write(json.dumps(event(3)).encode() + b"\n" + json.dumps(event(4)).encode()[:30])
    assert load(*database.words, file).stdout == f"{file}: events 1, copies 0, faulty lines 0\n"
    with file.open("ab") as more:
        more.write(json.dumps(event(4)).encode()[30:] + b"\n")
    assert load(*database.words, file).stdout == f"{file}: events 1, copies 0, faulty lines 0\n"
    assert load(*database.words, "--again", file).stdout == f"{file}: events 6, copies 6, faulty lines 0\n"
    assert database.rows("select host, seq from event order by host, seq") == [
        ["a", "1"], ["a", "2"], ["a", "3"], ["a", "4"], ["b", "1"]]
    assert database.rows("select count(*) from event_port") == [["10"]]


def test_a_line_that_is_no_event_is_told_and_left_out(database: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "day.json", event(1, src="first"), *HOSTILE, event(2))
    done = load(*database.words, file)
    assert done.status == 0
    assert done.stdout == f"{file}: events 2, copies 0, faulty lines {len(HOSTILE)}\n"
    complaints = done.stderr.splitlines()
    assert len(complaints) == len(HOSTILE)
    assert all(line.startswith(f"load: {file}: the line at byte ") for line in complaints)
    assert database.rows("select seq from event order by seq") == [["1"], ["2"]]


def test_text_is_stored_as_it_is_whatever_is_in_it(database: Database, tmp_path: Path) -> None:
    texts = ["a\tb\\n\nc\r", "\\N", "\\.", "'; drop table event; --", "é€𝄞", "x\0y", "\ud800", ""]
    file = write(tmp_path / "day.json", *(event(n, host=text, src=text) for n, text in enumerate(texts, 1)))
    assert load(*database.words, file).stdout == f"{file}: events {len(texts)}, copies 0, faulty lines 0\n"
    stored = [text.replace("\0", "\ufffd").replace("\ud800", "?") for text in texts]
    rows = database.rows("select seq, length(host), length(src), length(body) from event order by seq")
    assert [row[:3] for row in rows] == [
        [str(n), str(len(text)), str(len(text))] for n, text in enumerate(stored, 1)]
    assert database.rows("select count(*) from event where host = 'é€𝄞' and src = 'é€𝄞'") == [["1"]]


def test_the_views_answer(database: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "day.json", *EXAMPLES)
    assert load(*database.words, file).status == 0
    def first(view: str, columns: str) -> Rows:
        return database.rows(f"select {columns} from {view}")
    assert first("several_hosts", "src, hosts, scans") == [["198.51.100.7", "2", "3"], ["203.0.113.9", "2", "2"]]
    assert first("under_threshold", "src, hosts, pairs") == [["192.0.2.77", "3", "3"], ["192.0.2.78", "1", "7"]]
    assert first("sweeps", "src, kind, hosts, sensors") == [["198.51.100.10", "sweep", "40", "1"]]
    assert first("top_sources", "src, scans") == [
        ["198.51.100.7", "3"], ["203.0.113.9", "2"], ["198.51.100.10", "1"], ["198.51.100.8", "1"]]
    assert first("who_scanned_whom", "src, host, scans") == [
        ["198.51.100.10", "b", "1"], ["198.51.100.7", "a", "1"], ["198.51.100.7", "b", "2"],
        ["198.51.100.8", "a", "1"], ["203.0.113.9", "a", "1"], ["203.0.113.9", "b", "1"]]
    assert first("silent_hosts", "host") == [["gone"]]
    assert first("lost_events", "host, lost") == [["c", "6"], ["a", "5"], ["b", "3"]]
    shown = load(*database.words, "--view", "several_hosts").stdout.splitlines()
    assert shown[0].split() == ["src", "hosts", "scans", "first_time", "last_time"]
    assert [line.split()[:3] for line in shown[1:]] == [["198.51.100.7", "2", "3"], ["203.0.113.9", "2", "2"]]


def test_old_days_go_from_the_database(database: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "day.json", *(
        event(n, time=NOW - n * 86_400, kind="summary", sources=["203.0.113.9"], scans=1) for n in range(1, 8)))
    assert load(*database.words, "--keep", "3", file).status == 0
    assert len(database.rows("select day from event")) == 2
    assert database.rows("select count(*) from event_source") == [["2"]]
    assert load(*database.words, "--again", file).stdout == f"{file}: events 7, copies 2, faulty lines 0\n"


def test_a_file_that_has_become_shorter_is_refused(database: Database, tmp_path: Path) -> None:
    file = write(tmp_path / "day.json", event(1), event(2))
    load(*database.words, file)
    write(file, event(3))
    done = load(*database.words, file)
    assert done.status == 1
    assert done.stderr == f"load: {file}: read: it is shorter than when it was read last; --again reads it from its beginning\n"
    assert load(*database.words, "--again", file).stdout == f"{file}: events 1, copies 0, faulty lines 0\n"


@pytest.mark.parametrize("words", [["--keep", "0"], ["--database", "a", "--postgresql", "b"], ["--view", "other"]])
def test_what_makes_no_sense_is_refused(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run([FLEET / "load", *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2 and "usage: load" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "day.json", event(1))
    done = load("--postgresql", f"host={tmp_path} dbname=none", file)
    assert done.status == 1 and done.stderr.startswith("load: postgresql: run: ") and done.stderr.count("\n") == 1
    done = load("--database", tmp_path / "none/fleet.db", file)
    assert (done.status, done.stderr) == (1, f"load: {tmp_path}/none/fleet.db: open: unable to open database file\n")
