from datetime import timedelta

import pytest
from sqlalchemy import Engine, update
from sqlmodel import col

from app.store import measures, runs, series
from app.store.engine import clock, reading, writing
from app.store.errors import Conflict, IllegalTransition, NotFound, RunActive, Superseded
from app.store.listing import Query, listed
from app.store.series import Point
from app.store.tables import ACTIVE, Chunk, Run, Status, now
from trainer.metrics import TEST_ACCURACY, TEST_LOSS
from trainer.spec import parse


def queued(engine: Engine, name: str = "a run", **spec: object) -> int:
    with writing(engine) as session:
        run = runs.add(session, parse(spec), name)
        session.flush()
        assert run.id is not None
        return run.id


def forced(engine: Engine, status: Status) -> int:
    run_id = queued(engine)
    with writing(engine) as session:
        session.execute(update(Run).where(col(Run.id) == run_id).values(status=status, attempt=1))
    return run_id


def status_of(engine: Engine, run_id: int) -> Status:
    with reading(engine) as session:
        return runs.get(session, run_id).status


@pytest.mark.parametrize("to", Status)
@pytest.mark.parametrize("source", Status)
def test_only_the_drawn_transitions_happen(engine: Engine, source: Status, to: Status) -> None:
    run_id = forced(engine, source)
    if to in runs.TRANSITIONS[source]:
        with writing(engine) as session:
            runs.move(session, run_id, to)
        assert status_of(engine, run_id) == to
    else:
        with (
            pytest.raises(IllegalTransition, match=f"run {run_id} is {source}: it can't become {to}"),
            writing(engine) as session,
        ):
            runs.move(session, run_id, to)
        assert status_of(engine, run_id) == source


def test_an_attempt_that_was_superseded_changes_nothing(engine: Engine) -> None:
    run_id = queued(engine)
    with writing(engine) as session:
        claim = runs.claim(session, runs.get(session, run_id), "cpu")
    runs.begin(engine, run_id, claim.attempt, {"torch": "2"}, runs.Start())
    with writing(engine) as session:
        session.execute(update(Run).where(col(Run.id) == run_id).values(attempt=2))
    with pytest.raises(Superseded), writing(engine) as session:
        runs.progress(session, run_id, 1, 10, 0.5)
    with pytest.raises(Superseded), writing(engine) as session:
        runs.move(session, run_id, Status.SUCCEEDED, attempt=1)
    assert not runs.end(engine, run_id, 1, Status.FAILED, "late")
    with reading(engine) as session:
        run = runs.get(session, run_id)
        assert (run.status, run.steps_done, run.cause) == (Status.RUNNING, 0, None)


def test_a_queued_run_is_stopped_at_once_and_one_at_work_is_asked(engine: Engine) -> None:
    waiting, at_work, done = queued(engine), forced(engine, Status.RUNNING), forced(engine, Status.SUCCEEDED)
    runs.request_stop(engine, waiting)
    runs.request_stop(engine, at_work)
    assert status_of(engine, waiting) == Status.STOPPED
    assert status_of(engine, at_work) == Status.RUNNING
    with writing(engine) as session:
        assert runs.progress(session, at_work, 1, 5, 0.5).stop
    with pytest.raises(IllegalTransition, match="is succeeded: only a run that is queued or at work can be stopped"):
        runs.request_stop(engine, done)
    with pytest.raises(NotFound):
        runs.request_stop(engine, 999)


def test_a_deleted_run_is_nowhere_until_it_is_restored_and_then_as_it_was(engine: Engine) -> None:
    run_id = queued(engine)
    with writing(engine) as session:
        series.append(session, run_id, [Point("train/loss", 1, 0.1, 2.3)])
    with reading(engine) as session:
        before = clock(session)
    runs.remove(engine, run_id)
    with reading(engine) as session:
        with pytest.raises(NotFound):
            runs.get(session, run_id)
        assert runs.pending(engine) == []
        assert not any(runs.counts(session).values())
        assert listed(session, Query())[0] == []
        assert runs.changed_since(session, before)[1:] == ([], [run_id])
    with pytest.raises(NotFound), writing(engine) as session:
        runs.move(session, run_id, Status.STARTING)
    runs.restore(engine, run_id)
    with reading(engine) as session:
        assert [one.run_id for one in runs.pending(engine)] == [run_id]
        assert series.read(session, run_id, "train/loss").values.tolist() == [2.3]
        _, changed, deleted = runs.changed_since(session, before)
        assert ([run.id for run in changed], deleted) == ([run_id], [])


def test_a_purged_run_leaves_nothing_and_its_id_is_not_given_again(engine: Engine) -> None:
    kept, gone = queued(engine), queued(engine)
    with writing(engine) as session:
        series.append(session, gone, [Point("train/loss", 1, 0.1, 2.3)])
    runs.remove(engine, gone)
    assert runs.purge(engine, now() - timedelta(minutes=1)) == []
    with writing(engine) as session:
        files = session.get(Run, gone).files  # type: ignore[union-attr]
    assert files.startswith(f"run-{gone}-")
    assert runs.purge(engine, now()) == [files]
    with reading(engine) as session:
        assert session.get(Run, gone) is None
        assert session.get(Chunk, (gone, "train/loss", 1)) is None
        assert runs.get(session, kept)
    with pytest.raises(NotFound):
        runs.restore(engine, gone)
    assert queued(engine) > gone


