"""The confidence sequence: its formula, and by simulation that it keeps its promise."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import nct, norm, t

from app.compare import sequence

SEEN = [-12.46, -14.94, -12.03, -17.79, -12.67, -12.91]


def test_the_evidence_is_the_likelihood_ratio_of_a_gaussian_mixture() -> None:
    """Against the density of the noncentral t, integrated over the standardised mean."""
    found = sequence.looks(SEEN).evidence
    for n in (2, 4, 6):
        values = np.array(SEEN[:n])
        statistic = values.mean() / (values.std(ddof=1) / math.sqrt(n))

        def mixed(mean: float, statistic: float = statistic, n: int = n) -> float:
            return float(nct.pdf(statistic, n - 1, mean * math.sqrt(n)) * norm.pdf(mean, scale=sequence.C))

        ratio = quad(mixed, -12, 12, limit=400)[0] / t.pdf(statistic, n - 1)
        assert found[n - 1] == pytest.approx(ratio, rel=1e-6)


def test_the_interval_is_all_means_with_evidence_below_the_bound() -> None:
    found = sequence.looks(SEEN)
    for n in (4, 5, 6):
        for end in (found.low[n - 1], found.high[n - 1]):
            evidence = sequence.looks(np.array(SEEN[:n]) - end).evidence
            assert evidence.max() == pytest.approx(sequence.BOUND, rel=1e-9)
    assert np.all(np.diff(found.low[3:]) >= 0)
    assert np.all(np.diff(found.high[3:]) <= 0)


def test_three_seeds_never_settle_anything() -> None:
    assert sequence.least() == 4
    far = sequence.looks([1e9, 1e9 + 1, 1e9 - 1])
    assert np.all(np.isinf(far.low))
    assert far.evidence.max() < sequence.BOUND
    assert far.evidence[-1] <= (1 + 3 * sequence.C**2) ** 1


def test_values_that_do_not_differ_give_no_interval_unless_they_are_zero() -> None:
    assert np.all(np.isinf(sequence.looks([0.02] * 8).low))
    rounding = sequence.looks([0.95 - 0.93, 0.94 - 0.92, 0.93 - 0.91, 0.96 - 0.94, 0.97 - 0.95])
    assert np.all(np.isinf(rounding.high))
    assert rounding.evidence.max() == 1
    zero = sequence.looks([0.0] * 5)
    assert (zero.low[-1], zero.high[-1], zero.low[2]) == (0, 0, -math.inf)


def test_an_interval_that_excludes_zero_is_evidence_of_twenty_and_the_other_way_round() -> None:
    values = np.random.default_rng(3).normal(0.7, 1, size=(4000, 30))
    found = sequence.looks(values)
    excluded = (found.low > 0) | (found.high < 0)
    evident = np.maximum.accumulate(found.evidence, -1) >= sequence.BOUND
    assert excluded.any()
    assert np.array_equal(excluded, evident)
    assert np.all(found.low <= found.high)


def test_how_many_seeds_would_settle_it() -> None:
    assert sequence.needed(5, 1) == 4
    assert sequence.needed(0, 1) is None
    assert sequence.needed(1, 0) == 4
    n = sequence.needed(1, 1)
    assert n is not None
    values = np.random.default_rng(1).normal(size=n)
    values = (values - values.mean()) / values.std(ddof=1)
    last = sequence.looks(values + 1.0001)
    assert last.evidence[-1] > sequence.BOUND
    assert sequence.looks(values[: n - 1] - values[: n - 1].mean()).low[-1] < 0
    assert sequence.needed(1e-6, 1) is None
