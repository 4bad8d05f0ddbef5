"""scanlogd connections on a network: what is an attempt, and where packets come from."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from harness.connections import END, Connections
from harness.daemon import status_fields, wait_until
from harness.frames import DOT1AD, DOT1Q, FrameSender, ethernet, ipv4, ipv4_fragments, ipv6_fragments
from harness.network import ATTACKER, ATTACKER_6, TARGET, TARGET_6, Namespace
from harness.packets import ACK, CWR, DESTINATION_OPTIONS, ECE, FIN, HOP_BY_HOP, PADDING_ONLY, RST, SYN, Segment, Sender
from harness.syslog_sink import SyslogSink

# Without a filter packets come from the ring, with one from libpcap.
BACKENDS = pytest.mark.parametrize("filter_", [(), ("-f", "ip or ip6"), ("-F", "tcp[tcpflags] & 18 = 2 or ip6")],
                                   ids=["ring", "pcap-f", "pcap-F"])
TWO_BACKENDS = pytest.mark.parametrize("filter_", [(), ("-f", "tcp or ip6 or ip")], ids=["ring", "pcap"])


@pytest.fixture
def frames(attacker: Namespace) -> Iterator[FrameSender]:
    with FrameSender(attacker) as frames:
        yield frames


# What is an attempt.


@TWO_BACKENDS
def test_an_attempt_is_syn_without_ack_whatever_else_is_set(
    connections: Connections, sender: Sender, filter_: tuple[str, ...]
) -> None:
    connections.start("-i", "wire", "--limit", "off", *filter_)
    sender.send(Segment(1000 + flags, flags=flags) for flags in range(256))
    sender.send([Segment(END)])
    expected = [flags for flags in range(256) if flags & (SYN | ACK) == SYN]
    assert [line[3] - 1000 for line in connections.before_the_end()] == expected
    assert {SYN, SYN | ECE | CWR, SYN | FIN, SYN | RST} <= set(expected)


@TWO_BACKENDS
def test_ipv6_is_seen_behind_extension_headers(
    connections: Connections, sender: Sender, filter_: tuple[str, ...]
) -> None:
    over6 = {"source": ATTACKER_6, "destination": TARGET_6}
    connections.start("-i", "wire", *filter_)
    for port, extensions in enumerate((
        (), ((HOP_BY_HOP, PADDING_ONLY),), ((DESTINATION_OPTIONS, PADDING_ONLY),),
        ((HOP_BY_HOP, PADDING_ONLY), (DESTINATION_OPTIONS, PADDING_ONLY)),
    ), 1):
        sender.send(Segment(port, flags, extensions=extensions, **over6) for flags in (SYN, SYN | ACK))
    sender.send([Segment(END)])
    assert connections.before_the_end() == [(ATTACKER_6, 40000, TARGET_6, port) for port in range(1, 5)]


@TWO_BACKENDS
def test_fragments_are_one_line_a_packet(
    connections: Connections, frames: FrameSender, filter_: tuple[str, ...]
) -> None:
    connections.start("-i", "wire", *filter_)
    over6 = {"source": ATTACKER_6, "destination": TARGET_6}
    frames.send(*map(ethernet, (
        *ipv4_fragments(Segment(1), 1),  # of eight bytes: the flags are in the second, and not waited for
        *ipv4_fragments(Segment(2), 2, 16),  # the first ends behind the flags
        ipv4_fragments(Segment(3), 3, 16)[0],  # and nothing else comes
        *reversed(ipv4_fragments(Segment(4), 4)),
        ipv4_fragments(Segment(5), 5)[0],  # never whole
        *ipv4_fragments(Segment(6, SYN | ACK), 6, 16),
        *ipv6_fragments(Segment(7, **over6), 7),
        *ipv6_fragments(Segment(8, **over6), 8, 16),
        *ipv6_fragments(Segment(9, **over6), 9, 32, bytes(100)),
        ipv4(Segment(END)))))
    assert [line[3] for line in connections.before_the_end()] == [1, 2, 3, 4, 5, 7, 8, 9]


LATER_FRAGMENTS = "ip[6:2] & 0x1fff != 0"


@pytest.mark.parametrize("expression, expected, expected_6", [
    ("dst port 22", [(22, 8), (22, 16), (22, 20)], [(22, 20)]),
    (f"dst port 22 or {LATER_FRAGMENTS}", [(22, 8), (22, 16), (22, 20)], [(22, 20)]),
    (f"src host {ATTACKER} and (dst port 22 or {LATER_FRAGMENTS})", [(22, 8), (22, 16), (22, 20)], []),
    (f"tcp[tcpflags] & tcp-syn != 0 and dst port 22 or {LATER_FRAGMENTS}", [(22, 16), (22, 20)], []),
    ("ip6 and not dst port 22", [], [(23, 8), (22, 8), (23, 16), (22, 16), (23, 20), (22, 28)]),
], ids=["a port", "and later fragments", "of somebody", "flags", "not a port"])
def test_an_expression_judges_each_fragment(
    connections: Connections, frames: FrameSender, expression: str, expected: list[tuple[int, int]],
    expected_6: list[tuple[int, int]]
) -> None:
    """As the manual page has it under CAVEATS. The port of the source tells how many bytes the first fragment has."""
    connections.start("-i", "wire", "-f", f"({expression}) or dst port {END}")
    over6 = {"source": ATTACKER_6, "destination": TARGET_6}
    for number, (size, port) in enumerate((size, port) for size in (8, 16, 20) for port in (23, 22)):
        segment, segment_6 = Segment(port, source_port=size), Segment(port, source_port=size, **over6)
        if size < 20:  # which is all there is
            pieces = ipv4_fragments(segment, number, size) + ipv6_fragments(segment_6, number, size)
        else:
            pieces = [ipv4(segment), segment_6.packet()]
        frames.send(*map(ethernet, pieces))
    behind = Segment(22, source_port=28, extensions=((HOP_BY_HOP, PADDING_ONLY),), **over6)
    frames.send(ethernet(behind.packet()), ethernet(ipv4(Segment(END))))
    found = connections.before_the_end()
    assert [(line[3], line[1]) for line in found if line[0] == ATTACKER] == expected
    assert [(line[3], line[1]) for line in found if line[0] == ATTACKER_6] == expected_6


@BACKENDS
def test_each_packet_is_a_line_in_the_order_of_arrival(
    connections: Connections, sender: Sender, filter_: tuple[str, ...]
) -> None:
    connections.start("-i", "wire", "--limit", "off", *filter_)
    ports = [80, 80, 22, 80, *range(1, 500), 80, 80]
    sender.send(Segment(port, source_port=1234) for port in ports)
    sender.send([Segment(END)])
    assert connections.before_the_end() == [(ATTACKER, 1234, TARGET, port) for port in ports]


@pytest.fixture
def second_wire(attacker: Namespace, target: Namespace, log: SyslogSink) -> Iterator[FrameSender]:
    """What sends over another wire `second` between the hosts."""
    attacker.run("ip", "link", "add", "second", "type", "veth", "peer", "name", "second", "netns", target.name)
    try:
        for host in (attacker, target):
            host.run("ip", "link", "set", "second", "up")
        wait_until(lambda: "state UP" in target.run("ip", "link", "show", "second"), "it is not up")
        with FrameSender(attacker, "second") as second:
            yield second
    finally:
        attacker.run("ip", "link", "delete", "second")


@TWO_BACKENDS
def test_the_order_is_that_of_arrival_over_several_interfaces(
    connections: Connections, frames: FrameSender, second_wire: FrameSender, filter_: tuple[str, ...]
) -> None:
    connections.start("-i", "wire", "-i", "second", *filter_)
    processors = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(processors)})  # two could hand packets over in another order
        for port in range(1, 200, 2):
            frames.send(ethernet(ipv4(Segment(port))))
            second_wire.send(ethernet(ipv4(Segment(port + 1))))
    finally:
        os.sched_setaffinity(0, processors)
    time.sleep(0.2)
    frames.send(ethernet(ipv4(Segment(END))))
    assert [line[3] for line in connections.before_the_end()] == list(range(1, 201))


@pytest.mark.parametrize("count", [2047, 2048, 2049, 3000])
@pytest.mark.parametrize("filter_", [(), ("-f", "tcp[13] = 2")], ids=["ring", "pcap"])
def test_the_order_is_kept_when_more_has_gathered_than_is_taken_at_a_time(
    connections: Connections, frames: FrameSender, second_wire: FrameSender, filter_: tuple[str, ...], count: int
) -> None:
    """With libpcap 2,048 packets: nothing comes after the last one, so that nobody must have waited for it."""
    connections.start("-i", "wire", "-i", "second", "-i", "lo", "--limit", "off", *filter_)
    os.kill(connections.pid, signal.SIGSTOP)
    wait_until(lambda: status_fields(connections.pid)["State"][0] == "T", "it goes on")
    for port in range(1, count):
        (frames, second_wire)[port % 2].send(ethernet(ipv4(Segment(port))))
    (frames, second_wire)[count % 2].send(ethernet(ipv4(Segment(END))))
    os.kill(connections.pid, signal.SIGCONT)
    assert [line[3] for line in connections.before_the_end()] == list(range(1, count))


@TWO_BACKENDS
def test_a_date_is_the_packets_own(connections: Connections, sender: Sender, filter_: tuple[str, ...]) -> None:
    connections.start("-i", "wire", "--date", "epoch", *filter_)
    os.kill(connections.pid, signal.SIGSTOP)
    sent = []
    for port in range(1, 4):
        sent.append(time.time())
        sender.send([Segment(port)])
        time.sleep(0.3)
    os.kill(connections.pid, signal.SIGCONT)
    dates = [float(line.partition("|")[0]) for line in connections.wait_for(3)]
    for date, expected in zip(dates, sent, strict=True):
        assert expected - 0.01 <= date < expected + 0.2


def test_an_iso_date_is_the_packets_own(connections: Connections, sender: Sender) -> None:
    connections.start("-i", "wire", env={"TZ": "America/St_Johns"})
    began = time.time()
    sender.send([Segment(80)])
    (line,) = connections.wait_for(1)
    date = datetime.fromisoformat(line.partition("|")[0])
    assert int(began) <= date.timestamp() <= time.time()
    assert date.utcoffset() in (None, datetime.fromtimestamp(began, date.tzinfo).utcoffset())


def test_what_the_expression_replaces_is_all_it_matches(connections: Connections, sender: Sender) -> None:
    connections.start("-i", "wire", "-F", "tcp[13] = 1 or udp port 5353")
    sender.send([Segment(1, FIN), Segment(2, SYN), Segment(3, FIN | ACK), Segment(END, FIN)])
    assert [line[3] for line in connections.before_the_end()] == [1]


def test_udp_is_seen_with_an_expression_of_its_own(connections: Connections, attacker: Namespace) -> None:
    connections.start("-i", "wire", "-F", "udp", "-c", 2)
    for family, address in ((socket.AF_INET, TARGET), (socket.AF_INET6, TARGET_6)):
        with attacker.open_socket(family, socket.SOCK_DGRAM) as probe:
            probe.sendto(b"|", (address, 9999))
    found = connections.attempts(2)
    assert [(line[0], line[2], line[3]) for line in found] == [(ATTACKER, TARGET, 9999), (ATTACKER_6, TARGET_6, 9999)]
    assert connections.wait() == 0


# Where packets come from.


@pytest.mark.parametrize("interfaces", [(), ("-i", "any"), ("-i", "wire"), ("-i", "lo", "-i", "wire"),
                                        ("-i", "any", "-i", "any"), ("-i", "wire", "--interface", "wire"),
                                        ("-i", "wire", "-i", "lo", "-i", "wire")], ids=" ".join)
@TWO_BACKENDS
def test_interfaces_are_those_that_are_named(
    connections: Connections, sender: Sender, target: Namespace, interfaces: tuple[str, ...], filter_: tuple[str, ...]
) -> None:
    connections.start(*interfaces, *filter_)
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with target.open_socket(family, socket.SOCK_STREAM) as probe:
            assert probe.connect_ex((address, 7)) != 0
    sender.send([Segment(80)])
    sender.send([Segment(81, source=ATTACKER_6, destination=TARGET_6)])
    time.sleep(0.3)
    sender.send([Segment(END)])
    found = sorted(line[2:] for line in connections.before_the_end())
    loopback = [("127.0.0.1", 7), ("::1", 7)] if {"lo", "any"} & {*interfaces} or not interfaces else []
    assert found == sorted([*loopback, (TARGET, 80), (TARGET_6, 81)])


@TWO_BACKENDS
def test_what_the_host_itself_attempts_is_seen(
    connections: Connections, target: Namespace, filter_: tuple[str, ...]
) -> None:
    connections.start(*filter_)
    with target.open_socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        assert probe.connect_ex((ATTACKER, END)) != 0
    assert connections.before_the_end() == []


@pytest.mark.parametrize("interfaces", [(), ("-i", "wire", "-i", "lo")], ids=["any", "named"])
@pytest.mark.parametrize("direction, expected", [
    ((), [7, 80, 81]), (("--direction", "both"), [7, 80, 81]), (("--direction", "in"), [7, 80]),
    (("--direction", "out"), [7, 81]),
], ids=str)
@TWO_BACKENDS
def test_the_direction_is_the_one_that_was_asked_for(
    connections: Connections, sender: Sender, target: Namespace, direction: tuple[str, ...], expected: list[int],
    interfaces: tuple[str, ...], filter_: tuple[str, ...]
) -> None:
    """What goes over loopback goes both ways, and is one line."""
    connections.start(*direction, *interfaces, *filter_)
    sender.send([Segment(80)])
    with target.open_socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        assert probe.connect_ex((ATTACKER, 81)) != 0
    with target.open_socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        assert probe.connect_ex(("127.0.0.1", 7)) != 0
    time.sleep(0.3)
    with target.open_socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        assert probe.connect_ex(("127.0.0.1", END)) != 0
    assert sorted(line[3] for line in connections.before_the_end()) == expected


@TWO_BACKENDS
def test_loopback_alone_goes_both_ways(
    connections: Connections, target: Namespace, filter_: tuple[str, ...]
) -> None:
    """Also where it was down at the start."""
    target.run("ip", "link", "set", "lo", "down")
    try:
        connections.start("-i", "lo", "--direction", "out", *filter_)
    finally:
        target.run("ip", "link", "set", "lo", "up")
    wait_until(lambda: "interface is up" in connections.stderr(), "it is up")
    for port in (7, 8, END):
        with target.open_socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert [line[3] for line in connections.before_the_end()] == [7, 8]


@pytest.mark.parametrize("options, reason", [
    (("--direction", "up"), "up: direction: must be in, out or both"),
    (("--read", "-", "--direction", "in"),
     "--direction: --read: most files don't tell; -f inbound asks those that do"),
    (("--read", "-", "--direction", "out"),
     "--direction: --read: most files don't tell; -f inbound asks those that do"),
], ids=str)
def test_a_direction_that_can_not_be_told_is_refused(
    connections: Connections, options: tuple[str, ...], reason: str
) -> None:
    done = connections.run(*options)
    assert (done.status, done.stdout, done.stderr) == (2, "", f"scanlogd: {reason}\n")


@pytest.mark.parametrize("p", [False, True], ids=["promiscuous", "p"])
@TWO_BACKENDS
def test_frames_for_other_hosts_are_seen_unless_p(
    connections: Connections, frames: FrameSender, target: Namespace, filter_: tuple[str, ...], p: bool
) -> None:
    connections.start("-i", "wire", *filter_, *(["-p"] if p else []))
    assert ("promiscuity 1" in target.run("ip", "-d", "link", "show", "wire")) != p
    frames.send(ethernet(ipv4(Segment(80)), destination="02:00:00:00:99:99"), ethernet(ipv4(Segment(END))))
    assert [line[3] for line in connections.before_the_end()] == ([] if p else [80])


@pytest.mark.parametrize("tags", [((DOT1Q, 100),), ((DOT1AD, 100), (DOT1Q, 7))], ids=["one", "two"])
@pytest.mark.parametrize("filter_, is_seen", [
    ((), False), (("-f", "tcp"), False), (("-F", "tcp[13] = 2"), False), (("-f", "port 65000 or vlan 100"), True),
], ids=str)
def test_frames_of_a_vlan_are_seen_if_the_expression_says_so(
    connections: Connections, frames: FrameSender, tags: tuple[tuple[int, int], ...], filter_: tuple[str, ...],
    is_seen: bool
) -> None:
    connections.start("-i", "wire", *filter_)
    frames.send(ethernet(ipv4(Segment(80)), tags), ethernet(ipv4(Segment(END))))
    assert [line[3] for line in connections.before_the_end()] == ([80] if is_seen else [])


@pytest.mark.parametrize("filter_", [(), ("-f", "tcp"), ("-F", "tcp[13] = 2")], ids=str)
def test_frames_of_a_vlan_are_not_seen_on_any(
    connections: Connections, frames: FrameSender, filter_: tuple[str, ...]
) -> None:
    """Where the host has the VLAN, its interface has the packets as well: they would be seen twice."""
    connections.start(*filter_)
    frames.send(ethernet(ipv4(Segment(80)), ((DOT1Q, 100),)), ethernet(ipv4(Segment(END))))
    assert [line[3] for line in connections.before_the_end()] == []


@TWO_BACKENDS
def test_interfaces_that_come_and_go_are_followed(
    connections: Connections, attacker: Namespace, target: Namespace, filter_: tuple[str, ...], log: SyslogSink
) -> None:
    """Under traffic: nothing that a process has to do for it may be forbidden to it."""
    def add() -> None:
        attacker.run("ip", "link", "add", "second", "type", "veth", "peer", "name", "second", "netns", target.name)
        for host in (attacker, target):
            host.run("ip", "link", "set", "second", "up")

    add()
    connections.start("-i", "second", "-i", "wire", "--limit", "off", *filter_)
    for port in range(1, 4):
        target.run("ip", "link", "set", "second", "down")
        target.run("ip", "link", "set", "second", "up")
        attacker.run("ip", "link", "delete", "second")
        add()
        wait_until(lambda: "promiscuity 1" in target.run("ip", "-d", "link", "show", "second"), "not followed")
        with FrameSender(attacker, "second") as second:
            second.send(ethernet(ipv4(Segment(port))))
        wait_until(lambda: f"|{port}\n" in connections.stdout.read_text(), f"port {port}")
    attacker.run("ip", "link", "delete", "second")
    with FrameSender(attacker) as first:
        first.send(ethernet(ipv4(Segment(END))))
    assert [line[3] for line in connections.before_the_end()] == [1, 2, 3]
    assert connections.stop() == 0
    assert "second" in connections.stderr()
    assert any("second" in message.text for message in log.messages)
