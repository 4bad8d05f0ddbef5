"""What a host drops must not hide what it takes: each way round that was found, by name.

The kernel is asked by test_kernel_oracle.py; here stands what was free for a scanner once. Every probe gets its answer.
"""

import socket
import struct
import time
from collections.abc import Iterator

import pytest
from harness.connections import END, Connections
from harness.frames import DOT1AD, DOT1Q, IPV4, SHORTEST, FrameSender, ethernet, ipv4, mac
from harness.network import ATTACKER, ATTACKER_6, ATTACKER_MAC, TARGET_6, TARGET_MAC, Namespace
from harness.packets import ACK, DESTINATION_OPTIONS, LOW_PORTS, PADDING_ONLY, Segment, checksum, scan
from harness.scene import Scene

PPPOE, OLD_PROVIDER = 0x8864, 0x9100
HERE_6 = {"source": ATTACKER_6, "destination": TARGET_6}
# The port that all decoys are for.
DECOY = 9999


@pytest.fixture(params=["ring", "pcap", "nids"])
def backend(request: pytest.FixtureRequest, idle_scene: Scene) -> Scene:
    idle_scene.daemon.start("--backend", request.param)
    idle_scene.began = time.time()
    return idle_scene


def frame(kind: int, payload: bytes) -> bytes:
    return (mac(TARGET_MAC) + mac(ATTACKER_MAC) + struct.pack("!H", kind) + payload).ljust(SHORTEST, b"\0")


