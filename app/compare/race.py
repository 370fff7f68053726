"""Finding the best of several: all run a seed, those that are ruled out run no more, the others run the next.

A race (O. Maron, A. W. Moore, Hoeffding races, Advances in Neural Information Processing Systems 6, 1993) in which each
pair of configurations has its confidence sequence over the seeds that both ran (`app.compare.sequence`). Which one is
the best is not known beforehand and may change, so the evidence that settles a pair is that of one pair times their
number: then the true best is ruled out in at most 1 of 20 races, however often one looks and whenever it ends.

Pure functions, no I/O.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from app.compare import sequence
from app.compare.statistics import Sample, seed_by_seed

End = Literal["one", "alike", "open"]
"""One is left; all that are left lie within the smallest difference that matters of each other; neither yet."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """What is known of two configurations: the second minus the first, more being better."""

    first: int
    second: int
    n: int
    """Seeds that both ran."""
    low: float
    high: float
    """-inf and inf as long as there is no interval."""


@dataclass(frozen=True)
class Race:
    """Where a race stands."""

    pairs: tuple[Pair, ...]
    left: tuple[int, ...]
    """Places of those that may be the best."""
    behind: dict[int, int]
    """Place of one that is ruled out to that of one that it is behind."""
    end: End


def bound(configurations: int) -> float:
    """Evidence that settles a pair: for all pairs of so many together."""
    return sequence.BOUND * max(1, configurations * (configurations - 1) // 2)


def standing(
    samples: Sequence[Sample], smallest: float, *, greater_is_better: bool = True, out: Sequence[int] = ()
) -> Race:
    """Of all configurations that began, values by seed in the order launched. `out`: places that are no candidates
    whatever they gave, as they failed or learned nothing; they rule out nobody either."""
    sign = 1.0 if greater_is_better else -1.0
    pairs = [_pair(first, second, samples, sign) for first, second in itertools.combinations(range(len(samples)), 2)]
    behind: dict[int, int] = {}
    for pair in pairs:
        if pair.first in out or pair.second in out:
            continue
        if pair.high < 0:
            behind.setdefault(pair.second, pair.first)
        elif pair.low > 0:
            behind.setdefault(pair.first, pair.second)
    left = tuple(place for place in range(len(samples)) if place not in behind and place not in out)
    among = [pair for pair in pairs if pair.first in left and pair.second in left]
    alike = all(-smallest <= pair.low and pair.high <= smallest for pair in among)
    end: End = "one" if len(left) == 1 else "alike" if len(left) > 1 and alike else "open"
    return Race(tuple(pairs), left, behind, end)


def _pair(first: int, second: int, samples: Sequence[Sample], sign: float) -> Pair:
    differences = list(seed_by_seed((-sign, sign), (samples[first], samples[second])).values())
    if not differences:
        return Pair(first, second, 0, -np.inf, np.inf)
    looks = sequence.looks(differences, bound=bound(len(samples)))
    return Pair(first, second, len(differences), float(looks.low[-1]), float(looks.high[-1]))


# What chance makes


class Simulated(NamedTuple):
    """Shares of races at random."""

    runs: float
    """Of those that all configurations with all seeds would have been."""
    settled: float
    """Ended before the seeds were used up."""
    wrong: float
    """The best in truth was ruled out; where all are alike: a single one was left."""


def simulated(count: int, means: Sequence[float], seeds: int = 30, smallest: float = 0.0, seed: int = 1) -> Simulated:
    """`means`, and `smallest`, in deviations of the paired differences."""
    k, random = len(means), np.random.default_rng(seed)
    values = np.asarray(means, float)[:, None] + random.normal(size=(count, k, seeds)) / np.sqrt(2)
    low, high = np.full((2, count, k, k, seeds), 0.0)
    for first, second in itertools.combinations(range(k), 2):
        looks = sequence.looks(values[:, second] - values[:, first], bound=bound(k))
        low[:, first, second], high[:, first, second] = looks.low, looks.high
        low[:, second, first], high[:, second, first] = -looks.high, -looks.low
    # [first, second]: the second minus the first; a pair of which one is out is looked at no more
    alive, ended, runs = np.ones((count, k), bool), np.zeros(count, bool), np.zeros(count)
    for n in range(seeds):
        runs += np.where(ended, 0, alive.sum(1))
        together = alive[:, :, None] & alive[:, None, :] & ~np.eye(k, dtype=bool) & ~ended[:, None, None]
        out = (together & (low[..., n] > 0)).any(2)
        alive &= ~out
        among = alive[:, :, None] & alive[:, None, :] & ~np.eye(k, dtype=bool)
        within = (low[..., n] >= -smallest) & (high[..., n] <= smallest)
        ended |= (alive.sum(1) == 1) | (~among | within).all((1, 2))
    best = int(np.argmax(means))
    wrong = alive.sum(1) == 1 if len(set(means)) == 1 else ~alive[:, best]
    return Simulated(float(runs.mean() / (k * seeds)), float(ended.mean()), float(wrong.mean()))
