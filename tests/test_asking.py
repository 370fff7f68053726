"""When an open question goes on, on a real database, turn by turn."""

import dataclasses
from pathlib import Path

import pytest
from sqlmodel import col, update

from app.asking import cells, questions, sets
from app.asking.questions import Asker
from app.compare.question import Question
from app.spec.experiment import ExperimentSpec
from app.store import experiments, runs, series
from app.store.engine import clock, open_database, reading, writing
from app.store.series import Point
from app.store.tables import Run, Status, now
from trainer import catalog
from trainer.entries import Knob
from trainer.spec import SpecError

GRID = {"pixel_order": ["original", "shuffled"]}


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Asker, int]:
    engine = open_database(tmp_path / "runyard.db")
    row, made = questions.launch(engine, "asked", {"model": "fc"}, GRID, Question(knobs=["pixel_order"], max_seeds=6))
    assert len(made) == 8
    return Asker(engine), row.id or 0


def finish(asker: Asker, experiment: int, seed: int, first: float, second: float) -> None:
    """Let both runs of a seed succeed with these accuracies."""
    with writing(asker.engine) as session:
        pair = [run for run in runs.of_experiment(session, experiment) if run.spec["seed"] == seed]
        for run, accuracy in zip(pair, (first, second), strict=True):
            series.append(session, run.id or 0, [Point("test/accuracy", 1, 0.1, accuracy)])
            done = {"status": Status.SUCCEEDED, "ended_at": now(), "changed": session.change}
            session.execute(update(Run).where(col(Run.id) == run.id).values(**done))


def state(asker: Asker, experiment: int) -> tuple[str | None, int]:
    with reading(asker.engine) as session:
        return experiments.get(session, experiment).asking, len(runs.of_experiment(session, experiment))


def change(asker: Asker) -> int:
    with reading(asker.engine) as session:
        return clock(session)


def test_nothing_is_written_where_there_is_nothing_to_do(asked: tuple[Asker, int]) -> None:
    asker, experiment = asked
    before = change(asker)
    for _ in range(3):
        assert not asker.go_on(slots=2)
    assert change(asker) == before
    finish(asker, experiment, 1, 0.9, 0.8)
    assert not asker.go_on(slots=2)
    assert change(asker) == before + 1
    assert state(asker, experiment) == ("asking", 8)


