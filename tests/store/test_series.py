import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.store import runs, series
from app.store.engine import reading, writing
from app.store.series import CHUNK_POINTS, Point
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
        parts = list(series.chunks(session, run_id, "train/loss"))
        middle = series.read(session, run_id, "train/loss", 10, 1100)
        summary = runs.summaries(session, [run_id])[run_id]["train/loss"]
    assert whole.values.tobytes() == values.tobytes()
    assert whole.steps.tolist() == list(range(1, len(points) + 1))
    assert np.concatenate([part.values for part in parts]).tobytes() == values.tobytes()
    assert all(len(part.steps) == CHUNK_POINTS for part in parts[:-1])
    assert middle.steps.tolist() == [step for step in range(10, 1101) if step <= len(points)]
    assert (summary.last, summary.best, summary.best_step) == (values[-1], values.min(), int(values.argmin()) + 1)


def test_the_best_accuracy_is_the_greatest(engine: Engine) -> None:
    run_id = a_run(engine)
    for step, value in enumerate([0.1, 0.9, 0.4], 1):
        with writing(engine) as session:
            series.append(session, run_id, [Point("test/accuracy", step, 0.0, value)])
    with reading(engine) as session:
        summary = runs.summaries(session, [run_id])[run_id]["test/accuracy"]
    assert (summary.last, summary.best, summary.best_step) == (0.4, 0.9, 2)


def test_a_step_is_never_written_twice(engine: Engine) -> None:
    run_id = a_run(engine)
    with writing(engine) as session:
        series.append(session, run_id, [Point("train/loss", 5, 0.0, 1.0)])
    with pytest.raises(ValueError, match="has step 5 already"), writing(engine) as session:
        series.append(session, run_id, [Point("train/loss", 5, 0.0, 1.0)])
