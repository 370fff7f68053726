"""Comparisons with the best: the critical values and the intervals against others' figures, and what chance makes."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from app.compare import best


@pytest.mark.parametrize(
    ("comparisons", "df", "published"),
    [(2, 5, 2.44), (9, 10, 2.81), (3, 20, 2.19), (11, 30, 2.60), (4, 12, 2.41), (6, 120, 2.32), (20, 5, 3.72)],
)
def test_critical_values_are_those_of_dunnetts_table(comparisons: int, df: int, published: float) -> None:
    """The one-sided 5% points, Dunnett 1955."""
    assert best.dunnett(comparisons, df) == pytest.approx(published, abs=0.0151)  # he rounded up


@pytest.mark.parametrize(("comparisons", "df"), [(1, 7), (2, 5), (3, 20), (11, 44)])
def test_critical_values_agree_with_an_integration_of_another_kind(comparisons: int, df: int) -> None:
    d = best.dunnett(comparisons, df)

    z = np.linspace(-9, 9, 2001)

    def of_deviation(s: float) -> float:
        none_passes = stats.norm.cdf(d * math.sqrt(2) * s + z) ** comparisons
        inner = integrate.trapezoid(none_passes * stats.norm.pdf(z), z)
        return float(inner * stats.chi.pdf(s * math.sqrt(df), df) * math.sqrt(df))

    chance, _ = integrate.quad(of_deviation, 0, 8, epsabs=1e-9, points=[1.0])
    assert chance == pytest.approx(0.95, abs=1e-8)
    if comparisons == 1:
        assert d == pytest.approx(stats.t.ppf(0.95, df), abs=1e-9)
    else:
        shape = 0.5 + 0.5 * np.eye(comparisons)
        of_scipy = stats.multivariate_t(shape=shape, df=df, seed=1).cdf(np.full(comparisons, d), maxpts=200_000)
        assert of_scipy == pytest.approx(0.95, abs=1e-4)  # as exact as it gets


def test_intervals_are_those_of_a_published_example() -> None:
    """Hardness of four blends of paint, six samples each, pooled deviation 3.95012: Minitab's guide to one-way analysis
    of variance gives −14.5000 to 0 for the second blend and −10.0833 to 0 for the third; its critical value has four
    digits."""
    means = [14.7333, 8.5667, 12.9833, 18.0667]
    half = best.dunnett(3, 20) * 3.95012 * math.sqrt(2 / 6)
    low, high = best.intervals(means, half)
    assert low[1:3] == pytest.approx([-14.5, -10.0833], abs=5e-4)
    assert list(high[1:3]) == [0.0, 0.0]
    assert low[0] < 0 < high[0]
    assert low[3] < 0 < high[3]


def test_the_half_width_is_scipys_dunnett() -> None:
    values = np.random.default_rng(5).normal(size=(5, 8)) + np.arange(5)[:, None]
    *others, control = values
    found = stats.dunnett(*others, control=control, alternative="greater", rng=1)
    below = found.statistic * 0 + (others[0].mean() - control.mean())  # of the first one
    theirs = below[0] - found.confidence_interval(0.95).low[0]
    df = 5 * 7
    pooled = math.sqrt(values.var(1, ddof=1).mean())
    assert best.dunnett(4, df) * pooled * math.sqrt(2 / 8) == pytest.approx(theirs, rel=2e-3)  # its own is drawn


def test_what_seeds_do_to_all_alike_falls_out_and_the_sign_of_an_interval_is_the_decision() -> None:
    random = np.random.default_rng(3)
    values = np.array([0.0, -1.0, -3.0, 0.5])[:, None] + random.normal(size=(4, 6))
    found = best.standing(values)
    moved = best.standing(values + 100 * random.normal(size=6))
    assert moved.half == pytest.approx(found.half)
    assert moved.difference == pytest.approx(found.difference)
    assert found.pooled
    _, high = best.intervals(values.mean(-1), found.half.max())
    assert list(high > 0) == list(found.may_be_best)


def test_each_pair_has_its_own_spread_where_configurations_do_not_spread_alike() -> None:
    random = np.random.default_rng(1)
    spreads = np.array([0.01, 0.01, 0.01, 3.0])
    values = np.array([0.0, -0.1, -0.2, -1.0])[:, None] + spreads[:, None] * random.normal(size=(4, 10))
    found = best.standing(values)
    assert not found.pooled
    differences = values[1] - values[found.top]
    half = stats.t.ppf(1 - 0.05 / 3, 9) * differences.std(ddof=1) / math.sqrt(10)
    assert found.half[1] == pytest.approx(half)
    assert list(found.may_be_best) == [True, False, False, True]


def test_levenes_test_is_scipys_around_what_the_seeds_share() -> None:
    values = np.random.default_rng(2).normal(size=(5, 8))
    rest = values - values.mean(0)
    assert float(best.levene(values)) == pytest.approx(stats.levene(*rest, center="median").pvalue, abs=1e-12)
    assert float(best.levene(np.zeros((3, 4)))) == 1


def test_fewer_than_two_of_anything_is_refused() -> None:
    for shape in ((1, 5), (3, 1)):
        with pytest.raises(ValueError, match="at least two of each"):
            best.standing(np.zeros(shape))


@pytest.mark.parametrize("spreads", ["alike", "unlike"])
def test_the_true_best_is_seldom_ruled_out_and_most_others_are(spreads: str) -> None:
    found = best.simulated(2000, 12, 5, 1.0, spreads == "unlike")
    assert found.true_best_out <= 0.05
    none_differs = best.simulated(2000, 12, 5, 0.0, spreads == "unlike")
    assert none_differs.true_best_out <= (
        0.075 if spreads == "unlike" else 0.06
    )  # Levene's test misses some at 5 seeds
    assert best.simulated(500, 40, 5, 1.0).others_out >= 20
