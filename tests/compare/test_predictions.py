import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from app.compare.predictions import (
    Agreement,
    OverSeeds,
    agreement,
    confusion,
    mcnemar,
    over_seeds,
    paired_interval,
    told,
    wilson,
)
from app.compare.statistics import contrast


def test_a_confusion_matrix_counts_true_classes_in_rows_and_predicted_ones_in_columns() -> None:
    labels, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 0, 2])
    assert confusion(labels, predicted, 3).tolist() == [[1, 1, 0], [0, 1, 0], [2, 0, 1]]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_a_confusion_matrix_sums_to_the_number_of_images(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = np.array(pairs).T
    found = confusion(labels, predicted, 5)
    assert found.sum() == len(pairs)
    assert np.trace(found) == (labels == predicted).sum()


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_agrees_with_scipy(n: int, share: float) -> None:
    successes = round(n * share)
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_newcombes_first_example() -> None:
    """81 of 263 and 0 of 20: R. G. Newcombe, Statistics in Medicine 17, 1998, 857-872, table I, method 3."""
    assert [round(limit, 4) for limit in wilson(81, 263)] == [0.2553, 0.3662]
    assert [round(limit, 4) for limit in wilson(0, 20)] == [0.0, 0.1611]


def test_the_exact_mcnemar_test_is_the_binomial_one_on_the_images_that_differ() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(7, 7) == 1.0
    assert mcnemar(5, 0) == pytest.approx(2 / 2**5)
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar(9, 1) == mcnemar(1, 9)


def test_the_interval_of_a_difference_is_that_of_agresti_and_min() -> None:
    """By hand: 40 and 20 of 200: (40.5 - 20.5) / 202, and 1.959964 / 202 · sqrt(61 - 20² / 202)."""
    assert paired_interval(40, 20, 200) == pytest.approx((0.0244688, 0.1735510), abs=1e-7)
    low, high = paired_interval(3, 3, 50)
    assert low == pytest.approx(-high)


def test_agreement_counts_each_image_once() -> None:
    labels = np.array([0, 0, 1, 1, 2])
    found = agreement(labels, np.array([0, 1, 1, 0, 0]), np.array([0, 0, 0, 0, 1]))
    assert (found.both_right, found.only_first, found.only_second, found.both_wrong) == (1, 1, 1, 2)
    assert found.same_wrong == 1
    assert found.n == len(labels)


def test_the_words_claim_no_more_than_the_test_says() -> None:
    clear, weak, equal = Agreement(60, 30, 2, 8, 1), Agreement(50, 12, 8, 30, 9), Agreement(50, 9, 9, 32, 5)
    assert told("a", "b", clear, mcnemar(30, 2)) == (
        "a gets 28.0 points more of the test images right than b; chance does not explain it (p < 0.0001)."
    )
    assert told("b", "a", weak, mcnemar(12, 8)) == (
        "b gets 4.0 points more of the test images right than a; that may be chance (p = 0.50)."
    )
    assert told("a", "b", equal, 1.0) == "a and b get equally many of the test images right."


def drawn(random: np.random.Generator, seeds: int, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether two kinds of nets are right: images that differ in how hard they are to each, seeds that differ."""
    hard = random.normal(size=(2, 1, images))
    seed = 0.05 * random.normal(size=(2, seeds, 1))
    first, second = random.normal(size=(2, seeds, images)) < np.array([1.2, 0.9])[:, None, None] + seed + hard
    return first, second


def test_what_other_seeds_and_other_images_would_change_is_covered_in_95_of_100() -> None:
    random = np.random.default_rng(5)
    truth = float(np.mean([np.subtract(*(one.mean() for one in drawn(random, 400, 400))) for _ in range(40)]))
    found = [over_seeds(*drawn(random, 5, 300)) for _ in range(500)]
    covered = np.mean([abs(one.difference - truth) <= one.by_images_too for one in found])
    assert 0.93 <= covered <= 0.99, covered
    by_seeds = np.mean([abs(one.difference - truth) <= one.by_seeds for one in found])
    assert by_seeds < 0.9, "the images of this one test set are a source of chance, too"


def test_what_seeds_do_alone_is_the_paired_t_interval_and_images_only_add() -> None:
    first, second = drawn(np.random.default_rng(1), 6, 500)
    found = over_seeds(first, second)
    accuracies = [dict(enumerate(one.mean(1))) for one in (second, first)]
    expected = contrast((-1, 1), accuracies)
    assert expected is not None
    assert (found.seeds, found.difference) == (6, pytest.approx(expected.value))
    assert found.by_seeds == pytest.approx((expected.high or 0) - expected.value)
    assert found.by_images_too > found.by_seeds
    same = np.repeat(first[:1], 6, axis=0)
    assert over_seeds(same, same) == OverSeeds(6, 0.0, 0.0, 0.0)
