"""Against scipy and statsmodels, and against worked examples from the literature."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.anova import AnovaRM, anova_lm
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from app.compare.predictions import mcnemar, wilson
from app.compare.statistics import (
    Sample,
    contrast,
    effect_size,
    expected_best,
    outlier,
    seeds_to_settle,
    summary,
)

# Hours of sleep gained with two drugs, ten patients (Student, The probable error of a mean, Biometrika 6, 1908)
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
# Length of guinea pigs' teeth by supplement and dose, 0.5, 1 and 2 mg (E. W. Crampton, The Journal of Nutrition 33,
# 1947)
JUICE_LITTLE = [15.2, 21.5, 17.6, 9.7, 14.5, 10.0, 8.2, 9.4, 16.5, 9.7]
JUICE_MUCH = [25.5, 26.4, 22.4, 24.5, 24.8, 30.9, 26.4, 27.3, 29.4, 23.0]
JUICE_MIDDLE = [19.7, 23.3, 23.6, 26.4, 20.0, 25.2, 25.8, 21.2, 14.5, 27.3]
ACID_MIDDLE = [16.5, 16.5, 15.2, 17.3, 22.5, 17.3, 13.6, 14.5, 18.8, 15.5]
ACID_LITTLE = [4.2, 11.5, 7.3, 5.8, 6.4, 10.0, 11.2, 11.2, 5.2, 7.0]
ACID_MUCH = [23.6, 18.5, 33.9, 25.5, 26.4, 32.5, 26.7, 21.5, 23.3, 29.5]

Numbers = st.lists(st.floats(-100, 100).map(lambda x: round(x, 6)), min_size=2, max_size=12)


def seeds(values: list[float], first: int = 1) -> dict[int, float]:
    return dict(enumerate(values, first))


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def test_the_interval_of_a_mean_is_students() -> None:
    found = summary(FIRST)
    low, high = scipy.stats.t.interval(0.95, 9, np.mean(FIRST), scipy.stats.sem(FIRST))
    assert (found.low, found.high, found.deviation) == (close(low), close(high), close(np.std(FIRST, ddof=1)))
    assert (found.n, found.mean, found.median) == (10, close(0.75), close(0.35))
    assert summary([3.0])[:5] == (1, 3.0, None, None, None)


def test_seeds_that_match_are_paired() -> None:
    found, theirs = contrast((1, -1), (seeds(FIRST), seeds(SECOND))), scipy.stats.ttest_rel(FIRST, SECOND)
    assert found
    assert (found.matched, found.n) == ("seed", 10)
    assert (found.t, found.p, found.df) == (close(theirs.statistic), close(theirs.pvalue), 9)
    assert (found.low, found.high) == tuple(map(close, theirs.confidence_interval()))
    # as published: t = -4.0621, p = 0.002833, interval -2.4598858 to -0.7001142
    assert (found.t, found.p) == (pytest.approx(-4.0621, abs=5e-5), pytest.approx(0.002833, abs=5e-7))
    assert (found.low, found.high) == (pytest.approx(-2.4598858, abs=5e-8), pytest.approx(-0.7001142, abs=5e-8))


def test_seeds_that_do_not_match_are_welchs() -> None:
    found = contrast((1, -1), (seeds(FIRST), seeds(SECOND, first=11)))
    theirs = scipy.stats.ttest_ind(FIRST, SECOND, equal_var=False)
    assert found
    assert (found.matched, found.n) == ("none", 10)
    assert (found.t, found.p, found.df) == (close(theirs.statistic), close(theirs.pvalue), close(theirs.df))
    assert (found.low, found.high) == tuple(map(close, theirs.confidence_interval()))
    # as published: t = -1.8608, df = 17.776, p = 0.07939, interval -3.3654832 to 0.2054832
    assert (found.df, found.p) == (pytest.approx(17.776, abs=5e-4), pytest.approx(0.07939, abs=5e-6))
    assert (found.low, found.high) == (pytest.approx(-3.3654832, abs=5e-8), pytest.approx(0.2054832, abs=5e-8))


def test_the_interaction_of_two_knobs_is_that_of_a_two_way_analysis_of_variance() -> None:
    import pandas
    from statsmodels.formula.api import ols

    cells = (JUICE_LITTLE, JUICE_MUCH, ACID_LITTLE, ACID_MUCH)
    apart = contrast((1, -1, -1, 1), [seeds(cell, 100 * index) for index, cell in enumerate(cells)])
    table = pandas.DataFrame(
        [
            {"length": length, "supplement": index // 2, "dose": index % 2, "animal": animal}
            for index, cell in enumerate(cells)
            for animal, length in enumerate(cell)
        ]
    )
    two_way = anova_lm(ols("length ~ C(supplement) * C(dose)", table).fit())
    assert apart
    assert apart.t
    assert apart.t**2 == close(two_way.loc["C(supplement):C(dose)", "F"])
    paired = contrast((1, -1, -1, 1), [seeds(cell) for cell in cells])
    within = AnovaRM(table, "length", "animal", within=["supplement", "dose"]).fit().anova_table
    assert paired
    assert paired.t
    assert paired.t**2 == close(within.loc["supplement:dose", "F Value"])
    assert paired.p == close(within.loc["supplement:dose", "Pr > F"])
    assert paired.value == close(apart.value)


def test_the_published_interaction_of_supplement_and_dose() -> None:
    """Of all three doses F(2, 54) is published as 4.107, p as 0.02186 (A. Kassambara, Two-way ANOVA test in R, STHDA,
    on R's ToothGrowth); our contrasts are its two orthogonal parts."""
    cells = (JUICE_LITTLE, JUICE_MIDDLE, JUICE_MUCH, ACID_LITTLE, ACID_MIDDLE, ACID_MUCH)
    samples = [seeds(cell, 100 * index) for index, cell in enumerate(cells)]
    error, explained = float(np.mean([np.var(cell, ddof=1) for cell in cells])), 0.0
    for weights in ((1, 0, -1, -1, 0, 1), (1, -2, 1, -1, 2, -1)):
        used = [(weight, sample) for weight, sample in zip(weights, samples, strict=True) if weight]
        found = contrast([weight for weight, _ in used], [sample for _, sample in used])
        assert found
        explained += found.value**2 / (sum(weight**2 for weight in weights) / 10)
    f = explained / 2 / error
    assert f == pytest.approx(4.107, abs=5e-4)
    assert scipy.stats.f.sf(f, 2, 54) == pytest.approx(0.02186, abs=5e-6)


@pytest.mark.parametrize(("b", "c", "published"), [(2, 9, 0.06543), (0, 5, 0.0625), (9, 9, 1.0)])
def test_mcnemars_exact_test(b: int, c: int, published: float) -> None:
    """2 and 9: M. P. Fay, Two-sided exact tests and matching confidence intervals, The R Journal 2, 2010."""
    assert mcnemar(b, c) == close(their_mcnemar([[10, b], [c, 10]], exact=True).pvalue)
    assert mcnemar(b, c) == pytest.approx(published, abs=5e-6)


@pytest.mark.parametrize(
    ("count", "n", "published"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilsons_interval(count: int, n: int, published: tuple[float, float]) -> None:
    """Published: R. G. Newcombe, Statistics in Medicine 17, 1998, table I."""
    low, high = proportion_confint(count, n, method="wilson")
    assert wilson(count, n) == (close(low), close(high))
    assert wilson(count, n) == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize("level", [0.95, 0.99])
@pytest.mark.parametrize("standardised", [0.3, 1.0, 2.0])
def test_as_many_seeds_as_are_asked_for_settle_it_in_four_of_five(standardised: float, level: float) -> None:
    n = seeds_to_settle(standardised, 1.0, level)
    assert n is not None
    theirs = TTestPower().power(standardised, n, 1 - level)
    assert 0.75 <= theirs <= 0.91
    assert TTestPower().power(standardised, n - 1, 1 - level) < 0.81
    assert seeds_to_settle(0.0, 1.0) is None
    assert seeds_to_settle(0.001, 1.0) is None
    assert seeds_to_settle(5.0, 0.0) == 2


def test_a_value_far_off_is_found_by_its_deleted_studentised_residual() -> None:
    from statsmodels.api import OLS

    values = [0.4, 0.5, 0.3, 0.45, 0.38, 0.42, 0.41, -70.0]
    assert outlier(values) == 7
    table = OLS(values, np.ones(len(values))).fit().outlier_test(method="bonf")
    assert table[7][2] < 0.01
    random, found = np.random.default_rng(3), 0
    for _ in range(2000):
        gaussian = random.normal(size=8)
        theirs = OLS(gaussian, np.ones(8)).fit().outlier_test(method="bonf")[:, 2].min()
        assert (outlier(gaussian.tolist()) is not None) == (theirs < 0.01)
        found += theirs < 0.01
    assert found <= 35
    assert outlier(values[-4:]) is None, "of four nobody can say which is far off"
    assert outlier([0.0, 0.0, 0.0, 0.0, 0.0028]) is None, "one image of 360, with rounding to whole images"
    assert outlier([-0.019, -0.019 + 1e-15, -0.019, -0.02, -0.019]) is None
    assert outlier([0.1] * 6) is None


def test_the_effect_size_is_cohens_d() -> None:
    pooled = math.sqrt((np.var(FIRST, ddof=1) + np.var(SECOND, ddof=1)) / 2)
    assert effect_size(1.58, (seeds(FIRST), seeds(SECOND))) == close(1.58 / pooled)
    assert effect_size(1.0, ({1: 2.0}, {1: 3.0})) is None


@given(Numbers, Numbers, st.randoms(use_true_random=False))
def test_the_order_of_runs_does_not_matter(first: list[float], second: list[float], random: object) -> None:
    samples = seeds(first), seeds(second, first=1 if len(first) % 2 else 1000)
    shuffled = [dict(sorted(one.items(), key=lambda _: random.random())) for one in samples]  # type: ignore[attr-defined]
    one, other = contrast((-1, 1), samples), contrast((-1, 1), shuffled)
    assert one
    assert other
    assert (one.n, one.matched) == (other.n, other.matched)
    for figure in ("value", "low", "high", "p"):
        a, b = getattr(one, figure), getattr(other, figure)
        assert (a is None) == (b is None)
        assert a is None or a == pytest.approx(b, rel=1e-6, abs=1e-9)


@given(Numbers)
def test_equal_configurations_have_no_difference(values: list[float]) -> None:
    same: Sample = seeds(values)
    found = contrast((-1, 1), (same, dict(same)))
    assert found
    assert (found.value, found.deviation, found.low, found.high, found.p) == (0, 0, None, None, None)
    four = contrast((1, -1, -1, 1), (same, same, same, same))
    assert four
    assert (four.value, four.p) == (0, None)


def test_where_every_seed_gives_the_same_difference_there_is_nothing_to_judge_chance_by() -> None:
    found = contrast((-1, 1), (seeds([0.93, 0.92, 0.91]), seeds([0.95, 0.94, 0.93])))
    assert found
    assert found.value == pytest.approx(0.02)
    assert (found.low, found.high, found.p, found.deviation) == (None, None, None, 0.0)


def test_one_run_each_gives_a_difference_and_no_interval() -> None:
    found = contrast((-1, 1), ({1: 0.9}, {2: 0.8}))
    assert found
    assert (found.value, found.n, found.low, found.p) == (pytest.approx(-0.1), 1, None, None)
    assert contrast((-1, 1), ({1: 0.9}, {})) is None
    one_common = contrast((-1, 1), ({1: 0.9}, {1: 0.8}))
    assert one_common
    assert one_common.low is None


@pytest.mark.parametrize(
    ("first", "second", "matched", "n"),
    [
        (range(1, 11), range(9, 19), "none", 10),  # two of ten: their interval was ten times as wide
        (range(1, 9), range(5, 13), "seed", 4),  # half
        (range(1, 10), range(6, 15), "none", 9),  # four of nine
        (range(1, 6), range(1, 4), "seed", 3),  # all that the smaller side has
        (range(1, 4), range(1, 4), "seed", 3),
        (range(1, 3), range(1, 3), "seed", 2),
        (range(1, 4), range(3, 6), "none", 3),  # one
    ],
    ids=lambda value: f"{value.start}-{value.stop - 1}" if isinstance(value, range) else None,
)
def test_seeds_are_paired_where_enough_of_them_match(first: range, second: range, matched: str, n: int) -> None:
    random = np.random.default_rng(7)
    samples = [{seed: float(random.normal()) for seed in seeds} for seeds in (first, second)]
    found = contrast((-1, 1), samples)
    assert found is not None
    assert (found.matched, found.n) == (matched, n)
    if matched == "none":
        means = [float(np.mean(list(sample.values()))) for sample in samples]
        assert found.value == close(means[1] - means[0]), "all runs count"
        assert found.low is not None
        assert found.high is not None
        assert found.high - found.low < 4


def test_the_best_of_so_many_draws_is_what_draws_give() -> None:
    values = [0.3, 0.5, 0.4, 0.9, 0.1]
    assert expected_best(values, 1) == pytest.approx(np.mean(values))
    drawn = np.random.default_rng(1).choice(values, size=(200_000, 3)).max(1).mean()
    assert expected_best(values, 3) == pytest.approx(drawn, abs=0.003)
    assert expected_best(values, 10_000) == pytest.approx(0.9)
    least = expected_best(values, 3, greater_is_better=False)
    assert least == pytest.approx(1 - expected_best([1 - value for value in values], 3))
    with pytest.raises(ValueError, match="no best of none"):
        expected_best([], 3)
