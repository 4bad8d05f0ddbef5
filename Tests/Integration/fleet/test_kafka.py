"""From a collector's files to Kafka, with a real rsyslogd and the mock broker of librdkafka in this process."""

import json
import os
import shlex
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from harness.daemon import finish, wait_until
from harness.fleet import FLEET
from harness.fleet_files import EXAMPLES, event, write
from harness.network import missing, tool

TOPIC = "scanlogd"
UNIT = FLEET / "scanlogd-fleet-kafka.service"
# Where no broker listens.
NOBODY = "127.0.0.1:9"


class Broker:
    """One on the loopback interface, and what it was sent: keys and lines."""

    def __init__(self) -> None:
        from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
        self._cluster = Producer({"test.mock.num.brokers": 1})
        found = self._cluster.list_topics(TOPIC, timeout=10)
        (broker,) = found.brokers.values()
        self.address = f"{broker.host}:{broker.port}"
        self._consumer = Consumer({"bootstrap.servers": self.address, "group.id": "test"})
        self._consumer.assign([TopicPartition(TOPIC, n, OFFSET_BEGINNING) for n in found.topics[TOPIC].partitions])
        self.received: list[tuple[bytes, bytes, int]] = []

    def read(self) -> int:
        """How many lines there are so far."""
        while message := self._consumer.poll(0.1):
            assert not message.error(), message.error()
            self.received.append((message.key(), message.value(), message.partition()))
        return len(self.received)

    def wait_for(self, count: int) -> None:
        wait_until(lambda: self.read() >= count, f"not {count} lines", 60)

    @property
    def lines(self) -> Counter[bytes]:
        return Counter(line for _, line, _ in self.received)

    def close(self) -> None:
        self._consumer.close()


class Forwarder:
    """The rsyslogd that reads the files of a collector."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.state = folder / "state"
        for part in (self.log, self.state):
            part.mkdir()
        self._file = folder / "kafka.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self._after: list[str] = []

    def commands(self, broker: str) -> dict[str, list[str]]:
        """What its unit runs, and when, with the places of the test."""
        def placed(text: str) -> str:
            for place, here in {"/var/lib/scanlogd-fleet-kafka": self.state, "/var/log/scanlogd-fleet": self.log,
                                "/etc/scanlogd-fleet/kafka.conf": self._file, "BROKER:9092": broker}.items():
                text = text.replace(place, str(here))
            return text

        self._file.write_text(placed((FLEET / "kafka.conf").read_text()))
        lines = [line.partition("=") for line in UNIT.read_text().splitlines()]
        return {name: shlex.split(placed(value).replace("$$", "$"))
                for name, _, value in lines if name.startswith("Exec")}

    def start(self, broker: str) -> None:
        commands = self.commands(broker)
        self._after = commands["ExecStopPost"]
        subprocess.run(commands["ExecStartPre"], check=True, timeout=10)
        self._process = subprocess.Popen(commands["ExecStart"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)

    def end(self, number: signal.Signals = signal.SIGTERM, timeout: float = 30) -> str:
        """Stops it, and kills it if it does not within this time, as its unit does. What systemd would call that."""
        if self._process is None:
            return "none"
        self._process.send_signal(number)
        try:
            result = "success" if self._process.wait(timeout) == 0 else "signal"
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
            result = "timeout"
        self._process = None
        subprocess.run(self._after, env=os.environ | {"SERVICE_RESULT": result}, check=True, timeout=10)
        return result


@pytest.fixture
def broker() -> Iterator[Broker]:
    if find_spec("confluent_kafka") is None:
        missing("python3-confluent-kafka is not installed")
    broker = Broker()
    yield broker
    broker.close()


@pytest.fixture
def forwarder(tmp_path: Path) -> Iterator[Forwarder]:
    if not list(Path("/usr/lib").glob("*/rsyslog/omkafka.so")):
        missing("rsyslog-kafka is not installed")
    forwarder = Forwarder(tmp_path)
    yield forwarder
    forwarder.end(signal.SIGKILL)


def test_its_unit_and_its_configuration_are_sound(forwarder: Forwarder) -> None:
    # It needs a /tmp to write to.
    done = finish([tool("unshare"), "--mount", "sh", "-c", 'mount -n -t tmpfs tmp /tmp && exec "$@"', "sh",
                   tool("systemd-analyze"), "--man=no", "verify", str(UNIT)])
    assert (done.status, done.stderr) == (0, ""), done
    command = forwarder.commands("192.0.2.1:9092")["ExecStart"]
    done = finish([command[0], "-N1", *command[-2:]])
    assert done.status == 0 and "error" not in done.stderr.lower(), done


def test_each_line_is_sent_as_it_is_with_its_source_as_the_key(
    broker: Broker, forwarder: Forwarder, tmp_path: Path) -> None:
    file = write(forwarder.log / "2026-11-28.json", *EXAMPLES, "no event", event(9, src='é"\\ x' + "y" * 10_000))
    forwarder.start(broker.address)
    broker.wait_for(len(EXAMPLES) + 2)
    sent = file.read_bytes().splitlines(keepends=True)
    assert broker.lines == Counter(sent)
    partitions: dict[bytes, set[int]] = {}
    for key, line, partition in broker.received:
        if line == b"no event\n":
            assert key == b""
            continue
        parsed = json.loads(line)
        assert key.decode() == parsed["event"].get("src", parsed["host"])
        partitions.setdefault(key, set()).add(partition)
    assert all(len(found) == 1 for found in partitions.values()) and len(partitions) > 1
    write(forwarder.log / "2026-11-29.json", event(1, host="late"))
    broker.wait_for(len(sent) + 1)
    assert json.loads(broker.received[-1][1])["host"] == "late"


@pytest.mark.long
def test_nothing_is_lost_by_a_stop_a_kill_or_a_broker_that_is_away(broker: Broker, forwarder: Forwarder) -> None:
    lines = [event(n, src=f"192.0.2.{n % 7}") for n in range(34_000)]
    sent = [json.dumps(line).encode() + b"\n" for line in lines]
    file = forwarder.log / "2026-11-28.json"

    def add(first: int, last: int) -> None:
        with file.open("ab") as end:
            end.write(b"".join(sent[first:last]))

    def wait_for(count: int) -> None:
        wait_until(lambda: broker.read() >= count and len(broker.lines) >= count, f"not {count} lines", 60)
        assert set(broker.lines) == set(sent[:count])

    # No broker: a few lines, then more than are held in memory.
    for first, last in ((0, 100), (100, 30_000)):
        add(first, last)
        forwarder.start(NOBODY)
        time.sleep(2)
        forwarder.end(timeout=5)
    forwarder.start(broker.address)
    wait_for(30_000)
    # A regular stop: it goes on where it was.
    assert forwarder.end() == "success"
    before = broker.read()
    add(30_000, 31_000)
    forwarder.start(broker.address)
    wait_for(31_000)
    assert broker.read() == before + 1000
    # Killed while it sends: all comes again.
    add(31_000, 32_000)
    wait_until(lambda: broker.read() > before + 1000, "nothing more", 30)
    forwarder.end(signal.SIGKILL)
    add(32_000, 33_000)
    forwarder.start(broker.address)
    wait_for(33_000)
    # The broker is out of reach while the forwarder runs.
    subprocess.run(["ip", "link", "set", "lo", "down"], check=True, timeout=10)
    add(33_000, 34_000)
    time.sleep(2)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    wait_for(34_000)
