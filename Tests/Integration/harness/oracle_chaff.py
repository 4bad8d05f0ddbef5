"""Frames sent beside a probe that a host drops, or that make it give up what it has begun to put together.

Whether it does is for the kernel to say. What no host takes must not change what a detector makes of the rest.
"""

import random
import struct
from collections.abc import Callable

from .frames import IPV4, IPV6
from .oracle_packets import BAD_HEADERS, BAD_OPTIONS, GOOD_HEADERS, UDP, Piece, Shape, fragment, padding, payload, whole
from .packets import ACK, DESTINATION_OPTIONS, HOP_BY_HOP, PSH, RST

# What chaff speaks of: data of a connection to a port that is not otherwise probed.
CHAFF_PORT = 61443
CONTENTS = ("data", "another port", "RST", "same", "noise", "short data offset")
PARTS = ("first", "second", "last", "whole", "empty", "short")
PLACES = ("before", "between", "after", "anywhere")

_Spoil = Callable[[random.Random, Shape], Shape]


def _with(**changes: object) -> _Spoil:
    return lambda dice, shape: shape.but(**changes)


def _tagged(*controls: int) -> _Spoil:
    return lambda dice, shape: shape.but(tags=tuple((dice.choice((0x8100, 0x88A8)), control) for control in controls))


def _bad_option(dice: random.Random, shape: Shape) -> Shape:
    return shape.but(options=dice.choice(list(BAD_OPTIONS.values())))


def _bad_header(dice: random.Random, shape: Shape) -> Shape:
    return shape.but(unfragmentable=(dice.choice(list(BAD_HEADERS.values())),))


def _pppoe(dice: random.Random, shape: Shape) -> Shape:
    protocol = 0x0021 if shape.family == 4 else 0x0057
    return shape.but(ether_type=0x8864, prefix=struct.pack("!BBHHH", 0x11, 0, 1, 100, protocol))


def _labelled(dice: random.Random, shape: Shape) -> Shape:
    label = dice.choice((b"", b"\0\1\0\x40")) + b"\0\2\1\x40"
    return shape.but(ether_type=dice.choice((0x8847, 0x8848)), prefix=label)


def _security_tag(dice: random.Random, shape: Shape) -> Shape:
    return shape.but(ether_type=0x8909, prefix=struct.pack("!BBHHH", 1, 1, 1, 5, IPV4 if shape.family == 4 else IPV6))


def _llc(dice: random.Random, shape: Shape) -> Shape:
    return shape.but(ether_type=64, prefix=bytes([0xAA, 0xAA, 3, 0, 0, 0]) + struct.pack("!H", IPV4))


_LINK: dict[str, _Spoil] = {
    "taken by the host": _with(),
    "another VLAN": _tagged(100),
    "another VLAN behind a priority tag": _tagged(0, 100),
    "a priority tag behind another VLAN": _tagged(100, 0),
    "ether type 0x9100": _with(ether_type=0x9100),
    "tag 0x9100": _with(tags=((0x9100, 0),)),
    "PPPoE": _pppoe,
    "MPLS": _labelled,
    "TrustSec": _security_tag,
    "802.2": _llc,
    "another ether type": _with(ether_type=0x88B5),
    "another host's frame": _with(destination_mac="02:00:00:00:77:99"),
    "broadcast frame": _with(destination_mac="ff:ff:ff:ff:ff:ff"),
    "length past the frame": _with(length_change=40),
    "length past the frame by one": _with(length_change=1, trailer=b""),
    "another version": _with(version=5),
    "four tags": _tagged(0, 0, 0, 0),
    "from another wire": _with(wire=1),
}
_IPV4: dict[str, _Spoil] = {
    "bad option": _bad_option,
    "bad IP checksum": _with(bad_ip_checksum=True),
    "header of 16 bytes": _with(header_words=4),
    "header past the frame": _with(header_words=15),
    "length 0": _with(length=0),
    "UDP": _with(protocol=UDP),
    "another protocol": _with(protocol=4),
}
_IPV6: dict[str, _Spoil] = {
    "bad header": _bad_header,
    "hop-by-hop not first": _with(unfragmentable=((DESTINATION_OPTIONS, padding()), (HOP_BY_HOP, padding()))),
    "authentication": _with(unfragmentable=(BAD_HEADERS["authentication"],)),
    "good header": _with(unfragmentable=(GOOD_HEADERS["routing, nothing left"],)),
    "length 0": _with(length=0),
}
KINDS: dict[int, dict[str, _Spoil]] = {4: {**_LINK, **_IPV4}, 6: {**_LINK, **_IPV6}}


def chaff(dice: random.Random, kind: str, shape: Shape, content: str, part: str, cut: int) -> tuple[bytes, Shape]:
    """A frame under a probe's identification, and its shape; `cut` is how much a first fragment carries."""
    other = shape.but(f"chaff: {kind}", f"chaff part: {part}", f"chaff content: {content}")
    if content in ("data", "noise"):
        other = other.but(port=CHAFF_PORT, flags=PSH | ACK, data_offset=5)
    elif content == "another port":
        other = other.but(port=CHAFF_PORT)
    elif content == "RST":
        other = other.but(flags=RST)
    elif content == "short data offset":
        other = other.but(data_offset=dice.randrange(5))
    carried = dice.randbytes(len(payload(other))) if content == "noise" else payload(other)
    other = KINDS[shape.family][kind](dice, other)
    piece = _piece(dice, carried, part, cut)
    return (fragment(other, piece) if piece else whole(other)), other


def _piece(dice: random.Random, carried: bytes, part: str, cut: int) -> Piece | None:
    if part == "first":
        return Piece(0, carried[:cut].ljust(cut, b"\0"), True)
    if part == "second":
        return Piece(dice.choice((8, 16, 24, 56, 64)), carried[8:8 + cut], dice.random() < 0.6)
    if part == "last":
        return Piece(dice.choice((16, 24, 64, len(carried) // 8 * 8)), carried[16:16 + cut], False)
    if part == "empty":
        return Piece(dice.choice((0, 8, 16, 24, 64)), b"", True)
    if part == "short":
        return Piece(dice.choice((0, 8, 16, 24, 64)), carried[:dice.randint(1, 7)], dice.random() < 0.8)
    return None
