"""Means, differences and differences of differences over seeds, with 95% intervals. Pure functions, no I/O.

A *sample* is what one configuration's runs gave: seed to value. A *contrast* is a weighted sum of the means of several
configurations: a difference has the weights 1 and -1, the interaction of two knobs 1, -1, -1, 1. Where the same seeds
ran in all of them, the contrast is taken seed by seed, and what a seed does to all of them alike (the same data order)
falls out; otherwise each configuration's own spread counts.

These intervals keep their promise when the number of seeds was fixed beforehand. While an experiment can still grow,
`app.compare.sequence` is what holds.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

LEVEL = 0.95
MARGIN = 0.84
"""Standard errors by which a difference is to pass its interval's half width: the 80% point of a Gaussian."""
MOST_SEEDS = 1000
"""`seeds_to_settle` looks no further."""

Sample = Mapping[int, float]
"""Seed to value, in the order in which the runs were launched."""
Matched = Literal["seed", "order", "none"]


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


def summary(
    values: Sequence[float], level: float = LEVEL, within: tuple[float, float] = (-math.inf, math.inf)
) -> Summary:
    """Mean of a sample with its t interval (Student, Biometrika 6, 1908), cut where no value can be. Raises ValueError
    for an empty one."""
    array = np.asarray(values, float)
    if not len(array):
        raise ValueError("a sample is empty: it has no mean")
    mean, median = float(array.mean()), float(np.median(array))
    if len(array) == 1:
        return Summary(1, mean, None, None, None, median)
    deviation = float(array.std(ddof=1))
    half = t_quantile(len(array) - 1, level) * deviation / math.sqrt(len(array))
    low, high = max(within[0], mean - half), min(within[1], mean + half)
    return Summary(len(array), mean, deviation, low, high, median)


def seed_by_seed(weights: Sequence[float], samples: Sequence[Sample]) -> dict[int, float]:
    """The contrast of each seed that ran in all samples, in the order of the first."""
    return {
        seed: sum(weight * sample[seed] for weight, sample in zip(weights, samples, strict=True))
        for seed in samples[0]
        if all(seed in sample for sample in samples)
    }


def is_paired(seeds: Sequence[Collection[int]]) -> bool:
    """Whether samples with these seeds are compared seed by seed: where all that the smallest one has are common; or,
    where only some match, at least four and half of that. A few pairs of many runs would throw the others away."""
    common = len(set.intersection(*map(set, seeds)))
    smallest = min(map(len, seeds))
    return common == smallest or (common >= 4 and 2 * common >= smallest)


def contrast(
    weights: Sequence[float], samples: Sequence[Sample], level: float = LEVEL, *, paired: bool | None = None
) -> Contrast | None:
    """The contrast of the samples' means; None where one of them is empty.

    Paired (None: as `is_paired` says of the seeds there are): the one-sample t of the seeds' contrasts (for two samples
    the paired t). Else Welch's t (B. L. Welch, Biometrika 34, 1947) with the degrees of freedom of F. E. Satterthwaite
    (Biometrics 2, 1946), for any number of samples. With one run somewhere, or without any spread, there is a value and
    no interval.
    """
    if not all(samples):
        return None
    by_seed = seed_by_seed(weights, samples)
    if is_paired(samples) if paired is None else paired:
        if not by_seed:
            return None
        value, n, matched, df = float(np.mean(list(by_seed.values()))), len(by_seed), "seed", float(len(by_seed) - 1)
        samples = [{seed: sample[seed] for seed in by_seed} for sample in samples]
        deviation = _deviation(list(by_seed.values())) if n > 1 else 0.0
        error = deviation / math.sqrt(n)
    else:
        value = sum(w * float(np.mean(list(sample.values()))) for w, sample in zip(weights, samples, strict=True))
        n, matched, df = min(map(len, samples)), "none", math.inf
        error = deviation = 0.0
        if n > 1:
            parts = [
                w * w * _deviation(list(sample.values())) ** 2 / len(sample)
                for w, sample in zip(weights, samples, strict=True)
            ]
            error = math.sqrt(sum(parts))
            deviation = error * math.sqrt(n)
            lost = sum(part * part / (len(sample) - 1) for part, sample in zip(parts, samples, strict=True))
            df = sum(parts) ** 2 / lost if lost else math.inf
    effect = effect_size(value, samples)
    if n < 2:
        return Contrast(value, n, _matched(matched), None, None, None, None, None, None, effect)
    if error == 0:
        return Contrast(value, n, _matched(matched), 0.0, None, None, None, None, None, effect)
    t, half = value / error, t_quantile(df, level) * error
    return Contrast(value, n, _matched(matched), deviation, value - half, value + half, t, df, t_p(t, df), effect)