def test_tags_and_notes_are_kept_and_found(engine: Engine) -> None:
    first, second = queued(engine), queued(engine)
    runs.describe(engine, first, tags=["baseline", "keep"], note="as in the talk")
    runs.describe(engine, second, add_tags=["keep"])
    runs.describe(engine, first, add_tags=["new"], remove_tags=["baseline"])
    with reading(engine) as session:
        assert runs.tags(session, [first, second]) == {first: ["keep", "new"], second: ["keep"]}
        assert runs.get(session, first).note == "as in the talk"
        assert [run.id for run in listed(session, Query(tags=["keep", "new"]))[0]] == [first]
        assert [run.id for run in listed(session, Query(tags=["keep"]))[0]] == [second, first]
    with pytest.raises(Conflict, match="would have 21 tags: at most 20"):
        runs.describe(engine, first, tags=[str(number) for number in range(21)])


def test_a_queued_run_moves_to_the_front(engine: Engine) -> None:
    ids = [queued(engine) for _ in range(3)]
    runs.move_first(engine, ids[2])
    runs.move_first(engine, ids[1])
    with reading(engine) as session:
        assert [one.run_id for one in runs.pending(engine)] == [ids[1], ids[2], ids[0]]
        assert [run.id for run in listed(session, Query(sort="queue", ascending=True))[0]] == [ids[1], ids[2], ids[0]]
    with pytest.raises(IllegalTransition, match="only a queued run can be moved to the front"):
        runs.move_first(engine, forced(engine, Status.RUNNING))


@pytest.mark.parametrize("status", ACTIVE)
def test_a_run_at_work_is_not_deleted(engine: Engine, status: Status) -> None:
    run_id = forced(engine, status)
    with pytest.raises(RunActive, match="stop it before you delete it"):
        runs.remove(engine, run_id)


def test_every_write_has_a_number_and_what_changed_since_is_found_by_it(engine: Engine) -> None:
    first, second = queued(engine), queued(engine)
    with reading(engine) as session:
        before = clock(session)
    runs.describe(engine, second, name="renamed")
    with reading(engine) as session:
        _, changed, deleted = runs.changed_since(session, before)
    assert ([run.id for run in changed], deleted) == ([second], [])
    assert first != second


def test_a_write_that_fails_changes_nothing(engine: Engine) -> None:
    run_id = queued(engine, "before")
    with pytest.raises(ValueError, match="has step 1 already"), writing(engine) as session:  # noqa: PT012
        session.execute(update(Run).values(name="after"))
        series.append(session, run_id, [Point("train/loss", 1, 0.0, 1.0)])
        session.flush()
        series.append(session, run_id, [Point("train/loss", 1, 0.0, 1.0)])
    with reading(engine) as session:
        assert runs.get(session, run_id).name == "before"


def test_a_cut_series_ends_at_its_step_and_its_summary_is_of_what_is_left(engine: Engine) -> None:
    run_id = queued(engine)
    losses = [Point("train/loss", step, step / 10, 3.0 - step / 1000) for step in range(1, 2501)]
    tests = [Point("test/accuracy", 1000, 100.0, 0.7), Point("test/accuracy", 2000, 200.0, 0.9)]
    with writing(engine) as session:
        series.append(session, run_id, [*losses, *tests])
    with writing(engine) as session:
        assert series.cut(session, run_id, 1500, 1000) == 1500
    with reading(engine) as session:
        assert series.read(session, run_id, "train/loss").steps.tolist() == list(range(1, 1501))
        summaries = runs.summaries(session, [run_id])[run_id]
        assert (summaries["train/loss"].last, summaries["train/loss"].least_step) == (1.5, 1500)
        assert (summaries["test/accuracy"].greatest, summaries["test/accuracy"].greatest_step) == (0.7, 1000)
    with writing(engine) as session:
        series.append(session, run_id, losses[1500:1510])
        assert series.cut(session, run_id, 0, 0) == 0
    with reading(engine) as session:
        assert runs.summaries(session, [run_id]) == {}


def test_what_a_run_ended_with_is_the_value_at_the_weights_that_were_kept(engine: Engine) -> None:
    run_id, other = forced(engine, Status.SUCCEEDED), forced(engine, Status.SUCCEEDED)
    with writing(engine) as session:
        for step, accuracy in ((10, 0.3), (20, 0.9), (30, 0.2)):
            series.append(session, run_id, [Point("test/accuracy", step, 0.1, accuracy)])
        series.append(session, other, [Point("test/accuracy", 30, 0.1, 0.5)])
        series.settle(session, run_id, 20)
    with reading(engine) as session:
        rows = runs.get_many(session, [run_id, other])
        assert measures.values(session, rows, "last", TEST_ACCURACY, 0.0) == {run_id: 0.9, other: 0.5}
        sorted_ids = [run.id for run in listed(session, Query(sort="test/accuracy"))[0]]
        over = [run.id for run in listed(session, Query(text="test/accuracy>0.8"))[0]]
    assert (sorted_ids, over) == ([run_id, other], [run_id])


def test_the_best_test_of_a_run_with_validation_images_is_that_of_the_epoch_they_choose(engine: Engine) -> None:
    run_id, other = forced(engine, Status.SUCCEEDED), forced(engine, Status.SUCCEEDED)
    with writing(engine) as session:
        for step, held_out, accuracy, loss in ((10, 0.3, 0.4, 1.9), (20, 0.8, 0.6, 1.1), (30, 0.7, 0.9, 1.0)):
            tests = [Point("test/accuracy", step, 0.1, accuracy), Point("test/loss", step, 0.1, loss)]
            held = [Point("validation/accuracy", step, 0.1, held_out), Point("validation/loss", step, 0.1, held_out)]
            series.append(session, run_id, [*held, *tests])
            series.append(session, other, tests)
    with reading(engine) as session:
        rows = runs.get_many(session, [run_id, other])
        assert measures.values(session, rows, "best", TEST_ACCURACY, 0.0) == {run_id: 0.6, other: 0.9}
        assert measures.values(session, rows, "best", TEST_LOSS, 0.0) == {run_id: 1.9, other: 1.0}
