import re
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from app.spec.experiment import ExperimentSpec, RandomSearch
from app.spec.plan import run_names
from app.store import experiments, runs
from app.store.engine import clock, reading, writing
from app.store.errors import NotFound, RunActive
from app.store.listing import Query, listed
from app.store.tables import now
from trainer.spec import RunSpec, SpecError


def expanded(base: dict[str, Any], grid: dict[str, list[Any]]) -> list[Any]:
    return ExperimentSpec(name="a question", base=base, grid=grid).expand()


def test_a_grid_is_every_combination_with_seeds_together() -> None:
    specs = expanded(
        {"dataset": "mnist"}, {"seed": [1, 2], "model": ["fc", "cnn"], "pixel_order": ["original", "shuffled"]}
    )
    found = [(spec.model.name, spec.pixel_order, spec.seed) for spec in specs]
    assert found[:3] == [("fc", "original", 1), ("fc", "original", 2), ("fc", "shuffled", 1)]
    assert len(set(found)) == 8


def test_a_knob_of_the_model_is_set_on_the_model_that_the_grid_names() -> None:
    specs = expanded({}, {"model.n_hidden": [4, 16], "model": ["fc"], "optimizer.lr": [0.1]})
    assert [spec.model.knobs["n_hidden"] for spec in specs] == [4, 16]
    assert {spec.optimizer.knobs["lr"] for spec in specs} == {0.1}


def test_a_model_may_be_an_object_with_its_knobs() -> None:
    specs = expanded({}, {"model": ["cnn", {"name": "fc", "n_hidden": 20}]})
    assert [spec.parameters for spec in specs] == [6422, 785 * 20 + 21 * 20 + 21 * 10]


@pytest.mark.parametrize(
    ("base", "grid", "field", "words"),
    [
        ({}, {"model": ["fc", "cnn"], "model.n_hidden": [8]}, "model.n_hidden", "is not a knob of cnn"),
        ({}, {"colour": [1]}, "grid.colour", "is not a knob"),
        ({}, {"model.layers": [1]}, "grid.model.layers", "is not a knob"),
        ({}, {"seed": []}, "grid.seed", "is empty"),
        ({}, {"seed": [1, 1]}, "grid.seed", "has 1 twice"),
        ({}, {"seed": list(range(10_000))}, "grid", "grid makes 10,000 runs: choose fewer values, at most 500"),
        ({}, {"optimizer.lr": [0.1, -1]}, "optimizer.lr", "optimizer.lr is -1"),
        ({"epochs": 0}, {"seed": [1, 2, 3]}, "epochs", "epochs is 0"),
        ({"model": 3}, {"model.n_hidden": [1]}, "model", "model is 3"),
        ({"nonsense": 1}, {}, "nonsense", "is not a knob"),
    ],
    ids=lambda value: str(value)[:30] if not isinstance(value, str) else None,
)
def test_what_can_not_be_trained_is_refused_once_and_makes_nothing(
    engine: Engine, base: dict[str, Any], grid: dict[str, list[Any]], field: str, words: str
) -> None:
    with pytest.raises(SpecError) as caught:
        experiments.create(engine, ExperimentSpec(name="x", base=base, grid=grid))
    assert [problem.field for problem in caught.value.problems] == [field]
    assert words in str(caught.value)
    assert experiments.listed(engine, None, 10) == []
    with reading(engine) as session:
        assert listed(session, Query())[0] == []


def test_runs_are_named_by_what_varies() -> None:
    specs = expanded({}, {"model": ["fc", "cnn"], "optimizer.lr": [0.1, 0.01], "seed": [3]})
    assert run_names(specs)[0] == "fc-original-lr-0.1-3"
    assert run_names(expanded({}, {"model": ["fc", "cnn"]}))[0] == "fc-original-1"


def test_what_is_said_of_an_experiment_is_told_to_whoever_listens(engine: Engine) -> None:
    row, (first, last) = experiments.create(engine, ExperimentSpec(name="two", grid={"seed": [1, 2]}))
    with reading(engine) as session:
        before = clock(session)
    experiments.describe(engine, row.id or 0, note="for the talk")
    with reading(engine) as session:
        _, changed, _ = runs.changed_since(session, before)
    assert [run.id for run in changed] == [last.id] != [first.id]


def test_a_deleted_experiment_takes_its_runs_along_and_brings_them_back(engine: Engine) -> None:
    row, members = experiments.create(engine, ExperimentSpec(name="x", grid={"seed": [1, 2, 3]}))
    assert row.id is not None
    runs.remove(engine, members[0].id or 0)  # on its own, before
    assert experiments.remove(engine, row.id) == [members[1].id, members[2].id]
    with reading(engine) as session, pytest.raises(NotFound):
        experiments.get(session, row.id)
    assert experiments.listed(engine, None, 10) == []
    experiments.restore(engine, row.id)
    with reading(engine) as session:
        assert [run.id for run in runs.of_experiment(session, row.id)] == [members[1].id, members[2].id]
        assert experiments.get(session, row.id).name == "x"


