"""Which SYNs the kernel answered, and of which `scanlogd connections` wrote a line: the other judge of recipes."""

import signal
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from .connections import Connections, fields
from .daemon import sweep
from .oracle_hosts import WIRES, Answer, Hosts
from .oracle_judge import SETTLE, Verdict
from .oracle_recipes import Recipe
from .packets import ACK, SYN

_NAMED = tuple(word for wire in WIRES for word in ("-i", wire))
# What every packet matches, so that libpcap hands over each.
_ALL = ("-f", "greater 1")
# Each way of capturing that there is.
VARIANTS: dict[str, tuple[str, ...]] = {
    "any": (), "named": _NAMED, "any through libpcap": _ALL, "named through libpcap": (*_NAMED, *_ALL),
}

# Source, its port, destination, its port: as in a line.
_Attempt = tuple[str, int, str, int]


class AttemptJudge:
    """Runs `scanlogd connections` in each way beside the kernel, for as long as it is needed."""

    def __init__(self, hosts: Hosts, directory: Path) -> None:
        self.hosts = hosts
        self._directory = directory
        self._places = count()
        self._running: dict[str, Connections] = {}
        self._read: dict[str, int] = {}

    def _start(self) -> None:
        """Starts them. Of named interfaces they keep as much of a packet as these take when they are started."""
        for name, options in VARIANTS.items():
            place = self._directory / str(next(self._places))
            place.mkdir()
            self._read[name] = 0
            self._running[name] = Connections(self.hosts.target, place)
            self._running[name].start("--limit", "off", *options)

    def close(self) -> None:
        """Ends them, if they were started. They must be there, and end cleanly."""
        try:
            for connections in self._running.values():
                connections.send_signal(signal.SIGTERM)
            for name, connections in self._running.items():
                assert connections.wait() == 0, f"{name}: {connections.stderr()}"
        finally:
            self._running.clear()
            sweep()

    def judge(self, recipes: Sequence[Recipe]) -> list[Verdict]:
        if not self._running or recipes[0].mtu != self.hosts.mtu:
            self.close()
            self.hosts.set_mtu(recipes[0].mtu)
            self._start()
        self.hosts.answers()
        seconds = [self.hosts.send(recipe) for recipe in recipes]
        self._settle()
        answers = self.hosts.answers()
        written = {name: self._new_attempts(name) for name in VARIANTS}
        result = []
        for recipe, taken in zip(recipes, seconds, strict=True):
            expected = answered_attempts(recipe, answers.get(recipe.source, []))
            missed_by = {name for name, attempts in written.items() if not expected <= attempts}
            result.append(Verdict(recipe, bool(expected), frozenset(missed_by), taken))
        return result

    def _settle(self) -> None:
        """Waits until all that was sent has been counted, and its lines are written."""
        last: list[dict[str, int]] = []
        while last != (last := [connections.ask_counters() for connections in self._running.values()]):
            time.sleep(SETTLE)

    def _new_attempts(self, name: str) -> set[_Attempt]:
        """What is in the lines since the last batch."""
        with self._running[name].stdout.open("rb") as file:
            file.seek(self._read[name])
            text = file.read()
        assert text == b"" or text.endswith(b"\n"), f"{name}: half a line: {text[-100:]!r}"
        self._read[name] += len(text)
        return {fields(line) for line in text.decode().splitlines()}


def answered_attempts(recipe: Recipe, answers: Sequence[Answer]) -> set[_Attempt]:
    """The attempts to connect that a host answered: with SYN and ACK, or with RST what says nothing but SYN."""
    refused = {(probe.source_port, probe.port) for probe in recipe.probes
               if probe.flags is not None and probe.flags & (SYN | ACK) == SYN}
    return {(answer.scanner, answer.source_port, answer.target, answer.port) for answer in answers
            if answer.is_to_a_probe and (answer.flags & SYN or (answer.source_port, answer.port) in refused)}
