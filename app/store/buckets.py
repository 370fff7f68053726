"""What a chart is sent: a series in buckets of a power-of-two width, smoothed before it is cut down.

Pure functions. Bucket k of width w holds steps k·w+1 to (k+1)·w, the same for every run, so that points never move
between refreshes and runs can be compared bucket by bucket. Min and max are kept: a spike is never lost.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.store.series import Points

Floats = npt.NDArray[np.float64]


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
    block = max(1, int(100 / -np.log10(max(factor, 1e-100))))
    powers = factor ** np.arange(1.0, min(block, len(values)) + 1)
    averages, before = np.empty(len(values)), 0.0
    for start in range(0, len(values), block):
        part = values[start : start + block]
        scale = powers[: len(part)]
        averages[start : start + block] = scale * (before + (1 - factor) * np.cumsum(part / scale))
        before = averages[start + len(part) - 1]
    return averages / (1 - factor ** np.arange(1, len(values) + 1))


def bucketed(points: Points, width: int, smoothed: Floats | None = None) -> Buckets:
    """`points`, and their smoothed values of the same shape, in buckets of `width` steps. Empty ones are left out.

    Min, max and mean are of a bucket's finite values, NaN where it has none.
    """
    steps, times, values = points
    if not len(steps):
        return Buckets(steps, times, values, values, values, values, smoothed)
    numbers = (steps - 1) // width
    starts = np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1])))
    ends = np.concatenate((starts[1:], [len(steps)])) - 1
    return Buckets(
        steps[ends],
        times[ends],
        *_of_finite(values, starts, ends),
        values[ends],
        None if smoothed is None else smoothed[ends],
    )


def _of_finite(
    values: Floats, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[Floats, Floats, Floats]:
    """Min, max and mean of the values in each bucket."""
    finite = np.isfinite(values)
    if finite.all():
        sums = np.add.reduceat(values, starts)
        return np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts), sums / (ends - starts + 1)
    known = np.where(finite, values, np.nan)
    counts = np.add.reduceat(finite.astype(float), starts)
    with np.errstate(invalid="ignore"):
        means = np.add.reduceat(np.where(finite, values, 0.0), starts) / counts  # 0 / 0 is NaN
    return np.fmin.reduceat(known, starts), np.fmax.reduceat(known, starts), means
