"""Which of several configurations may be the best: Hsu's comparison with the best, over the seeds that ran in all.

Of k configurations one is chosen by its looks, so an interval of each pair would have to stand for all k (k - 1) / 2 of
them. But whether the true best is ruled out is a question of k - 1 pairs alone, whichever it is: a configuration is
ruled out where the one with the best mean lies further ahead than chance explains in k - 1 comparisons at once. Then
the true best is ruled out in at most 1 of 20 experiments, and few others are left.

J. C. Hsu, Simultaneous confidence intervals for all distances from the "best", Annals of Statistics 9, 1981. J. C. Hsu,
Constrained simultaneous confidence intervals for multiple comparisons with the best, Annals of Statistics 12, 1984.
C. W. Dunnett, A multiple comparison procedure for comparing several treatments with a control, Journal of the American
Statistical Association 50, 1955. M. B. Brown, A. B. Forsythe, Robust tests for the equality of variances, ibid. 69,
1974 (Levene's test around medians).

Pure functions, no I/O. Arrays are of shape (..., k, n): k configurations, the n seeds that ran in all of them.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.compare.statistics import LEVEL

ALIKE = 0.1
"""Levene's p above which all configurations are taken to spread alike, and one deviation is worked out from all."""
NODES = 96
"""Of each of two quadratures: the critical values are exact to 1e-9."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Standing(NamedTuple):
    """How each of k configurations stands against the one with the best mean, arrays of shape (..., k).

    Values are turned so that more is better.
    """

    top: npt.NDArray[np.int64]
    """Place of the best mean, shape (...)."""
    difference: Floats
    """Mean minus the best mean: 0 of the best itself, else negative."""
    half: Floats
    """Half the width of a difference's interval; 0 of the best itself."""
    pooled: Bools
    """Whether the halves rest on one deviation of all configurations, shape (...); else on that of each pair."""

    @property
    def may_be_best(self) -> Bools:
        """The others are ruled out."""
        return np.asarray((self.difference + self.half > 0) | (self.difference == 0))


def standing(values: npt.ArrayLike, level: float = LEVEL, comparisons: int | None = None) -> Standing:
    """Of runs' values of shape (..., k, n), more being better. `comparisons`: with the best, where there are more of
    them than these k - 1. Raises ValueError for k < 2 or n < 2."""
    y = np.asarray(values, float)
    k, n = y.shape[-2:]
    if k < 2 or n < 2:
        raise ValueError(f"{k} configurations with {n} seeds: at least two of each can be compared")
    means = y.mean(-1)
    top = means.argmax(-1)
    ahead = np.take_along_axis(y, top[..., None, None], -2)
    differences = y - ahead
    alike = levene(y) > ALIKE
    rest = y - means[..., None] - y.mean(-2, keepdims=True) + y.mean((-2, -1), keepdims=True)
    df, comparisons = (k - 1) * (n - 1), comparisons or k - 1
    spread = np.sqrt((rest**2).sum((-2, -1)) / df)
    of_all = dunnett(comparisons, df, level) * spread * math.sqrt(2 / n)
    of_pair = bonferroni(comparisons, n - 1, level) * differences.std(-1, ddof=1) / math.sqrt(n)
    half = np.where(alike[..., None], of_all[..., None], of_pair)
    is_top = np.arange(k) == top[..., None]
    return Standing(top, differences.mean(-1), np.where(is_top, 0.0, half), alike)


def half_of_pair(differences: Sequence[float], comparisons: int, level: float = LEVEL) -> float | None:
    """Half the width of the interval of one pair by itself, of so many with the best; None: one seed tells nothing."""
    n = len(differences)
    if n < 2:
        return None
    return bonferroni(comparisons, n - 1, level) * float(np.std(differences, ddof=1)) / math.sqrt(n)


