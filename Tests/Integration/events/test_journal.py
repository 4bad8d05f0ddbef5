"""Events in systemd's journal, with their fields: its socket is played, its reader is real."""

import json
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.daemon import wait_until
from harness.network import tool
from harness.packets import scan
from harness.scene import Scene

SOCKET = Path("/run/systemd/journal/socket")
JOURNALD = Path("/lib/systemd/systemd-journald")
Entry = dict[str, list[bytes]]


def parse(datagram: bytes) -> Entry:
    """The fields of a datagram, by the documentation of the native protocol."""
    fields: Entry = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", rest[:8])
            value = rest[8:8 + length]
            assert rest[8 + length:9 + length] == b"\n"
            rest = rest[9 + length:]
        assert name == name.upper()
        fields.setdefault(name.decode("ascii"), []).append(value)
        datagram = rest
    return fields


class Journal:
    """The stage's own: /run is not the host's."""

    def __init__(self) -> None:
        SOCKET.parent.mkdir(parents=True, exist_ok=True)
        self.datagrams: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(SOCKET))
        os.chmod(SOCKET, 0o666)
        self._socket.setblocking(False)

    def entries(self) -> list[Entry]:
        while True:
            try:
                self.datagrams.append(self._socket.recv(65536))
            except BlockingIOError:
                return [parse(datagram) for datagram in self.datagrams]

    def wait_for(self, source: bytes) -> Entry:
        def found() -> list[Entry]:
            return [entry for entry in self.entries() if entry.get("SCANLOGD_SRC") == [source]]
        wait_until(lambda: found() != [], f"no entry of {source!r}", 10)
        return found()[0]

    def close(self) -> None:
        self._socket.close()
        SOCKET.unlink(missing_ok=True)


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal()
    yield journal
    journal.close()


def test_a_line_comes_with_its_fields_in_one_datagram(idle_scene: Scene, journal: Journal) -> None:
    idle_scene.start("--journal")
    idle_scene.sender.send(scan(source="10.77.0.101", source_port=41000))
    entry = journal.wait_for(b"10.77.0.101")
    assert entry["MESSAGE"][0].startswith(b"10.77.0.101:41000 to 10.77.0.2 ports ")
    assert (entry["PRIORITY"], entry["SYSLOG_FACILITY"]) == ([b"1"], [b"3"])
    assert (entry["SYSLOG_IDENTIFIER"], entry["SCANLOGD_KIND"]) == ([b"scanlogd"], [b"scan"])
    assert entry["SCANLOGD_SPORT"] == [b"41000"] and len(entry["SCANLOGD_PORTS"]) == 6
    assert idle_scene.log.messages == []
    start = journal.entries()[0]
    assert start["MESSAGE"][0].startswith(b"started, version ") and start["SCANLOGD_SEQ"] == [b"1"]
    assert not any(name == "SCANLOGD_MESSAGE" for entry in journal.entries() for name in entry)


def test_without_a_journal_lines_go_where_they_always_go(idle_scene: Scene) -> None:
    assert not SOCKET.exists()
    idle_scene.start("--journal")
    idle_scene.sender.send(scan(source="10.77.0.101"))
    idle_scene.log.wait_for_alerts(1)


def test_a_journal_that_is_made_anew_is_found(idle_scene: Scene) -> None:
    first = Journal()
    idle_scene.start("--journal")
    wait_until(lambda: len(first.entries()) == 1, "no start", 10)
    first.close()
    idle_scene.sender.send(scan(source="10.77.0.101"))
    (line,) = idle_scene.log.wait_for_alerts(1)  # meanwhile the other way
    assert line.startswith("10.77.0.101:")
    second = Journal()
    idle_scene.sender.send(scan(source="10.77.0.102"))
    second.wait_for(b"10.77.0.102")
    second.close()


def test_a_full_journal_keeps_nothing_from_the_log(idle_scene: Scene, journal: Journal) -> None:
    idle_scene.start("--journal")
    wait_until(lambda: len(journal.entries()) == 1, "no start", 10)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        filler.connect(str(SOCKET))
        with pytest.raises(BlockingIOError):
            while True:
                filler.send(b"MESSAGE=x\n")
    for number in range(3):
        idle_scene.sender.send(scan(source=f"10.77.0.{110 + number}"))
    for number in range(3):
        journal.wait_for(b"10.77.0.%d" % (110 + number))


@pytest.fixture
def journald(idle_scene: Scene) -> Iterator[None]:
    """systemd's own, on the stage's /run, in place of the one that is played."""
    process = subprocess.Popen([JOURNALD], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        wait_until(SOCKET.exists, "no journal", 10)
        yield
    finally:
        idle_scene.daemon.tear_down()
        process.terminate()
        process.wait(10)
        SOCKET.unlink(missing_ok=True)


def journalctl(*words: str) -> list[dict[str, Any]]:
    text = subprocess.run([tool("journalctl"), "-D", "/run/log/journal", "-o", "json", "--all", *words],
                          capture_output=True, text=True, check=False, timeout=30).stdout
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.skipif(not JOURNALD.exists(), reason="there is no systemd")
@pytest.mark.usefixtures("journald")
def test_journalctl_finds_an_event_by_its_fields(idle_scene: Scene) -> None:
    idle_scene.start("--journal")
    for number in range(3):
        idle_scene.sender.send(scan(source=f"10.77.0.{110 + number}", source_port=41000))
    wait_until(lambda: journalctl("SCANLOGD_SRC=10.77.0.112") != [], "nothing in the journal", 10)
    (entry,) = journalctl("SCANLOGD_SRC=10.77.0.111")
    assert str(entry["MESSAGE"]).startswith("10.77.0.111:41000 to 10.77.0.2 ports ")
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["SCANLOGD_KIND"]) == ("1", "scanlogd", "scan")
    assert entry["_TRANSPORT"] == "journal" and entry["SCANLOGD_PORTS"] == ["21", "22", "23", "25", "53", "80"]
    assert len(journalctl("SCANLOGD_KIND=scan", "SCANLOGD_PORTS=22")) == 3
    assert idle_scene.log.messages == []
