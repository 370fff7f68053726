import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.buckets import bucketed, smooth, width_for
from app.store.series import Points

finite = st.floats(-1e6, 1e6)


def points(values: list[float], first: int = 1) -> Points:
    steps = np.arange(first, first + len(values), dtype=np.int64)
    return Points(steps, steps / 10, np.array(values, dtype=np.float64))


@given(st.integers(1, 10**7), st.integers(1, 5000))
def test_the_width_is_the_smallest_power_of_two_that_fits(steps: int, most: int) -> None:
    width = width_for(steps, most)
    assert width & (width - 1) == 0
    assert -(-steps // width) <= most
    assert width == 1 or -(-steps // (width // 2)) > most


@given(st.lists(finite, min_size=1, max_size=300), st.sampled_from([1, 2, 8, 64]))
def test_no_spike_is_lost_and_every_bucket_is_what_its_points_are(values: list[float], width: int) -> None:
    found = bucketed(points(values), width)
    assert found.min.min() == min(values)
    assert found.max.max() == max(values)
    for number, start in enumerate(range(0, len(values), width)):
        part = values[start : start + width]
        assert found.steps[number] == start + len(part)
        assert (found.min[number], found.max[number], found.last[number]) == (min(part), max(part), part[-1])
        assert found.mean[number] == pytest.approx(np.mean(part), rel=1e-9, abs=1e-6)


@given(st.lists(finite, min_size=2, max_size=200), st.data())
def test_full_buckets_never_change_while_points_are_added(values: list[float], data: st.DataObject) -> None:
    width = 8
    so_far = data.draw(st.integers(1, len(values)))
    early, late = bucketed(points(values[:so_far]), width), bucketed(points(values), width)
    full = so_far // width
    for name in ("steps", "min", "max", "mean", "last"):
        assert getattr(early, name)[:full].tolist() == getattr(late, name)[:full].tolist()


def test_a_tail_has_the_buckets_of_the_whole() -> None:
    values = list(np.random.default_rng(0).normal(size=100))
    whole, tail = bucketed(points(values), 16), bucketed(points(values[48:], first=49), 16)
    assert tail.steps.tolist() == whole.steps[3:].tolist()
    assert tail.max.tolist() == whole.max[3:].tolist()


@given(st.lists(finite, min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_smoothing_is_the_debiased_average(values: list[float], factor: float) -> None:
    smoothed = smooth(np.array(values), factor)
    weights = [factor ** (len(values) - 1 - i) for i in range(len(values))]
    assert smoothed[0] == pytest.approx(values[0], rel=1e-9, abs=1e-6)
    assert smoothed[-1] == pytest.approx(np.average(values, weights=weights), rel=1e-6, abs=1e-3)


def test_an_empty_series_has_no_buckets() -> None:
    assert len(bucketed(points([]), 4).steps) == 0