def test_a_model_that_gains_a_knob_makes_a_question_forget_nothing(
    asked: tuple[Asker, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, experiment = asked
    for seed in (1, 2):
        finish(asker, experiment, seed, 0.9, 0.8)
    knob = Knob("bias", "Bias", "choice", "on", "Whether layers have one", choices=("off", "on"))
    fc = catalog.MODELS["fc"]
    monkeypatch.setitem(catalog.MODELS, "fc", dataclasses.replace(fc, knobs=(*fc.knobs, knob)))
    with reading(asker.engine) as session:
        row = experiments.get(session, experiment)
        found = sets.read(session, row)
        assert dict(found.cells[0].spec.model.knobs)["bias"] == "on", "it is asked of the model of today"
        assert [one.seed for one in found.sets if one.is_complete] == [1, 2]
        planned = cells.plan(row.base, row.grid, found.question)
        assert len(experiments.already_run(session, planned.specs)) == 4
    assert not asker.go_on(slots=2)


def test_a_next_set_is_queued_when_a_slot_would_be_empty_and_never_beyond_the_budget(asked: tuple[Asker, int]) -> None:
    asker, experiment = asked
    open_ = [(0.90, 0.905), (0.91, 0.90), (0.90, 0.92), (0.93, 0.91), (0.90, 0.89), (0.91, 0.94)]
    for seed, values in enumerate(open_[:4], 1):
        finish(asker, experiment, seed, *values)
    assert asker.go_on(slots=1)
    assert state(asker, experiment) == ("asking", 10)
    assert not asker.go_on(slots=1), "that set is under way"
    assert asker.go_on(slots=4), "two slots would be empty"
    assert state(asker, experiment) == ("asking", 12)
    assert not asker.go_on(slots=64)
    for seed, values in enumerate(open_[4:], 5):
        finish(asker, experiment, seed, *values)
    assert not asker.go_on(slots=64)
    assert state(asker, experiment) == ("spent", 12)


def test_an_open_question_s_next_set_goes_behind_the_one_at_the_head(asked: tuple[Asker, int]) -> None:
    asker, experiment = asked
    grid = {"model": ["fc", "cnn"], "seed": [1, 2, 3]}
    long, _ = experiments.create(asker.engine, ExperimentSpec(name="long", grid=grid))
    open_ = [(0.90, 0.905), (0.91, 0.90), (0.90, 0.92), (0.93, 0.91)]
    for seed, values in enumerate(open_, 1):
        finish(asker, experiment, seed, *values)
    assert asker.go_on(slots=1)
    with reading(asker.engine) as session:
        waiting = [runs.get(session, one.run_id) for one in runs.pending(asker.engine)]
    order = [(run.experiment_id, run.seed) for run in waiting]
    assert order == [(long.id, 1)] * 2 + [(experiment, 5)] * 2 + [(long.id, 2)] * 2 + [(long.id, 3)] * 2


def test_an_answer_ends_it_and_is_heard_of(asked: tuple[Asker, int]) -> None:
    asker, experiment = asked
    for seed, loss in enumerate((0.10, 0.11, 0.10, 0.12), 1):
        finish(asker, experiment, seed, 0.9, 0.9 - loss)
    before = change(asker)
    assert not asker.go_on(slots=8)
    assert state(asker, experiment) == ("answered", 8)
    with reading(asker.engine) as session:
        _, changed, _ = runs.changed_since(session, before)
    assert [run.experiment_id for run in changed] == [experiment]
    questions.keep_asking(asker.engine, experiment)
    assert asker.go_on(slots=1)
    assert state(asker, experiment) == ("asking", 10)


def test_a_budget_that_can_not_be_asked_with_is_refused_and_failed_sets_have_to_be_relaunched(
    asked: tuple[Asker, int],
) -> None:
    asker, experiment = asked
    more = {**GRID, "seed": [1, 2, 3, 4, 5]}
    with pytest.raises(SpecError, match="the grid has 5 seeds"):
        questions.launch(asker.engine, "seeds", {}, more, Question(knobs=["pixel_order"], max_seeds=4))
    wide = {**GRID, "optimizer.lr": [0.1, 0.2], "epochs": [1, 2]}
    row, _ = questions.launch(asker.engine, "wide", {}, wide, Question(knobs=["pixel_order"], max_seeds=20))
    with pytest.raises(SpecError, match="with 8 configurations that is 800 runs"):
        questions.change(asker.engine, row.id or 0, max_seeds=100)
    with writing(asker.engine) as session:
        for run in runs.of_experiment(session, experiment)[:6]:
            ended = {"status": Status.FAILED, "ended_at": now()}
            session.execute(update(Run).where(col(Run.id) == run.id).values(**ended))
    asker.go_on(slots=1)
    assert state(asker, experiment)[0] == "failed"
    with pytest.raises(SpecError, match="runs of the seeds 1, 2, 3 failed; relaunch"):
        questions.keep_asking(asker.engine, experiment)


def test_a_set_counts_once_all_sets_launched_before_it_have_ended(asked: tuple[Asker, int]) -> None:
    asker, experiment = asked

    def counted() -> list[int]:
        with reading(asker.engine) as session:
            return [one.seed for one in sets.read(session, experiments.get(session, experiment)).counted]

    for seed, found in ((2, 0.8), (4, 0.81), (3, 0.82)):
        finish(asker, experiment, seed, 0.9, found)
        assert counted() == []
    with writing(asker.engine) as session:
        (first, _) = [run for run in runs.of_experiment(session, experiment) if run.seed == 1]
        failed = {"status": Status.FAILED, "ended_at": now(), "changed": session.change}
        session.execute(update(Run).where(col(Run.id) == first.id).values(**failed))
    assert counted() == [2, 3, 4], "the first set will not be complete: it is waited for no more"


def test_what_matters_is_the_usual_where_nobody_said(asked: tuple[Asker, int]) -> None:
    asker, experiment = asked

    def matters(measure: str = "test/accuracy") -> float:
        with reading(asker.engine) as session:
            row = experiments.get(session, experiment)
            row.question = {**(row.question or {}), "measure": measure}
            return sets.read(session, row).smallest

    finish(asker, experiment, 1, 0.9, 0.8)
    assert matters() == 0.01
    assert matters("test/accuracy.steps_to=0.5") == pytest.approx(0.05 * 1)
    questions.change(asker.engine, experiment, smallest=0.2)
    assert matters() == 0.2