def intervals(means: npt.ArrayLike, half: float) -> tuple[Floats, Floats]:
    """Hsu's intervals of each mean minus the best of the others, more being better, where all pairs have one half
    width.

    They reach 0: whose upper end is 0 is ruled out, whose lower end is 0 is the best.
    """
    m = np.asarray(means, float)
    others = np.where(np.eye(m.shape[-1], dtype=bool), -math.inf, m[..., None, :]).max(-1)
    return np.minimum(0.0, m - others - half), np.maximum(0.0, m - others + half)


def levene(values: Floats) -> Floats:
    """p-value that configurations spread alike around what seed and configuration have in common, shape (...).

    1 where there is no spread at all."""
    from scipy.special import fdtrc

    k, n = values.shape[-2:]
    rest = values - values.mean(-2, keepdims=True)  # what a seed does to all of them alike
    away = np.abs(rest - np.median(rest, -1, keepdims=True))
    of_each = away.mean(-1, keepdims=True)
    between = n * ((of_each - away.mean((-2, -1), keepdims=True)) ** 2).sum((-2, -1)) / (k - 1)
    within = ((away - of_each) ** 2).sum((-2, -1)) / (k * (n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nan_to_num(fdtrc(k - 1, k * (n - 1), between / within), nan=1.0), float)


def bonferroni(comparisons: int, df: float, level: float = LEVEL) -> float:
    """Student's t that none of so many one-sided comparisons passes by chance, in `level` of experiments or more."""
    from scipy.special import stdtrit

    return float(stdtrit(df, 1 - (1 - level) / comparisons))


@functools.lru_cache(1024)
def dunnett(comparisons: int, df: float, level: float = LEVEL) -> float:
    """The same where all comparisons are with one configuration and rest on one deviation with `df` degrees of freedom:
    then their t have a correlation of a half, and the value is exact."""
    from scipy.optimize import brentq

    return float(brentq(lambda d: _none_passes(d, comparisons, df) - level, 0.0, 1e3, xtol=1e-12))


def _none_passes(d: float, comparisons: int, df: float) -> float:
    """Chance that all of so many (Z_i - Z_0) / (√2 S) are below d: over the shared Z_0 and the deviation S."""
    from scipy.special import ndtr

    z, of_z = _normal()
    s, of_s = _deviation(df)
    return float(of_s @ ndtr(d * math.sqrt(2) * s[:, None] + z) ** comparisons @ of_z)


@functools.cache
def _normal() -> tuple[Floats, Floats]:
    """Nodes and weights over a standard normal variable."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    z = 9 * nodes
    return z, 9 * weights * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


@functools.lru_cache(1024)
def _deviation(df: float) -> tuple[Floats, Floats]:
    """Nodes and weights over S, where df · S² is chi-squared with df degrees of freedom."""
    from scipy.special import chdtri

    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    low, high = (math.sqrt(float(chdtri(df, tail)) / df) for tail in (1 - 1e-15, 1e-15))
    s = (high + low) / 2 + (high - low) / 2 * nodes
    density = np.exp(
        math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2) + (df - 1) * np.log(s) - df * s * s / 2
    )
    return s, (high - low) / 2 * weights * density


# What chance makes


class Simulated(NamedTuple):
    """Over many experiments at random."""

    true_best_out: float
    """Share of experiments in which the configuration that is the best in truth is ruled out."""
    others_out: float
    """How many of the others are, on average."""


def simulated(
    count: int, configurations: int, seeds: int, spread: float, unlike: bool = False, seed: int = 1
) -> Simulated:
    """Configurations whose true means spread by so many deviations of a run, with seeds that move all of them alike;
    `unlike`: their runs spread differently, by up to eight times."""
    random = np.random.default_rng(seed)
    means = spread * random.normal(size=(count, configurations))
    of_run = 2.0 ** random.uniform(-1.5, 1.5, (count, configurations)) if unlike else np.ones((count, configurations))
    noise = of_run[..., None] * random.normal(size=(count, configurations, seeds))
    out = ~standing(means[..., None] + noise + random.normal(size=(count, 1, seeds))).may_be_best
    of_best = np.take_along_axis(out, means.argmax(-1)[:, None], -1)
    return Simulated(float(of_best.mean()), float((out.sum(-1) - of_best[:, 0]).mean()))
