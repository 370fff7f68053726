"""By simulation: what the intervals promise, they keep (20,000 experiments: `make peeking`)."""

import numpy as np

from app.compare.peeking import asked, peeked
from app.compare.statistics import contrast

EXPERIMENTS = 2000


def test_looking_after_every_seed_deceives_the_ordinary_interval_and_not_the_one_made_for_it() -> None:
    found = peeked(EXPERIMENTS)
    assert found.seeds[0] == 2
    assert found.seeds[-1] == 30
    assert found.ordinary[-1] > 0.20
    assert found.sequence[-1] <= 0.05
    assert found.sequence[1] == 0, "three seeds settle nothing"


def test_with_seeds_fixed_beforehand_the_ordinary_interval_covers_the_truth() -> None:
    found = peeked(EXPERIMENTS)
    assert all(0.93 <= covered <= 0.97 for covered in found.single)


def test_paired_and_welchs_intervals_cover_a_true_difference() -> None:
    random = np.random.default_rng(2)
    covered = {"seed": 0, "none": 0}
    for _ in range(EXPERIMENTS):
        of_seed = random.normal(0, 2, 5)
        first, second = of_seed + random.normal(0, 1, 5), of_seed + random.normal(0.7, 2, 5)
        for start in (1, 100):  # the same seeds, and others
            found = contrast((-1, 1), (dict(enumerate(first, 1)), dict(enumerate(second, start))))
            assert found is not None
            assert found.low is not None
            assert found.high is not None
            covered[found.matched] += found.low <= 0.7 <= found.high
    assert 0.93 <= covered["seed"] / EXPERIMENTS <= 0.97
    # seeds that pull both the same way make Welch's interval too wide, never too narrow
    assert covered["none"] / EXPERIMENTS >= 0.93


def test_ask_until_answered_tells_apart_what_differs_and_hardly_ever_what_does_not() -> None:
    equal = asked(EXPERIMENTS, 0.0)
    assert equal.told_apart <= 0.05
    assert equal.no_difference >= 0.9
    two = asked(EXPERIMENTS, 2.0)
    assert two.right_way >= 0.95
    assert two.median_seeds is not None
    assert two.median_seeds <= 7
