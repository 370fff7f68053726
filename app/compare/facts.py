"""What is known of compared runs: one frozen tree, made once, which every sentence, table and JSON renders.

Codes and numbers; sentences are made of them in `app.compare.words`. Pure, no I/O.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from app.compare import best, scale, sequence, statistics
from app.compare.groups import GONE, Group, Member, differing
from app.compare.judged import Finding, Judged, Mode, cut, finding, judge, more_seeds
from app.compare.measure import Measure
from app.compare.statistics import is_paired
from trainer.paths import split

MOST_SUBJECTS = 4
"""Of more configurations a change is not judged one by one."""
MATTERS_OF_FRACTION = 0.01
MATTERS_OF_OTHERS = 0.05
"""A share of the first side's mean."""

Kind = Literal["change", "interaction", "pair", "trend"]
Decision = Literal[
    "pending",
    "too few",
    "equal",
    "none",
    "untrained",
    "unreached",
    "unfit",
    "no difference",
    "clear",
    "small",
    "open",
    "may be best",
    "ruled out",
]
"""Tested in this order: the plan is not over; too few seeds for an interval; the same in every seed; a side of which
nobody is left; no side learned anything; some runs never got as far as is asked; values that no single difference fits;
and by the interval (`app.compare.judged.Finding`). Of one among several, compared with the best of them, the last two:
whether it may be the best."""
DECIDED: tuple[Decision, ...] = ("no difference", "clear", "small", "open")
"""Decisions that an interval goes with."""
Reason = Literal["behind", "untrained", "failing"]
"""Why one can't be the best: by its interval; it learned nothing; two or more of its runs failed."""
Why = Literal["not ended", "failed", "lost", "stopped", "paused", "no value", "same seed again"]


@dataclass(frozen=True)
class Plan:
    """Whether the number of runs was fixed beforehand."""

    state: Literal["running", "over", "watched"]
    """Fixed, and not all have ended for good; fixed, and over; or looked at while it can grow."""
    runs: int = 0
    """Planned, where it is fixed."""
    to_go: int = 0
    """Of those, not ended for good."""
    draws: int = 0
    """Configurations drawn at random, where it is a search."""


WATCHED = Plan("watched")
OVER = Plan("over")


@dataclass(frozen=True)
class Step:
    """A knob going from one value to another."""

    knob: str
    first: Any
    second: Any


@dataclass(frozen=True)
class Side:
    """One configuration's part in a contrast."""

    group: int
    """Place among the groups."""
    weight: float
    values: tuple[tuple[int, float], ...]
    """(seed, value), over the seeds that the contrast uses."""


@dataclass(frozen=True)
class LeftOut:
    """A run that counts for nothing, and why."""

    run: int
    group: int
    why: Why


@dataclass(frozen=True)
class Dropouts:
    """The runs of a configuration that ended for good without a result, and were not launched again with one."""

    group: int
    runs: int
    """Of the configuration, one a seed."""
    failed: tuple[int, ...]
    lost: tuple[int, ...]
    stopped: tuple[int, ...]
    causes: tuple[str, ...]
    """Of those that failed, in their order."""
    trained: tuple[float, ...]
    """What the others gave."""


@dataclass(frozen=True)
class Reached:
    """How many of a configuration's finished runs got as far as is asked, one a seed."""

    group: int
    reached: int
    done: int
    every: int | None
    """Training steps from one look to the next, where that is a test's; None: the series is of every step."""


@dataclass(frozen=True)
class Untrained:
    """How many of a configuration's finished runs learned nothing, one a seed."""

    group: int
    untrained: int
    done: int


