"""Finding the best of several: all run a seed, those that are ruled out run no more, the others run the next.

A race (O. Maron, A. W. Moore, Hoeffding races, Advances in Neural Information Processing Systems 6, 1993) in which each
pair of configurations has its confidence sequence over the seeds that both ran (`app.compare.sequence`). Which one is
the best is not known beforehand and may change, so the evidence that settles a pair is that of one pair times their
number: then the true best is ruled out in at most 1 of 20 races, however often one looks and whenever it ends.

Pure functions, no I/O.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from app.compare import sequence

End = Literal["one", "alike", "open"]
"""One is left; all that are left lie within the smallest difference that matters of each other; neither yet."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """What is known of two configurations: the second minus the first, more being better."""

    n: int
    """Sets of runs of both that count."""
    low: float
    high: float
    """-inf and inf as long as there is no interval."""


@dataclass(frozen=True)
class Race:
    """Where a race stands."""

    pairs: Mapping[tuple[int, int], Pair]
    left: tuple[int, ...]
    """Places of those that may be the best."""
    behind: Mapping[int, int]
    """Place of one that is ruled out to that of one that it is behind."""
    end: End


def bound(configurations: int) -> float:
    """Evidence that settles a pair: for all pairs of so many together."""
    return sequence.BOUND * max(1, configurations * (configurations - 1) // 2)


def standing(
    places: Sequence[int],
    differences: Mapping[tuple[int, int], Sequence[float]],
    smallest: float,
    bound: float,
    *,
    greater_is_better: bool = True,
) -> Race:
    """Of the candidates at these places. `differences`: of each two of them, in the order of `places`, the second minus
    the first, set by set in the order launched. `bound`: evidence that settles one of them."""
    sign = 1.0 if greater_is_better else -1.0
    pairs = _pairs({pair: [sign * value for value in values] for pair, values in differences.items()}, bound)
    behind: dict[int, int] = {}
    for (first, second), pair in pairs.items():
        if pair.high < 0:
            behind.setdefault(second, first)
        elif pair.low > 0:
            behind.setdefault(first, second)
    if len(behind) == len(places):
        behind = {}  # in a circle: they contradict each other
    left = tuple(place for place in places if place not in behind)
    among = [pair for places_of, pair in pairs.items() if not behind.keys() & set(places_of)]
    alike = all(-smallest <= pair.low and pair.high <= smallest for pair in among)
    end: End = "one" if len(left) == 1 else "alike" if len(left) > 1 and alike else "open"
    return Race(pairs, left, behind, end)


def _pairs(differences: Mapping[tuple[int, int], Sequence[float]], bound: float) -> dict[tuple[int, int], Pair]:
    """All with as many values at once."""
    found: dict[tuple[int, int], Pair] = {}
    by_length: dict[int, list[tuple[int, int]]] = {}
    for pair, values in differences.items():
        by_length.setdefault(len(values), []).append(pair)
    for n, pairs in by_length.items():
        if not n:
            found |= dict.fromkeys(pairs, Pair(0, -math.inf, math.inf))
            continue
        given = np.array([differences[pair] for pair in pairs])
        looks = sequence.looks(given, bound=bound)
        low, high = looks.low[:, -1], looks.high[:, -1]
        centres = np.stack([given.mean(-1), np.median(given, -1)])
        fits = ((low <= centres) & (centres <= high)).any(0)  # else no single difference is claimed, as on the page
        low, high = np.where(fits, low, -np.inf), np.where(fits, high, np.inf)
        found |= {pair: Pair(n, float(low[at]), float(high[at])) for at, pair in enumerate(pairs)}
    return {pair: found[pair] for pair in differences}


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