def test_an_experiment_with_a_run_at_work_is_not_deleted_in_part(engine: Engine) -> None:
    row, members = experiments.create(engine, ExperimentSpec(name="x", grid={"seed": [1, 2]}))
    with writing(engine) as session:
        runs.claim(session, runs.get(session, members[1].id or 0), "cpu")
    with pytest.raises(RunActive, match="stop it before you delete it"):
        experiments.remove(engine, row.id or 0)
    with reading(engine) as session:
        assert len(runs.of_experiment(session, row.id or 0)) == 2


def test_a_purged_experiment_is_gone(engine: Engine) -> None:
    row, members = experiments.create(engine, ExperimentSpec(name="x", grid={"seed": [1, 2]}))
    experiments.remove(engine, row.id or 0)
    runs.purge(engine, now() + timedelta(seconds=1))
    with pytest.raises(NotFound):
        experiments.restore(engine, row.id or 0)
    with reading(engine) as session, pytest.raises(NotFound):
        runs.get(session, members[0].id or 0)


def drawn(count: int, draw_seed: int = 1, **grid: list[object]) -> list[RunSpec]:
    ranges = {"optimizer.lr": {"low": 0.001, "high": 0.1, "log": True}, "batch_size": {"low": 16, "high": 256}}
    random = RandomSearch.model_validate({"count": count, "ranges": ranges, "seed": draw_seed})
    return ExperimentSpec(name="search", base={"model": "fc"}, grid=grid, random=random).expand()


def test_values_are_drawn_at_random_and_the_same_seed_draws_the_same() -> None:
    specs = drawn(200)
    rates, sizes = [spec.optimizer.lr for spec in specs], [spec.batch_size for spec in specs]  # type: ignore[attr-defined]
    assert all(0.001 <= rate <= 0.1 for rate in rates)
    assert all(16 <= size <= 256 for size in sizes)
    assert 70 < sum(rate < 0.01 for rate in rates) < 130, "evenly over the logarithm"
    assert len({spec.model_dump_json() for spec in specs}) > 190
    assert drawn(200) == specs
    assert drawn(20) == specs[:20], "more draws begin with the same ones"
    assert drawn(20, draw_seed=2) != specs[:20]


def test_each_draw_goes_with_every_combination_of_the_grid() -> None:
    specs = drawn(3, pixel_order=["original", "shuffled"], seed=[1, 2])
    assert len(specs) == 12
    assert len({(spec.optimizer.lr, spec.batch_size) for spec in specs}) == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("ranges", "grid", "words"),
    [
        ({"model": (1, 2)}, {}, "random.ranges.model is no knob with numbers"),
        ({"pixel_order": (1, 2)}, {}, "random.ranges.pixel_order is no knob with numbers"),
        ({"optimizer.rate": (1, 2)}, {}, "random.ranges.optimizer.rate is no knob with numbers"),
        ({"epochs": (1, 2)}, {"epochs": [3]}, "random.ranges.epochs is in the grid too"),
        ({"optimizer.lr": (-2, -1)}, {}, "optimizer.lr is -"),
    ],
    ids=["model", "choice", "unknown", "twice", "value"],
)
def test_a_range_that_can_not_be_drawn_is_refused(
    ranges: dict[str, tuple[float, float]], grid: dict[str, list[object]], words: str
) -> None:
    made = {path: {"low": low, "high": high} for path, (low, high) in ranges.items()}
    random = RandomSearch.model_validate({"count": 3, "ranges": made})
    with pytest.raises(SpecError, match=re.escape(words)):
        ExperimentSpec(name="search", grid=grid, random=random).expand()
    with pytest.raises(ValidationError, match="high has to be above low"):
        RandomSearch.model_validate({"count": 1, "ranges": {"epochs": {"low": 2, "high": 2}}})
    with pytest.raises(ValidationError, match="begins above 0"):
        RandomSearch.model_validate({"count": 1, "ranges": {"epochs": {"low": 0, "high": 2, "log": True}}})


def test_a_search_is_kept_with_its_experiment(engine: Engine) -> None:
    random = RandomSearch.model_validate({"count": 3, "ranges": {"optimizer.lr": {"low": 0.1, "high": 1}}})
    row, made = experiments.create(engine, ExperimentSpec(name="x", random=random))
    assert len(made) == 3
    with reading(engine) as session:
        assert experiments.get(session, row.id or 0).random == random.model_dump(mode="json")
