"""The kernel as judge: whoever gets answers from enough ports must be reported, however he has sent his probes.

What it finds goes to Tests/Fixtures/captures/oracle once it is mended: there is a README.

    ORACLE_SECONDS   how long it goes on (60), a quarter of it with `scanlogd connections`
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
from harness.connections import packets, pcap
from harness.daemon import finish
from harness.frames_text import describe, source
from harness.oracle_attempts import AttemptJudge
from harness.oracle_chaff import CONTENTS, KINDS, PARTS, PLACES
from harness.oracle_fragments import CUTS, DISORDERS, POISONS
from harness.oracle_hosts import Hosts
from harness.oracle_judge import BATCH, Judge, ScanJudge, Verdict, named_sources
from harness.oracle_packets import BAD_HEADERS, BAD_OPTIONS, GOOD_HEADERS, GOOD_OPTIONS, Frame
from harness.oracle_recipes import MOST_FRAMES, Recipe, compose
from harness.oracle_shrink import Finding, Shrinker
from harness.oracle_ways import VARIATIONS
from harness.places import BINARY, REPOSITORY
from harness.syslog_sink import SyslogSink

CAPTURES = REPOSITORY / "Tests/Fixtures/captures/oracle"

SECONDS = float(os.environ.get("ORACLE_SECONDS", "60"))
SEED = int(os.environ.get("ORACLE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
BACKENDS = os.environ.get("ORACLE_BACKENDS", "ring,pcap,nids,raw").split(",")
# One batch in so many is sent over a wire that takes jumbo frames.
JUMBO = 6
# When so many are missed, it ends: there is enough to look at.
MOST_MISSED = int(os.environ.get("ORACLE_MOST_MISSED", "24"))
SHRINK_SECONDS = int(os.environ.get("ORACLE_SHRINK_SECONDS", "60"))
# A recipe that took longer to send than this, in seconds, may not be one scan any more: the machine was busy.
LONGEST = 2.0
# What is shown of a finding beside its capture.
MOST_SHOWN, MOST_WIDTH = 24, 240


@pytest.fixture(scope="module")
def oracle_hosts() -> Iterator[Hosts]:
    hosts = Hosts()
    yield hosts
    hosts.close()


@pytest.fixture
def scans(oracle_hosts: Hosts, log: SyslogSink) -> Iterator[ScanJudge]:
    judge = ScanJudge(oracle_hosts, BACKENDS)
    yield judge
    judge.close()


@pytest.fixture
def attempts(oracle_hosts: Hosts, log: SyslogSink, tmp_path: Path) -> Iterator[AttemptJudge]:
    judge = AttemptJudge(oracle_hosts, tmp_path)
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
        self.answered = 0
        self.frames = 0
        self.missed: Counter[str] = Counter()
        self.traits: Counter[str] = Counter()
        self.answered_traits: Counter[str] = Counter()
        self.findings: dict[str, Finding] = {}

    def add(self, verdict: Verdict) -> None:
        self.recipes += 1
        self.frames += len(verdict.recipe.frames)
        self.traits.update(verdict.recipe.traits)
        if verdict.is_answered:
            self.answered += 1
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
        return (f"{self.recipes} recipes of {self.frames} frames, {self.answered} answered, "
                f"missed {dict(self.missed)}, {len(self.findings)} kinds")


def judged(judge: Judge, recipes: list[Recipe]) -> list[Verdict]:
    try:
        return judge.judge(recipes)
    except AssertionError as error:
        # A program that ended, say: one of these made it do so.
        error.add_note(f"MTU {recipes[0].mtu}, recipes {[recipe.seed for recipe in recipes]}")
        raise


def search(judge: Judge, seconds: float, directory: Path) -> Tally:
    """Judges recipes for so long, and then makes small what was missed."""
    signal.alarm(int(seconds + SHRINK_SECONDS) + 120)
    directory = Path(os.environ.get("ORACLE_FINDINGS") or directory)
    print(f"seed {SEED}, for {seconds:g} s; captures of findings go to {directory}", flush=True)
    tally = Tally(directory)
    addresses = numbers()
    missed = []
    end = time.monotonic() + seconds
    for recipes in batches(SEED, addresses):
        for verdict in judged(judge, recipes):
            tally.add(verdict)
            if verdict.missed_by and verdict.seconds < LONGEST:
                missed.append(verdict)
        if time.monotonic() >= end or len(missed) >= MOST_MISSED:
            break
    for finding in Shrinker(judge, addresses).findings(missed, time.monotonic() + SHRINK_SECONDS):
        tally.find(finding)
    print(f"seed {SEED}: {tally}", flush=True)
    return tally


@pytest.mark.long
def test_the_recipes_have_every_ingredient() -> None:
    """Else a run would say nothing about what is missing. What is rare takes many; the same each time, so no chance."""
    recipes = [compose(seed, seed) for seed in range(1500)]
    traits = Counter(trait for recipe in recipes for trait in recipe.traits)
    expected = {"IPv4", "IPv6", "fragments", "atomic fragment", "many extension headers", "extension headers", "data",
                "source port 0", "TTL 0", "TTL 1", "1 priority tags", "2 priority tags", "3 priority tags",
                "TCP options", "reserved bits", "urgent pointer", "any data offset", "bad TCP checksum",
                "bad IP checksum", "length 0",
                "flags without SYN", "SYN and more", "length below the packet's", "length above the frame's",
                "frame longer than its packet", "chaff of a forged source", "probes round robin", "probes shuffled",
                *(f"IP option: {name}" for name in (*GOOD_OPTIONS, *BAD_OPTIONS)), *GOOD_HEADERS, *BAD_HEADERS,
                *(f"cut: {name}" for name in CUTS), *(f"fragments {name}" for name in DISORDERS if name != "none"),
                *(f"given up before: {name}" for name in POISONS), *(f"given up between: {name}" for name in POISONS),
                *(f"fragments that differ: {name}" for name in VARIATIONS if name != "none"),
                *(f"chaff: {name}" for kinds in KINDS.values() for name in kinds),
                *(f"chaff {name}" for name in PLACES), *(f"chaff part: {name}" for name in PARTS),
                *(f"chaff content: {name}" for name in CONTENTS)}
    assert expected - traits.keys() == set()
    assert max(len(recipe.frames) for recipe in recipes) <= MOST_FRAMES
    flags = {probe.flags for recipe in recipes for probe in recipe.probes}
    assert len(flags) > 200, "each byte of flags, but for what chance left out"


def test_a_recipe_is_the_same_from_each_source() -> None:
    """Which is what makes a finding be found again from another."""
    for seed in range(SEED, SEED + 50):
        one, other = compose(seed, 1), compose(seed, 2)
        assert one == compose(seed, 1)
        assert [len(frame.data) for frame in one.frames] == [len(frame.data) for frame in other.frames]
        assert one.traits == other.traits


@pytest.mark.busy
@pytest.mark.long
def test_who_gets_answers_is_reported(scans: ScanJudge, tmp_path: Path) -> None:
    tally = search(scans, SECONDS * 0.75, tmp_path)
    assert tally.answered > tally.recipes / 3, "too few are answered to say anything"
    assert not tally.findings, f"seed {SEED}: {tally}"


@pytest.mark.busy
def test_each_answered_attempt_has_its_line(attempts: AttemptJudge, tmp_path: Path) -> None:
    tally = search(attempts, SECONDS * 0.25, tmp_path)
    assert tally.answered > tally.recipes / 3, "too few are answered to say anything"
    assert not tally.findings, f"seed {SEED}: {tally}"


def source_of(capture: Path) -> str:
    """The scanner in a capture: whom most of its frames are from. Its first one can be a forger's."""
    return Counter(map(source, packets(capture))).most_common(1)[0][0]


