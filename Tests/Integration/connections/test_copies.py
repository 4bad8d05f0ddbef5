"""scanlogd connections on a host that passes packets on: each is one line, however many interfaces it passes."""

import errno
import json
import socket
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from harness.connections import END, Connections, fields, pcap, read_file
from harness.daemon import wait_until
from harness.frames import FrameSender, ethernet, ipv4
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace
from harness.packets import Segment

FILTERS = pytest.mark.parametrize(
    "filter_", [(), ("-f", "ip or ip6"), ("-F", "tcp[13] & 18 = 2 or (ip6 proto 6 and ip6[53] & 18 = 2)")], ids=["ring", "pcap-f", "pcap-F"])

INNER, INNER_6 = "10.79.0.2", "fd79::2"
GATE, GATE_6 = "10.79.0.1", "fd79::1"
PORTS = list(range(1, 9))


@pytest.fixture
def inner(attacker: Namespace, target: Namespace) -> Iterator[Namespace]:
    """A host behind a bridge of the target's, which forwards to it."""
    forwarding = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
    target.run("ip", "link", "add", "br0", "type", "bridge")
    try:
        target.run("ip", "link", "set", "br0", "up")
        target.run("sysctl", "-q", *(f"{name}=1" for name in forwarding))
        target.run("ip", "address", "add", f"{GATE}/24", "dev", "br0")
        target.run("ip", "address", "add", f"{GATE_6}/64", "dev", "br0", "nodad")
        inner = Namespace("inner")
        target.run("ip", "netns", "add", inner.name)
        target.run("ip", "link", "add", "port", "type", "veth", "peer", "name", "eth0", "netns", inner.name)
        target.run("ip", "link", "set", "port", "master", "br0", "up")
        inner.run("ip", "link", "set", "eth0", "up")
        inner.run("ip", "address", "add", f"{INNER}/24", "dev", "eth0")
        inner.run("ip", "address", "add", f"{INNER_6}/64", "dev", "eth0", "nodad")
        inner.run("ip", "route", "add", "default", "via", GATE)
        inner.run("ip", "route", "add", "default", "via", GATE_6)
        for address in (GATE, GATE_6):  # both know their neighbour before the first probe
            wait_until(lambda address=address: is_refused(inner, address), "the bridge forwards")
        attacker.run("ip", "route", "add", "10.79.0.0/24", "via", TARGET)
        attacker.run("ip", "route", "add", "fd79::/64", "via", TARGET_6)
        yield inner
    finally:
        attacker.run("ip", "route", "flush", "10.79.0.0/24")
        attacker.run("ip", "-6", "route", "flush", "fd79::/64")
        for interface in ("port", "br0"):
            target.run("ip", "link", "delete", interface)
        target.run("sysctl", "-q", *(f"{name}=0" for name in forwarding))
        target.run("ip", "netns", "delete", "inner")


def is_refused(host: Namespace, address: str, port: int = 1) -> bool:
    with host.open_socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, port)) == errno.ECONNREFUSED


def connect(host: Namespace, address: str, ports: Iterable[int]) -> None:
    for port in ports:
        assert is_refused(host, address, port)


def attempts(connections: Connections) -> list[tuple[str, str, int]]:
    return [(line[0], line[2], line[3]) for line in connections.before_the_end()]


def copies(connections: Connections) -> int:
    return connections.ask_counters()["copies left out"]


@pytest.mark.parametrize("outer, behind", [(ATTACKER, INNER), (ATTACKER_6, INNER_6)], ids=["IPv4", "IPv6"])
@FILTERS
def test_what_is_forwarded_or_bridged_is_a_line_each(
    connections: Connections, attacker: Namespace, inner: Namespace, filter_: tuple[str, ...], outer: str, behind: str
) -> None:
    connections.start(*filter_)
    connect(attacker, behind, PORTS)  # in by the wire, out by the bridge and its port
    connect(inner, outer, PORTS)
    connect(inner, GATE if outer == ATTACKER else GATE_6, PORTS)
    connect(attacker, TARGET if outer == ATTACKER else TARGET_6, [END])
    gate = GATE if outer == ATTACKER else GATE_6
    assert attempts(connections) == [
        *((outer, behind, port) for port in PORTS), *((behind, outer, port) for port in PORTS),
        *((behind, gate, port) for port in PORTS)]
    assert copies(connections) >= 2 * len(PORTS)  # so the kernel has given them