def fragment(segment: Segment, part: slice, more: bool, identification: int = 7, options: bytes = b"",
             beyond: int = 0) -> bytes:
    """Some of a segment's packet. `options` stand behind the header; so many bytes `beyond` its end it says it has."""
    payload = segment.packet()[20:][part]
    packet = ipv4(segment, identification, part.start or 0, more, payload)
    head = bytes([0x45 + len(options) // 4, packet[1]]) + struct.pack("!H", len(packet) + len(options) + beyond)
    head += packet[4:10] + b"\0\0" + packet[12:20] + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def pieces(segment: Segment, size: int = 8, identification: int = 7) -> list[bytes]:
    """A segment in fragments of a size, as Ethernet frames."""
    return [ethernet(fragment(segment, slice(start, start + size), start + size < 20, identification))
            for start in range(0, 20, size)]


def assert_named(scene: Scene, ports: tuple[int, ...] = LOW_PORTS, source: str = ATTACKER) -> None:
    """The scanner is reported, with all ports but the last; decoys may be among them."""
    report = scene.next_report()
    assert report.source == source
    assert set(ports[:-1]) <= set(report.ports), report


def send(scene: Scene, frames: Iterator[bytes] | list[bytes]) -> None:
    with FrameSender(scene.attacker) as sender:
        for one in frames:
            sender.send(one)


def test_a_first_fragment_that_linux_cuts_to_a_multiple_of_eight(backend: Scene) -> None:
    for segment in scan():
        send(backend, [ethernet(fragment(segment, slice(0, 12), True)), ethernet(fragment(segment, slice(8, 20), False))])
    assert_named(backend)


@pytest.mark.parametrize("count", [9, 100, 180])
def test_any_number_of_ipv6_headers(backend: Scene, count: int) -> None:
    headers = ((DESTINATION_OPTIONS, PADDING_ONLY),) * count
    send(backend, [ethernet(segment.packet()) for segment in scan(**HERE_6, extensions=headers)])
    assert_named(backend, source=ATTACKER_6)


def decoys() -> dict[str, bytes]:
    """First fragments for another port, under the name of each probe, that the host drops or gives up."""
    decoy, data = Segment(DECOY), Segment(DECOY, ACK)
    first = slice(0, 8)
    inner = fragment(decoy, first, True)
    tag = struct.pack("!HH", 5, IPV4)
    return {
        "bad option": ethernet(fragment(decoy, first, True, options=b"\x07\x03\x01\x00")),
        "past the frame": ethernet(fragment(data, slice(0, 16), True, beyond=400)),
        "another VLAN": ethernet(inner, ((DOT1Q, 5),)),
        "stacked tags": ethernet(inner, ((DOT1AD, 6), (DOT1Q, 5))),
        "a tag that is none": frame(OLD_PROVIDER, tag + inner),
        "PPPoE": frame(PPPOE, struct.pack("!HHHH", 0x1100, 1, len(inner) + 2, 0x21) + inner),
        "wrong checksum": ethernet(inner[:10] + b"\0\1" + inner[12:]),
        "another end": ethernet(fragment(data, slice(16, 20), False)),
    }


@pytest.mark.parametrize("kind", decoys())
def test_a_decoy_before_the_fragments(backend: Scene, kind: str) -> None:
    for segment in scan():
        send(backend, [decoys()[kind], *pieces(segment)])
    assert_named(backend)


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("kind", ["VLAN", "PPPoE"])
def test_other_flags_in_a_frame_that_the_host_does_not_take(backend: Scene, kind: str, place: int) -> None:
    for segment in scan():
        frames = pieces(segment)
        tail = fragment(Segment(segment.port, ACK), slice(8, 20), False)
        frames.insert(place, ethernet(tail, ((DOT1Q, 5),)) if kind == "VLAN" else frame(
            PPPOE, struct.pack("!HHHH", 0x1100, 1, len(tail) + 2, 0x21) + tail))
        send(backend, frames)
    assert_named(backend)


@pytest.mark.parametrize("length", [0, 3])
def test_a_decoy_that_linux_gives_up_for_a_fragment_of_no_bytes(backend: Scene, length: int) -> None:
    decoy = Segment(DECOY, ACK)
    for segment in scan():
        poison = ethernet(fragment(decoy, slice(8, 8 + length), True))
        send(backend, [pieces(decoy)[0], poison, *pieces(segment)])
    assert_named(backend)


def test_a_late_duplicate_of_a_packet_that_was_complete(backend: Scene) -> None:
    late = ethernet(fragment(Segment(DECOY, ACK), slice(8, 20), False))
    for segment in scan():
        send(backend, [*pieces(segment), late])
    assert_named(backend)


def test_probes_in_halves_with_a_flood_of_first_fragments_between(backend: Scene) -> None:
    ports = tuple(range(1, 21))
    first = [pieces(Segment(port), 16, 100 + port)[0] for port in ports]
    rest = [pieces(Segment(port), 16, 100 + port)[1] for port in ports]
    forged = (ethernet(fragment(Segment(80, source=f"10.77.{number >> 8}.{number & 255}"), slice(0, 16), True, number))
              for number in range(0x200, 0x200 + 2500))
    send(backend, first)
    send(backend, forged)
    send(backend, rest)
    assert_named(backend, ports[:7])


@pytest.mark.parametrize("priorities", [(3, 2), (2, 3), (2, 2, 3), (0, 3, 0), (3, 3, 3), (7, 0, 2),
                                        (2,) * 8, (2,) * 9, (2,) * 10, (0,) * 12, (2,) * 250])
def test_tags_of_no_vlan(backend: Scene, priorities: tuple[int, ...]) -> None:
    tags = tuple((DOT1Q, priority << 13) for priority in priorities)
    send(backend, [ethernet(ipv4(segment), tags) for segment in scan()])
    assert_named(backend)
    send(backend, [ethernet(segment.packet(), tags) for segment in scan(**HERE_6)])
    report = backend.next_report(after=1)
    assert report.source == ATTACKER_6


def split_chain(segment: Segment, identification: int) -> list[bytes]:
    """A packet whose extension headers go on beyond its first fragment."""
    transport = segment.packet()[40:]
    count = 160
    chain = b"".join(bytes([DESTINATION_OPTIONS if number < count - 1 else socket.IPPROTO_TCP]) + PADDING_ONLY
                     for number in range(count)) + transport
    frames = []
    for start in range(0, len(chain), 1232):
        part = chain[start:start + 1232]
        more = start + 1232 < len(chain)
        head = struct.pack("!BBHI", DESTINATION_OPTIONS, 0, start | more, identification)
        packet = segment.packet()
        frames.append(ethernet(packet[:4] + struct.pack("!HBB", len(part) + 8, 44, 64) + packet[8:40] + head + part))
    return frames


@pytest.mark.parametrize("backwards", [False, True])
def test_ipv6_headers_that_go_on_in_the_next_fragment(backend: Scene, backwards: bool) -> None:
    for segment in scan(**HERE_6):
        frames = split_chain(segment, segment.port)
        send(backend, frames[::-1] if backwards else frames)
    assert_named(backend, source=ATTACKER_6)


def test_flags_that_were_never_seen_are_not_told(backend: Scene) -> None:
    send(backend, [pieces(segment, 8, segment.port)[0] for segment in scan()])
    report = backend.next_report()
    assert (report.source, report.ports, report.flags) == (ATTACKER, LOW_PORTS[:-1], "????????")


# The same for `scanlogd connections`.


@pytest.mark.parametrize("filter_", [(), ("-f", "ip or ip6 or vlan")], ids=["ring", "pcap"])
def test_a_tag_of_no_vlan_is_no_tag_to_connections(
    connections: Connections, attacker: Namespace, filter_: tuple[str, ...]
) -> None:
    connections.start("-i", "wire", *filter_)
    with FrameSender(attacker) as sender:
        sender.send(ethernet(ipv4(Segment(1)), ((DOT1Q, 3 << 13),)), ethernet(ipv4(Segment(2)), ((DOT1Q, 5),)),
                    ethernet(ipv4(Segment(3)), ((DOT1Q, 0), (DOT1Q, 0))), ethernet(ipv4(Segment(END))))
    expected = [1, 3] if not filter_ else [1, 2, 3]
    assert [line[3] for line in connections.before_the_end()] == expected


@pytest.mark.parametrize("kind", decoys())
def test_a_decoy_hides_no_attempt(connections: Connections, attacker: Namespace, kind: str) -> None:
    connections.start("-i", "wire")
    with FrameSender(attacker) as sender:
        for segment in scan():
            sender.send(decoys()[kind], *pieces(segment))
        sender.send(ethernet(ipv4(Segment(END))))
    found = [line[3] for line in connections.before_the_end() if line[0] == ATTACKER]
    assert [port for port in found if port != DECOY] == list(LOW_PORTS)
