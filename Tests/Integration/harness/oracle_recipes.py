"""Hostile ways to send the probes of a scan, composed at random from a seed.

Nothing in here says which of them a host answers, nor which a detector should see: the kernel is asked, see
oracle_judge.py. Each ingredient has a name, a trait, so that a finding says what it is made of, and a test that each
occurred.
"""

import random
import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .frames import IPV4, IPV6, mac
from .network import ATTACKER_MAC, TARGET, TARGET_6, TARGET_MAC
from .packets import ACK, DESTINATION_OPTIONS, FIN, FRAGMENT, HOP_BY_HOP, PSH, RST, SYN, URG, checksum

TCP = int(socket.IPPROTO_TCP)
ROUTING = 43
PRIVILEGED_END = 1024
HIGH_PORTS = range(2000, 3000)
THRESHOLD = 21
MOST_FRAMES = 400

# What chaff speaks of: data of a connection to a port that is not otherwise probed.
CHAFF_PORT = 61443


@dataclass(frozen=True)
class Frame:
    """One frame, the probe that it was made for or sent beside, and what is special about it."""

    probe: int
    traits: frozenset[str]
    data: bytes


@dataclass(frozen=True)
class Probe:
    """What the scanner wants to know, and the ordinary SYN that would ask for it."""

    port: int
    source_port: int
    # None where its fragments contradict each other.
    flags: int | None
    plain: bytes


@dataclass(frozen=True)
class Recipe:
    """A scan of one source: its frames, in the order in which they are sent."""

    seed: int
    number: int
    mtu: int
    source: str
    probes: tuple[Probe, ...]
    frames: tuple[Frame, ...]

    @property
    def traits(self) -> frozenset[str]:
        return frozenset[str]().union(*(frame.traits for frame in self.frames))


def weight(ports: Iterable[int]) -> int:
    """What the ports add up to in scanlogd's rule; THRESHOLD makes a scan."""
    return sum(3 if port < PRIVILEGED_END else 1 for port in ports)


def source_address(number: int, family: int) -> str:
    """The address of a recipe: short ones, of which many fit into a summary of the log."""
    return f"10.78.{number >> 8 & 255}.{number & 255}" if family == 4 else f"fd78::{number & 0xffff:x}"


def forged_address(number: int, family: int) -> str:
    """One that chaff comes from: eight recipes share it, so that it takes no room in the log."""
    return f"10.79.0.{number >> 3 & 31}" if family == 4 else f"fd78::f:{number >> 3 & 31:x}"


def compose(seed: int, number: int, mtu: int = 1500, simple: frozenset[str] = frozenset()) -> Recipe:
    """The recipe of a seed, from the address that the number stands for: all else is the same for each number.

    What `simple` names, of simplifications(), is as in an ordinary packet; the rest stays as it is.
    """
    return _Composer(seed, number, mtu, simple).recipe()


def simplifications() -> list[str]:
    """What a recipe can be made simpler by."""
    return [*_ORDINARY, "order", "source ports"]


@dataclass(frozen=True)
class _Piece:
    """A part of a packet's payload, as a fragment carries it."""

    offset: int
    payload: bytes
    more: bool


@dataclass
class _Shape:
    """How one packet of a probe is dressed: what a composer has drawn for it."""

    port: int
    source_port: int
    flags: int
    identification: int
    tos: int = 0
    ttl: int = 64
    # TCP
    data_offset: int = 5
    tcp_options: bytes = b""
    reserved: int = 0
    urgent: int = 0
    data: bytes = b""
    bad_tcp_checksum: bool = False
    # IP
    options: bytes = b""
    bad_ip_checksum: bool = False
    flag_bits: int = 0
    length_change: int = 0
    length: int | None = None
    trailer: bytes = b""
    protocol: int = TCP
    version: int | None = None
    header_words: int | None = None
    unfragmentable: tuple[tuple[int, bytes], ...] = ()
    fragmentable: tuple[tuple[int, bytes], ...] = ()
    # The link
    tags: tuple[tuple[int, int], ...] = ()
    prefix: bytes = b""
    ether_type: int | None = None
    destination_mac: str = TARGET_MAC
    source: str | None = None
    traits: set[str] = field(default_factory=set)

    def copy(self, **changes: object) -> "_Shape":
        fields = {**self.__dict__, "traits": set(self.traits), **changes}
        return _Shape(**fields)


