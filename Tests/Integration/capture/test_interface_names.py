"""Interfaces by other names than their own: alternative ones, and labels of addresses."""

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest
from harness.connections import END, Connections
from harness.daemon import Daemon, wait_until
from harness.frames import FrameSender, ethernet, ipv4
from harness.network import Namespace
from harness.packets import Segment, scan
from harness.scene import Scene
from harness.syslog_sink import SyslogSink

BACKENDS = pytest.mark.parametrize("backend", ["ring", "pcap", "nids"])
FILTERS = pytest.mark.parametrize("filter_", [(), ("-f", "tcp")], ids=["ring", "pcap"])

LONG = "an-alternative-name-that-is-longer-than-any-own-name-of-an-interface-".ljust(127, "x")
NAMES = pytest.mark.parametrize("name", ["enp3s0", LONG, "a:b", "extra:1"], ids=["short", "longest", "colon", "label"])


class Wire:
    """A wire `extra` between the hosts, whose end at the target has other names."""

    def __init__(self, attacker: Namespace, target: Namespace) -> None:
        self.attacker = attacker
        self.target = target

    def add(self) -> None:
        self.attacker.run("ip", "link", "add", "extra", "address", "02:00:00:00:78:01", "type", "veth",
                          "peer", "name", "extra", "address", "02:00:00:00:78:02", "netns", self.target.name)
        for name in ("enp3s0", LONG, "a:b"):
            self.target.run("ip", "link", "property", "add", "dev", "extra", "altname", name)
        self.target.run("ip", "address", "add", "10.78.0.2/24", "dev", "extra", "label", "extra:1")
        for host in (self.attacker, self.target):
            host.run("ip", "link", "set", "extra", "up")

    def remove(self) -> None:
        self.attacker.run("ip", "link", "delete", "extra")

    def send(self, segments: list[Segment]) -> None:
        with FrameSender(self.attacker, "extra") as sender:
            sender.send(*(ethernet(ipv4(segment), destination="02:00:00:00:78:02") for segment in segments))


@pytest.fixture
def wire(attacker: Namespace, target: Namespace) -> Iterator[Wire]:
    wire = Wire(attacker, target)
    wire.add()
    yield wire
    if "extra" in attacker.run("ip", "-br", "link"):
        wire.remove()


@NAMES
@BACKENDS
def test_an_interface_is_watched_by_another_name(idle_scene: Scene, wire: Wire, backend: str, name: str) -> None:
    idle_scene.daemon.start("--backend", backend, "-i", name)
    idle_scene.began = time.time()
    idle_scene.sender.send(scan(source="10.77.0.30"))  # over another wire
    wire.send(scan(source="10.77.0.31"))
    assert idle_scene.next_report().source == "10.77.0.31"


@NAMES
@FILTERS
def test_connections_are_those_of_an_interface_by_another_name(
    connections: Connections, attacker: Namespace, wire: Wire, name: str, filter_: tuple[str, ...]
) -> None:
    connections.start("-i", name, *filter_)
    with FrameSender(attacker) as other:
        other.send(ethernet(ipv4(Segment(79))))
    wire.send([Segment(80), Segment(END)])
    assert [line[3] for line in connections.before_the_end()] == [80]


@pytest.mark.parametrize("name", ["enp3s0", LONG])
@BACKENDS
def test_an_interface_comes_back_under_another_name(
    idle_scene: Scene, wire: Wire, target: Namespace, backend: str, name: str
) -> None:
    """Made anew and with another own name. What is said calls it by its own, and by what it was asked for."""
    idle_scene.daemon.start("--backend", backend, "-i", name)
    idle_scene.began = time.time()
    wire.remove()
    idle_scene.log.wait_for_notice(f"extra ({name}): interface is gone")
    wire.add()
    idle_scene.log.wait_for_notice(f"extra ({name}): new interface")
    before = len(idle_scene.log.messages)  # of the old one it may have been said that it is down
    target.run("ip", "link", "set", "extra", "down")
    idle_scene.log.wait_for_notice(f"extra ({name}): interface is down", before)
    target.run("ip", "link", "set", "extra", "name", "wan")
    target.run("ip", "link", "set", "wan", "up")
    idle_scene.log.wait_for_notice(f"wan ({name}): interface is up")
    time.sleep(0.3)
    wire.send(scan(source="10.77.0.32"))
    assert idle_scene.next_report().source == "10.77.0.32"


