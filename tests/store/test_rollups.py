"""A long series in buckets is the same by its rollups as by its points, whatever was appended, cut and asked for."""

import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import select

from app.store import buckets, experiments, series
from app.store.engine import open_database, reading, writing
from app.store.series import CHUNK_POINTS, Point
from app.store.tables import Rollup

NAME = "train/loss"


def new_run(engine: Engine) -> int:
    _, (run,) = experiments.create(engine, experiments.ExperimentSpec(name="x", base={"model": "fc"}, grid={}))
    return run.id or 0


def append(engine: Engine, run_id: int, steps: range, odd: bool = False) -> None:
    """A value a step; `odd`: some are no numbers, and a stretch of 2,048 has nothing else."""
    values = np.random.default_rng(len(steps)).normal(size=len(steps))
    if odd:
        values[::7], values[1::50], values[2048:4096] = math.nan, math.inf, math.nan
    with writing(engine) as session:
        points = [Point(NAME, step, step / 7, float(value)) for step, value in zip(steps, values, strict=True)]
        series.append(session, run_id, points)


def assert_alike(engine: Engine, run_id: int, width: int, first: int = 1, last: int | None = None) -> int:
    """How many rollups took part."""
    with reading(engine) as session:
        points = series.read(session, run_id, NAME, first, last)
        rollups, rest = series.read_rolled(session, run_id, NAME, width, first, last)
    assert len(rollups.steps) * CHUNK_POINTS + len(rest.steps) == len(points.steps)
    whole, short = buckets.bucketed(points, width), buckets.merged(rollups, rest, width)
    for name in ("steps", "times", "min", "max", "last"):
        assert np.array_equal(getattr(whole, name), getattr(short, name), equal_nan=True), name
    np.testing.assert_allclose(short.mean, whole.mean, rtol=1e-12, atol=1e-12)
    return len(rollups.steps)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=4),
    gaps=st.lists(st.integers(0, 900), min_size=4, max_size=4),
    stride=st.sampled_from([1, 1, 3]),
    cut=st.integers(0, 9000),
    width=st.sampled_from([1024, 2048, 4096, 65536]),
    ends=st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    odd=st.booleans(),
)
def test_by_rollups_it_is_the_same(
    engine: Engine,
    lengths: list[int],
    gaps: list[int],
    stride: int,
    cut: int,
    width: int,
    ends: tuple[int, int],
    odd: bool,
) -> None:
    run_id, step = new_run(engine), 1
    for length, gap in zip(lengths, gaps, strict=False):
        append(engine, run_id, range(step, step + length * stride, stride), odd)
        step += length * stride + gap
    with writing(engine) as session:
        series.cut(session, run_id, cut, 0)
    append(engine, run_id, range(max(step, cut + 1), max(step, cut + 1) + 1500))
    assert_alike(engine, run_id, width)
    assert_alike(engine, run_id, width, min(ends), max(ends))


def test_of_a_dense_series_only_the_end_is_read(engine: Engine) -> None:
    run_id = new_run(engine)
    append(engine, run_id, range(1, 5 * CHUNK_POINTS + 100))
    assert assert_alike(engine, run_id, CHUNK_POINTS) == 5
    assert assert_alike(engine, run_id, 4096, first=CHUNK_POINTS) == 4
    with writing(engine) as session:
        series.cut(session, run_id, 2 * CHUNK_POINTS + 10, 0)
    assert assert_alike(engine, run_id, 4096) == 2


def test_a_database_of_before_gets_those_of_its_full_chunks(tmp_path: Path) -> None:
    path = tmp_path / "runyard.db"
    engine = open_database(path)
    run_id = new_run(engine)
    append(engine, run_id, range(1, 6 * CHUNK_POINTS), odd=True)
    with reading(engine) as session:
        before = [row.model_dump() for row in session.exec(select(Rollup)).all()]
    engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.executescript("DROP TABLE rollup; UPDATE alembic_version SET version_num = '0010'")
    connection.close()
    engine = open_database(path)
    with reading(engine) as session:
        assert [row.model_dump() for row in session.exec(select(Rollup)).all()] == before
    assert len(before) == 5
    assert sum(row["finite"] for row in before if 2048 < row["first_step"] + 1 <= 4096) == 0
    engine.dispose()


@pytest.mark.parametrize("steps", [range(1, 2), range(1, CHUNK_POINTS)])
def test_a_short_series_has_none(engine: Engine, steps: range) -> None:
    run_id = new_run(engine)
    append(engine, run_id, steps)
    assert assert_alike(engine, run_id, CHUNK_POINTS) == 0
