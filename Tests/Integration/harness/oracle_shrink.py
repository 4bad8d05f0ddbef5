"""Makes findings small: few probes, few frames, nothing special that does not matter; which also tells kinds apart."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .oracle_judge import BATCH, Judge, Verdict
from .oracle_packets import Frame
from .oracle_recipes import THRESHOLD, Recipe, compose, simplifications, weight

_PLAIN = frozenset({"plain"})


@dataclass(frozen=True)
class Cut:
    """A recipe of which some probes are sent the ordinary way instead, some not at all, some frames are left out, and
    of which some ingredients are as in an ordinary packet."""

    seed: int
    mtu: int
    simple: frozenset[str] = frozenset()
    plain: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()
    dropped: frozenset[int] = frozenset()

    def recipe(self, number: int) -> Recipe:
        """The recipe, from the address that a number stands for."""
        whole = compose(self.seed, number, self.mtu, self.simple)
        frames: list[Frame] = []
        done: set[int] = set()
        for position, frame in enumerate(whole.frames):
            if frame.probe in self.gone or position in self.dropped:
                continue
            if frame.probe not in self.plain:
                frames.append(frame)
            elif frame.probe not in done:
                done.add(frame.probe)
                frames.append(Frame(frame.probe, _PLAIN, whole.probes[frame.probe].plain))
        return replace(whole, frames=tuple(frames))


@dataclass(frozen=True)
class Finding:
    """A scan that was answered and not reported, as small as it was made."""

    recipe: Recipe
    cut: Cut
    missed_by: frozenset[str]

    @property
    def special(self) -> list[Frame]:
        """The frames but for the ordinary ones, which only make it a scan."""
        return [frame for frame in self.recipe.frames if frame.traits != _PLAIN]

    @property
    def kind(self) -> str:
        return f"{'+'.join(sorted(self.missed_by))}: {', '.join(sorted(self.recipe.traits - _PLAIN))}"


# What asks for the verdicts of cuts, and is sent, for each, that of a finding or None.
_Verdicts = list[Verdict | None]
_Asking = Generator[list[Cut], _Verdicts, None]
_CutSearch = Generator[list[Cut], _Verdicts, Cut]
_CutsSearch = Generator[list[Cut], _Verdicts, list[Cut]]

# The findings that are made small at a time, and how many of one recipe.
_AT_A_TIME = 8
_OF_A_RECIPE = 2


class _Search:
    """How far a finding is. What it asks for next comes from `steps`."""

    def __init__(self, recipe: Recipe, missed_by: frozenset[str]) -> None:
        self.recipe = recipe
        self.missed_by = missed_by
        # The smallest findings so far; none when it did not show again.
        self.cuts = [Cut(recipe.seed, recipe.mtu)]

    def steps(self) -> _Asking:
        (whole,) = self.cuts
        if not any((yield [whole, whole])):
            self.cuts = []
            return
        isolated = yield from self._isolated(whole)
        if not isolated:
            probes = range(len(self.recipe.probes))
            isolated = [(yield from _greedy(whole, probes, lambda cut, some: replace(cut, plain=cut.plain | some)))]
        self.cuts = isolated[:_OF_A_RECIPE]
        for place, cut in enumerate(self.cuts):
            self.cuts[place] = yield from self._smallest(cut)

    def _isolated(self, whole: Cut) -> _CutsSearch:
        """One probe as it was, and six or twenty sent the ordinary way, for each probe with which that is a finding."""
        probes = range(len(self.recipe.probes))
        cuts = []
        for kept in probes:
            needed = _needed(self.recipe, kept)
            cuts.append(replace(whole, plain=needed, gone=frozenset(probes) - needed - {kept}))
        verdicts = yield cuts
        return [cut for cut, verdict in zip(cuts, verdicts, strict=True) if verdict]

    def _smallest(self, cut: Cut) -> _CutSearch:
        """Takes away what is special, and then frames, as long as it stays a finding."""
        frames = cut.recipe(0).frames
        able = [name for name in simplifications()
                if replace(cut, simple=frozenset({name})).recipe(0).frames != frames]
        # What changes nothing by itself is not in this one; unless it needs another.
        without = replace(cut, simple=frozenset(simplifications()) - frozenset(able))
        if any((yield [without, without])):
            cut = without
        cut = yield from _greedy(cut, able, lambda cut, some: replace(cut, simple=cut.simple | some))
        frames = compose(cut.seed, 0, cut.mtu, cut.simple).frames
        positions = [position for position, frame in enumerate(frames) if frame.probe not in cut.plain | cut.gone]
        return (yield from _greedy(cut, positions, lambda cut, some: replace(cut, dropped=cut.dropped | some)))


class Shrinker:
    """Tries smaller variants of findings, those of many findings at once, each from an address of its own."""

    def __init__(self, judge: Judge, numbers: Iterator[int]) -> None:
        self._judge = judge
        self._numbers = numbers

    def findings(self, verdicts: Sequence[Verdict], deadline: float) -> Iterator[Finding]:
        """Those that show again, as small as they could be made until the deadline."""
        searches = [_Search(verdict.recipe, verdict.missed_by) for verdict in verdicts]
        for start in range(0, len(searches), _AT_A_TIME):
            group = searches[start:start + _AT_A_TIME]
            self._shrink(group, deadline)
            for search in group:
                for cut, verdicts_now in zip(search.cuts, self._ask(search.cuts), strict=True):
                    missed_by = verdicts_now.missed_by if verdicts_now else search.missed_by
                    yield Finding(cut.recipe(next(self._numbers)), cut, missed_by)

    def _shrink(self, searches: Iterable[_Search], deadline: float) -> None:
        running = [search.steps() for search in searches]
        wanted = [(steps, next(steps)) for steps in running]
        while wanted and time.monotonic() < deadline:
            answers = self._ask([cut for _, cuts in wanted for cut in cuts])
            following = []
            for steps, cuts in wanted:
                own, answers = answers[:len(cuts)], answers[len(cuts):]
                try:
                    following.append((steps, steps.send(own)))
                except StopIteration:
                    continue
            wanted = following

    def _ask(self, cuts: Sequence[Cut]) -> _Verdicts:
        result: dict[int, Verdict | None] = {}
        for mtu in {cut.mtu for cut in cuts}:
            places = [place for place, cut in enumerate(cuts) if cut.mtu == mtu]
            for start in range(0, len(places), BATCH):
                batch = places[start:start + BATCH]
                verdicts = self._judge.judge([cuts[place].recipe(next(self._numbers)) for place in batch])
                for place, verdict in zip(batch, verdicts, strict=True):
                    result[place] = verdict if verdict.missed_by else None
        return [result[place] for place in range(len(cuts))]


def _greedy(cut: Cut, options: Iterable[object], less: Callable[[Cut, frozenset], Cut]) -> _CutSearch:
    """Takes away, one at a time or many, what can be without the finding."""
    left = list(options)
    while left:
        tries = [less(cut, frozenset({option})) for option in left]
        verdicts = yield tries
        able = [option for option, verdict in zip(left, verdicts, strict=True) if verdict]
        if not able:
            return cut
        # Each by itself can go; together they may be what it takes. The first can in any case.
        sizes = sorted({len(able), len(able) // 2, len(able) // 4, 1} - {0}, reverse=True)
        tries = [less(cut, frozenset(able[:size])) for size in sizes]
        verdicts = yield tries
        size, cut = next(((size, smaller) for size, smaller, verdict in zip(sizes, tries, verdicts, strict=True)
                          if verdict), (len(left), cut))
        left = [option for option in able if option not in able[:size]]
    return cut


def _needed(recipe: Recipe, kept: int) -> frozenset[int]:
    """The probes that make a scan together with one, and none without it."""
    ports = [probe.port for probe in recipe.probes]
    others = sorted((probe for probe in range(len(ports)) if probe != kept), key=lambda probe: weight([ports[probe]]),
                    reverse=True)
    needed: list[int] = []
    for probe in others:
        if weight(ports[probe] for probe in [*needed, kept]) < THRESHOLD:
            needed.append(probe)
    return frozenset(needed)
