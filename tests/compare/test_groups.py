import statistics
from typing import Any

import pytest

from app.compare.answer import answer
from app.compare.groups import Group, Member, differing, facets, grouped


def member(run: int, accuracy: float | None = None, status: str = "succeeded", **knobs: Any) -> Member:
    known = {"model": "cnn", "pixel_order": "original", "seed": run, "device": "cpu", **knobs}
    last = {} if accuracy is None else {"test/accuracy": accuracy}
    return Member(run, status, known, last, {metric: value + 0.01 for metric, value in last.items()})


def test_seeds_of_one_configuration_are_one_group_with_mean_and_sample_deviation() -> None:
    groups = grouped([member(1, 0.9), member(2, 0.8), member(3, 0.85), member(4, 0.5, model="fc")])
    assert [len(group.members) for group in groups] == [3, 1]
    figure = groups[0].figures["test/accuracy"]
    assert figure.n == 3
    assert figure.mean == pytest.approx(0.85)
    assert figure.std == pytest.approx(statistics.stdev([0.9, 0.8, 0.85]))
    assert figure.best == pytest.approx(0.91)
    assert groups[1].figures["test/accuracy"].std is None


def test_only_runs_that_succeeded_count() -> None:
    (group,) = grouped(
        [member(1, 0.9), member(2, 0.1, status="running"), member(3, 0.2, status="stopped"), member(4, status="queued")]
    )
    assert (group.done, group.figures["test/accuracy"].n, len(group.members)) == (1, 1, 4)


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


def said(members: list[Member]) -> list[str]:
    def name(group: Group) -> str:
        return f"{group.knobs['model']}, {group.knobs['pixel_order']}"

    return answer(grouped(members), name, lambda group: str(group.knobs["model"])).sentences


def test_the_answer_gives_means_and_differences_the_largest_first() -> None:
    assert said(
        [
            member(1, 0.58, model="fc"),
            member(2, 0.60, model="fc", pixel_order="shuffled"),
            member(3, 0.94),
            member(4, 0.79, pixel_order="shuffled"),
        ]
    ) == [
        "cnn: mean accuracy 15.0 points lower with shuffled pixels.",
        "fc: mean accuracy 2.0 points higher with shuffled pixels.",
    ]


def test_what_has_not_finished_is_said() -> None:
    waiting = [member(1, 0.9), member(2, status="queued", pixel_order="shuffled")]
    assert said(waiting) == ["cnn: no finished run on shuffled pixels yet."]
    assert said([member(1, status="queued")]) == ["No run has finished yet."]
    assert said([]) == []


def test_without_two_pixel_orders_the_highest_mean_is_named() -> None:
    sentences = said([member(1, 0.9), member(2, 0.8), member(3, 0.5, model="fc")])
    assert sentences == [
        "cnn, original has the highest mean accuracy, 85.00% of 2 runs.",
        "That is 35.0 points above fc, original.",
    ]
