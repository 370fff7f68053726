from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from app.store import experiments, runs
from app.store.engine import reading, writing
from app.store.errors import NotFound, RunActive
from app.store.experiments import ExperimentSpec
from app.store.listing import Query, listed
from app.store.tables import now
from trainer.spec import SpecError


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
    assert experiments.run_names(specs)[0] == "fc-original-lr-0.1-3"
    assert experiments.run_names(expanded({}, {"model": ["fc", "cnn"]}))[0] == "fc-original-1"


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
