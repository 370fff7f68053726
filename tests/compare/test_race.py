"""Races of several configurations: who is left, when they end, and what chance makes."""

import itertools

import numpy as np
import pytest

from app.compare import race
from app.compare.statistics import seed_by_seed


def samples(*means: float, seeds: int = 12, spread: float = 0.002) -> list[dict[int, float]]:
    random = np.random.default_rng(4)
    of_seed = 0.01 * random.normal(size=seeds)
    return [
        {seed: float(mean + of_seed[seed - 1] + spread * random.normal()) for seed in range(1, seeds + 1)}
        for mean in means
    ]


def standing(given: list[dict[int, float]], smallest: float, *, greater_is_better: bool = True) -> race.Race:
    differences = {
        (first, second): list(seed_by_seed((-1, 1), (given[first], given[second])).values())
        for first, second in itertools.combinations(range(len(given)), 2)
    }
    bound = race.bound(len(given))
    return race.standing(range(len(given)), differences, smallest, bound, greater_is_better=greater_is_better)


def test_those_that_are_behind_are_ruled_out_and_one_is_left() -> None:
    found = standing(samples(0.7, 0.8, 0.9), 0.01)
    assert (found.left, found.end) == ((2,), "one")
    assert set(found.behind) == {0, 1}
    loss = standing(samples(0.7, 0.8, 0.9), 0.01, greater_is_better=False)
    assert (loss.left, loss.end) == ((0,), "one")


def test_it_ends_where_all_that_are_left_are_alike_within_what_matters() -> None:
    found = standing(samples(0.7, 0.9, 0.9005, 0.9), 0.01)
    assert (found.left, found.end) == ((1, 2, 3), "alike")
    assert standing(samples(0.7, 0.9, 0.9005, 0.9), 0.0).end == "open"


def test_one_that_runs_no_more_stays_ruled_out_and_rules_out() -> None:
    given = samples(0.7, 0.8, 0.9, 0.9005)
    given[0] = {seed: value for seed, value in given[0].items() if seed <= 8}
    found = standing(given, 0.01)
    assert 0 in found.behind
    assert {pair.n for places, pair in found.pairs.items() if 0 in places} == {8}


def test_too_few_seeds_and_none_at_all_decide_nothing() -> None:
    few = standing(samples(0.1, 0.5, 0.9, seeds=3), 0.01)
    assert (few.left, few.end, few.behind) == ((0, 1, 2), "open", {})
    none = standing([{}, {}, {}], 0.01)
    assert (none.left, none.end) == ((0, 1, 2), "open")


def test_those_that_beat_each_other_in_a_circle_are_all_left() -> None:
    close = [0.100, 0.101, 0.102, 0.099, 0.100, 0.101, 0.100, 0.102, 0.101, 0.100]
    circle = {(0, 1): close, (1, 2): close, (0, 2): [-value for value in close]}
    found = race.standing([0, 1, 2], circle, 0.01, race.bound(3))
    assert all(pair.low > 0 or pair.high < 0 for pair in found.pairs.values())
    assert (found.left, found.behind, found.end) == ((0, 1, 2), {}, "open")


def test_a_race_takes_less_than_half_of_the_runs_and_finds_the_best() -> None:
    found = race.simulated(1000, [0, 1, 2, 3, 4], seeds=30)
    assert found.runs <= 0.5
    assert found.settled >= 0.75
    assert found.wrong <= 0.01


@pytest.mark.parametrize("configurations", [3, 5, 12])
def test_among_equals_no_winner_is_claimed(configurations: int) -> None:
    assert race.simulated(300, [0.0] * configurations, seeds=30).wrong <= 0.05


def test_equals_end_as_alike_where_the_smallest_difference_allows() -> None:
    found = race.simulated(300, [0.0] * 3, seeds=40, smallest=1.5)
    assert found.settled >= 0.9
    assert found.runs < 0.7
    assert found.wrong == 0
