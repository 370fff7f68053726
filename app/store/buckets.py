"""What a chart is sent: a series in buckets of a power-of-two width, smoothed before it is cut down.

Pure functions. Bucket k of width w holds steps k·w+1 to (k+1)·w, the same for every run, so that points never move
between refreshes and runs can be compared bucket by bucket. Min and max are kept: a spike is never lost.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.store.series import Points, Rollups

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


SMALLEST = 2.0**-54
"""1 less a number below this is 1."""


class Buckets(NamedTuple):
    """One value a bucket that holds a point, arrays of shape (buckets,); `steps` and `times` are of the last point."""

    steps: npt.NDArray[np.int64]
    times: Floats
    min: Floats
    max: Floats
    mean: Floats
    last: Floats
    smoothed: Floats | None


def width_for(steps: int, points: int) -> int:
    """The smallest power of two that divides `steps` into no more than `points` buckets."""
    width = 1
    while steps > width * points:
        width *= 2
    return width


def smooth(values: Floats, factor: float) -> Floats:
    """Exponential moving average, debiased: m_t = f·m_(t-1) + (1-f)·x_t, divided by 1 - f^t.

    The bias correction is that of Adam (Kingma, Ba 2015, section 3): without it the curve would start at zero.
    A value that is not finite has no average, and does not count for the others.
    """
    finite = np.isfinite(values)
    if not finite.all():
        known = np.full(len(values), np.nan)
        known[finite] = smooth(values[finite], factor)
        return known
    # m_k = f^k (m_0 + (1-f) sum of x_i / f^i), a block at a time, so that f^-i stays within a float's range. Blocks lie
    # where they lie whatever follows: a value never changes as the series grows.
    block = min(len(values), max(1, int(100 / -np.log10(max(factor, 1e-100)))))
    if not block:
        return values
    powers = factor ** np.arange(1.0, block + 1)
    blocks = np.zeros((-(-len(values) // block), block))
    blocks.reshape(-1)[: len(values)] = values
    blocks /= powers
    np.cumsum(blocks, axis=1, out=blocks)
    blocks *= 1 - factor
    before = 0.0
    for row in blocks:
        row += before
        before = powers[-1] * row[-1]
    blocks *= powers
    averages: Floats = blocks.reshape(-1)[: len(values)]
    counting = averages[: int(math.log(SMALLEST, factor)) + 1 if factor > SMALLEST else 1]
    counting /= 1 - factor ** np.arange(1, len(counting) + 1)
    return averages


def bucketed(points: Points, width: int, smoothed: Floats | None = None) -> Buckets:
    """`points`, and their smoothed values of the same shape, in buckets of `width` steps. Empty ones are left out.

    Min, max and mean are of a bucket's finite values, NaN where it has none.
    """
    if not len(points.steps):
        nothing = points.values
        return Buckets(points.steps, points.times, nothing, nothing, nothing, nothing, smoothed)
    rolled = rolled_up(points, width)
    ends = np.searchsorted(points.steps, rolled.steps)
    return _buckets(rolled, None if smoothed is None else smoothed[ends])


def merged(rollups: Rollups, points: Points, width: int) -> Buckets:
    """As `bucketed`, of a series that is known by `rollups`, none of which reaches over the end of a bucket, and by all
    other points."""
    both = [rollups, rolled_up(points, width)] if len(points.steps) else [rollups]
    order = np.argsort(np.concatenate([part.steps for part in both]), kind="stable")
    whole = Rollups(*(np.concatenate(columns)[order] for columns in zip(*both, strict=True)))
    if not len(order):
        return bucketed(points, width)
    starts, ends = _bounds(whole.steps, width)
    return _buckets(
        Rollups(
            whole.steps[ends],
            whole.times[ends],
            whole.last[ends],
            np.add.reduceat(whole.finite, starts),
            np.add.reduceat(whole.total, starts),
            np.fmin.reduceat(whole.least, starts),
            np.fmax.reduceat(whole.greatest, starts),
        )
    )


def _bounds(steps: Steps, width: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places of the first and of the last step of each bucket."""
    numbers = (steps - 1) // width
    starts = np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1])))
    return starts, np.concatenate((starts[1:], [len(steps)])) - 1


def _buckets(rolled: Rollups, smoothed: Floats | None = None) -> Buckets:
    with np.errstate(invalid="ignore"):
        means = rolled.total / rolled.finite  # 0 / 0 is NaN
    return Buckets(rolled.steps, rolled.times, rolled.least, rolled.greatest, means, rolled.last, smoothed)


def rolled_up(points: Points, width: int) -> Rollups:
    """Each bucket that holds a point, in short."""
    steps, times, values = points
    starts, ends = _bounds(steps, width)
    finite = np.isfinite(values)
    counts, known, zeroed = (ends - starts + 1).astype(float), values, values
    if not finite.all():
        counts = np.add.reduceat(finite.astype(float), starts)
        known, zeroed = np.where(finite, values, np.nan), np.where(finite, values, 0.0)
    return Rollups(
        *(steps[ends], times[ends], values[ends], counts, np.add.reduceat(zeroed, starts)),
        *(np.fmin.reduceat(known, starts), np.fmax.reduceat(known, starts)),
    )
