import statistics
from dataclasses import replace
from typing import Any

import pytest

from app.compare.groups import Member, differing, facets, grouped
from trainer.metrics import KNOWN


def member(run: int, accuracy: float | None = None, status: str = "succeeded", **knobs: Any) -> Member:
    known = {"model": "cnn", "pixel_order": "original", "seed": run, "device": "cpu", **knobs}
    last = {} if accuracy is None else {"test/accuracy": accuracy}
    of_all = str({path: knob for path, knob in known.items() if path not in ("seed", "device")})
    return Member(run, status, of_all, known, last, {metric: value + 0.01 for metric, value in last.items()}, KNOWN)


def test_seeds_of_one_configuration_are_one_group_with_mean_and_sample_deviation() -> None:
    groups = grouped([member(1, 0.9), member(2, 0.8), member(3, 0.85), member(4, 0.5, model="fc")])
    assert [len(group.members) for group in groups] == [3, 1]
    figure = groups[0].figures["test/accuracy"]
    assert figure.summary.n == 3
    assert figure.summary.mean == pytest.approx(0.85)
    assert figure.summary.deviation == pytest.approx(statistics.stdev([0.9, 0.8, 0.85]))
    assert figure.best == pytest.approx(0.91)
    assert groups[1].figures["test/accuracy"].summary.deviation is None


def test_the_same_seed_again_says_nothing_new() -> None:
    (group,) = grouped([member(1, 0.9, seed=1), member(2, 0.9, seed=1), member(3, 0.8, seed=2)])
    assert (len(group.members), group.done, group.figures["test/accuracy"].summary.n) == (3, 3, 2)


def test_values_stand_in_the_order_in_which_runs_were_launched() -> None:
    members = [replace(member(run, 0.9), value=run / 10) for run in (3, 1, 2)]
    assert grouped(members)[0].sample == {1: 0.1, 2: 0.2, 3: 0.3}
    assert list(grouped(members)[0].sample) == [1, 2, 3]


def test_only_runs_that_succeeded_count() -> None:
    (group,) = grouped(
        [member(1, 0.9), member(2, 0.1, status="running"), member(3, 0.2, status="stopped"), member(4, status="queued")]
    )
    assert (group.done, group.figures["test/accuracy"].summary.n, len(group.members)) == (1, 1, 4)


def test_what_differs_is_named_and_a_knob_of_one_model_alone_is_not() -> None:
    members = [
        member(1, model="fc", **{"model.n_hidden": 8}),
        member(2, model="cnn", **{"model.n_features": 6}),
    ]
    assert differing(members) == {"model": ["fc", "cnn"], "seed": [1, 2]}


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ({"pixel_order": [1, 2], "model": [1, 2], "seed": [1, 2]}, ("model", "pixel_order")),
        ({"optimizer.lr": [1, 2, 3], "pixel_order": [1, 2]}, ("optimizer.lr", "pixel_order")),
        ({"optimizer.lr": [1, 2, 3], "epochs": [1, 2]}, ("optimizer.lr", "epochs")),
        ({"optimizer.lr": [1, 2]}, (None, "optimizer.lr")),
        ({"seed": [1, 2]}, (None, None)),
    ],
    ids=str,
)
def test_panels_are_made_of_the_two_knobs_that_matter(knobs: dict[str, list[int]], expected: tuple[str, str]) -> None:
    assert facets(knobs) == expected
