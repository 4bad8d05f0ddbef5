"""Scans sent in hostile ways, composed at random from a seed.

Nothing in here says which of the probes a host answers, nor which a detector should see: the kernel is asked, see
oracle_judge.py. Each ingredient has a name, a trait, so that a finding says what it is made of, and a test that each
occurred.
"""

import random
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .network import TARGET, TARGET_6, TARGET_6_TOO, TARGET_TOO
from .oracle_packets import Frame, Shape, whole
from .oracle_ways import MOST_CHAFF, ORDINARY, Way

PRIVILEGED_END = 1024
HIGH_PORTS = range(2000, 3000)
THRESHOLD = 21
MOST_FRAMES = 400


@dataclass(frozen=True)
class Probe:
    """What the scanner wants to know, and the ordinary SYN that would ask for it."""

    port: int
    source_port: int
    # None where what is sent contradicts itself.
    flags: int | None
    plain: bytes


@dataclass(frozen=True)
class Recipe:
    """A scan of one source: its frames, in the order in which they are sent."""

    seed: int
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
    return f"10.78.{number >> 8 & 31}.{number & 255}" if family == 4 else f"fd78::{number & 0x1FFF:x}"


def forged_address(number: int, family: int) -> str:
    """One that chaff comes from: many recipes share it, so that it takes no room in the log."""
    return f"10.79.0.{number >> 4 & 31}" if family == 4 else f"fd78::f:{number >> 4 & 31:x}"


def compose(seed: int, number: int, mtu: int = 1500, simple: frozenset[str] = frozenset()) -> Recipe:
    """The recipe of a seed, from the address that the number stands for: all else is the same for each number.

    What `simple` names, of simplifications(), is as in an ordinary packet; the rest stays as it is.
    """
    return _Composer(seed, number, mtu, simple).recipe()


def simplifications() -> list[str]:
    """What a recipe can be made simpler by."""
    return [*ORDINARY, *(f"chaff {number}" for number in range(MOST_CHAFF)), "order", "source ports", "identifications",
            "destinations"]


class _Composer:
    """Draws one recipe."""

    def __init__(self, seed: int, number: int, mtu: int, simple: frozenset[str]) -> None:
        self.seed = seed
        self.mtu = mtu
        self.simple = simple
        dice = random.Random(seed)
        self.family = 4 if dice.random() < 0.6 else 6
        self.source = source_address(number, self.family)
        self.forged = forged_address(number, self.family)
        self.ports = _ports(dice)
        self.ways = [Way(dice, self.family, mtu, simple) for _ in range(dice.choice((1, 1, 2, 3)))]
        self.next_source_port = self._drawn("source ports", dice, {
            "any": lambda dice: dice.randrange(1, 65536), "0": lambda dice: 0,
            "one": lambda dice, port=dice.randrange(1, 65536): port}, 40000)
        self.next_identification = self._drawn("identifications", dice, {
            "any": lambda dice: dice.randrange(65536), "one": lambda dice, number=dice.randrange(65536): number,
            "few": lambda dice: dice.randrange(3)}, None)
        here = (TARGET, TARGET_TOO) if self.family == 4 else (TARGET_6, TARGET_6_TOO)
        self.next_destination = self._drawn("destinations", dice, {
            "one": lambda dice: here[0], "two": lambda dice: dice.choice(here)}, here[0])
        self.order = "one by one" if "order" in simple else dice.choice(
            ("one by one", "one by one", "round robin", "shuffled"))

    def _drawn(self, name: str, dice: random.Random, choices: dict[str, Callable[[random.Random], object]],
               ordinary: object) -> Callable[[random.Random], object]:
        """How something is chosen for each probe."""
        kind = dice.choice([*choices])
        if name not in self.simple:
            return choices[kind]
        return (lambda dice: ordinary) if ordinary is not None else choices["any"]

    def _dice(self, *stage: object) -> random.Random:
        """Dice of its own for each stage, so that what is left out of one changes no other."""
        return random.Random(self.seed << 32 | zlib.crc32(repr(stage).encode()))

    def recipe(self) -> Recipe:
        probes = []
        queues = []
        for index, port in enumerate(self.ports):
            dice = self._dice("probe", index)
            way = dice.choice(self.ways)
            plain = Shape(self.source, self.next_destination(dice), port, self.next_source_port(dice),
                          self.next_identification(dice))
            shape = way.shape(plain, lambda *stage, index=index: self._dice(index, *stage))
            frames = way.frames(index, shape, self.forged, lambda *stage, index=index: self._dice(index, *stage))
            queues.append(frames[:MOST_FRAMES // len(self.ports)])
            probes.append(Probe(port, plain.source_port, None if way.contradicts else shape.flags,
                                whole(plain.but(identification=0x7777))))
        return Recipe(self.seed, self.mtu, self.source, tuple(probes), tuple(self._ordered(queues)))

    def _ordered(self, queues: list[list[Frame]]) -> list[Frame]:
        """One probe after the other; the first frames of all and then the rest; or as chance has it."""
        dice = self._dice("order")
        if self.order == "one by one":
            return [frame for queue in queues for frame in queue]
        result: list[Frame] = []
        while queues := [queue for queue in queues if queue]:
            chosen = queues if self.order == "round robin" else [dice.choice(queues)]
            result += [queue.pop(0) for queue in chosen]
        trait = frozenset({f"probes {self.order}"})
        return [Frame(frame.probe, frame.traits | trait, frame.data, frame.wire) for frame in result]


def _ports(dice: random.Random) -> list[int]:
    kind = dice.choice(("low", "low", "low", "high", "mixed"))
    if kind == "low":
        return dice.sample(range(PRIVILEGED_END), dice.randint(10, 18))
    if kind == "high":
        return dice.sample(HIGH_PORTS, dice.randint(23, 30))
    return dice.sample(range(PRIVILEGED_END), dice.randint(5, 7)) + dice.sample(HIGH_PORTS, dice.randint(10, 14))
