"""scanlogd connections under load: no line is lost uncounted, whatever becomes of the place that lines go to."""

import os
import re
import subprocess
import threading
import time
from pathlib import Path

import pytest
from harness.connections import Connections, fields
from harness.daemon import wait_until
from harness.network import TARGET_MAC, Namespace
from harness.syslog_sink import SyslogSink

pytestmark = pytest.mark.alone

RATE = 100_000


def send(attacker: Namespace, generator: Path, count: int, rate: int = RATE) -> None:
    """So many attempts, from sources that don't come again."""
    sent = attacker.run(generator, "wire", TARGET_MAC, "flood", count, rate, timeout=60)
    assert int(sent.split()[0]) == count


def count_lines(path: Path) -> int:
    """The lines of a large file, each of which has five fields."""
    command = ["awk", "-F|", "NF != 5 || length > 80 { exit 1 } END { print NR }", str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)


@pytest.mark.parametrize("filter_", [(), ("-f", "ip")], ids=["ring", "pcap"])
def test_all_attempts_of_a_flood_are_lines_or_counted(
    connections: Connections, attacker: Namespace, generator: Path, tmp_path: Path, filter_: tuple[str, ...]
) -> None:
    seconds = 2 if filter_ else 10
    out = tmp_path / "out"
    connections.start("-i", "wire", "--limit", "off", "-o", out, *filter_)
    send(attacker, generator, seconds * RATE)
    counters = connections.stop_and_account_for(seconds * RATE)
    assert count_lines(out) == counters["lines written"] > seconds * RATE // 2
    out.unlink()


class Reader:
    """Reads a pipe in a thread, as slowly as it is told to."""

    def __init__(self, descriptor: int, pause: float) -> None:
        self.data = bytearray()
        self.may_read = threading.Event()
        self._descriptor = descriptor
        self._pause = pause
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        self.may_read.wait()
        while piece := os.read(self._descriptor, 65536):
            self.data += piece
            time.sleep(self._pause)

    def close(self) -> None:
        self.may_read.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        os.close(self._descriptor)


@pytest.mark.parametrize("manner", ["slow", "stopped"])
def test_a_slow_reader_of_a_pipe_loses_nothing_uncounted(
    connections: Connections, attacker: Namespace, generator: Path, log: SyslogSink, manner: str
) -> None:
    reading, writing = os.pipe()
    reader = Reader(reading, 0.005 if manner == "slow" else 0)
    connections.start("-i", "wire", "--limit", "off", stdout=writing)
    os.close(writing)
    if manner == "slow":
        reader.may_read.set()
    send(attacker, generator, 2 * RATE)
    reader.may_read.set()
    counters = connections.stop_and_account_for(2 * RATE)
    reader.close()
    lines = reader.data.decode().splitlines()
    assert len(lines) == counters["lines written"]
    for line in lines[:1000] + lines[-1000:]:
        fields(line)
    if manner == "stopped":
        assert counters["packets dropped by kernel"] > 0, "the test has filled nothing"


def test_packets_that_are_dropped_while_the_reader_is_stopped_are_counted_at_the_end(
    connections: Connections, attacker: Namespace, generator: Path, log: SyslogSink
) -> None:
    reading, writing = os.pipe()
    connections.start("-i", "wire", "--limit", "off", stdout=writing)
    send(attacker, generator, 2 * RATE)
    time.sleep(0.2)
    assert connections.stop() == 1
    os.close(writing)
    counters = connections.counters()
    assert counters["packets dropped by kernel"] > RATE, counters
    assert counters["lines lost"] > 0
    os.close(reading)


@pytest.mark.parametrize("rate, filter_", [(RATE, ()), (RATE // 5, ()), (RATE, ("-f", "ip"))],
                         ids=["ring", "slow", "pcap"])
def test_packets_that_are_dropped_while_the_reader_is_stopped_are_told_of_meanwhile(
    connections: Connections, attacker: Namespace, generator: Path, log: SyslogSink, shim: Path, rate: int,
    filter_: tuple[str, ...]
) -> None:
    """Reported: none were counted before lines were taken again, or the end."""
    reading, writing = os.pipe()
    connections.start("-i", "wire", "--limit", "off", *filter_, stdout=writing,
                      env={"LD_PRELOAD": str(shim), "SHIM_HASTE": "30"})
    os.close(writing)
    try:
        send(attacker, generator, 2 * RATE if rate == RATE else RATE // 2, rate)
        wait_until(lambda: connections.ask_counters()["packets dropped by kernel"] > 0, "the test has filled nothing")
        note = re.compile(r"connections: \d+ packets dropped by the kernel: more came than could be received")
        wait_until(lambda: any(note.fullmatch(message.text) for message in log.messages), "the log tells nothing", 30)
    finally:
        os.close(reading)
    assert connections.wait() == 0