@dataclass(frozen=True)
class Contrast:
    """The weighted sum of configurations' values, and what is decided of it."""

    kind: Kind
    steps: tuple[Step, ...]
    """The knobs that are changed in it; of a pair none."""
    sides: tuple[Side, ...]
    judged: Judged | None
    """None where no run, or no set of runs, counts yet."""
    mode: Mode
    family: int
    """How many contrasts are decided together."""
    launched: int
    """Seeds that were launched on every side; where they don't match, runs of the side with the fewest."""
    decision: Decision
    more: int | None = None
    """Of one that is open: about so many more seeds would settle a difference as large as the one seen."""
    reason: Reason | None = None
    """Of one that is ruled out."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Those used by every side, in the order launched; empty where seeds don't match."""
        matched = self.judged is not None and self.judged.matched == "seed"
        return tuple(seed for seed, _ in self.sides[0].values) if matched else ()

    @property
    def seeds_of_both(self) -> set[int]:
        """Those that every side has a value of, whether they are used or not."""
        return set.intersection(*({seed for seed, _ in side.values} for side in self.sides))

    @property
    def least(self) -> int:
        """With fewer seeds there is no interval."""
        return self.looks_from if self.mode == "watched" else 2

    @property
    def looks_from(self) -> int:
        """With fewer seeds there is no interval that may be watched."""
        return sequence.least(bound=sequence.BOUND * (self.family if self.mode == "watched" else 1))


@dataclass(frozen=True)
class Nothing:
    """There is no answer."""

    why: Literal["no runs", "none has finished", "none trained", "no value", "not judged"]


@dataclass(frozen=True)
class Alone:
    """One configuration, compared with nothing."""


@dataclass(frozen=True)
class Changes:
    """A knob of two values, changed for each of some configurations; of two of them, also these compared at each value
    of the knob, and how much more the second changes."""

    knob: str
    values: tuple[Any, Any]
    contrasts: tuple[Contrast, ...]
    """Of each configuration, after minus before."""
    across: tuple[Contrast, ...]
    """Of two configurations, the second minus the first, before and after; else empty."""
    between: Contrast | None
    """Of two: the second's change minus the first's."""
    order: tuple[int, ...]
    """Places among the contrasts, the largest change first, those that are decided before the others."""

    @property
    def family(self) -> tuple[Contrast, ...]:
        """All that is claimed."""
        between = () if self.between is None else (self.between,)
        return (*(self.contrasts[at] for at in self.order), *self.across, *between)


@dataclass(frozen=True)
class Ranking:
    """Configurations of one data set, compared with the best of them."""

    order: tuple[int, ...]
    """Places of those that have finished runs, the best first."""
    against: Mapping[int, Contrast]
    """Place to this one minus the best."""
    is_set: bool = False
    """It is decided which may be the best (`app.compare.best`); else each pair is judged as any other."""

    knob: str | None = None
    """The one knob in which they differ, where its values are numbers."""
    trend: Contrast | None = None
    """How much a straight line through those that trained goes up, from the first to the last in the knob's order."""
    end: scale.End | None = None
    """At which end of all values the best one stands; None: within."""
    lacking: tuple[scale.Number, ...] = ()
    """Values of the knob that nobody tried: past that end, or between the best one and its neighbours."""

    def of(self, decision: Decision) -> tuple[int, ...]:
        """Places with that decision, the best first."""
        return tuple(
            place for place in self.order if place in self.against and self.against[place].decision == decision
        )


@dataclass(frozen=True)
class Rankings:
    """The best, of each data set: figures on different data sets are not compared."""

    blocks: tuple[Ranking, ...]
    waiting: int
    """Configurations without a finished run that may get one."""

    @property
    def family(self) -> tuple[Contrast, ...]:
        return tuple(block.against[place] for block in self.blocks for place in block.order if place in block.against)


Answer = Nothing | Alone | Changes | Rankings


