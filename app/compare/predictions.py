"""What one net gets wrong, and where two nets differ, on the same test images. Pure functions, no I/O.

All arrays have one entry a test image, shape (N,): labels and predicted classes as whole numbers from 0.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from app.compare import statistics

Array = npt.NDArray[Any]


def confusion(labels: Array, predicted: Array, classes: int) -> Array:
    """Counts, shape (classes, classes): row the true class, column the predicted one."""
    return np.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share, `successes` of `n`: Wilson's score interval (E. B. Wilson, JASA 22, 1927), without
    correction for continuity. (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    middle = (successes + z2 / 2) / (n + z2)
    half = math.sqrt(z2) / (n + z2) * math.sqrt(successes * (n - successes) / n + z2 / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p-value of the exact test (Q. McNemar, Psychometrika 12, 1947): that, of the images which one of two
    nets gets right and the other wrong, each net is as often the right one. 1.0 where there are none."""
    from scipy.stats import binomtest  # half a second: only when it is asked for

    n = only_first + only_second
    return float(binomtest(only_first, n, 0.5).pvalue) if n else 1.0


def paired_interval(only_first: int, only_second: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of the difference of two accuracies on the same n images, first minus second: Wald's for paired shares
    with half an image added to each of the four counts (A. Agresti, Y. Min, Statistics in Medicine 24, 2005)."""
    b, c, size = only_first + 0.5, only_second + 0.5, n + 2
    difference = (b - c) / size
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * math.sqrt((b + c) - (b - c) ** 2 / size) / size
    return max(-1.0, difference - half), min(1.0, difference + half)


@dataclass(frozen=True)
class Agreement:
    """Two nets on the same test images."""

    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    same_wrong: int
    """Of both_wrong, those on which both say the same class."""

    @property
    def n(self) -> int:
        return self.both_right + self.only_first + self.only_second + self.both_wrong


def agreement(labels: Array, first: Array, second: Array) -> Agreement:
    """Of the images on which `first` and `second` are what two nets predict."""
    a, b = first == labels, second == labels
    return Agreement(
        both_right=int((a & b).sum()),
        only_first=int((a & ~b).sum()),
        only_second=int((~a & b).sum()),
        both_wrong=int((~a & ~b).sum()),
        same_wrong=int((~a & (first == second)).sum()),
    )


@dataclass(frozen=True)
class OverSeeds:
    """The difference of two configurations' mean accuracies, first minus second, with what it may be off by."""

    seeds: int
    difference: float
    by_seeds: float
    """Half of the 95% interval if other seeds had run, on the same test images."""
    by_images_too: float
    """Half of it if other seeds had run on other test images."""


def over_seeds(first: Array, second: Array) -> OverSeeds:
    """`first`, `second`: whether each image is right, shape (S, N), a row a seed that ran in both, S and N from 2 on.

    Seed by seed and image by image, the difference is a table with two random factors, seeds and images, that every
    seed meets with every image. The mean square between images, less what is left between them once seeds are taken
    out, is what images add (two-way analysis of variance with crossed random effects: S. R. Searle, G. Casella,
    C. E. McCulloch, Variance Components, 1992, chapter 4). The two parts add as in G. Y. Zou, A. Donner, Statistics in
    Medicine 27, 2008.
    """
    table = first.astype(float) - second.astype(float)
    seeds, images = table.shape
    of_seeds, of_images, mean = table.mean(1), table.mean(0), float(table.mean())
    residual = table - of_seeds[:, None] - of_images[None, :] + mean
    left = float((residual**2).sum()) / ((seeds - 1) * (images - 1))
    between_images = max(0.0, float(of_images.var(ddof=1)) - left / seeds)
    by_seeds = statistics.t_quantile(seeds - 1, 0.95) * float(of_seeds.std(ddof=1)) / math.sqrt(seeds)
    by_images = statistics.t_quantile(images - 1, 0.95) * math.sqrt(between_images / images)
    return OverSeeds(seeds, mean, by_seeds, math.hypot(by_seeds, by_images))


def told(first: str, second: str, found: Agreement, p: float) -> str:
    """One sentence on two trained nets, called `first` and `second`."""
    difference = found.only_first - found.only_second
    if difference == 0:
        return f"{first} and {second} get equally many of the test images right."
    better, worse = (first, second) if difference > 0 else (second, first)
    points = 100 * abs(difference) / found.n
    size = f"{points:.1f} points" if points >= 0.95 else f"{points:.2f} points"
    if p < 0.01:
        chance = f"chance does not explain it ({said_p(p)})"
    elif p < 0.05:
        chance = f"chance hardly explains it ({said_p(p)})"
    else:
        chance = f"that may be chance ({said_p(p)})"
    return f"{better} gets {size} more of the test images right than {worse}; {chance}."


def said_p(p: float) -> str:
    """`p = 0.032`, `p < 0.0001`."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"
