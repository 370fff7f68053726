"""Means, differences and differences of differences over seeds, with 95% intervals. Pure functions, no I/O.

A *sample* is what one configuration's runs gave: seed to value. A *contrast* is a weighted sum of the means of several
configurations: a difference has the weights 1 and -1, the interaction of two knobs 1, -1, -1, 1. Where the same seeds
ran in all of them, the contrast is taken seed by seed, and what a seed does to all of them alike (the same data order)
falls out; otherwise each configuration's own spread counts.

These intervals keep their promise when the number of seeds was fixed beforehand. While an experiment can still grow,
`app.compare.sequence` is what holds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

LEVEL = 0.95
POWER = 0.8
MOST_SEEDS = 1000
"""`seeds_to_resolve` looks no further."""

Sample = Mapping[int, float]
"""Seed to value, in the order in which the values came."""
Matched = Literal["seed", "arrival", "none"]


class Summary(NamedTuple):
    """One sample in figures."""

    n: int
    mean: float
    deviation: float | None
    """Sample deviation (n - 1 in the denominator); None for one value."""
    low: float | None
    high: float | None
    """Interval of the mean; None for one value."""
    median: float


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of means, judged with Student's t."""

    value: float
    n: int
    """Seeds that ran in all configurations where they match, else the least number of runs of one of them."""
    matched: Matched
    deviation: float | None
    """Of one seed's contrast; None where there are too few to tell."""
    low: float | None
    high: float | None
    t: float | None
    df: float | None
    p: float | None
    """Two-sided p-value of `value` being 0."""
    effect: float | None
    """`value` in deviations of one run (`effect_size`)."""


def summary(values: Sequence[float], level: float = LEVEL) -> Summary:
    """Mean of a sample with its t interval (Student, Biometrika 6, 1908). Raises ValueError for an empty one."""
    array = np.asarray(values, float)
    if not len(array):
        raise ValueError("a sample is empty: it has no mean")
    mean, median = float(array.mean()), float(np.median(array))
    if len(array) == 1:
        return Summary(1, mean, None, None, None, median)
    deviation = float(array.std(ddof=1))
    half = _t_quantile(len(array) - 1, level) * deviation / math.sqrt(len(array))
    return Summary(len(array), mean, deviation, mean - half, mean + half, median)


def seed_by_seed(weights: Sequence[float], samples: Sequence[Sample]) -> dict[int, float]:
    """The contrast of each seed that ran in all samples, in the order in which the last of its runs came."""
    common = [seed for seed in samples[0] if all(seed in sample for sample in samples)]
    came = {seed: max(list(sample).index(seed) for sample in samples) for seed in common}
    common.sort(key=lambda seed: came[seed])
    return {
        seed: sum(weight * sample[seed] for weight, sample in zip(weights, samples, strict=True)) for seed in common
    }


def is_paired(pairs: int, samples: Sequence[Sample]) -> bool:
    """Whether so many common seeds are enough to compare seed by seed: at least two, all that the smallest sample has;
    or, where only some match, at least four and half of that. A few pairs of many runs would throw the others away."""
    smallest = min(map(len, samples))
    return pairs >= 2 and (pairs == smallest or (pairs >= 4 and 2 * pairs >= smallest))


def contrast(weights: Sequence[float], samples: Sequence[Sample], level: float = LEVEL) -> Contrast | None:
    """The contrast of the samples' means; None where one of them is empty.

    Enough common seeds (`is_paired`): the one-sample t of the seeds' contrasts (for two samples the paired t). Else
    Welch's t (B. L. Welch, Biometrika 34, 1947) with the degrees of freedom of F. E. Satterthwaite (Biometrics 2,
    1946), for any number of samples. With one run somewhere there is a value, and no interval.
    """
    if not all(samples):
        return None
    pairs = list(seed_by_seed(weights, samples).values())
    if is_paired(len(pairs), samples):
        value, n, matched = float(np.mean(pairs)), len(pairs), "seed"
        deviation = _deviation(pairs)
        error, df = deviation / math.sqrt(n), float(n - 1)
        samples = [{seed: sample[seed] for seed in seed_by_seed(weights, samples)} for sample in samples]
    else:
        value = sum(w * float(np.mean(list(sample.values()))) for w, sample in zip(weights, samples, strict=True))
        n, matched = min(map(len, samples)), "none"
        if n < 2:
            return Contrast(value, n, "none", None, None, None, None, None, None, None)
        parts = [
            w * w * _deviation(list(sample.values())) ** 2 / len(sample)
            for w, sample in zip(weights, samples, strict=True)
        ]
        error = math.sqrt(sum(parts))
        deviation = error * math.sqrt(n)
        lost = sum(part * part / (len(sample) - 1) for part, sample in zip(parts, samples, strict=True))
        df = sum(parts) ** 2 / lost if lost else math.inf
    effect = effect_size(value, samples)
    if error == 0:
        # no spread at all: nothing to judge chance by, unless nothing differs
        same = value == 0
        low, high, p = (value, value, 1.0) if same else (None, None, None)
        return Contrast(value, n, _matched(matched), 0.0, low, high, None, None, p, effect)
    t, half = value / error, _t_quantile(df, level) * error
    return Contrast(value, n, _matched(matched), deviation, value - half, value + half, t, df, t_p(t, df), effect)