@dataclass(frozen=True)
class Facts:
    """All that is known."""

    measure: Measure
    plan: Plan
    smallest: float
    """d, the smallest difference that matters, in the unit of the measure."""
    groups: tuple[Group, ...]
    varied: Mapping[str, list[Any]]
    """Knob to its values, of those in which the groups differ."""
    answer: Answer
    left_out: tuple[LeftOut, ...] = ()
    dropouts: tuple[Dropouts, ...] = ()
    untrained: tuple[Untrained, ...] = ()
    reached: tuple[Reached, ...] = ()
    """Of a measure that is the time until a value, where some never got there: that is then the result."""
    reached_p: float | None = None
    """Of two configurations: Fisher's exact test that both get there equally often, two-sided."""

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """One family: all that is claimed, decided together."""
        return self.answer.family if isinstance(self.answer, Changes | Rankings) else ()

    @property
    def is_watched(self) -> bool:
        """Intervals hold however often one looks."""
        return self.plan.state == "watched" or any(one.mode == "watched" for one in self.contrasts)


def make(groups: Sequence[Group], measure: Measure, plan: Plan, smallest: float | None = None) -> Facts:
    """The tree, of configurations that ran, or run. `smallest`: d; None: what matters where nobody said."""
    varied = differing(groups)
    left_out = tuple(one for place, group in enumerate(groups) for one in _left_out(place, group))
    dropouts = tuple(one for place, group in enumerate(groups) if (one := _dropouts(place, group)) is not None)
    untrained = tuple(_untrained(place, group) for place, group in enumerate(groups))
    first = next((list(group.sample.values()) for group in groups if group.sample), [])
    matters = usually_matters(measure, first) if smallest is None else smallest
    is_judged = measure.better is not None
    reached = _reached(groups, measure) if is_judged and measure.is_until else ()
    family = _Family(groups, measure, plan, matters)
    return Facts(
        measure,
        plan,
        matters,
        tuple(groups),
        varied,
        _answer(family) if is_judged else Nothing("not judged"),
        left_out,
        dropouts,
        tuple(one for one in untrained if one.untrained),
        reached,
        _reached_alike(*reached) if len(reached) == 2 else None,
    )


def usually_matters(measure: Measure, first: Sequence[float]) -> float:
    """The smallest difference that matters where nobody said: 1 point of a fraction, else 5% of the first mean."""
    if measure.is_fraction:
        return MATTERS_OF_FRACTION
    return MATTERS_OF_OTHERS * abs(sum(first) / len(first)) if first else 0.0


@dataclass(frozen=True)
class _Family:
    """What contrasts are made of."""

    groups: Sequence[Group]
    measure: Measure
    plan: Plan
    smallest: float

    def contrast(
        self, kind: Kind, steps: tuple[Step, ...], weights: Sequence[float], places: Sequence[int], family: int
    ) -> Contrast:
        """One of so many that are decided together."""
        parts = [self.groups[place] for place in places]
        seen = any(member.seen and member.done for group in parts for member in group.by_seed.values())
        state = self.plan.state
        mode: Mode = "pending" if state == "running" else "watched" if state == "watched" or seen else "fixed"
        judged = judge(weights, parts, mode, family)
        if judged is not None and self.measure.is_fraction:
            judged = cut(judged, sum(map(abs, weights)) / 2)
        used = judged.used if judged else tuple(tuple(group.sample.items()) for group in parts)
        sides = tuple(
            Side(place, float(weight), values) for place, weight, values in zip(places, weights, used, strict=True)
        )
        launched = [set(group.by_seed) for group in parts]
        common = len(set.intersection(*launched)) if is_paired(launched) else min(map(len, launched))
        made = Contrast(kind, steps, sides, judged, mode, family, common, "open")
        decision = self._decide(made, parts)
        more = more_seeds(judged, mode, family, self.smallest) if judged and decision == "open" else None
        return replace(made, decision=decision, more=more)

    def _decide(self, made: Contrast, parts: Sequence[Group]) -> Decision:
        """The first of the closed list that holds."""
        judged = made.judged
        if made.mode == "pending":
            return "pending"
        gone = any(not group.sample and all(one.has_ended for one in group.by_seed.values()) for group in parts)
        if self.measure.is_until and any(len(group.sample) < group.seeds_done for group in parts):
            return "unreached"
        if judged is None or judged.n < 2:
            return "none" if gone else "too few"
        if judged.deviation == 0 and judged.value == 0:
            return "equal"
        if not self.measure.is_time and all(group.is_untrained for group in parts):
            return "untrained"
        if judged.centre == "none" or judged.deviation == 0:
            return "unfit"
        if judged.low is None or judged.high is None:
            return "unfit" if judged.outlier and made.mode == "fixed" else "too few"
        found: Finding = finding(judged.low, judged.high, self.smallest)
        return "unfit" if judged.outlier and found == "open" else found


