"""A contrast of configurations with its interval, and what can be said of it. Pure functions, no I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal, NamedTuple

import numpy as np

from app.compare import sequence, statistics
from app.compare.groups import Group
from app.compare.statistics import Matched, Sample

ALPHA = 1 - statistics.LEVEL

Mode = Literal["pending", "fixed", "watched"]
"""A fixed plan that is not over; one that is, looked at once; anything else, looked at whenever one likes."""
Finding = Literal["no difference", "clear", "small", "open"]
"""By the interval and d, the smallest difference that matters: wholly within ± d; wholly outside of ± d; without 0;
none of these."""
Centre = Literal["mean", "median", "none"]
"""What a value is: the median where a mean would say nothing, as one value lies far off or the mean lies outside of the
interval; none: so does the median, and no single difference fits the values."""


class Look(NamedTuple):
    """After one more matched set of runs; intervals None as long as there is none."""

    seed: int | None
    """Of the set; None where seeds don't match and runs are paired in the order launched."""
    value: float
    """Contrast of this set."""
    mean: float
    low: float | None
    high: float | None
    evidence: float
    """Against there being no difference; 20 settle one contrast."""
    empty: bool
    """No difference fits all looks so far: values are not as is assumed, and there is no interval any more."""


class Outlier(NamedTuple):
    """A seed whose value lies so far off that a mean says nothing."""

    seed: int | None
    value: float


@dataclass(frozen=True)
class Judged:
    """A contrast over the seeds that count, with the interval it is decided by."""

    value: float
    """The mean over the seeds that count; or their median (`centre`)."""
    n: int
    matched: Matched
    used: tuple[tuple[tuple[int, float], ...], ...]
    """Of each configuration (seed, value), of the runs that count."""
    deviation: float | None
    """Of one seed's contrast; None of one seed."""
    low: float | None
    high: float | None
    """Simultaneous over all that are decided together; None: too few seeds, no spread, or a plan that is not over."""
    p: float | None
    """Two-sided, of this contrast alone; while watched 1 over the greatest evidence so far."""
    effect: float | None
    looks: tuple[Look, ...] = ()
    """While watched those that decide; while a plan is not over those that may be looked at, by themselves."""
    outlier: Outlier | None = None
    centre: Centre = "mean"
    by_seed: tuple[float, ...] = ()
    """The contrast of each seed; empty where seeds don't match."""

    @property
    def is_one_sided(self) -> bool:
        """0 is outside of the interval."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def above(self) -> int:
        """Seeds in which it is over 0; none are counted where seeds don't match."""
        return sum(look > 0 for look in self.by_seed)

    @property
    def below(self) -> int:
        return sum(look < 0 for look in self.by_seed)


class _Set(NamedTuple):
    """One run of each configuration."""

    seed: int | None
    of: tuple[tuple[int, float | None], ...]
    """Of each (seed, value)."""
    ended: bool

    @property
    def values(self) -> tuple[float, ...] | None:
        values = tuple(value for _, value in self.of if value is not None)
        return values if len(values) == len(self.of) else None


def judge(weights: Sequence[float], groups: Sequence[Group], mode: Mode, family: int) -> Judged | None:
    """The weighted sum of the groups' means, one of `family` that are decided together: at 1 - 0.05/family, or at the
    bound 20·family (C. E. Bonferroni, 1936). None where no run, or no set of runs, counts yet.

    Runs are paired by seed where enough of the seeds launched match (`statistics.is_paired`).
    """
    paired = _is_paired(groups)
    if mode == "fixed" and not paired:
        return _welch(weights, [group.sample for group in groups], family)
    sets = _sets(groups) if paired else _in_order(groups)
    counted = [one for one in (_prefix(sets) if mode == "watched" else sets) if one.values is not None]
    if not counted:
        return None
    values = [_weighted(weights, one.values or ()) for one in counted]
    used = tuple(zip(*([(seed, value or 0.0) for seed, value in one.of] for one in counted), strict=True))
    found = statistics.contrast(weights, [dict(enumerate(value for _, value in side)) for side in used], paired=True)
    assert found is not None
    judged = Judged(
        found.value, found.n, "seed" if paired else "order", used, found.deviation, None, None, None, found.effect
    )
    if paired:
        judged = replace(judged, by_seed=tuple(values))
    at = statistics.outlier(values)
    if at is not None:
        judged = replace(judged, outlier=Outlier(counted[at].seed, values[at]))
    if mode == "fixed" and at is None:
        level = 1 - ALPHA / family
        exact = statistics.contrast(weights, [dict(enumerate(v for _, v in side)) for side in used], level, paired=True)
        assert exact is not None
        return replace(judged, low=exact.low, high=exact.high, p=exact.p)
    if mode == "pending":
        early = [one for one in _prefix(sets) if one.values is not None]
        return replace(judged, looks=_looks(weights, early, sequence.BOUND)) if early else judged
    # also where a value of a fixed plan lies far off: the sign's evidence stands that, Student's t does not
    looks = _looks(weights, counted, sequence.BOUND * family)
    p = min(1.0, 1 / max(look.evidence for look in looks)) if len(looks) > 1 and found.deviation else None
    value, centre, low, high = centred(values, looks) if found.deviation else (found.value, "mean", None, None)
    return replace(judged, value=value, centre=centre, low=low, high=high, p=p, looks=looks)


def watched(weights: Sequence[float], groups: Sequence[Group]) -> list[float]:
    """The weighted sum of each set of runs that counts while one watches, in the order launched: what `judge` looks
    at."""
    sets = _sets(groups) if _is_paired(groups) else _in_order(groups)
    return [_weighted(weights, one.values) for one in _prefix(sets) if one.values is not None]


