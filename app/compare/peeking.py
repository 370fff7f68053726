"""What looking after every seed does: experiments in which nothing differs, or something does. Pure functions, no I/O.

`make peeking` prints the figures and draws docs/peeking.svg.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.compare import sequence
from app.compare.statistics import LEVEL

FIRST = 2
SEEDS = 30

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Peeked:
    """Shares of experiments, each of shape (seeds - 1,): after 2, 3, … seeds."""

    seeds: list[int]
    ordinary: list[float]
    """So far at least one ordinary 95% interval has left out the truth."""
    sequence: list[float]
    """So far the confidence sequence has left out the truth."""
    single: list[float]
    """The ordinary interval at this number of seeds alone covers the truth."""


def peeked(experiments: int, seed: int = 1, seeds: int = SEEDS) -> Peeked:
    """Simulate pairs of equal configurations, a Gaussian difference a seed, looked at after every seed from 2 on."""
    differences = np.random.default_rng(seed).normal(size=(experiments, seeds))
    left_out = np.abs(_ordinary_t(differences)) > _t_bounds(seeds)
    looks = sequence.looks(differences)
    gone = (looks.low > 0) | (looks.high < 0)
    return Peeked(
        seeds=list(range(FIRST, seeds + 1)),
        ordinary=np.logical_or.accumulate(left_out, -1).mean(0).tolist(),
        sequence=gone[:, FIRST - 1 :].mean(0).tolist(),
        single=(1 - left_out.mean(0)).tolist(),
    )


def _ordinary_t(differences: Floats) -> Floats:
    """Student's t after 2, 3, … values of each row; shape (..., n - 1)."""
    count = np.arange(1, differences.shape[-1] + 1)
    mean = differences.cumsum(-1) / count
    spread = ((differences**2).cumsum(-1) - count * mean**2)[..., 1:] / (count[1:] - 1)
    return np.asarray(mean[..., 1:] / np.sqrt(spread / count[1:]))


def _t_bounds(seeds: int) -> Floats:
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.arange(1, seeds), (1 + LEVEL) / 2))


@dataclass(frozen=True)
class Asked:
    """What "ask until answered" says, as shares of experiments."""

    told_apart: float
    no_difference: float
    """No difference that matters."""
    right_way: float
    """Told apart, and in the true direction; of equal configurations none."""
    median_seeds: float | None
    """Seeds after which it stopped, of those that it answered."""


def asked(experiments: int, difference: float, smallest: float = 1.0, most: int = SEEDS, seed: int = 1) -> Asked:
    """Simulate questions: `difference` and `smallest` in deviations of the paired differences, at most `most` seeds."""
    values = difference + np.random.default_rng(seed).normal(size=(experiments, most))
    looks = sequence.looks(values)
    apart = (looks.low > 0) | (looks.high < 0)
    same = (looks.low >= -smallest) & (looks.high <= smallest)
    settled = apart | same
    at = np.argmax(settled, -1)
    answered = settled.any(-1)
    first = np.arange(experiments), at
    told = apart[first] & answered
    right = told & (np.sign(looks.mean[first]) == np.sign(difference))
    return Asked(
        told_apart=float(told.mean()),
        no_difference=float((answered & ~told).mean()),
        right_way=float(right.mean()),
        median_seeds=float(np.median(at[answered] + 1)) if answered.any() else None,
    )