def outlier(values: Sequence[float]) -> int | None:
    """Place of the value that lies too far off for a mean of all to mean anything: the greatest deleted studentised
    residual, if its two-sided p is below 0.01/n (R. D. Cook, S. Weisberg, Residuals and Influence in Regression, 1982,
    section 2.2.2, with Bonferroni's correction). Accuracies are counts of images: the others are taken to spread at
    least as values do that are rounded to the smallest step seen. None: none does, or there are fewer than 5."""
    array, n = np.asarray(values, float), len(values)
    if n < 5 or _deviation(values) == 0:
        return None
    at = int(np.argmax(np.abs(array - array.mean())))
    others = np.delete(array, at)
    steps = np.diff(np.sort(array))
    step = steps[steps > 1e-9 * np.abs(array).max()].min()
    spread = max(_deviation(others.tolist()), step / math.sqrt(12)) * math.sqrt(1 + 1 / (n - 1))
    return at if t_p(float((array[at] - others.mean()) / spread), n - 2) < 0.01 / n else None


def effect_size(value: float, samples: Sequence[Sample]) -> float | None:
    """A contrast in deviations of one run: divided by the root of the samples' mean variance, which is Cohen's d for
    two of equal size (J. Cohen, Statistical Power Analysis, 1988, section 2.5.1). The same measure whether seeds match
    or not (D. Lakens, Frontiers in Psychology 4:863, 2013). None where there is no spread."""
    variances = [_deviation(list(sample.values())) ** 2 for sample in samples if len(sample) > 1]
    spread = math.sqrt(sum(variances) / len(variances)) if variances else 0.0
    return value / spread if spread else None


def expected_best(values: Sequence[float], draws: int, *, greater_is_better: bool = True) -> float:
    """The best value that so many draws are expected to have, each of them as likely as the others any of `values`
    (J. Dodge, S. Gururangan, D. Card, R. Schwartz, N. A. Smith, Show your work, EMNLP 2019). Raises ValueError for no
    values or no draws."""
    if not values or draws < 1:
        raise ValueError(f"{len(values)} values and {draws} draws: there is no best of none")
    ordered = np.sort(np.asarray(values, float) if greater_is_better else -np.asarray(values, float))
    below = (np.arange(len(ordered) + 1) / len(ordered)) ** draws  # chance that all draws are among the least so many
    expected = float(ordered @ np.diff(below))
    return expected if greater_is_better else -expected


def seeds_to_settle(difference: float, deviation: float, level: float = LEVEL) -> int | None:
    """The least number of seeds with which a contrast whose values deviate so from seed to seed has an interval that
    leaves 0 out with a chance of about 80%, if it is as large as `difference`: half the interval and 0.84 standard
    errors are less than that. None: more than MOST_SEEDS."""
    for n in range(2, MOST_SEEDS + 1):
        if (t_quantile(n - 1, level) + MARGIN) * deviation / math.sqrt(n) < abs(difference):
            return n
    return None


def t_p(t: float, df: float) -> float:
    """Two-sided p-value of Student's t."""
    from scipy.special import stdtr  # scipy only where a comparison is asked for; .special alone is light

    return float(2 * stdtr(df, -abs(t))) if math.isfinite(df) else math.erfc(abs(t) / math.sqrt(2))


def t_quantile(df: float, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + level) / 2))


def _deviation(values: Sequence[float]) -> float:
    """Sample deviation; 0 where the values differ by rounding alone."""
    deviation, largest = float(np.std(values, ddof=1)), max(map(abs, values))
    return deviation if deviation > 1e-12 * largest else 0.0


def _matched(word: str) -> Matched:
    return "seed" if word == "seed" else "none"