def _answer(family: _Family) -> Answer:
    """By the one knob of two values that is changed for each of them, else by which is best."""
    groups = family.groups
    if not groups:
        return Nothing("no runs")
    if not any(group.sample for group in groups):
        if any(group.done for group in groups):
            return Nothing("no value")
        return Nothing("none has finished" if any(group.waits for group in groups) else "none trained")
    if len(groups) == 1:
        return Alone()
    knob = _changed(groups)
    return _rankings(family) if knob is None else _changes(family, knob)


def _reached(groups: Sequence[Group], measure: Measure) -> tuple[Reached, ...]:
    """Empty where all that finished got there."""
    found = tuple(
        Reached(place, len(one.sample), one.seeds_done, one.members[0].steps_a_test if measure.is_of_tests else None)
        for place, one in enumerate(groups)
        if one.seeds_done
    )
    return found if any(one.reached < one.done for one in found) else ()


def _reached_alike(first: Reached, second: Reached) -> float:
    from scipy.stats import fisher_exact  # half a second: only where it is asked for

    table = [[one.reached, one.done - one.reached] for one in (first, second)]
    return float(fisher_exact(table).pvalue)


def _untrained(place: int, group: Group) -> Untrained:
    done = [member for member in group.by_seed.values() if member.done]
    return Untrained(place, sum(member.untrained for member in done), len(done))


def _left_out(place: int, group: Group) -> list[LeftOut]:
    seen: set[int] = set()
    found = []
    for member in group.members:
        why: Why | None = None
        if not member.done:
            ended: dict[str, Why] = {"failed": "failed", "lost": "lost", "stopped": "stopped", "paused": "paused"}
            why = ended.get(member.status, "not ended")
        elif member.seed in seen:
            why = "same seed again"
        elif member.value is None:
            why = "no value"
        if member.done:
            seen.add(member.seed)
        if why is not None:
            found.append(LeftOut(member.run, place, why))
    return found


def _dropouts(place: int, group: Group) -> Dropouts | None:
    done = {member.seed for member in group.members if member.done}
    gone: dict[str, dict[int, Member]] = {status: {} for status in GONE}
    for member in group.members:
        if member.status in gone and member.seed not in done:
            for of_status in gone.values():
                of_status.pop(member.seed, None)  # its last try counts
            gone[member.status][member.seed] = member
    if not any(gone.values()):
        return None
    failed, lost, stopped = (tuple(one.run for one in of_status.values()) for of_status in gone.values())
    causes = tuple(one.cause or "" for one in gone["failed"].values())
    runs = len({member.seed for member in group.members})
    return Dropouts(place, runs, failed, lost, stopped, causes, tuple(group.sample.values()))


# A knob that is changed

BLOCK = "dataset"
"""Never a treatment: figures on different data sets are not compared."""


def _changed(groups: Sequence[Group]) -> str | None:
    """The knob of two values whose change is the question; pixel order before all others, the model last."""
    varied = differing(groups)
    two = [knob for knob, values in varied.items() if knob != BLOCK and len(values) == 2 and _partners(groups, knob)]
    two = [knob for knob in two if len(_partners(groups, knob)) <= MOST_SUBJECTS]
    two.sort(key=lambda knob: (knob != "pixel_order", knob == "model", split(knob)[0] == "model"))
    alone = len(varied) == 1 or (two and len(groups) == 2 * len(_partners(groups, two[0])))
    return two[0] if two and alone else None