def effect_size(value: float, samples: Sequence[Sample]) -> float | None:
    """A contrast in deviations of one run: divided by the root of the samples' mean variance, which is Cohen's d for
    two of equal size (J. Cohen, Statistical Power Analysis, 1988, section 2.5.1). The same measure whether seeds match
    or not (D. Lakens, Frontiers in Psychology 4:863, 2013). None where there is no spread."""
    variances = [_deviation(list(sample.values())) ** 2 for sample in samples if len(sample) > 1]
    spread = math.sqrt(sum(variances) / len(variances)) if variances else 0.0
    return value / spread if spread else None


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected for being several, in the same order: S. Holm's step-down procedure (Scandinavian Journal of
    Statistics 6, 1979). All below 0.05 may be claimed, and the chance of one wrong claim stays below 5%."""
    corrected, least = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        least = max(least, min(1.0, (len(p) - rank) * p[index]))
        corrected[index] = least
    return corrected


def seeds_to_resolve(difference: float, deviation: float, level: float = LEVEL, power: float = POWER) -> int | None:
    """The least number of seeds with which the t test of a contrast, whose values deviate so from seed to seed, finds a
    true `difference` with that power (J. Cohen 1988, section 2.3: the noncentral t). None: more than MOST_SEEDS."""
    if difference == 0 or not math.isfinite(difference):
        return None
    if deviation == 0:
        return 2
    low, high = 1, 2
    while power_of(high, difference / deviation, level) < power:
        low, high = high, high * 2
        if low > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if power_of(middle, difference / deviation, level) < power else (low, middle)
    return high if high <= MOST_SEEDS else None


def power_of(n: int, standardised: float, level: float = LEVEL) -> float:
    """Chance that the one-sample t test of n values finds a mean that lies `standardised` deviations from 0."""
    if n < 2:
        return 0.0
    from scipy.special import nctdtr

    df, shift, bound = n - 1, abs(standardised) * math.sqrt(n), _t_quantile(n - 1, level)
    power = float(1 - nctdtr(df, shift, bound) + nctdtr(df, shift, -bound))
    return power if math.isfinite(power) else _integrated_power(df, shift, bound)


def _integrated_power(df: int, shift: float, bound: float) -> float:
    """The same where SciPy's noncentral t is NaN, far out: the normal's chance of passing `bound` deviations,
    averaged over what the deviation of n values may be (the definition of the noncentral t), at 4,096 of its
    quantiles."""
    from scipy.special import chdtri, ndtr

    share = (np.arange(4096) + 0.5) / 4096
    deviation = np.sqrt(chdtri(df, share) / df)
    return float(np.mean(ndtr(shift - bound * deviation) + ndtr(-shift - bound * deviation)))


def t_p(t: float, df: float) -> float:
    """Two-sided p-value of Student's t."""
    from scipy.special import stdtr  # scipy only where a comparison is asked for; .special alone is light

    return float(2 * stdtr(df, -abs(t))) if math.isfinite(df) else math.erfc(abs(t) / math.sqrt(2))


def _t_quantile(df: float, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + level) / 2))


def _deviation(values: Sequence[float]) -> float:
    """Sample deviation; 0 where the values differ by rounding alone."""
    deviation, largest = float(np.std(values, ddof=1)), max(map(abs, values))
    return deviation if deviation > 1e-12 * largest else 0.0


def _matched(word: str) -> Matched:
    return "seed" if word == "seed" else "none"
