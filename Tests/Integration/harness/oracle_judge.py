"""What the kernel answered, and whom each backend named: the judge of the recipes of oracle_recipes.py."""

import re
import signal
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from .daemon import Daemon, sweep, wait_until
from .lines import read
from .oracle_hosts import Answer, Hosts
from .oracle_recipes import THRESHOLD, Recipe, weight

# Each batch is named in one log: five reports, and as many sources as the lines of a summary hold.
BATCH = 40

# Longer than any backend holds a packet back.
SETTLE = 0.08
_STATUS = "scanlogd: status: "
_ADDRESS = re.compile(r"(?<= )[0-9a-f]*[:.][0-9a-f:.]*(?=[, ]|$)")


@dataclass(frozen=True)
class Verdict:
    """What became of a recipe."""

    recipe: Recipe
    # Whether the host answered what should have been noticed.
    is_answered: bool
    # By whom it was not.
    missed_by: frozenset[str]
    # How long it took to send.
    seconds: float


class Judge(Protocol):
    """Who sends recipes, each from a source of its own, and says what came of them. They have the same MTU."""

    def judge(self, recipes: Sequence[Recipe]) -> list[Verdict]: ...


class ScanJudge:
    """Runs the detector with several backends at once beside the kernel, batch after batch."""

    def __init__(self, hosts: Hosts, backends: Sequence[str]) -> None:
        self.hosts = hosts
        self.backends = tuple(backends)
        self._daemons: dict[str, Daemon] = {}

    def close(self) -> None:
        """Ends what a failure has left running."""
        self._daemons.clear()
        sweep()

    def judge(self, recipes: Sequence[Recipe]) -> list[Verdict]:
        assert len({recipe.source for recipe in recipes}) == len(recipes) <= BATCH
        self.hosts.set_mtu(recipes[0].mtu)
        self._daemons = {backend: Daemon(self.hosts.target) for backend in self.backends}
        for backend, daemon in self._daemons.items():
            daemon.start_foreground("--backend", backend, "--kinds", "quick")
        self.hosts.answers()
        seconds = []
        for recipe in recipes:
            seconds.append(self.hosts.send(recipe))
        settle(self._daemons.values())
        named = {backend: self._ended(daemon) for backend, daemon in self._daemons.items()}
        self._daemons.clear()
        answers = self.hosts.answers()
        return [self._verdict(recipe, answers.get(recipe.source, []), named, taken)
                for recipe, taken in zip(recipes, seconds, strict=True)]

    @staticmethod
    def _verdict(recipe: Recipe, answers: list[Answer], named: dict[str, set[str]], seconds: float) -> Verdict:
        is_scan = weight({answer.port for answer in answers if answer.is_to_a_probe}) >= THRESHOLD
        missed_by = {backend for backend, sources in named.items() if is_scan and recipe.source not in sources}
        return Verdict(recipe, is_scan, frozenset(missed_by), seconds)

    def _ended(self, daemon: Daemon) -> set[str]:
        """Ends a daemon that has seen everything, and returns whom it named."""
        daemon.send_signal(signal.SIGTERM)
        status = daemon.wait()
        text = daemon.stderr()
        daemon.tear_down_files()
        assert status == 0, f"status {status}: {text}"
        return named_sources(text)


def settle(daemons: Collection[Daemon]) -> None:
    """Waits until the daemons have counted all that was sent: until their counters stay as they are."""
    last: list[str] = []
    while last != (last := status_lines(daemons)):
        time.sleep(SETTLE)


def status_lines(daemons: Collection[Daemon]) -> list[str]:
    """The counters of each as it says them when it is asked."""
    before = [daemon.stderr().count(_STATUS) for daemon in daemons]
    for daemon in daemons:
        daemon.send_signal(signal.SIGUSR1)
    for daemon, count in zip(daemons, before, strict=True):
        wait_until(lambda daemon=daemon, count=count: daemon.stderr().count(_STATUS) > count, "no status", 20)
    return [daemon.stderr().rpartition(_STATUS)[2].partition("\n")[0] for daemon in daemons]


def named_sources(text: str) -> set[str]:
    """All sources that the lines of a log name."""
    found = set()
    for line in text.splitlines():
        line = line.removeprefix("scanlogd: ")
        if " ports " in line:
            found.add(read(line)[0].source)
        elif " not logged" in line:
            found |= set(_ADDRESS.findall(line.partition(":")[2]))
    return found
