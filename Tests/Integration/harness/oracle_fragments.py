"""How a payload is cut into fragments, and in which order, how often and with what else they are sent."""

import random

from .oracle_packets import Piece, Shape, length_of, payload
from .oracle_chaff import CHAFF_PORT
from .packets import ACK, PSH

CUTS = ("eights", "multiples", "not multiples", "first of 8", "small head")
DISORDERS = ("none", "reversed", "shuffled", "doubled", "last first", "last twice", "contained", "contradicting",
             "overlap and again", "no last")
POISONS = ("overlap", "two ends", "empty fragment", "past the end", "end before", "soup", "complete other")

# Linux takes no shorter IPv6 packet that is a fragment and not the last.
_SHORTEST_6 = 1280


class Cutter:
    """Cuts the payload of one packet."""

    def __init__(self, dice: random.Random, shape: Shape, mtu: int, cut: str) -> None:
        self.dice = dice
        self.shape = shape
        self.cut = cut
        head = 20 + len(shape.options) if shape.family == 4 else 48 + length_of(shape.unfragmentable)
        self._most = max(8, (mtu - head) // 8 * 8)
        self._least = 8 if shape.family == 4 else max(8, (_SHORTEST_6 - head + 7) // 8 * 8)
        self.payload = payload(shape)

    def pieces(self) -> list[Piece]:
        """Pieces in order, without gaps. Those that are not the last can carry more than they cover."""
        result: list[Piece] = []
        at = 0
        while at < len(self.payload):
            end = min(at + self._size(at), len(self.payload))
            more = end < len(self.payload)
            carried = self.payload[at:end]
            if more and self.cut == "not multiples" and self.dice.random() < 0.6:
                surplus = self.dice.randint(1, 7)
                carried += self.dice.choice((self.payload[end:end + surplus], self.dice.randbytes(surplus)))
            result.append(Piece(at, carried, more))
            at = end
        return result

    def _size(self, at: int) -> int:
        dice, most = self.dice, self._most
        if self.shape.family == 6:
            if self._least >= most or dice.random() < 0.03:
                return dice.choice((8, 16, 24))
            if len(self.payload) > 4 * most:
                return most
            return dice.choice((self._least, self._least, dice.randrange(self._least, most + 1, 8)))
        is_long = len(self.payload) > 240
        if self.cut == "eights":
            return most if is_long and at >= 64 else 8
        if self.cut == "first of 8" and at == 0:
            return 8
        if self.cut == "small head" and at < 64:
            return dice.choice((16, 24, 32, 40, 56, 64))
        if dice.random() < 0.7 and at < 80:
            return dice.choice((8, 16, 24, 48, 64))
        return dice.choice((most, most // 2 // 8 * 8)) if is_long else dice.randrange(8, most + 1, 8)

    # MARK: Order

    def disordered(self, pieces: list[Piece], disorder: str) -> list[Piece]:
        dice = self.dice
        result = list(pieces)
        if disorder == "reversed":
            result.reverse()
        elif disorder == "shuffled":
            dice.shuffle(result)
        elif disorder == "doubled":
            result = [piece for piece in pieces for _ in range(dice.choice((1, 2)))]
        elif disorder == "last first":
            result = [pieces[-1], *pieces[:-1]]
        elif disorder == "last twice":
            result.insert(dice.randint(0, len(result) - 1), pieces[-1])
        elif disorder in ("contained", "contradicting"):
            at = dice.randrange(len(pieces))
            carried = pieces[at].payload
            again = Piece(pieces[at].offset, carried if disorder == "contained" else self.contradiction(carried),
                          pieces[at].more)
            result.insert(dice.randint(at + 1, len(result)), again)
        elif disorder == "overlap and again":
            result = [*result[:dice.randint(0, len(result) - 1)], self._overlapping(dice.choice(pieces)), *result]
        elif disorder == "no last" and len(result) > 1 and dice.random() < 0.25:
            result.pop()
        return result

    def _overlapping(self, piece: Piece) -> Piece:
        offset = max(0, piece.offset + self.dice.choice((-8, 8)))
        length = self._least + self.dice.choice((8, 16))
        return Piece(offset, self.contradiction(self.dice.randbytes(length)), True)

    def contradiction(self, carried: bytes) -> bytes:
        """As long, with something else in it: often another port, or the flags of data."""
        changed = bytearray(carried)
        for at, value in ((2, CHAFF_PORT >> 8), (3, CHAFF_PORT & 255), (13, ACK | PSH)):
            if at < len(changed) and self.dice.random() < 0.75:
                changed[at] = value
        if len(changed) > 4 and self.dice.random() < 0.3:
            changed[self.dice.randrange(4, len(changed))] ^= 0xFF
        return bytes(changed)

    # MARK: What makes a host begin anew

    def poison(self, kind: str) -> list[Piece]:
        """Fragments that make Linux give up a packet that has begun to arrive: what comes then begins it anew."""
        dice = self.dice
        head = self._least if self.shape.family == 6 else dice.choice((8, 8, 16, 24, 32, 64))
        begin = Piece(0, self.contradiction(self.payload[:head].ljust(head, b"\0")), True)
        if dice.random() < 0.3:
            # Whatever is in it, as the probe itself begins.
            begin = Piece(0, self.payload[:head].ljust(head, b"\0"), True)
        if kind == "overlap":
            return [begin, Piece(max(0, head - 8), dice.randbytes(self._least + 8), True)]
        if kind == "two ends":
            return [begin, Piece(head + 8, bytes(8), False), Piece(head + 16, bytes(8), False)]
        if kind == "empty fragment":
            return [begin, Piece(head, bytes(dice.choice((0, 1, 4, 7))), True)]
        if kind == "past the end":
            return [begin, Piece(head + 8, bytes(8), False), Piece(head + 64, bytes(self._least), True)]
        if kind == "end before":
            return [begin, Piece(head + 64, bytes(self._least), True), Piece(head + 8, bytes(8), False)]
        if kind == "complete other":
            other = self.contradiction(self.payload.ljust(24, b"\0"))
            return [Piece(0, other[:head], True), Piece(head, other[head:].ljust(4, b"\0"), False)]
        return [self._any_piece() for _ in range(dice.randint(1, 5))]

    def _any_piece(self) -> Piece:
        dice = self.dice
        offset = dice.choice((0, 0, 8, 16, 24, 40, 56, 64, 72, self._least))
        length = dice.choice((0, 1, 7, 8, 9, 12, 16, 20, 24, 40))
        if self.shape.family == 6 and dice.random() < 0.7:
            length += self._least - length % 8
        carried = dice.choice((self.contradiction(self.payload[offset:offset + length]), dice.randbytes(length)))
        return Piece(offset, carried, dice.random() < 0.7)