@FILTERS
def test_what_is_sent_again_is_a_line_again(
    connections: Connections, attacker: Namespace, inner: Namespace, filter_: tuple[str, ...]
) -> None:
    connections.start(*filter_)
    with FrameSender(attacker) as sender:
        for _ in range(5):  # the same to the bit
            sender.send(ethernet(ipv4(Segment(80, destination=INNER))))
        sender.send(ethernet(ipv4(Segment(END))))
    assert attempts(connections) == [(ATTACKER, INNER, 80)] * 5
    assert copies(connections) == 10


@pytest.mark.parametrize("options, expected", [
    (("-i", "wire", "-i", "br0", "-i", "port"), 1), (("-i", "br0", "-i", "port"), 1), (("-i", "br0"), 1),
    (("--direction", "in"), 1), (("--direction", "out"), 1), (("-i", "wire", "--direction", "out"), 0),
    (("-i", "port", "--direction", "in"), 0), (("-i", "port", "--direction", "out"), 1),
], ids=str)
@FILTERS
def test_each_line_is_of_an_interface_and_a_direction_that_were_asked_for(
    connections: Connections, attacker: Namespace, target: Namespace, inner: Namespace, filter_: tuple[str, ...],
    options: tuple[str, ...], expected: int
) -> None:
    connections.start(*options, *filter_)
    connect(attacker, INNER, PORTS)
    connect(inner, GATE, [70])  # comes in by the port and the bridge
    connect(target, INNER, [END])  # goes out by both
    with FrameSender(attacker) as sender, FrameSender(target) as back:  # for who looks at the wire only
        sender.send(ethernet(ipv4(Segment(END))))
        back.send(ethernet(ipv4(Segment(END, source=TARGET, destination=ATTACKER))))
    connect(inner, GATE, [END])
    wait_until(lambda: f"|{END}\n" in connections.stdout.read_text(), "the last line")
    found = [line for line in map(fields, connections.lines()) if line[3] != END]
    assert [line[3] for line in found if line[2] == INNER] == PORTS * expected


def test_what_is_translated_is_another_packet(
    connections: Connections, attacker: Namespace, target: Namespace, inner: Namespace
) -> None:
    """As the manual page says: the lines differ."""
    try:
        target.run("nft", "add table ip copies; add chain ip copies pre { type nat hook prerouting priority -100; }; "
                          f"add rule ip copies pre ip daddr {TARGET} tcp dport 80 dnat to {INNER}:8080")
    except AssertionError as error:
        pytest.skip(f"no translation here: {error}")
    try:
        connections.start()
        connect(attacker, TARGET, [80, END])
        assert attempts(connections) == [(ATTACKER, TARGET, 80), (ATTACKER, INNER, 8080)]
    finally:
        target.run("nft", "delete table ip copies")


