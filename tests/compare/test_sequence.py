"""The confidence sequence: its formula, and by simulation that it keeps its promise."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import nct, norm, t

from app.compare import sequence

SEEN = [-12.46, -14.94, -12.03, -17.79, -12.67, -12.91]


def signs(above: int, below: int) -> float:
    """2^n times the chance of exactly these signs, in their order, when the share above is drawn from Beta(½, ½)."""
    share = quad(lambda p: 2 ** (above + below) * p ** (above - 0.5) * (1 - p) ** (below - 0.5), 0, 1)[0]
    return float(share / math.pi)


def test_the_evidence_is_the_mean_of_two_likelihood_ratios_of_mixtures() -> None:
    """Student's against the density of the noncentral t, integrated over the standardised mean; the sign's integrated
    over the share."""
    seen = [one + 14 for one in SEEN]
    found = sequence.looks(seen).evidence
    for n in (2, 4, 6):
        values = np.array(seen[:n])
        statistic = values.mean() / (values.std(ddof=1) / math.sqrt(n))

        def mixed(mean: float, statistic: float = statistic, n: int = n) -> float:
            return float(nct.pdf(statistic, n - 1, mean * math.sqrt(n)) * norm.pdf(mean, scale=sequence.C))

        student = quad(mixed, -12, 12, limit=400)[0] / t.pdf(statistic, n - 1)
        sign = signs(int((values > 0).sum()), int((values < 0).sum()))
        assert found[n - 1] == pytest.approx((student + sign) / 2, rel=1e-6)


@pytest.mark.parametrize("bound", [20.0, 100.0])
@pytest.mark.parametrize("shape", ["Gaussian", "rounded", "one far off"])
def test_the_interval_spans_all_centres_that_were_never_at_the_bound(shape: str, bound: float) -> None:
    random = np.random.default_rng(7)
    for _ in range(20):
        values = random.normal(0.5, 1, 12)
        values = np.round(values * 2) / 2 if shape == "rounded" else values
        values[3] = 40 if shape == "one far off" else values[3]
        found = sequence.looks(values, bound=bound)
        low, high = found.low[-1], found.high[-1]
        centres = np.unique([low - 1e-6, high + 1e-6, *np.linspace(low - 2, high + 2, 400), *values])
        greatest = sequence.looks(values - centres[:, None]).evidence.max(1)
        assert np.all(greatest[(centres < low - 1e-9) | (centres > high + 1e-9)] >= bound)
        kept = centres[greatest < bound]
        assert low - 1e-9 <= kept.min()
        assert kept.max() <= high + 1e-9


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


def test_an_interval_without_zero_takes_evidence_at_the_bound() -> None:
    values = np.random.default_rng(3).normal(0.7, 1, size=(4000, 30))
    found = sequence.looks(values)
    excluded = (found.low > 0) | (found.high < 0)
    evident = np.maximum.accumulate(found.evidence, -1) >= sequence.BOUND
    assert excluded.any()
    assert not np.any(excluded & ~evident)
    assert np.mean(evident & ~excluded) < 0.001


def test_a_value_far_off_does_not_hide_what_all_others_say() -> None:
    values = [2.1, 1.7, 2.6, 1.4, 2.2, -70.0, 1.9, 2.4, 2.0, 1.6, 2.3, 1.8, 2.5, 1.5, 2.0]
    found = sequence.looks(values)
    assert 0 < found.low[-1] < 2 < found.high[-1] < 3


def test_looks_that_no_centre_fits_leave_no_interval() -> None:
    found = sequence.looks([*np.random.default_rng(1).normal(0, 0.1, 8), *np.random.default_rng(2).normal(9, 0.1, 60)])
    assert found.low[-1] > found.high[-1]


def test_of_more_contrasts_each_needs_more_seeds() -> None:
    assert [sequence.least(bound=20 * m) for m in (1, 5, 45)] == [4, 5, 6]


def test_how_many_seeds_would_settle_it() -> None:
    assert sequence.needed(100, 1) == 4
    assert sequence.needed(0, 1) is None
    assert sequence.needed(1, 0) == 4
    assert sequence.needed(1e-6, 1) is None


@pytest.mark.parametrize("bound", [20.0, 100.0])
@pytest.mark.parametrize("difference", [0.5, 1.0, 2.0])
def test_as_many_seeds_as_are_asked_for_settle_it_in_four_of_five(difference: float, bound: float) -> None:
    n = sequence.needed(difference, 1, bound)
    assert n is not None
    settled = sequence.looks(np.random.default_rng(1).normal(difference, 1, size=(2000, n)), bound=bound).low[:, -1] > 0
    assert 0.78 <= settled.mean() <= 0.88
