"""From what a packet is to look like to its frame, byte for byte."""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from .frames import IPV4, IPV6, mac
from .network import ATTACKER_MAC, TARGET_MAC
from .packets import DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, SYN, checksum

TCP, UDP = int(socket.IPPROTO_TCP), int(socket.IPPROTO_UDP)
ROUTING, AUTHENTICATION = 43, 51
SHORTEST_FRAME = 60
# A VLAN that the target belongs to: its interface stands beside that of the wire.
TARGET_VLAN = 200
# The sequence number of all probes.
SEQUENCE = 0x5CA10000

# An extension header: its number, and what follows the first byte.
Header = tuple[int, bytes]


@dataclass(frozen=True)
class Shape:
    """What one packet looks like: an ordinary SYN, but for what is said."""

    source: str
    destination: str
    port: int
    source_port: int
    identification: int = 0x7777
    traits: frozenset[str] = frozenset()
    # TCP.
    flags: int = SYN
    data_offset: int = 5
    tcp_options: bytes = b""
    reserved: int = 0
    urgent: int = 0
    data: bytes = b""
    bad_tcp_checksum: bool = False
    # IP. A `length` stands in the header whatever the packet has; `length_change` is added to what it has.
    tos: int = 0
    ttl: int = 64
    version: int | None = None
    length: int | None = None
    length_change: int = 0
    trailer: bytes = b""
    # IPv4.
    options: bytes = b""
    header_words: int | None = None
    flag_bits: int = 0
    bad_ip_checksum: bool = False
    protocol: int = TCP
    # IPv6: the headers that each fragment has, and those that are fragmented with the rest.
    unfragmentable: tuple[Header, ...] = ()
    fragmentable: tuple[Header, ...] = ()
    is_atomic: bool = False
    fragment_reserved: int = 0
    first_header: int | None = None
    # The link.
    tags: tuple[tuple[int, int], ...] = ()
    prefix: bytes = b""
    ether_type: int | None = None
    destination_mac: str = TARGET_MAC
    wire: int = 0

    @property
    def family(self) -> int:
        return 6 if ":" in self.source else 4

    def but(self, *traits: str, **changes: object) -> "Shape":
        """The same with changes, which the traits name."""
        # As dataclasses.replace, in a tenth of the time.
        other = object.__new__(Shape)
        other.__dict__.update(self.__dict__, **changes)
        if traits:
            other.__dict__["traits"] = self.traits.union(traits)
        return other


@dataclass(frozen=True)
class Piece:
    """A part of a packet's payload, as a fragment carries it."""

    offset: int
    payload: bytes
    more: bool


@dataclass(frozen=True)
class Frame:
    """One frame, the probe that it was made for or sent beside, and what is special about it."""

    probe: int
    traits: frozenset[str]
    data: bytes
    wire: int = 0


def payload(shape: Shape) -> bytes:
    """What a packet carries behind the part that each of its fragments has."""
    return _chain(shape.fragmentable, TCP, _segment(shape))[1]


def whole(shape: Shape) -> bytes:
    """The frame of a packet in one."""
    return fragment(shape, Piece(0, payload(shape), False), shape.is_atomic)


def fragment(shape: Shape, piece: Piece, is_fragment: bool = True) -> bytes:
    """The frame of a fragment."""
    packet = _packet_4(shape, piece) if shape.family == 4 else _packet_6(shape, piece, is_fragment)
    head = mac(shape.destination_mac) + mac(ATTACKER_MAC)
    for kind, control in shape.tags:
        head += struct.pack("!HH", kind, control)
    inner = shape.ether_type or (IPV4 if shape.family == 4 else IPV6)
    data = head + struct.pack("!H", inner) + shape.prefix + packet
    # A wire pads; what pads is no part of the packet. Not so where the length is left open: there it is.
    return data if shape.length == 0 else data.ljust(SHORTEST_FRAME, b"\0")


def _addresses(shape: Shape) -> bytes:
    family = socket.AF_INET if shape.family == 4 else socket.AF_INET6
    return socket.inet_pton(family, shape.source) + socket.inet_pton(family, shape.destination)


def _segment(shape: Shape) -> bytes:
    length = 20 + len(shape.tcp_options) + len(shape.data)
    head = struct.pack("!HHIIBBHHH", shape.source_port, shape.port, SEQUENCE, 0,
                       shape.data_offset << 4 | shape.reserved, shape.flags, 1024, 0, shape.urgent)
    text = head + shape.tcp_options + shape.data
    lengths = struct.pack("!BBH", 0, TCP, length) if shape.family == 4 else struct.pack("!IHBB", length, 0, 0, TCP)
    summed = _addresses(shape) + lengths + text
    value = checksum(summed + bytes(len(summed) % 2)) ^ (0x5555 if shape.bad_tcp_checksum else 0)
    return text[:16] + struct.pack("!H", value) + text[18:]


def _packet_4(shape: Shape, piece: Piece) -> bytes:
    words = 5 + len(shape.options) // 4 if shape.header_words is None else shape.header_words
    length = shape.length
    if length is None:
        length = 20 + len(shape.options) + len(piece.payload) + shape.length_change
    first = (4 if shape.version is None else shape.version) << 4 | words
    place = shape.flag_bits << 13 | piece.more << 13 | piece.offset // 8
    head = struct.pack("!BBHHHBBH", first, shape.tos, length & 0xFFFF, shape.identification, place, shape.ttl,
                       shape.protocol, 0) + _addresses(shape) + shape.options
    value = checksum(head) ^ (0x5555 if shape.bad_ip_checksum else 0)
    return head[:10] + struct.pack("!H", value) + head[12:] + piece.payload + shape.trailer