@pytest.mark.parametrize("kind", [("bond", "mode", "active-backup"), ("team",), ("macvlan",)], ids=" ".join)
@FILTERS
def test_an_interface_above_another_gives_no_more_lines(
    connections: Connections, attacker: Namespace, target: Namespace, filter_: tuple[str, ...], kind: tuple[str, ...]
) -> None:
    below = ("link", "wire") if kind[0] == "macvlan" else ()
    try:
        target.run("ip", "link", "add", *below, "name", "above", "type", *kind)
    except AssertionError as error:
        pytest.skip(f"the kernel has no {kind[0]}: {error}")
    attacker.run("ip", "link", "add", "lower", "type", "veth", "peer", "name", "lower", "netns", target.name)
    try:
        if not below:
            target.run("ip", "link", "set", "lower", "master", "above")
        for host, name in ((attacker, "lower"), (target, "lower"), (target, "above")):
            host.run("ip", "link", "set", name, "up")
        # To the upper one: the kernel queues what it passes to all, and a copy that comes too late is a packet.
        mac = json.loads(target.run("ip", "-j", "link", "show", "above"))[0]["address"]
        # By the lower one of two neighbours, a frame for the upper one is seen only if that is promiscuous.
        connections.start(*(("-i", "wire", "-i", "above") if below else ("-p",)), *filter_)
        with FrameSender(attacker, "wire" if below else "lower") as sender:
            sender.send(*(ethernet(ipv4(Segment(port), port), destination=mac) for port in [*PORTS, END]))
        assert [line[2] for line in attempts(connections)] == PORTS
        wait_until(lambda: copies(connections) == len(PORTS) + 1, "the copies")
    finally:
        target.run("ip", "link", "delete", "above")
        attacker.run("ip", "link", "delete", "lower")


# Files.


@pytest.mark.parametrize("expression, port", [("inbound", 80), ("outbound", 81)])
def test_of_files_only_cooked_ones_tell_directions(tmp_path: Path, expression: str, port: int) -> None:
    packets = [(80, 0), (81, 4)]
    for link, frames in ((113, [cooked(ipv4(Segment(port)), kind) for port, kind in packets]),
                         (276, [cooked2(2, ipv4(Segment(port)), kind) for port, kind in packets]),
                         (1, [ethernet(ipv4(Segment(port))) for port, _ in packets])):
        file = tmp_path / f"{link}.pcap"
        file.write_bytes(pcap(((when, frame) for when, frame in enumerate(frames)), link))
        done = read_file("-f", expression, file=file)
        if link == 1:
            reason = f"{expression}: compile filter: it asks for what files of this kind do not tell"
            assert (done.status, done.stdout, done.stderr) == (1, "", f"scanlogd: {reason}\n")
        else:
            assert [fields(line)[3] for line in done.stdout.splitlines()] == [port]


def cooked2(interface: int, packet: bytes, kind: int = 0) -> bytes:
    protocol = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return struct.pack("!HHIHBB8s", protocol, 0, interface, 1, kind, 6, bytes(8)) + packet


def cooked(packet: bytes, kind: int = 0) -> bytes:
    return struct.pack("!HHH8sH", kind, 1, 6, bytes(8), 0x0800) + packet


@pytest.mark.parametrize("option", [(), ("-f", "ip"), ("-F", "ip")], ids=" ".join)
def test_of_files_only_those_that_name_interfaces_tell_copies(tmp_path: Path, option: tuple[str, ...]) -> None:
    packet = ipv4(Segment(80), 7)
    passed_on = ipv4(Segment(80, ttl=63), 7)
    again = ipv4(Segment(80), 8)
    for link, frames, expected in (
        (276, [(0, cooked2(2, packet)), (0.001, cooked2(3, passed_on, 4)), (0.002, cooked2(4, passed_on, 4)),
               (0.003, cooked2(2, again)), (1, cooked2(2, packet)), (1.051, cooked2(3, passed_on))], 4),
        (276, [(0, cooked2(2, packet)), (0, cooked2(2, passed_on, 4)), (0, cooked2(2, packet))], 2),
        (276, [(0, cooked2(0, packet)), (0, cooked2(2, packet)), (0, cooked2(0, packet))], 3),
        (113, [(0, cooked(packet)), (0.001, cooked(passed_on, 4))], 2),
        (1, [(0, ethernet(packet)), (0.001, ethernet(passed_on))], 2),
    ):
        file = tmp_path / f"{link}.pcap"
        file.write_bytes(pcap(frames, link))
        done = read_file(*option, file=file)
        assert (done.status, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == expected, (link, done.stdout)
