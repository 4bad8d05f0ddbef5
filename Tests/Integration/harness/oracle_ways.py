"""One hostile way to send a probe: what is drawn once for several probes of a scan, and what for each of them."""

import random
from collections.abc import Callable

from . import oracle_chaff
from .oracle_fragments import CUTS, DISORDERS, POISONS, Cutter
from .oracle_packets import (
    BAD_HEADERS, BAD_OPTIONS, GOOD_HEADERS, GOOD_OPTIONS, TARGET_VLAN, Frame, Header, Shape, fragment, length_of,
    padding, whole,
)
from .packets import ACK, DESTINATION_OPTIONS, FIN, HOP_BY_HOP, PSH, RST, SYN, URG

# Gives dice of their own to a stage of a probe.
Dice = Callable[..., random.Random]

MOST_CHAFF = 3
LENGTHS = ("exact", "trailer", "below", "above", "zero")
VARIATIONS = ("none", "TOS", "TTL", "options of the first", "options of the others", "next header", "broadcast",
              "trailer", "tags", "wires", "headers of the first", "headers of the others")

# What is in a way when it is left out: each of these by itself can be.
ORDINARY: dict[str, object] = {
    "flags": "SYN", "tcp_options": None, "data_offset": None, "reserved": False, "urgent": False, "data": 0,
    "bad_tcp_checksum": False, "ttl": 64, "tos": 0, "tags": (), "is_fragmented": False, "length": "exact",
    "option": None, "flag_bits": 0, "bad_ip_checksum": False, "headers": (), "headers_before": 0, "header": None,
    "is_atomic": False, "fragment_reserved": 0, "cut": "eights", "variation": "none", "disorder": "none",
    "poison": None, "poison_place": "before", "chaff": (), "chaff_place": "before", "chaff_content": "same",
    "chaff_cut": 16, "chaff_part": "first", "chaff_is_forged": False,
}
_FILLINGS = ("common", "garbage", "no operation", "end")


