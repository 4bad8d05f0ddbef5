"""The kernel as judge: whoever gets answers from enough ports must be reported, however he has sent his probes.

    ORACLE_SECONDS   how long it goes on (60)
    ORACLE_SEED      where it starts; chosen at random without it, and always printed
    ORACLE_BACKENDS  which backends are judged (ring,pcap,nids,raw)
    ORACLE_MOST_MISSED, ORACLE_SHRINK_SECONDS  when there is enough to look at (24), and how long it is made small (60)
    ORACLE_FINDINGS  the directory that findings are written to, as captures (the test's own)
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from harness.connections import pcap
from harness.frames_text import describe
from harness.oracle_judge import BATCH, Hosts, Judge, Verdict
from harness.oracle_recipes import Recipe, compose
from harness.oracle_shrink import Finding, Shrinker
from harness.syslog_sink import SyslogSink

pytestmark = pytest.mark.alone

SECONDS = float(os.environ.get("ORACLE_SECONDS", "60"))
SEED = int(os.environ.get("ORACLE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
BACKENDS = os.environ.get("ORACLE_BACKENDS", "ring,pcap,nids,raw").split(",")
# One batch in so many is sent over a wire that takes jumbo frames.
JUMBO = 6
# When so many are missed, it ends: there is enough to look at.
MOST_MISSED = int(os.environ.get("ORACLE_MOST_MISSED", "24"))
SHRINK_SECONDS = int(os.environ.get("ORACLE_SHRINK_SECONDS", "60"))
# What is shown of a finding beside its capture.
MOST_SHOWN, MOST_WIDTH = 24, 240


@pytest.fixture(scope="module")
def oracle_hosts() -> Iterator[Hosts]:
    hosts = Hosts()
    yield hosts
    hosts.close()


@pytest.fixture
def judge(oracle_hosts: Hosts, log: SyslogSink) -> Iterator[Judge]:
    judge = Judge(oracle_hosts, BACKENDS)
    yield judge
    judge.close()


def batches(seed: int, numbers: Iterator[int]) -> Iterator[list[Recipe]]:
    """Batch after batch of recipes, for ever: the seed of each is that of the run and its place in it."""
    dice = random.Random(seed)
    for batch in count():
        mtu = 9000 if batch % JUMBO == JUMBO - 1 else 1500
        yield [compose(dice.randrange(1 << 32), next(numbers), mtu) for _ in range(BATCH)]


def numbers() -> Iterator[int]:
    while True:
        yield from range(1, 8191)


class Tally:
    """What happened in a run, and what was found."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.recipes = 0
        self.scans = 0
        self.frames = 0
        self.missed: Counter[str] = Counter()
        self.traits: Counter[str] = Counter()
        self.answered_traits: Counter[str] = Counter()
        self.findings: dict[str, Finding] = {}

    def add(self, verdict: Verdict) -> None:
        self.recipes += 1
        self.frames += len(verdict.recipe.frames)
        self.traits.update(verdict.recipe.traits)
        if verdict.is_scan:
            self.scans += 1
            self.answered_traits.update(verdict.recipe.traits)
            self.missed.update(verdict.missed_by)

    def find(self, finding: Finding) -> None:
        """Keeps a finding of a new kind as a capture, and tells of it at once."""
        if finding.kind in self.findings:
            return
        self.findings[finding.kind] = finding
        file = self.directory / f"{len(self.findings):03}-{'-'.join(sorted(finding.missed_by))}-{finding.cut.seed}.pcap"
        file.write_bytes(pcap((0.001 * index, frame.data) for index, frame in enumerate(finding.recipe.frames)))
        print(f"\nmissed by {finding.kind}\n    {file}, {finding.cut}", flush=True)
        for frame in finding.special[:MOST_SHOWN]:
            print(f"    {'wire 2, ' if frame.wire else ''}{describe(frame.data)[:MOST_WIDTH]}", flush=True)

    def __str__(self) -> str:
        return (f"{self.recipes} recipes of {self.frames} frames, {self.scans} answered as scans, "
                f"missed {dict(self.missed)}, {len(self.findings)} kinds")


def test_who_gets_answers_is_reported(judge: Judge, tmp_path: Path) -> None:
    signal.alarm(int(SECONDS) + int(SHRINK_SECONDS) + 120)
    directory = Path(os.environ.get("ORACLE_FINDINGS", tmp_path))
    print(f"seed {SEED}, for {SECONDS:g} s, {BACKENDS}; captures of findings go to {directory}", flush=True)
    tally = Tally(directory)
    end = time.monotonic() + SECONDS
    addresses = numbers()
    missed = []
    for recipes in batches(SEED, addresses):
        if time.monotonic() >= end or len(missed) >= MOST_MISSED:
            break
        for verdict in judge.judge(recipes):
            tally.add(verdict)
            if verdict.missed_by and verdict.seconds < 2:
                missed.append(verdict)
    print(f"seed {SEED}: {tally}", flush=True)
    if os.environ.get("ORACLE_TRAITS"):
        for trait, number in sorted(tally.traits.items()):
            print(f"{tally.answered_traits[trait]:6} of {number:6} {trait}")
    for finding in Shrinker(judge, addresses).findings(missed, time.monotonic() + SHRINK_SECONDS):
        tally.find(finding)
    assert tally.scans > tally.recipes / 3, "too few are answered to say anything"
    assert not tally.findings, f"seed {SEED}: {tally}"