def _packet_6(shape: Shape, piece: Piece, is_fragment: bool) -> bytes:
    number = shape.fragmentable[0][0] if shape.fragmentable else TCP
    body = piece.payload
    if is_fragment:
        stated = number if shape.first_header is None else shape.first_header
        place = piece.offset // 8 << 3 | shape.fragment_reserved << 1 | piece.more
        body = struct.pack("!BBHI", stated, 0, place, 0x77770000 | shape.identification) + body
        number = FRAGMENT
    number, body = _chain(shape.unfragmentable, number, body)
    length = len(body) + shape.length_change if shape.length is None else shape.length
    first = (6 if shape.version is None else shape.version) << 28 | shape.tos << 20
    return struct.pack("!IHBB", first, length & 0xFFFF, number, shape.ttl) + _addresses(shape) + body + shape.trailer


def _chain(headers: Sequence[Header], last: int, payload: bytes) -> tuple[int, bytes]:
    """The headers before a payload, and the number of the first."""
    parts = [payload]
    number = last
    for kind, body in reversed(headers):
        parts.append(bytes([number]) + body)
        number = kind
    return number, b"".join(reversed(parts))


def length_of(headers: Sequence[Header]) -> int:
    return sum(len(body) + 1 for _, body in headers)


# MARK: Options and extension headers

GOOD_OPTIONS: dict[str, bytes] = {
    "no operation": b"\1\1\1\1",
    "record route": bytes([7, 7, 4, 0, 0, 0, 0, 0]),
    "full record route": bytes([7, 39, 40]) + bytes(36) + b"\0",
    "time stamps": bytes([68, 12, 5, 0]) + bytes(8),
    "router alert": bytes([148, 4, 0, 0]),
    "end and garbage": b"\0\xff\xff\xff",
    "unknown option": bytes([0x9E, 4, 1, 2]),
    "security": bytes([130, 11]) + bytes(9) + b"\0",
    "40 bytes": b"\1" * 40,
}
BAD_OPTIONS: dict[str, bytes] = {
    "of length 0": bytes([7, 0, 0, 0]),
    "of length 1": bytes([68, 1, 0, 0]),
    "past the header": bytes([7, 40, 4, 0]),
    "source route": bytes([131, 7, 4, 10, 77, 0, 9, 0]),
    "record route with a bad pointer": bytes([7, 7, 1, 0, 0, 0, 0, 0]),
    "time stamps with a bad pointer": bytes([68, 8, 3, 0, 0, 0, 0, 0]),
}


def padding(words: int = 1) -> bytes:
    """An options header after its first byte: so many times eight bytes, all of them padding."""
    body = bytes([words - 1])
    left = words * 8 - 2
    while left > 0:
        length = min(left - 2, 255)
        body += bytes([1, length]) + bytes(length) if left > 1 else b"\0"
        left -= length + 2 if left > 1 else 1
    return body


# Options headers of eight bytes. What to do with an option that is not known stands in its two highest bits.
ROUTER_ALERT = bytes([0, 5, 2, 0, 0, 1, 0])
OPTION_SKIPPED = bytes([0, 0x1E, 4, 1, 2, 3, 4])
OPTION_REFUSED = bytes([0, 0x9E, 4, 1, 2, 3, 4])
JUMBO_TOO_SHORT = bytes([0, 0xC2, 4, 0, 0, 0, 60])
PADDING_NOT_ZERO = bytes([0, 1, 4, 0, 7, 0, 0])
SINGLE_PADDING = bytes(7)
TOO_MUCH_PADDING = bytes([1, 1, 8]) + bytes(8) + bytes([1, 2, 0, 0])
ROUTING_DONE = bytes([0, 0, 0, 0, 0, 0, 0])
ROUTING_TYPE_4 = bytes([0, 4, 0, 0, 0, 0, 0])
ROUTING_LEFT = bytes([0, 0, 1, 0, 0, 0, 0])
AUTHENTICATED = bytes([4, 0, 0, 0, 0, 0, 1]) + bytes(16)

GOOD_HEADERS: dict[str, Header] = {
    "hop-by-hop padding": (HOP_BY_HOP, padding(1)),
    "long hop-by-hop padding": (HOP_BY_HOP, SINGLE_PADDING),
    "hop-by-hop router alert": (HOP_BY_HOP, ROUTER_ALERT),
    "hop-by-hop unknown option": (HOP_BY_HOP, OPTION_SKIPPED),
    "routing, nothing left": (ROUTING, ROUTING_DONE),
    "destination options, unknown": (DESTINATION_OPTIONS, OPTION_SKIPPED),
}
BAD_HEADERS: dict[str, Header] = {
    "hop-by-hop jumbo": (HOP_BY_HOP, JUMBO_TOO_SHORT),
    "hop-by-hop refused option": (HOP_BY_HOP, OPTION_REFUSED),
    "hop-by-hop padding that is not zero": (HOP_BY_HOP, PADDING_NOT_ZERO),
    "too much hop-by-hop padding": (HOP_BY_HOP, TOO_MUCH_PADDING),
    "segment routing": (ROUTING, ROUTING_TYPE_4),
    "segments left": (ROUTING, ROUTING_LEFT),
    "refused option": (DESTINATION_OPTIONS, OPTION_REFUSED),
    "authentication": (AUTHENTICATION, AUTHENTICATED),
}