class _Composer:
    """Draws one recipe."""

    def __init__(self, seed: int, number: int, mtu: int, simple: frozenset[str]) -> None:
        dice = self.dice = random.Random(seed)
        self.simple = simple
        self.seed = seed
        self.number = number
        self.mtu = mtu
        self.family = 4 if dice.random() < 0.6 else 6
        self.source = source_address(number, self.family)
        self.forged = forged_address(number, self.family)
        self.destination = TARGET if self.family == 4 else TARGET_6
        self.frames: list[list[Frame]] = []

    def throw(self, *stage: object) -> None:
        """Gives each stage dice of its own, so that what is left out of one changes no other."""
        self.dice = random.Random(f"{self.seed} {stage}")

    def one_in(self, count: float) -> bool:
        return self.dice.random() * count < 1

    # MARK: The recipe

    def recipe(self) -> Recipe:
        ports = self._ports()
        ways = [_Way(self) for _ in range(self.dice.choice((1, 1, 2, 3)))]
        source_port = self.dice.choice((0, self.dice.randrange(1, 65536)))
        fixed_source_port = self.one_in(3) or "source ports" in self.simple
        if "source ports" in self.simple:
            source_port = 40000
        probes = []
        for index, port in enumerate(ports):
            self.throw("probe", index)
            way = self.dice.choice(ways)
            chosen = source_port if fixed_source_port else self.dice.randrange(0, 65536)
            shape = way.shape(port, chosen)
            if chosen == 0:
                shape.traits.add("source port 0")
            frames = way.frames(index, shape)
            flags = None if way.contradicts else shape.flags
            self.frames.append(frames[:MOST_FRAMES // len(ports)])
            probes.append(Probe(port, chosen, flags, self.plain(port, chosen)))
        return Recipe(self.seed, self.number, self.mtu, self.source, tuple(probes), tuple(self._ordered()))

    def _ports(self) -> list[int]:
        kind = self.dice.choice(("low", "low", "low", "high", "mixed"))
        if kind == "low":
            return self.dice.sample(range(PRIVILEGED_END), self.dice.randint(8, 13))
        if kind == "high":
            return self.dice.sample(HIGH_PORTS, self.dice.randint(22, 27))
        return (self.dice.sample(range(PRIVILEGED_END), self.dice.randint(5, 7))
                + self.dice.sample(HIGH_PORTS, self.dice.randint(8, 12)))

    def _ordered(self) -> list[Frame]:
        """One probe after the other; the first frames of all and then the rest; or as chance has it."""
        self.throw("order")
        queues = [list(frames) for frames in self.frames if frames]
        order = self.dice.choice(("one by one", "one by one", "round robin", "shuffled"))
        if "order" in self.simple:
            order = "one by one"
        result: list[Frame] = []
        if order == "one by one":
            for queue in queues:
                result += queue
            return result
        trait = frozenset({f"probes {order}"})
        while queues:
            if order == "round robin":
                result += [queue.pop(0) for queue in queues]
            else:
                result.append(self.dice.choice(queues).pop(0))
            queues = [queue for queue in queues if queue]
        return [Frame(frame.probe, frame.traits | trait, frame.data) for frame in result]

    def plain(self, port: int, source_port: int) -> bytes:
        shape = _Shape(port, source_port, SYN, 0x7777)
        return self.whole(shape)

    # MARK: From a shape to frames

    def segment(self, shape: _Shape) -> bytes:
        source = shape.source or self.source
        family = socket.AF_INET if self.family == 4 else socket.AF_INET6
        addresses = socket.inet_pton(family, source) + socket.inet_pton(family, self.destination)
        length = 20 + len(shape.tcp_options) + len(shape.data)
        head = struct.pack("!HHIIBBHHH", shape.source_port, shape.port, 0x5CA10000, 0,
                           shape.data_offset << 4 | shape.reserved, shape.flags, 1024, 0, shape.urgent)
        text = head + shape.tcp_options + shape.data
        pseudo = addresses + (struct.pack("!BBH", 0, TCP, length) if self.family == 4
                              else struct.pack("!IHBB", length, 0, 0, TCP))
        value = checksum(_even(pseudo + text)) ^ (0x5555 if shape.bad_tcp_checksum else 0)
        return text[:16] + struct.pack("!H", value) + text[18:]

    def payload(self, shape: _Shape) -> tuple[int, bytes]:
        """What a packet carries behind the part that each fragment has, and the number of its first header."""
        segment = self.segment(shape)
        return chain(shape.fragmentable, TCP, segment)

    def packet(self, shape: _Shape, payload: bytes, offset: int = 0, more: bool = False,
               fragmented: bool = False, first: int = TCP) -> bytes:
        if self.family == 4:
            return self._packet_4(shape, payload, offset, more)
        return self._packet_6(shape, payload, offset, more, fragmented, first)

    def _packet_4(self, shape: _Shape, payload: bytes, offset: int, more: bool) -> bytes:
        words = 5 + len(shape.options) // 4 if shape.header_words is None else shape.header_words
        version = 4 if shape.version is None else shape.version
        total = 20 + len(shape.options) + len(payload) + shape.length_change
        if shape.length is not None:
            total = shape.length
        addresses = socket.inet_aton(shape.source or self.source) + socket.inet_aton(self.destination)
        head = struct.pack("!BBHHHBBH", version << 4 | words, shape.tos, total & 0xFFFF, shape.identification,
                           shape.flag_bits << 13 | (0x2000 if more else 0) | offset // 8, shape.ttl, shape.protocol, 0)
        head += addresses + shape.options
        value = checksum(head) ^ (0x5555 if shape.bad_ip_checksum else 0)
        return head[:10] + struct.pack("!H", value) + head[12:] + payload + shape.trailer

    def _packet_6(self, shape: _Shape, payload: bytes, offset: int, more: bool, fragmented: bool, first: int) -> bytes:
        number, body = first, payload
        if fragmented:
            body = struct.pack("!BBHI", number, 0, offset // 8 << 3 | more, shape.identification | 0x77770000) + body
            number = FRAGMENT
        number, body = chain(shape.unfragmentable, number, body)
        length = len(body) + shape.length_change if shape.length is None else shape.length
        version = 6 if shape.version is None else shape.version
        addresses = (socket.inet_pton(socket.AF_INET6, shape.source or self.source)
                     + socket.inet_pton(socket.AF_INET6, self.destination))
        return (struct.pack("!IHBB", version << 28 | shape.tos << 20, length & 0xFFFF, number, shape.ttl)
                + addresses + body + shape.trailer)

    def frame(self, shape: _Shape, packet: bytes) -> bytes:
        inner = shape.ether_type or (IPV4 if self.family == 4 else IPV6)
        head = mac(shape.destination_mac) + mac(ATTACKER_MAC)
        for kind, control in shape.tags:
            head += struct.pack("!HH", kind, control)
        data = head + struct.pack("!H", inner) + shape.prefix + packet
        # A wire pads; what pads is no part of the packet. Not so where the length is left open, which makes it one.
        return data if shape.length == 0 else data.ljust(60, b"\0")

    def whole(self, shape: _Shape, atomic: bool = False) -> bytes:
        first, payload = self.payload(shape)
        return self.frame(shape, self.packet(shape, payload, fragmented=atomic, first=first))

    def fragment(self, shape: _Shape, piece: _Piece, first: int) -> bytes:
        return self.frame(shape, self.packet(shape, piece.payload, piece.offset, piece.more, True, first))


def chain(headers: Sequence[tuple[int, bytes]], last: int, payload: bytes) -> tuple[int, bytes]:
    """IPv6 extension headers, each given by its number and what follows its first byte, before a payload."""
    number = last
    for kind, body in reversed(headers):
        payload = bytes([number]) + body + payload
        number = kind
    return number, payload


def _even(data: bytes) -> bytes:
    return data + b"\0" if len(data) % 2 else data


# MARK: Ingredients

_GOOD_OPTIONS: tuple[tuple[str, bytes], ...] = (
    ("no operation", b"\1\1\1\1"),
    ("record route", bytes([7, 7, 4, 0, 0, 0, 0, 0])),
    ("full record route", bytes([7, 39, 40]) + bytes(36) + b"\0"),
    ("time stamps", bytes([68, 12, 5, 0]) + bytes(8)),
    ("router alert", bytes([148, 4, 0, 0])),
    ("end and garbage", b"\0\xff\xff\xff"),
    ("unknown option", bytes([0x9E, 4, 1, 2])),
    ("security", bytes([130, 11]) + bytes(9) + b"\0"),
    ("40 bytes", b"\1" * 40),
)
_BAD_OPTIONS: tuple[tuple[str, bytes], ...] = (
    ("option of length 0", bytes([7, 0, 0, 0])),
    ("option of length 1", bytes([0x44, 1, 0, 0])),
    ("option past the header", bytes([7, 40, 4, 0])),
    ("source route", bytes([131, 7, 4, 10, 77, 0, 9, 0])),
    ("record route with a bad pointer", bytes([7, 7, 1, 0, 0, 0, 0, 0])),
    ("time stamps with a bad pointer", bytes([68, 8, 3, 0, 0, 0, 0, 0])),
)


def padding_header(words: int = 1) -> bytes:
    """An options header after its first byte: so many times eight bytes of padding."""
    body = bytes([words - 1])
    left = words * 8 - 2
    while left > 0:
        if left == 1:
            return body + b"\0"
        length = min(left - 2, 255)
        # What is left must not be a single byte that no option but Pad1 could fill: Pad1 does.
        body += bytes([1, length]) + bytes(length)
        left -= length + 2
    return body


JUMBO_BAD = bytes([0, 0xC2, 4, 0, 0, 0, 60])
ROUTER_ALERT_6 = bytes([0, 5, 2, 0, 0, 1, 0])
UNKNOWN_SKIPPED = bytes([0, 0x1E, 4, 1, 2, 3, 4])
UNKNOWN_REFUSED = bytes([0, 0x9E, 4, 1, 2, 3, 4])
ROUTING_DONE = bytes([0, 0, 0, 0, 0, 0, 0])
ROUTING_LEFT = bytes([0, 0, 1, 0, 0, 0, 0])
ROUTING_TYPE_4 = bytes([0, 4, 0, 0, 0, 0, 0])


class _Way:
    """One way to send a probe: what is drawn once for several probes; the rest is drawn for each."""

    def __init__(self, composer: _Composer) -> None:
        self.composer = composer
        one_in = composer.one_in
        self.flags = self.dice.choice(("SYN",) * 6 + ("stealth", "any without ACK and RST", "any"))
        self.with_tcp_options = one_in(4)
        self.bad_data_offset = one_in(25)
        self.reserved = one_in(8)
        self.urgent = one_in(8)
        self.data = self.dice.choice((0,) * 5 + (1, 7, 30, 100, 600, 1300))
        self.bad_tcp_checksum = one_in(40)
        self.ttl_one = one_in(6)
        self.tos = self.dice.choice((0, 0, self.dice.randrange(256)))
        self.tags = self._tags()
        self.is_fragmented = one_in(1.7) if composer.family == 4 else one_in(2.2)
        self.length = self.dice.choice(("exact",) * 6 + ("trailer", "trailer", "below", "above", "zero"))
        self.option = self._option() if composer.family == 4 else None
        self.flag_bits = self.dice.choice((0, 0, 0, 2, 4, 6))
        self.bad_ip_checksum = one_in(40)
        self.cut = self.dice.choice(("eights", "multiples", "multiples", "not multiples", "first of 8", "small head"))
        self.disorder = self.dice.choice(
            ("none", "none", "reversed", "shuffled", "doubled", "last first", "last twice", "contained",
             "contradicting", "overlap and again", "no last"))
        self.poison = self._poison()
        kinds = tuple(_CHAFF[composer.family])
        self.chaff = [self.dice.choice(kinds) for _ in range(self.dice.choice((0, 0, 1, 2, 3)))]
        self.chaff_place = self.dice.choice(("before", "before", "between", "after", "anywhere"))
        self.chaff_content = self.dice.choice(("data", "data", "another port", "RST", "same", "noise"))
        self.chaff_cut = self.dice.choice((None, None, 8, 12, 13, 14, 16, 20, 24, 64, 72))
        self.chaff_part = self.dice.choice(("first", "first", "first", "second", "last", "whole", "empty", "short"))
        self.chaff_is_forged = one_in(8)
        self.headers = self._headers() if composer.family == 6 else ((), (), frozenset[str]())

        for name in composer.simple & _ORDINARY.keys():
            setattr(self, name, _ORDINARY[name])

    @property
    def contradicts(self) -> bool:
        return self.disorder in ("contradicting", "overlap and again") or self.poison is not None

    @property
    def dice(self) -> random.Random:
        return self.composer.dice

    # MARK: What is drawn once

    def _tags(self) -> tuple[tuple[int, int], ...]:
        count = self.dice.choice((0,) * 8 + (1, 1, 2, 3))
        return tuple((self.dice.choice((0x8100, 0x8100, 0x88A8)), self.dice.choice((0, 0, 1, 3, 5, 7)) << 13
                      | self.dice.choice((0, 0, 0, 0x1000))) for _ in range(count))

    def _option(self) -> tuple[str, bytes] | None:
        if not self.composer.one_in(4):
            return None
        if self.composer.one_in(10):
            return self.dice.choice(_BAD_OPTIONS)
        name, options = self.dice.choice(_GOOD_OPTIONS)
        return name, options.ljust(40, self.dice.choice((b"\0", b"\1"))) if self.composer.one_in(3) else options

    def _poison(self) -> str | None:
        """What makes Linux give a packet up that has begun to arrive, so that it can begin anew."""
        if not self.composer.one_in(3.5):
            return None
        return self.dice.choice(("overlap", "two ends", "empty fragment", "past the end", "end before", "soup"))

    def _headers(self) -> tuple[tuple[tuple[int, bytes], ...], tuple[tuple[int, bytes], ...], frozenset[str]]:
        """The headers before a fragment header, and those behind it."""
        traits = set()
        before: list[tuple[int, bytes]] = []
        if self.composer.one_in(4):
            name, body = self.dice.choice((
                ("padding", padding_header(1)), ("padding", padding_header(3)), ("router alert", ROUTER_ALERT_6),
                ("unknown option", UNKNOWN_SKIPPED), ("jumbo option", JUMBO_BAD), ("refused option", UNKNOWN_REFUSED)))
            before.append((HOP_BY_HOP, body))
            traits.add(f"hop-by-hop {name}")
        if self.composer.one_in(5):
            name, body = self.dice.choice((
                ("done", ROUTING_DONE), ("done", ROUTING_DONE), ("segments left", ROUTING_LEFT),
                ("type 4", ROUTING_TYPE_4)))
            before.append((ROUTING, body))
            traits.add(f"routing {name}")
        room = (self.composer.mtu - 40 - 20 - 8 - sum(len(body) + 1 for _, body in before) - self.data) // 8
        many = self.dice.choice((0, 0, 0, 1, 2, 7, 8, 9, 12, 40, room, self.dice.randint(1, max(1, room))))
        many = max(0, min(many, room))
        large = self.composer.one_in(5)
        headers = [(DESTINATION_OPTIONS, padding_header(1)) for _ in range(many)]
        if large and room > 40:
            headers = [(DESTINATION_OPTIONS, padding_header(self.dice.choice((2, 8, 31, 32))))]
        if many > 8:
            traits.add("many extension headers")
        elif headers:
            traits.add("extension headers")
        behind = self.dice.choice((0, len(headers), self.dice.randint(0, len(headers))))
        return (tuple(before + headers[behind:]), tuple(headers[:behind]), frozenset(traits))

    # MARK: What is drawn for each probe

    def shape(self, port: int, source_port: int) -> _Shape:
        shape = _Shape(port, source_port, self._flags(), self.dice.randrange(65536), tos=self.tos, tags=self.tags)
        traits = shape.traits
        traits.add(f"IPv{self.composer.family}")
        if shape.flags != SYN:
            traits.add("flags without SYN" if not shape.flags & SYN else "SYN and more")
        if self.ttl_one:
            shape.ttl = 1
            traits.add("TTL 1")
        if self.data:
            shape.data = self.dice.randbytes(self.data)
            traits.add("data")
        self._dress_tcp(shape)
        if self.tags:
            traits.add(f"{len(self.tags)} priority tags")
        if self.composer.family == 4:
            self._dress_ipv4(shape)
        else:
            shape.unfragmentable, shape.fragmentable, more = self.headers
            traits |= more
        return shape

    def _flags(self) -> int:
        if self.flags == "SYN":
            return SYN
        if self.flags == "stealth":
            return self.dice.choice((0, FIN, FIN | PSH | URG))
        flags = self.dice.randrange(256)
        return flags if self.flags == "any" else flags & ~(ACK | RST)

    def _dress_tcp(self, shape: _Shape) -> None:
        if self.with_tcp_options:
            shape.data_offset = self.dice.randint(6, 15)
            length = shape.data_offset * 4 - 20
            common = b"\2\4\5\xb4\4\2\1\3\3\7"
            shape.tcp_options = self.dice.choice((common, b"\1", b"", self.dice.randbytes(length)))
            shape.tcp_options = shape.tcp_options[:length].ljust(length, self.dice.choice((b"\0", b"\1")))
            shape.traits.add("TCP options")
        if self.bad_data_offset:
            shape.data_offset = self.dice.randrange(16)
            shape.traits.add("any data offset")
        if self.reserved:
            shape.reserved = self.dice.randrange(16)
            shape.traits.add("reserved bits")
        if self.urgent:
            shape.urgent = self.dice.randrange(65536)
            shape.traits.add("urgent pointer")
        if self.bad_tcp_checksum and self.composer.one_in(2):
            shape.bad_tcp_checksum = True
            shape.traits.add("bad TCP checksum")

    def _dress_ipv4(self, shape: _Shape) -> None:
        if self.option:
            name, shape.options = self.option
            shape.traits.add(f"IP option: {name}")
        if not self.is_fragmented:
            shape.flag_bits = self.flag_bits
        elif self.flag_bits & 4:
            shape.flag_bits = 4
        if shape.flag_bits & 4:
            shape.traits.add("reserved fragment bit")
        if self.bad_ip_checksum and self.composer.one_in(2):
            shape.bad_ip_checksum = True
            shape.traits.add("bad IP checksum")

    def frames(self, index: int, shape: _Shape) -> list[Frame]:
        """The frames of a probe, with the chaff beside it."""
        self.composer.throw("frames", index)
        if self.is_fragmented:
            real = self._fragments(shape)
        else:
            real = [(self._whole(shape), shape.traits)]
        self.composer.throw("chaff", index)
        chaff = [self._chaff(kind, shape) for kind in self.chaff]
        self.composer.throw("places", index)
        mixed = list(real)
        for data, traits in chaff:
            place = self.chaff_place
            at = {"before": 0, "after": len(mixed), "between": 1 if len(mixed) > 1 else 0}.get(
                place, self.dice.randint(0, len(mixed)))
            mixed.insert(at, (data, traits | {f"chaff {place}"}))
        return [Frame(index, frozenset(traits), data) for data, traits in mixed]

    # MARK: Whole packets

    def _whole(self, shape: _Shape) -> bytes:
        composer = self.composer
        if self.length == "trailer":
            shape.trailer = self.dice.randbytes(self.dice.choice((1, 4, 20, 60)))
            shape.traits.add("frame longer than its packet")
        elif self.length == "below" and composer.one_in(2):
            shape.length_change = -self.dice.randint(1, 24)
            shape.traits.add("length below the packet's")
        elif self.length == "above" and composer.one_in(2):
            shape.length_change = self.dice.choice((1, 8, 40, 2000))
            shape.traits.add("length above the frame's")
        elif self.length == "zero":
            shape.length = 0
            shape.traits.add("length 0")
            if composer.family == 6 and (not shape.unfragmentable or shape.unfragmentable[0][0] != HOP_BY_HOP):
                shape.unfragmentable = ((HOP_BY_HOP, padding_header(1)), *shape.unfragmentable)
                shape.traits.add("hop-by-hop padding")
        atomic = composer.family == 6 and self.disorder in ("doubled", "none")
        if atomic:
            shape.traits.add("atomic fragment")
        return composer.whole(shape, atomic)

    # MARK: Fragments

    def _fragments(self, shape: _Shape) -> list[tuple[bytes, set[str]]]:
        composer = self.composer
        if composer.family == 6 and not self._has_room(shape):
            shape.data = self.dice.randbytes(self.dice.randint(1240, 2400))
        first, payload = composer.payload(shape)
        pieces = self._cut(shape, payload)
        shape.traits |= {"fragments", f"cut: {self.cut}"}
        composer.throw("order", shape.port)
        disordered = self._disordered(pieces, shape)
        composer.throw("poison", shape.port)
        result = [(composer.fragment(shape, piece, first), shape.traits) for piece in self._poisoned(shape, payload)]
        result += [(composer.fragment(shape, piece, first), shape.traits) for piece in disordered]
        return result

    def _has_room(self, shape: _Shape) -> bool:
        return self.composer.one_in(12) or sum(len(body) + 1 for _, body in shape.fragmentable) + len(shape.data) > 1240

    def _cut(self, shape: _Shape, payload: bytes) -> list[_Piece]:
        """Pieces of a payload in order, without gaps; those that are not the last can carry more than they cover."""
        pieces: list[_Piece] = []
        at = 0
        while at < len(payload):
            size = self._size(at, shape)
            end = min(at + size, len(payload))
            more = end < len(payload)
            carried = payload[at:end]
            if more and self.cut == "not multiples" and self.composer.one_in(2):
                carried += self.dice.choice((payload[end:end + self.dice.randint(1, 7)], self.dice.randbytes(7)[:5]))
            pieces.append(_Piece(at, carried, more))
            at = end
        return pieces

    def _size(self, at: int, shape: _Shape) -> int:
        head = 20 + len(shape.options) if self.composer.family == 4 else 48 + sum(
            len(body) + 1 for _, body in shape.unfragmentable)
        most = (self.composer.mtu - head) // 8 * 8
        if self.composer.family == 6:
            # Linux takes no shorter ones but the last.
            least = max(8, (1280 - head + 7) // 8 * 8)
            if least >= most or self.composer.one_in(30):
                return self.dice.choice((8, 16, 24))
            return self.dice.choice((least, least, self.dice.randrange(least, most, 8)))
        large = len(shape.data) > 200
        if self.cut == "eights":
            return 8 if at < 64 or not large else most
        if self.cut == "first of 8" and at == 0:
            return 8
        if self.cut == "small head" and at < 64:
            return self.dice.choice((16, 24, 32, 40, 56, 64))
        if self.dice.random() < 0.7 and at < 80:
            return self.dice.choice((8, 16, 24, 48, 64))
        return self.dice.randrange(8, most + 1, 8) if not large else self.dice.choice((most, most // 2 // 8 * 8))

    def _disordered(self, pieces: list[_Piece], shape: _Shape) -> list[_Piece]:
        dice = self.dice
        result = list(pieces)
        if self.disorder != "none":
            shape.traits.add(f"fragments {self.disorder}")
        if self.disorder == "reversed":
            result.reverse()
        elif self.disorder == "shuffled":
            dice.shuffle(result)
        elif self.disorder == "doubled":
            result = [piece for piece in pieces for _ in range(dice.choice((1, 2)))]
        elif self.disorder == "last first":
            result = [pieces[-1], *pieces[:-1]]
        elif self.disorder == "last twice":
            result.insert(dice.randint(0, len(result) - 1), pieces[-1])
        elif self.disorder in ("contained", "contradicting"):
            at = dice.randrange(len(pieces))
            piece = pieces[at]
            payload = piece.payload if self.disorder == "contained" else self._contradiction(piece.payload)
            again = _Piece(piece.offset, payload, piece.more)
            result.insert(dice.randint(at + 1, len(result)), again)
        elif self.disorder == "overlap and again":
            piece = dice.choice(pieces)
            offset = max(0, piece.offset + dice.choice((-8, 8)))
            other = _Piece(offset, self._contradiction(dice.randbytes(dice.choice((16, 24, 32)))), True)
            result = [*result[:dice.randint(0, len(result) - 1)], other, *result]
        elif self.disorder == "no last" and len(result) > 1 and self.composer.one_in(4):
            result.pop()
        return result

    def _contradiction(self, payload: bytes) -> bytes:
        """As long, with something else in it: often another port, or the flags of data."""
        changed = bytearray(payload)
        for at, value in ((2, CHAFF_PORT >> 8), (3, CHAFF_PORT & 255), (13, ACK | PSH)):
            if at < len(changed) and not self.composer.one_in(4):
                changed[at] = value
        if self.composer.one_in(3) and len(changed) > 4:
            changed[self.dice.randrange(4, len(changed))] ^= 0xFF
        return bytes(changed)

    def _poisoned(self, shape: _Shape, payload: bytes) -> list[_Piece]:
        """Fragments before the others, under the same identification, that make a host begin anew; or so one hopes."""
        if self.poison is None:
            return []
        dice = self.dice
        shape.traits.add(f"given up before: {self.poison}")
        head = 1232 if self.composer.family == 6 else dice.choice((8, 16, 24, 32, 64))
        first = self._contradiction(payload[:head].ljust(head, b"\0"))
        begin = _Piece(0, first, True)
        if self.poison == "overlap":
            return [begin, _Piece(max(0, head - 8), dice.randbytes(16 if self.composer.family == 4 else 1240), True)]
        if self.poison == "two ends":
            return [begin, _Piece(head + 8, bytes(8), False), _Piece(head + 16, bytes(8), False)]
        if self.poison == "empty fragment":
            return [begin, _Piece(head, bytes(dice.choice((0, 1, 4, 7))), True)]
        if self.poison == "past the end":
            return [begin, _Piece(head + 8, bytes(8), False), _Piece(head + 64, bytes(8), True)]
        if self.poison == "end before":
            return [begin, _Piece(head + 64, bytes(8), True), _Piece(head + 8, bytes(8), False)]
        return [self._random_piece(payload) for _ in range(dice.randint(1, 5))]

    def _random_piece(self, payload: bytes) -> _Piece:
        dice = self.dice
        offset = dice.choice((0, 0, 8, 16, 24, 40, 64, 72))
        length = dice.choice((0, 1, 7, 8, 9, 12, 16, 20, 24, 40))
        data = dice.choice((self._contradiction(payload[offset:offset + length]), dice.randbytes(length)))
        return _Piece(offset, data, dice.random() < 0.7)

    # MARK: Chaff

    def _chaff(self, kind: str, shape: _Shape) -> tuple[bytes, set[str]]:
        """A frame under the probe's identification that a host drops, or that makes it give the packet up."""
        composer = self.composer
        other = shape.copy(data_offset=5, tcp_options=b"", traits=set())
        if self.chaff_content in ("data", "noise"):
            other.port, other.flags = CHAFF_PORT, PSH | ACK
        elif self.chaff_content == "another port":
            other.port = CHAFF_PORT
        elif self.chaff_content == "RST":
            other.flags = RST
        if self.chaff_is_forged:
            other.source = composer.forged
            other.traits.add("chaff of a forged source")
        other.traits |= {f"chaff: {kind}", f"chaff part: {self.chaff_part}", f"chaff says: {self.chaff_content}"}
        first, payload = composer.payload(other)
        if self.chaff_content == "noise":
            payload = self.dice.randbytes(len(payload))
        piece = self._chaff_piece(payload)
        _CHAFF[composer.family][kind](self, other)
        if piece is None:
            packet = composer.packet(other, payload, first=first)
        else:
            packet = composer.packet(other, piece.payload, piece.offset, piece.more, True, first)
        return composer.frame(other, packet), other.traits

    def _chaff_piece(self, payload: bytes) -> _Piece | None:
        dice = self.dice
        cut = self.chaff_cut or dice.choice((8, 16, 24))
        if self.chaff_part == "first":
            return _Piece(0, payload[:cut].ljust(cut, b"\0"), True)
        if self.chaff_part == "second":
            return _Piece(dice.choice((8, 16, 24)), payload[8:8 + cut], dice.random() < 0.6)
        if self.chaff_part == "last":
            return _Piece(dice.choice((16, 24, 64, len(payload) // 8 * 8)), payload[16:16 + cut], False)
        if self.chaff_part == "empty":
            return _Piece(dice.choice((0, 8, 16, 24)), b"", True)
        if self.chaff_part == "short":
            return _Piece(dice.choice((0, 8, 16, 24)), payload[:dice.randint(1, 7)], dice.random() < 0.8)
        return None


# What is in a way when it is left out: each of these by itself can be.
_ORDINARY: dict[str, object] = {
    "flags": "SYN", "with_tcp_options": False, "bad_data_offset": False, "reserved": False, "urgent": False, "data": 0,
    "bad_tcp_checksum": False, "ttl_one": False, "tos": 0, "tags": (), "is_fragmented": False, "length": "exact",
    "option": None, "flag_bits": 0, "bad_ip_checksum": False, "cut": "eights", "disorder": "none", "poison": None,
    "chaff": (), "chaff_place": "before", "chaff_content": "same", "chaff_cut": 16, "chaff_part": "first",
    "chaff_is_forged": False, "headers": ((), (), frozenset[str]()),
}

_Spoil = Callable[[_Way, _Shape], None]


def _spoil(**changes: object) -> _Spoil:
    def apply(way: _Way, shape: _Shape) -> None:
        for name, value in changes.items():
            setattr(shape, name, value)
    return apply


def _spoil_option(way: _Way, shape: _Shape) -> None:
    shape.options = way.dice.choice(_BAD_OPTIONS)[1]


def _spoil_tags(*numbers: int) -> _Spoil:
    def apply(way: _Way, shape: _Shape) -> None:
        shape.tags = tuple((way.dice.choice((0x8100, 0x88A8)), number) for number in numbers)
    return apply


def _spoil_pppoe(way: _Way, shape: _Shape) -> None:
    shape.ether_type = 0x8864
    protocol = 0x0021 if way.composer.family == 4 else 0x0057
    shape.prefix = struct.pack("!BBHHH", 0x11, 0, 1, 100, protocol)


_LINK_CHAFF: dict[str, _Spoil] = {
    "taken by the host": _spoil(),
    "another VLAN": _spoil_tags(100),
    "another VLAN behind a priority tag": _spoil_tags(0, 100),
    "a priority tag behind another VLAN": _spoil_tags(100, 0),
    "ether type 0x9100": _spoil(ether_type=0x9100),
    "tag 0x9100": _spoil(tags=((0x9100, 0),)),
    "PPPoE": _spoil_pppoe,
    "another ether type": _spoil(ether_type=0x88B5),
    "another host's address": _spoil(destination_mac="02:00:00:00:77:99"),
    "length past the frame": _spoil(length_change=40),
    "another version": _spoil(version=5),
    "four tags": _spoil_tags(0, 0, 0, 0),
}
_CHAFF: dict[int, dict[str, _Spoil]] = {
    4: {**_LINK_CHAFF, "bad option": _spoil_option, "bad IP checksum": _spoil(bad_ip_checksum=True),
        "header of 16 bytes": _spoil(header_words=4), "header past the frame": _spoil(header_words=15),
        "length 0": _spoil(length=0), "UDP": _spoil(protocol=17)},
    6: {**_LINK_CHAFF, "refused option": _spoil(unfragmentable=((DESTINATION_OPTIONS, UNKNOWN_REFUSED),)),
        "hop-by-hop not first": _spoil(
            unfragmentable=((DESTINATION_OPTIONS, padding_header(1)), (HOP_BY_HOP, padding_header(1)))),
        "segments left": _spoil(unfragmentable=((ROUTING, ROUTING_LEFT),))},
}