def _partners(groups: Sequence[Group], knob: str) -> list[tuple[int, int]]:
    """Places of configurations that differ in that knob alone, and in knobs that only one of them has."""
    values = differing(groups).get(knob, [])
    varied = [path for path in differing(groups) if path != knob]
    if knob == "pixel_order":  # a seed of the permutation means something where pixels are shuffled alone
        varied = [path for path in varied if path != "permutation_seed"]
    found: dict[str, dict[str, int]] = {}
    for place, group in enumerate(groups):
        if knob not in group.knobs:
            return []
        rest = str([(path, group.knobs.get(path)) for path in varied])
        found.setdefault(rest, {}).setdefault(str(group.knobs[knob]), place)
    both = [(pair.get(str(values[0])), pair.get(str(values[1]))) for pair in found.values()] if len(values) == 2 else []
    return [(first, second) for first, second in both if first is not None and second is not None]


def _changes(family: _Family, knob: str) -> Changes:
    groups = family.groups
    partners = _partners(groups, knob)
    first, second = partners[0]
    step = Step(knob, groups[first].knobs[knob], groups[second].knobs[knob])
    crossed = len(partners) == 2 and groups[partners[0][0]].knobs.get(BLOCK) == groups[partners[1][0]].knobs.get(BLOCK)
    of = len(partners) + (3 if crossed else 0)
    contrasts = tuple(family.contrast("change", (step,), (-1, 1), pair, of) for pair in partners)
    across: tuple[Contrast, ...] = ()
    between = None
    if crossed:
        (first, second), (third, fourth) = partners
        across = tuple(family.contrast("pair", (), (-1, 1), pair, of) for pair in ((first, third), (second, fourth)))
        between = family.contrast("interaction", (step,), (1, -1, -1, 1), (first, second, third, fourth), of)
    order = sorted(range(len(partners)), key=lambda at: _weight(contrasts[at]), reverse=True)
    return Changes(knob, (step.first, step.second), contrasts, across, between, tuple(order))


def _weight(contrast: Contrast) -> tuple[bool, float]:
    if contrast.judged is None:
        return False, -1.0
    return contrast.decision in ("clear", "small"), abs(contrast.judged.value)


# The best


MOST_FAILED = 1
"""A configuration of which more runs failed is not what one would choose."""