def _is_paired(groups: Sequence[Group]) -> bool:
    return statistics.is_paired([group.by_seed for group in groups])


def centred(values: Sequence[float], looks: Sequence[Look]) -> tuple[float, Centre, float | None, float | None]:
    """What the interval of the last look is of, what that is, and the interval: none where nothing fits it."""
    mean, low, high = looks[-1].mean, looks[-1].low, looks[-1].high
    if looks[-1].empty:
        return mean, "none", None, None
    if low is None or high is None or (statistics.outlier(values) is None and low <= mean <= high):
        return mean, "mean", low, high
    median = float(np.median(values))
    return (median, "median", low, high) if low <= median <= high else (mean, "none", None, None)


def _welch(weights: Sequence[float], samples: Sequence[Sample], family: int) -> Judged | None:
    found = statistics.contrast(weights, samples, 1 - ALPHA / family, paired=False)
    if found is None:
        return None
    used = tuple(tuple(sample.items()) for sample in samples)
    far = None
    for weight, sample in zip(weights, samples, strict=True):
        at = statistics.outlier(list(sample.values()))
        if at is not None:
            seed = list(sample)[at]
            far = Outlier(seed, math.copysign(1.0, weight) * sample[seed])
    low, high = (None, None) if far else (found.low, found.high)
    return Judged(found.value, found.n, "none", used, found.deviation, low, high, found.p, found.effect, outlier=far)


def _sets(groups: Sequence[Group]) -> list[_Set]:
    """Of each seed that was launched in all of them, in the order launched."""
    members = [group.by_seed for group in groups]
    common = [seed for seed in members[0] if all(seed in of_group for of_group in members)]
    common.sort(key=lambda seed: max(of_group[seed].run for of_group in members))
    return [
        _Set(
            seed,
            tuple((seed, of_group[seed].value if of_group[seed].done else None) for of_group in members),
            all(of_group[seed].has_ended for of_group in members),
        )
        for seed in common
    ]


def _in_order(groups: Sequence[Group]) -> list[_Set]:
    """Where seeds don't match: the first launched of each, the second, …; without those that ended with no value."""
    there = [
        [one for one in group.by_seed.values() if not one.has_ended or (one.done and one.value is not None)]
        for group in groups
    ]
    return [
        _Set(
            None,
            tuple((member.seed, member.value if member.done else None) for member in members),
            all(member.has_ended for member in members),
        )
        for members in zip(*there, strict=False)
    ]


def _prefix(sets: Sequence[_Set]) -> list[_Set]:
    """Each counts once all sets before it have ended: which come first must not depend on what they give."""
    return list(takewhile(lambda one: one.ended, sets))


def _looks(weights: Sequence[float], sets: Sequence[_Set], bound: float) -> tuple[Look, ...]:
    values = [_weighted(weights, one.values or ()) for one in sets]
    looks = look_by_look(values, bound)
    return tuple(look._replace(seed=one.seed) for look, one in zip(looks, sets, strict=True))


def _weighted(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def look_by_look(values: Sample | Sequence[float], bound: float = sequence.BOUND) -> tuple[Look, ...]:
    """The confidence sequence over values, at least one, in the order launched."""
    seeds = list(values) if isinstance(values, dict) else [None] * len(values)
    numbers = list(values.values()) if isinstance(values, dict) else list(values)
    looks = sequence.looks(numbers, bound=bound)
    return tuple(
        Look(seed, float(value), float(mean), *_ends(low, high), float(evidence), bool(low > high))
        for seed, value, mean, low, high, evidence in zip(seeds, numbers, *looks, strict=True)
    )


def _ends(low: float, high: float) -> tuple[float | None, float | None]:
    if low > high:
        return None, None
    return float(low) if math.isfinite(low) else None, float(high) if math.isfinite(high) else None


def finding(low: float, high: float, smallest: float) -> Finding:
    """What an interval says, where differences under `smallest` don't matter."""
    if -smallest <= low and high <= smallest:
        return "no difference"
    if low > smallest or high < -smallest:
        return "clear"
    return "small" if low > 0 or high < 0 else "open"


def more_seeds(judged: Judged, mode: Mode, family: int, smallest: float) -> int | None:
    """About so many more seeds would settle a difference as large as the one seen. None: it is too small to matter, or
    they would be very many, or that can't be told."""
    if not judged.deviation or abs(judged.value) < smallest or judged.outlier:
        return None
    if mode == "fixed":
        wanted = statistics.seeds_to_settle(judged.value, judged.deviation, 1 - ALPHA / family)
    else:
        wanted = sequence.needed(judged.value, judged.deviation, sequence.BOUND * family)
    return None if wanted is None else max(1, wanted - judged.n)


def cut(judged: Judged, most: float) -> Judged:
    """The same with intervals cut where no difference can be: beyond ± `most`."""

    def within(value: float | None) -> float | None:
        return None if value is None else min(most, max(-most, value))

    looks = tuple(look._replace(low=within(look.low), high=within(look.high)) for look in judged.looks)
    return replace(judged, low=within(judged.low), high=within(judged.high), looks=looks)


def turned(judged: Judged) -> Judged:
    """The same the other way round."""

    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    looks = tuple(
        look._replace(value=-look.value, mean=-look.mean, low=minus(look.high), high=minus(look.low))
        for look in judged.looks
    )
    far = judged.outlier._replace(value=-judged.outlier.value) if judged.outlier else None
    return replace(
        judged,
        value=-judged.value,
        low=minus(judged.high),
        high=minus(judged.low),
        effect=minus(judged.effect),
        looks=looks,
        outlier=far,
        by_seed=tuple(-value for value in judged.by_seed),
    )