@BACKENDS
def test_an_interface_that_is_renamed_too_fast_to_be_seen_down_is_still_watched(
    idle_scene: Scene, wire: Wire, target: Namespace, backend: str
) -> None:
    """So it is up as before, with another own name, of which libpcap knows nothing."""
    idle_scene.daemon.start("--backend", backend, "-i", "enp3s0")
    idle_scene.began = time.time()
    sensor = idle_scene.daemon.sensor
    os.kill(sensor, signal.SIGSTOP)
    target.run("ip", "link", "set", "extra", "down")
    target.run("ip", "link", "set", "extra", "name", "wan")
    target.run("ip", "link", "set", "wan", "up")
    os.kill(sensor, signal.SIGCONT)
    time.sleep(3)  # libpcap says that the interface is gone, and what fails is left alone for a second
    wire.send(scan(source="10.77.0.32"))
    assert idle_scene.next_report().source == "10.77.0.32"


@FILTERS
def test_connections_follow_a_name_to_another_interface(
    connections: Connections, attacker: Namespace, target: Namespace, wire: Wire, log: SyslogSink,
    filter_: tuple[str, ...]
) -> None:
    connections.start("-i", "enp3s0", *filter_)
    target.run("ip", "link", "property", "del", "dev", "extra", "altname", "enp3s0")
    log.wait_for_notice("extra (enp3s0): interface is gone")
    target.run("ip", "link", "property", "add", "dev", "wire", "altname", "enp3s0")
    try:
        log.wait_for_notice("wire (enp3s0): new interface")
        wait_until(lambda: "promiscuity 1" in target.run("ip", "-d", "link", "show", "wire"), "not followed")
        wire.send([Segment(79)])
        with FrameSender(attacker) as other:
            other.send(ethernet(ipv4(Segment(80))), ethernet(ipv4(Segment(END))))
        assert [line[3] for line in connections.before_the_end()] == [80]
    finally:
        target.run("ip", "link", "property", "del", "dev", "wire", "altname", "enp3s0")


@pytest.mark.parametrize("name", ["enp3s1", "ENP3S0", "extra:2", "extra:", ":1", "", "x" * 128, LONG + "x"], ids=repr)
@BACKENDS
def test_a_name_that_nothing_has_is_refused(daemon: Daemon, wire: Wire, backend: str, name: str) -> None:
    done = daemon.run("--backend", backend, "-i", name)
    assert (done.status, done.stdout, done.stderr) == (1, "", f"scanlogd: {name}: open interface: No such device\n")


@pytest.mark.parametrize("names", [("extra", "enp3s0"), ("enp3s0", "wire", LONG), ("extra:1", "extra")], ids=repr)
@FILTERS
def test_two_names_of_an_interface_are_refused(
    connections: Connections, daemon: Daemon, wire: Wire, names: tuple[str, ...], filter_: tuple[str, ...]
) -> None:
    options = [word for name in names for word in ("-i", name)]
    reason = f"scanlogd: {names[-1]}: open interface: given twice: it is named before by another name\n"
    for done in (connections.run(*options, *filter_), daemon.run(*options)):
        assert (done.status, done.stdout, done.stderr) == (1, "", reason)


def test_two_hundred_alternative_names_do_no_harm(connections: Connections, target: Namespace, wire: Wire) -> None:
    """The kernel tells of an interface with all its names at once."""
    for number in range(0, 200, 5):  # ip(8) has no room for many more
        names = [word for name in range(number, number + 5) for word in ("altname", f"{name:03}" + "x" * 124)]
        target.run("ip", "link", "property", "add", "dev", "extra", *names)
    connections.start("-i", "199" + "x" * 124, "-i", "wire")
    wire.send([Segment(80), Segment(END)])
    assert [line[3] for line in connections.before_the_end()] == [80]
    assert connections.stop(signal.SIGTERM) == 0
    assert re.search(r"^2 lines written$", connections.stderr(), re.MULTILINE)