def _rankings(family: _Family) -> Rankings:
    """Of more than two configurations of a data set those that may be the best. Else corrected for all pairs, not for
    those with the best alone, since it was chosen by its looks."""
    groups = family.groups
    by_block: dict[Any, list[int]] = {}
    for place, group in enumerate(groups):
        by_block.setdefault(group.knobs.get(BLOCK), []).append(place)
    means = {
        place: sum(group.sample.values()) / len(group.sample) for place, group in enumerate(groups) if group.sample
    }
    finished = [[place for place in places if place in means] for places in by_block.values()]
    pairs = sum(len(places) * (len(places) - 1) // 2 for places in finished)
    blocks = tuple(
        _scaled(family, _ranking(family, places, means, pairs), launched)
        for places, launched in zip(finished, by_block.values(), strict=True)
        if places
    )
    return Rankings(blocks, sum(group.waits for group in groups))


def _scaled(family: _Family, ranking: Ranking, launched: Sequence[int]) -> Ranking:
    """With what the one knob's order tells, where there is one; `launched`: also those without a finished run."""
    varied = differing([family.groups[place] for place in launched])
    if not ranking.is_set or len(varied) != 1:
        return ranking
    ((knob, values),) = varied.items()
    if knob.endswith("seed") or not all(isinstance(value, int | float) for value in values):
        return ranking  # a seed is a number without an order
    out = [place for place in ranking.against if ranking.against[place].reason in ("untrained", "failing")]
    trained = [place for place in ranking.order if place not in out]
    trained.sort(key=lambda place: family.groups[place].knobs[knob])
    first, last, top = (family.groups[place].knobs[knob] for place in (trained[0], trained[-1], ranking.order[0]))
    trend = None
    if len(trained) > 2:
        trend = family.contrast("trend", (Step(knob, first, last),), scale.ranks(len(trained)), trained, 1)
    end = scale.end(values, top)
    lacking = scale.between(values, top) if end is None else scale.beyond(values, end)
    return replace(ranking, knob=knob, trend=trend, end=end, lacking=tuple(lacking))


def _ranking(family: _Family, places: Sequence[int], means: Mapping[int, float], pairs: int) -> Ranking:
    order = sorted(places, key=lambda place: means[place], reverse=family.measure.greater_is_better)
    if len(order) > 2 and family.plan.state != "running" and not family.measure.is_until:
        out = {place: reason for place in order if (reason := _reason(family, place)) is not None}
        rest = [place for place in order if place not in out]
        fixed = _is_fixed(family, order)
        ranked = _fixed_set(family, rest) if fixed else _watched_set(family, rest, pairs)
        if ranked is not None:
            top, comparisons = ranked.order[0], len(order) - 1 if fixed else pairs
            last = {
                place: _no_candidate(family, top, place, comparisons, reason, fixed) for place, reason in out.items()
            }
            return Ranking((*ranked.order, *out), {**ranked.against, **last}, is_set=True)
    top, *others = order
    return Ranking(tuple(order), {one: family.contrast("pair", (), (-1, 1), (top, one), pairs) for one in others})


def _reason(family: _Family, place: int) -> Reason | None:
    """Why a configuration is no candidate, whatever its interval."""
    group = family.groups[place]
    if group.is_untrained and not family.measure.is_time:
        return "untrained"
    dropped = _dropouts(place, group)
    return "failing" if dropped and len(dropped.failed) + len(dropped.lost) > MOST_FAILED else None


def _is_fixed(family: _Family, places: Sequence[int]) -> bool:
    members = [member for place in places for member in family.groups[place].by_seed.values()]
    return family.plan.state == "over" and not any(member.seen and member.done for member in members)


def _fixed_set(family: _Family, places: Sequence[int]) -> Ranking | None:
    """By Hsu's intervals, over the seeds that all have a value of; one that lacks some is compared with the best by
    itself, so that the others keep theirs. None: seeds don't match, or values are not as Student's t assumes.
    """
    if len(places) < 2:
        return Ranking(tuple(places), {}) if places else None
    launched = [set(family.groups[place].by_seed) for place in places]
    if not is_paired(launched):
        return None
    common = set.intersection(*launched)
    whole = [place for place in places if common <= set(family.groups[place].sample)]
    for core in (whole, list(places)):
        ranked = _compared(family, core, len(places) - 1)
        if ranked is None:
            continue
        top = ranked.order[0]
        others = {place: _apart(family, top, place, len(places) - 1) for place in places if place not in core}
        if any(one.judged is None and one.seeds_of_both for one in others.values()):
            return None  # a value lies too far off, or nothing spreads
        against = {**ranked.against, **others}
        if all(one.judged is None or not _is_ahead(one.judged, family.measure) for one in others.values()):
            order = sorted(against, key=lambda place: _behind(against[place], family.measure))
            return Ranking((top, *order), against)
    return None


def _is_ahead(judged: Judged, measure: Measure) -> bool:
    return judged.value != 0 and (judged.value > 0) == measure.greater_is_better


def _behind(contrast: Contrast, measure: Measure) -> float:
    value = contrast.judged.value if contrast.judged else math.inf
    return -value if measure.greater_is_better and contrast.judged else value


def _compared(family: _Family, places: Sequence[int], comparisons: int) -> Ranking | None:
    """Those that have the same seeds, with the best of them."""
    samples = [family.groups[place].sample for place in places]
    seeds = list(statistics.seed_by_seed([0.0] * len(samples), samples)) if samples else []
    if len(places) < 2 or len(seeds) < 2:
        return None
    sign = 1.0 if family.measure.greater_is_better else -1.0
    found = best.standing([[sign * sample[seed] for seed in seeds] for sample in samples], comparisons=comparisons)
    top = int(found.top)
    against = {}
    for at, place in enumerate(places):
        if at == top:
            continue
        pair = [{seed: samples[one][seed] for seed in seeds} for one in (top, at)]
        judged = _judged(pair, float(found.half[at]))
        if judged is None:
            return None
        against[place] = _against(family, places[top], place, judged, comparisons)
    return Ranking((places[top], *against), against)


def _judged(pair: Sequence[statistics.Sample], half: float | None) -> Judged | None:
    """The second minus the first over the same seeds; `half` the width of its interval, None: there is none. None where
    a value lies too far off, or nothing spreads.
    """
    differences = list(statistics.seed_by_seed((-1, 1), pair).values())
    value, n = sum(differences) / len(differences), len(differences)
    if statistics.outlier(differences) is not None or (half == 0 and value != 0):
        return None
    used = tuple(tuple(sample.items()) for sample in pair)
    deviation = float(np.std(differences, ddof=1)) if n > 1 else None
    low, high = (None, None) if half is None else (value - half, value + half)
    effect = statistics.effect_size(value, pair)
    return Judged(value, n, "seed", used, deviation, low, high, None, effect, by_seed=tuple(differences))


def _watched_set(family: _Family, places: Sequence[int], pairs: int) -> Ranking | None:
    """By intervals that hold however often one looks, for all pairs at once: which of them is the best may change."""
    if not places:
        return None
    top, *others = places
    against = {}
    for place in others:
        one = family.contrast("pair", (), (-1, 1), (top, place), pairs)
        if one.decision in DECIDED and one.judged is not None:
            is_left = not one.judged.is_one_sided
            one = replace(
                one, decision="may be best" if is_left else "ruled out", reason=None if is_left else "behind", more=None
            )
        elif one.decision == "equal":
            one = replace(one, decision="may be best")
        against[place] = one
    return Ranking(tuple(places), against)


def _apart(family: _Family, top: int, place: int, comparisons: int, reason: Reason | None = None) -> Contrast:
    """One that lacks seeds, or is no candidate for a reason: compared with the best over the seeds that both have."""
    samples = [family.groups[one].sample for one in (top, place)]
    seeds = list(statistics.seed_by_seed((-1, 1), samples))
    judged = None
    if seeds:
        pair = [{seed: sample[seed] for seed in seeds} for sample in samples]
        half = best.half_of_pair([pair[1][seed] - pair[0][seed] for seed in seeds], comparisons)
        judged = _judged(pair, half or None)
    return _against(family, top, place, judged, comparisons, reason)


def _no_candidate(family: _Family, top: int, place: int, comparisons: int, reason: Reason, fixed: bool) -> Contrast:
    """One that is ruled out for a reason: by how much it is behind all the same."""
    if fixed:
        return _apart(family, top, place, comparisons, reason)
    watched = family.contrast("pair", (), (-1, 1), (top, place), comparisons)
    return replace(watched, decision="ruled out", reason=reason, more=None)


def _against(
    family: _Family, top: int, place: int, judged: Judged | None, comparisons: int, reason: Reason | None = None
) -> Contrast:
    """A configuration minus the best, of a plan that is over; decided by its interval unless there is a reason."""
    if judged is not None and family.measure.is_fraction:
        judged = cut(judged, 1.0)
    decision: Decision = "ruled out" if reason else "too few"
    if judged is not None and not reason:
        if judged.is_one_sided and not _is_ahead(judged, family.measure):
            decision, reason = "ruled out", "behind"
        elif judged.low is not None:
            decision = "may be best"
    parts = [family.groups[one] for one in (top, place)]
    used = judged.used if judged else tuple(tuple(group.sample.items()) for group in parts)
    sides = (Side(top, -1.0, used[0]), Side(place, 1.0, used[1]))
    launched = len(set(parts[0].by_seed) & set(parts[1].by_seed))
    mode: Mode = "watched" if family.plan.state == "watched" else "fixed"
    return Contrast("pair", (), sides, judged, mode, comparisons, launched, decision, reason=reason)
