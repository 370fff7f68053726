"""Values that a sweep lacks."""

import numpy as np
import pytest

from app.compare import scale


@pytest.mark.parametrize(
    ("values", "best", "at", "further"),
    [
        ([0.001, 0.01, 0.1], 0.1, "last", [1.0, 10.0]),
        ([0.01, 0.03, 0.1], 0.1, "last", [0.3, 1.0]),
        ([0.01, 0.03, 0.1], 0.01, "first", [0.003, 0.001]),
        ([0.003, 0.01, 0.03], 0.03, "last", [0.1, 0.3]),
        ([64, 16, 32], 64, "last", [128, 256]),
        ([1, 2, 4], 1, "first", []),  # nothing whole is left below
        ([0.0, 0.1, 0.2], 0.2, "last", [0.4, 0.8]),
        ([0.5, 0.6, 0.7], 0.7, "last", [0.8, 0.9]),
    ],
)
def test_a_sweep_whose_best_stands_at_its_end_goes_on_in_its_own_steps(
    values: list[float], best: float, at: scale.End, further: list[float]
) -> None:
    assert scale.end(values, best) == at
    assert scale.beyond(values, at) == pytest.approx(further)


def test_within_the_middles_to_both_neighbours_are_lacking() -> None:
    assert scale.end([0.01, 0.03, 0.1, 0.3], 0.1) is None
    assert scale.between([0.01, 0.03, 0.1, 0.3], 0.1) == [0.05, 0.17]
    assert scale.between([1, 2, 4], 2) == [3]
    assert scale.between([0.0, 0.5, 0.9], 0.5) == [0.25, 0.7]
    assert scale.end([0.1, 0.2], 0.2) is None, "two values have no trend"


def test_the_weights_of_ranks_give_what_a_fitted_line_rises() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.9])
    slope = np.polyfit(range(4), values, 1)[0]
    assert np.dot(scale.ranks(4), values) == pytest.approx(3 * slope)
    assert sum(scale.ranks(7)) == pytest.approx(0)