def captured_recipes() -> list[Recipe]:
    """The findings that are kept. Each has a source of its own."""
    recipes = []
    for file in sorted(CAPTURES.glob("*.pcap")):
        frames = tuple(Frame(0, frozenset(), packet) for packet in packets(file))
        mtu = 9000 if max(len(frame.data) for frame in frames) > 1526 else 1500
        recipes.append(Recipe(0, mtu, source_of(file), (), frames))
    return recipes


@pytest.mark.busy
def test_what_was_found_is_reported_by_every_backend(scans: ScanJudge) -> None:
    recipes = captured_recipes()
    verdicts = []
    for mtu in (1500, 9000):
        same = [recipe for recipe in recipes if recipe.mtu == mtu]
        for start in range(0, len(same), BATCH):
            verdicts += scans.judge(same[start:start + BATCH])
    missed = {verdict.recipe.source: sorted(verdict.missed_by) for verdict in verdicts if verdict.missed_by}
    assert missed == {}
    # Other kernels may answer other things, but not that much.
    assert sum(verdict.is_answered for verdict in verdicts) > len(recipes) * 0.8


@pytest.mark.parametrize("file", sorted(CAPTURES.glob("*.pcap")), ids=lambda file: file.stem)
def test_what_was_found_is_reported_from_its_capture(file: Path) -> None:
    done = finish([str(BINARY), "-r", str(file)], env={"TZ": "UTC"})
    assert (done.status, done.stderr) == (0, "")
    assert source_of(file) in named_sources(done.stdout)
