"""Whether a contrast of configurations is more than chance, and what would tell. Pure functions, no I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from app.compare import sequence, statistics
from app.compare.groups import Group
from app.compare.statistics import Matched

ALPHA = 1 - statistics.LEVEL


class Look(NamedTuple):
    """After one more matched set of runs; intervals None as long as there is none."""

    seed: int | None
    """Of the set; None where seeds don't match and runs are paired as they came."""
    value: float
    """Contrast of this set."""
    mean: float
    low: float | None
    high: float | None
    evidence: float
    """Against there being no difference, of the 20 that settle."""


@dataclass(frozen=True)
class Judged:
    """A contrast and its interval: ordinary if the number of seeds was fixed beforehand, else valid while watched."""

    value: float
    n: int
    matched: Matched
    deviation: float | None
    low: float | None
    high: float | None
    p: float | None
    """Two-sided p-value; while watched the anytime-valid one, 1 over the greatest evidence so far."""
    effect: float | None
    more: int | None
    """About so many more seeds would settle a difference as large as `value`; None: it is settled, or no telling."""
    looks: tuple[Look, ...] = ()
    corrected: float | None = None
    """p after Holm's correction, over the comparisons that it stands among."""

    @property
    def clear(self) -> bool:
        """More than chance, after the correction."""
        return self.corrected is not None and self.corrected <= ALPHA


def judge(weights: Sequence[float], groups: Sequence[Group], *, watched: bool) -> Judged | None:
    """The weighted sum of the groups' means; None where one has no finished run."""
    samples = [group.sample for group in groups]
    found = statistics.contrast(weights, samples)
    if found is None:
        return None
    if watched:
        return _watched(weights, samples, found)
    more = None
    if found.deviation and found.p is not None and found.p > ALPHA:
        seeds = statistics.seeds_to_resolve(found.value, found.deviation)
        more = None if seeds is None else max(1, seeds - found.n)
    return Judged(
        found.value, found.n, found.matched, found.deviation, found.low, found.high, found.p, found.effect, more
    )


def _watched(weights: Sequence[float], samples: Sequence[statistics.Sample], found: statistics.Contrast) -> Judged:
    """Judged by the confidence sequence, of differences paired by seed, else by order of arrival."""
    pairs: dict[int, float] = statistics.seed_by_seed(weights, samples)
    matched: Matched = "seed"
    if min(map(len, samples)) >= 2 and not statistics.is_paired(len(pairs), samples):
        matched = "arrival"
        came = zip(*(sample.values() for sample in samples), strict=False)
        pairs = {
            index: sum(weight * value for weight, value in zip(weights, values, strict=True))
            for index, values in enumerate(came)
        }
    if not pairs:
        return Judged(found.value, 0, "none", None, None, None, None, found.effect, None)
    looks = look_by_look(pairs if matched == "seed" else list(pairs.values()))
    last, n = looks[-1], len(looks)
    deviation = statistics.summary(list(pairs.values())).deviation
    p = min(1.0, 1 / max(look.evidence for look in looks))
    more = None
    if p > ALPHA and deviation:
        needed = sequence.needed(last.mean, deviation)
        more = None if needed is None else max(1, needed - n)
    return Judged(last.mean, n, matched, deviation, last.low, last.high, p, found.effect, more, looks)


def look_by_look(values: statistics.Sample | Sequence[float]) -> tuple[Look, ...]:
    """The confidence sequence over values, at least one, in the order in which they came."""
    seeds = list(values) if isinstance(values, dict) else [None] * len(values)
    numbers = list(values.values()) if isinstance(values, dict) else list(values)
    found = sequence.looks(numbers)
    return tuple(
        Look(seed, float(value), float(mean), _finite(low), _finite(high), float(evidence))
        for seed, value, mean, low, high, evidence in zip(seeds, numbers, *found, strict=True)
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def correct(family: Sequence[Judged | None], comparisons: int | None = None) -> list[Judged | None]:
    """The family with Holm's correction. `comparisons`: how many there would be, where only some were made because of
    what the data showed, as those with the best; each p is then multiplied by that (Bonferroni)."""
    tested = [judged.p for judged in family if judged is not None and judged.p is not None]
    if comparisons is None:
        corrected = iter(statistics.holm(tested))
    else:
        corrected = iter([min(1.0, p * comparisons) for p in tested])
    return [
        judged if judged is None or judged.p is None else replace(judged, corrected=next(corrected))
        for judged in family
    ]


def turned(judged: Judged) -> Judged:
    """The same the other way round."""

    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    looks = tuple(
        look._replace(value=-look.value, mean=-look.mean, low=minus(look.high), high=minus(look.low))
        for look in judged.looks
    )
    low, high, effect = minus(judged.high), minus(judged.low), minus(judged.effect)
    return replace(judged, value=-judged.value, low=low, high=high, effect=effect, looks=looks)