class Way:
    """How some probes of a scan are sent."""

    def __init__(self, dice: random.Random, family: int, mtu: int, simple: frozenset[str]) -> None:
        def one_in(count: float) -> bool:
            return dice.random() * count < 1
        self.family = family
        self.mtu = mtu
        # TCP.
        self.flags = dice.choice(("SYN",) * 6 + ("stealth", "any without ACK and RST", "any"))
        self.tcp_options = dice.choice(_FILLINGS) if one_in(4) else None
        self.data_offset = "any" if one_in(40) else None
        self.reserved = one_in(8)
        self.urgent = one_in(8)
        self.data = dice.choice((0,) * 5 + (1, 7, 30, 100, 600, 1300))
        self.bad_tcp_checksum = one_in(40)
        # IP.
        self.ttl = dice.choice((64, 64, 64, 64, 0, 1, 2, 255))
        self.tos = dice.choice((0, 0, dice.randrange(256)))
        self.length = dice.choice(("exact",) * 6 + LENGTHS + ("trailer",))
        self.option = self._option(dice)
        self.flag_bits = dice.choice((0, 0, 0, 2, 4, 6))
        self.bad_ip_checksum = one_in(40)
        self.header: str | None = None
        self.headers: tuple[Header, ...] = ()
        self.headers_before = 0
        self.is_fragmented = one_in(1.7 if family == 4 else 2)
        if family == 6:
            self._draw_headers(dice)
        self.is_atomic = one_in(4)
        self.fragment_reserved = dice.choice((0, 0, 0, 1, 2, 3))
        # Fragments.
        self.cut = dice.choice(CUTS)
        self.variation = dice.choice(VARIATIONS) if one_in(3) else "none"
        self.disorder = dice.choice(("none", *DISORDERS))
        self.poison = dice.choice(POISONS) if one_in(3.5) else None
        self.poison_place = dice.choice(("before", "before", "between"))
        # The link, and what is sent beside it.
        self.tags = self._tags(dice)
        kinds = tuple(oracle_chaff.KINDS[family])
        count = dice.choice((0, 0, 1, 2, MOST_CHAFF))
        self.chaff: tuple[str | None, ...] = tuple(dice.choice(kinds) for _ in range(count))
        self.chaff_place = dice.choice(("before", *oracle_chaff.PLACES))
        self.chaff_content = dice.choice(("data", *oracle_chaff.CONTENTS))
        self.chaff_cut = dice.choice((8, 12, 13, 14, 16, 20, 24, 64, 72))
        self.chaff_part = dice.choice(("first", "first", *oracle_chaff.PARTS))
        self.chaff_is_forged = one_in(8)
        for name in simple & ORDINARY.keys():
            setattr(self, name, ORDINARY[name])
        # Left out where they stand: each of the others keeps its dice.
        self.chaff = tuple(None if f"chaff {number}" in simple else kind for number, kind in enumerate(self.chaff))

    @property
    def contradicts(self) -> bool:
        """Whether what is sent for a probe, or beside it, may say more than one thing."""
        return any(self.chaff) or self.is_fragmented and (
            self.disorder in ("contradicting", "overlap and again") or self.poison is not None)

    # MARK: What is drawn once

    @staticmethod
    def _tags(dice: random.Random) -> tuple[tuple[int, int], ...]:
        count = dice.choice((0,) * 16 + (1, 1, 1, 2, 2, 3, 9, 12))
        tags = [(dice.choice((0x8100, 0x8100, 0x88A8)),
                 dice.choice((0, 0, 1, 3, 5, 7)) << 13 | dice.choice((0, 0, 0, 0x1000))) for _ in range(count)]
        if dice.random() < 0.04:
            tags.append((0x8100, TARGET_VLAN))
        return tuple(tags)

    def _option(self, dice: random.Random) -> tuple[str, bytes] | None:
        if self.family == 6 or dice.random() < 0.75:
            return None
        if dice.random() < 0.1:
            name = dice.choice(list(BAD_OPTIONS))
            return name, BAD_OPTIONS[name]
        name = dice.choice(list(GOOD_OPTIONS))
        options = GOOD_OPTIONS[name]
        return name, options.ljust(40, dice.choice((b"\0", b"\1"))) if dice.random() < 0.3 else options

    def _draw_headers(self, dice: random.Random) -> None:
        """One header of some kind, and options headers: none, a few, or as many as the packet holds."""
        if dice.random() < 0.35:
            self.header = dice.choice(list(BAD_HEADERS) if dice.random() < 0.3 else list(GOOD_HEADERS))
        room = (self.mtu - 40 - 20 - 24 - self.data) // 8
        if self.is_fragmented and dice.random() < 0.2:
            # What is put together can be much longer.
            room *= 6
        count = dice.choice((0, 0, 0, 0, 1, 2, 7, 8, 9, 12, 40, room, dice.randint(1, room)))
        count = max(0, min(count, room))
        words = 1
        if dice.random() < 0.2 and room > 40:
            words = dice.choice((2, 8, 31, 32))
            count = min(count, room // words)
        self.headers = tuple((DESTINATION_OPTIONS, padding(words)) for _ in range(count))
        most = min(count, (self.mtu - 100) // 8 // words)
        self.headers_before = dice.choice((0, most, dice.randint(0, most)))

    # MARK: What is drawn for each probe

    def shape(self, plain: Shape, dice: Dice) -> Shape:
        """What a probe's packet looks like before it is cut."""
        shape = self._with_tcp(plain.but(f"IPv{self.family}"), dice)
        if self.ttl != 64:
            shape = shape.but(f"TTL {self.ttl}", ttl=self.ttl)
        if self.tos:
            shape = shape.but("TOS", tos=self.tos)
        if self.tags:
            name = "VLAN of the target" if self.tags[-1][1] == TARGET_VLAN else f"{len(self.tags)} priority tags"
            shape = shape.but(name, tags=self.tags)
        if plain.source_port == 0:
            shape = shape.but("source port 0")
        return self._with_options(shape, dice("options")) if self.family == 4 else self._with_headers(shape)

    def _with_tcp(self, shape: Shape, dice: Dice) -> Shape:
        shape = shape.but(flags=self._flags(dice("flags")))
        if shape.flags != SYN:
            shape = shape.but("SYN and more" if shape.flags & SYN else "flags without SYN")
        if self.data:
            shape = shape.but("data", data=dice("data").randbytes(self.data))
        if self.tcp_options:
            shape = self._with_tcp_options(shape, dice("TCP options"))
        if self.data_offset:
            shape = shape.but("any data offset", data_offset=dice("data offset").randrange(16))
        if self.reserved:
            shape = shape.but("reserved bits", reserved=dice("reserved").randrange(16))
        if self.urgent:
            shape = shape.but("urgent pointer", urgent=dice("urgent").randrange(65536))
        if self.bad_tcp_checksum and dice("TCP checksum").random() < 0.4:
            shape = shape.but("bad TCP checksum", bad_tcp_checksum=True)
        return shape

    def _flags(self, dice: random.Random) -> int:
        if self.flags == "SYN" or self.flags == "any" and dice.random() < 0.6:
            return SYN
        if self.flags == "stealth":
            return dice.choice((0, FIN, FIN | PSH | URG))
        flags = dice.randrange(256)
        return flags if self.flags == "any" else flags & ~(ACK | RST)

    def _with_tcp_options(self, shape: Shape, dice: random.Random) -> Shape:
        words = dice.randint(6, 15)
        length = words * 4 - 20
        text = {"common": b"\2\4\5\xb4\4\2\1\3\3\7", "garbage": dice.randbytes(length), "no operation": b"\1" * length,
                "end": b""}[str(self.tcp_options)]
        return shape.but("TCP options", data_offset=words, tcp_options=text[:length].ljust(length, b"\0"))

    def _with_options(self, shape: Shape, dice: random.Random) -> Shape:
        if self.option:
            name, options = self.option
            shape = shape.but(f"IP option: {name}", options=options)
        bits = self.flag_bits & 4 if self.is_fragmented else self.flag_bits
        if bits:
            shape = shape.but("reserved fragment bit" if bits & 4 else "don't fragment", flag_bits=bits)
        if self.bad_ip_checksum and dice.random() < 0.4:
            shape = shape.but("bad IP checksum", bad_ip_checksum=True)
        return shape

    def _with_headers(self, shape: Shape) -> Shape:
        before = self.headers[:self.headers_before]
        if self.header:
            header = {**GOOD_HEADERS, **BAD_HEADERS}[self.header]
            shape = shape.but(self.header)
            before = (header, *before)
        if len(self.headers) > 8:
            shape = shape.but("many extension headers")
        elif self.headers:
            shape = shape.but("extension headers")
        return shape.but(unfragmentable=before, fragmentable=self.headers[self.headers_before:])

    # MARK: Frames

    def frames(self, probe: int, shape: Shape, forged: str, dice: Dice) -> list[Frame]:
        """The frames of a probe, with the chaff beside it."""
        if self.is_fragmented:
            real = self._fragments(shape, dice)
        else:
            packet = self._whole(shape, dice("whole"))
            real = [(whole(packet), packet)]
        places = dice("places")
        for number, kind in enumerate(self.chaff):
            if kind is None or dice("whether", number).random() < 0.25:
                continue
            position = {"before": 0, "after": len(real), "between": min(1, len(real))}.get(
                self.chaff_place, places.randint(0, len(real)))
            real.insert(position, self._chaff(kind, shape, forged, dice("chaff", number)))
        return [Frame(probe, shape.traits, data, shape.wire) for data, shape in real]

    def _chaff(self, kind: str, shape: Shape, forged: str, dice: random.Random) -> tuple[bytes, Shape]:
        plain = Shape(shape.source, shape.destination, shape.port, shape.source_port, shape.identification,
                      frozenset({f"IPv{self.family}", f"chaff {self.chaff_place}"}), tags=shape.tags,
                      unfragmentable=shape.unfragmentable if dice.random() < 0.5 else (),
                      fragmentable=shape.fragmentable if dice.random() < 0.5 else ())
        if self.chaff_is_forged:
            plain = plain.but("chaff of a forged source", source=forged)
        return oracle_chaff.chaff(dice, kind, plain, self.chaff_content, self.chaff_part, self.chaff_cut)

    def _whole(self, shape: Shape, dice: random.Random) -> Shape:
        if self.family == 6 and self.is_atomic:
            shape = shape.but("atomic fragment", is_atomic=True, fragment_reserved=self.fragment_reserved)
        if self.length == "trailer":
            shape = shape.but("frame longer than its packet", trailer=dice.randbytes(dice.choice((1, 4, 20, 60))))
        elif self.length == "below" and dice.random() < 0.3:
            shape = shape.but("length below the packet's", length_change=-dice.randint(1, 24))
        elif self.length == "above" and dice.random() < 0.3:
            shape = shape.but("length above the frame's", length_change=dice.choice((1, 8, 40, 2000)))
        elif self.length == "zero" and self.family == 6:
            if not shape.unfragmentable or shape.unfragmentable[0][0] != HOP_BY_HOP:
                shape = shape.but(unfragmentable=((HOP_BY_HOP, padding()), *shape.unfragmentable))
            shape = shape.but("length 0", length=0)
        elif self.length == "zero" and dice.random() < 0.3:
            shape = shape.but("length 0", length=0)
        return shape

    def _fragments(self, shape: Shape, dice: Dice) -> list[tuple[bytes, Shape]]:
        if self.family == 6:
            shape = shape.but(fragment_reserved=self.fragment_reserved)
            fill = dice("fill")
            # Shorter than this it fits into one fragment.
            if length_of(shape.fragmentable) + len(shape.data) < 1240 and fill.random() < 0.9:
                shape = shape.but("data", data=fill.randbytes(fill.randint(1240, 2400)))
        shape = shape.but("fragments", f"cut: {self.cut}") if self.family == 4 else shape.but("fragments")
        pieces = Cutter(dice("cut"), shape, self.mtu, self.cut).pieces()
        if self.disorder != "none":
            shape = shape.but(f"fragments {self.disorder}")
        pieces = Cutter(dice("disorder"), shape, self.mtu, self.cut).disordered(pieces, self.disorder)
        if self.variation == "none":
            dressed = [(fragment(shape, piece), shape) for piece in pieces]
        else:
            shape = shape.but(f"fragments that differ: {self.variation}")
            varied = [(piece, self._varied(shape, piece.offset == 0, dice("variation", place)))
                      for place, piece in enumerate(pieces)]
            dressed = [(fragment(own, piece), own) for piece, own in varied]
        chance = dice("poison")
        if not self.poison or chance.random() < 0.2:
            return dressed
        poisoned = shape.but(f"given up {self.poison_place}: {self.poison}")
        poison = Cutter(chance, shape, self.mtu, self.cut).poison(self.poison)
        at = 0 if self.poison_place == "before" else chance.randint(0, len(dressed) - 1)
        # What had come before it is given up as well, and sent again.
        return [*dressed[:at], *((fragment(poisoned, piece), poisoned) for piece in poison), *dressed]

    def _varied(self, shape: Shape, is_first: bool, dice: random.Random) -> Shape:
        """A fragment of its own kind among the others of its packet."""
        variation = self.variation
        if variation == "TOS":
            return shape.but(tos=dice.choice((shape.tos, shape.tos ^ 0x10, shape.tos ^ dice.randrange(4))))
        if variation == "TTL":
            return shape.but(ttl=dice.choice((1, 64, 255)))
        if variation == "trailer":
            return shape.but(trailer=dice.randbytes(dice.choice((0, 1, 8, 30))))
        if variation == "broadcast":
            return shape.but(destination_mac="ff:ff:ff:ff:ff:ff") if dice.random() < 0.3 else shape
        if variation == "tags":
            return shape.but(tags=dice.choice(((), ((0x8100, 0),), ((0x88A8, 0xA000),), ((0x8100, 0), (0x8100, 0)))))
        if variation == "wires":
            return shape.but(wire=dice.randrange(2))
        if variation == "next header" and self.family == 6 and not is_first:
            return shape.but(first_header=dice.choice((17, 59, 44, 0, 60, 255)))
        if variation in ("options of the first", "options of the others") and self.family == 4:
            options = dice.choice([*GOOD_OPTIONS.values()])
            return shape.but(options=options) if is_first == (variation == "options of the first") else shape
        if variation in ("headers of the first", "headers of the others") and self.family == 6:
            if is_first != (variation == "headers of the first"):
                return shape
            return shape.but(unfragmentable=(*shape.unfragmentable, (DESTINATION_OPTIONS, padding(dice.randint(1, 3)))))
        return shape
