import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.store import runs, series
from app.store.engine import open_database, reading, reclaim, writing
from app.store.series import CHUNK_POINTS, Point
from app.store.tables import now
from trainer.metrics import TEST_ACCURACY, TRAIN_LOSS, Metric
from trainer.spec import parse


def a_run(engine: Engine) -> int:
    with writing(engine) as session:
        run = runs.add(session, parse({}), "a run")
        session.flush()
        return run.id or 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 1500), min_size=1, max_size=5), seed=st.integers(0, 1000))
def test_points_come_back_bit_for_bit_however_they_were_written(engine: Engine, sizes: list[int], seed: int) -> None:
    run_id = a_run(engine)
    values = np.random.default_rng(seed).normal(size=sum(sizes))
    points = [Point("train/loss", step, step / 7, float(value)) for step, value in enumerate(values, 1)]
    start = 0
    for size in sizes:
        with writing(engine) as session:
            series.append(session, run_id, points[start : start + size])
        start += size
    with reading(engine) as session:
        whole = series.read(session, run_id, "train/loss")
        parts = list(series.chunks(engine, run_id, "train/loss"))
        middle = series.read(session, run_id, "train/loss", 10, 1100)
        summary = runs.summaries(session, [run_id])[run_id]["train/loss"]
    assert whole.values.tobytes() == values.tobytes()
    assert whole.steps.tolist() == list(range(1, len(points) + 1))
    assert np.concatenate([part.values for part in parts]).tobytes() == values.tobytes()
    assert all(len(part.steps) == CHUNK_POINTS for part in parts[:-1])
    assert middle.steps.tolist() == [step for step in range(10, 1101) if step <= len(points)]
    assert (summary.last, summary.last_step) == (values[-1], len(values))
    assert (summary.least, summary.least_step) == (values.min(), int(values.argmin()) + 1)
    assert (summary.greatest, summary.greatest_step) == (values.max(), int(values.argmax()) + 1)
    assert series.best(summary, TRAIN_LOSS) == (summary.least, summary.least_step)


def test_the_best_accuracy_is_the_greatest(engine: Engine) -> None:
    run_id = a_run(engine)
    for step, value in enumerate([0.1, 0.9, 0.4], 1):
        with writing(engine) as session:
            series.append(session, run_id, [Point("test/accuracy", step, 0.0, value)])
    with reading(engine) as session:
        summary = runs.summaries(session, [run_id])[run_id]["test/accuracy"]
    assert (summary.last, series.best(summary, TEST_ACCURACY)) == (0.4, (0.9, 2))


def test_a_value_that_is_no_number_is_kept_and_left_out_of_both_ends(engine: Engine) -> None:
    run_id = a_run(engine)
    values = [math.nan, 2.0, math.inf, -1.0, -math.inf, math.nan]
    with writing(engine) as session:
        series.append(session, run_id, [Point("System/GPU0", step, 0.0, value) for step, value in enumerate(values, 1)])
    with reading(engine) as session:
        summary = runs.summaries(session, [run_id])[run_id]["System/GPU0"]
        kept = series.read(session, run_id, "System/GPU0").values
        declared = series.declared(session, [run_id])[run_id]["System/GPU0"]
    assert np.array_equal(kept, values, equal_nan=True)
    assert (summary.last, summary.last_step) == (None, 6)
    assert (summary.least, summary.least_step, summary.greatest, summary.greatest_step) == (-1.0, 4, 2.0, 2)
    assert series.best(summary, declared) is None, "nobody said which is better"


def test_what_is_measured_a_second_outlives_a_cut_and_the_rest_is_cut_by_its_own_word(engine: Engine) -> None:
    run_id = a_run(engine)
    declared = [Metric("a", "A", per="step"), Metric("b", "B", per="test"), Metric("c", "C", per="run")]
    names = ("a", "b", "c", "system/x", "train/loss")
    with writing(engine) as session:
        series.declare(session, run_id, declared)
        for name in names:
            series.append(session, run_id, [Point(name, step, 0.0, step) for step in range(1, 10)])
    with writing(engine) as session:
        assert series.cut(session, run_id, step=6, tested_step=4) == 6
    with reading(engine) as session:
        last = {name: found.last_step for name, found in runs.summaries(session, [run_id])[run_id].items()}
        points = {name: len(series.read(session, run_id, name).steps) for name in names}
    assert last == points == {"a": 6, "b": 4, "c": 9, "system/x": 9, "train/loss": 6}


def test_the_final_value_is_that_of_the_weights_that_were_kept(engine: Engine) -> None:
    run_id = a_run(engine)
    with writing(engine) as session:
        series.append(session, run_id, [Point("test/loss", step, 0.0, 1 / step) for step in (10, 20, 30)])
        series.append(session, run_id, [Point("late", 25, 0.0, 1.0)])
        series.settle(session, run_id, 20)
    with reading(engine) as session:
        found = runs.summaries(session, [run_id])[run_id]
    assert (found["test/loss"].final, found["test/loss"].last, found["late"].final) == (1 / 20, 1 / 30, None)


def test_a_step_is_never_written_twice(engine: Engine) -> None:
    run_id = a_run(engine)
    with writing(engine) as session:
        series.append(session, run_id, [Point("train/loss", 5, 0.0, 1.0)])
    with pytest.raises(ValueError, match="has step 5 already"), writing(engine) as session:
        series.append(session, run_id, [Point("train/loss", 5, 0.0, 1.0)])


@pytest.mark.mend("B1")
def test_what_was_deleted_is_given_back_to_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "runyard.db"
    engine = open_database(path)
    with writing(engine) as session:
        kept, gone = (runs.add(session, parse({"seed": seed}), f"run {seed}") for seed in (1, 2))
        session.flush()
        ids = kept.id or 0, gone.id or 0
    for run_id, steps in zip(ids, (100, 200_000), strict=True):
        with writing(engine) as session:
            series.append(session, run_id, [Point("train/loss", at, at / 7, 1 / at) for at in range(1, steps + 1)])
    runs.request_stop(engine, ids[1])
    runs.remove(engine, ids[1])
    runs.purge(engine, now() + timedelta(hours=1))
    assert not reclaim(engine), "too little to be worth it"
    before = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert reclaim(engine, least=1)
    after = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert after < before / 4
    with reading(engine) as session:
        assert len(series.read(session, ids[0], "train/loss").steps) == 100
    assert not reclaim(engine, least=1)
    engine.dispose()
