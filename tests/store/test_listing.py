"""Lists of runs: every one once, in any order, a page at a time."""

import re

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from app.store import runs, series
from app.store.engine import reading, writing
from app.store.filters import BadFilter
from app.store.listing import SORTS, BadQuery, Query, listed
from app.store.series import Point
from app.store.tables import Run
from tests.store.test_runs import queued
from trainer.metrics import Metric

EVERY = [*SORTS[:-2], "test/accuracy", "test/loss.best"]


@pytest.mark.parametrize("sort", EVERY)
@pytest.mark.parametrize("ascending", [False, True], ids=["desc", "asc"])
def test_pages_hold_every_run_once_in_order(engine: Engine, sort: str, ascending: bool) -> None:
    for number in range(11):
        run_id = queued(engine, f"run {number % 4}", seed=number % 5, model="cnn" if number % 2 else "fc")
        if number % 3:
            with writing(engine) as session:
                points = [Point("test/accuracy", 1, 0.1, (number % 4) / 10), Point("test/loss", 1, 0.1, number % 4)]
                series.append(session, run_id, points)
        if number % 2:
            runs.request_stop(engine, run_id)
    seen: list[int] = []
    cursor = None
    while True:
        with reading(engine) as session:
            page, cursor = listed(session, Query(sort=sort, ascending=ascending, cursor=cursor, limit=3))
        seen += [run.id or 0 for run in page]
        if cursor is None:
            break
    with reading(engine) as session:
        whole, _ = listed(session, Query(sort=sort, ascending=ascending, limit=100))
    assert seen == [run.id for run in whole]
    assert sorted(seen) == list(range(1, 12))


@pytest.mark.parametrize("ascending", [False, True], ids=["desc", "asc"])
def test_runs_without_a_figure_come_last_either_way(engine: Engine, ascending: bool) -> None:
    without, low, high = queued(engine), queued(engine), queued(engine)
    with writing(engine) as session:
        series.append(session, low, [Point("test/accuracy", 1, 0.1, 0.2)])
        series.append(session, high, [Point("test/accuracy", 1, 0.1, 0.9), Point("test/accuracy", 2, 0.2, 0.1)])
    with reading(engine) as session:
        best = [run.id for run in listed(session, Query(sort="test/accuracy.best", ascending=ascending))[0]]
        last = [run.id for run in listed(session, Query(sort="test/accuracy", ascending=ascending))[0]]
    assert best == ([low, high, without] if ascending else [high, low, without])
    assert last == ([high, low, without] if ascending else [low, high, without])


def test_a_test_s_best_is_no_figure_where_images_were_held_out(engine: Engine) -> None:
    plain, held_out = queued(engine), queued(engine)
    with writing(engine) as session:
        for run_id in (plain, held_out):
            series.append(session, run_id, [Point("test/accuracy", 1, 0.1, 0.9), Point("test/accuracy", 2, 0.2, 0.8)])
        series.append(session, held_out, [Point("validation/accuracy", 1, 0.1, 0.7)])
    with reading(engine) as session:

        def fitting(text: str) -> set[int | None]:
            return {run.id for run in listed(session, Query(text=text))[0]}

        assert fitting("accuracy.best>0.85") == {plain}
        assert fitting("accuracy>0.75") == {plain, held_out}
        assert fitting("validation/accuracy.best>0.6") == {held_out}
        order = [run.id for run in listed(session, Query(sort="test/accuracy.best", ascending=False))[0]]
        assert order == [plain, held_out], "it comes last, as one without the figure"


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "W10", "Wy1d", "WyJjcmVhdGVkIiwgZmFsc2UsIG51bGwsIDFd", "é"])
def test_a_cursor_that_is_not_ours_is_refused(engine: Engine, cursor: str) -> None:
    with reading(engine) as session, pytest.raises(BadQuery):
        listed(session, Query(cursor=cursor))


@pytest.mark.parametrize("sort", ["", "id; DROP TABLE run", "spec", "accuracy", "worst"])
def test_a_sort_that_is_not_offered_is_refused(engine: Engine, sort: str) -> None:
    with reading(engine) as session, pytest.raises(BadQuery, match="choose created, status"):
        listed(session, Query(sort=sort))


@pytest.fixture
def five(engine: Engine) -> Engine:
    """Runs 1 to 5: fc, fc shuffled, cnn at two rates, one with Adam; 1 to 3 have an accuracy of 0.1 to 0.3."""
    queued(engine, "first", seed=1, model="fc")
    queued(engine, "second try", seed=2, model="fc", pixel_order="shuffled")
    queued(engine, "third", seed=3, model="cnn", optimizer={"lr": 0.1})
    queued(engine, "a>b", seed=4, model={"name": "cnn", "n_features": 12}, epochs=5)
    queued(engine, "fifth", seed=5, model="fc", optimizer={"name": "adam", "lr": 0.001})
    with writing(engine) as session:
        for run_id in (1, 2, 3):
            points = [Point("test/accuracy", 1, 0.1, 0.9), Point("test/accuracy", 2, 0.2, run_id / 10)]
            series.append(session, run_id, points)
            series.append(session, run_id, [Point("system/GPU0", 1, 0.1, run_id / 4)])
        series.declare(session, 2, [Metric("Reward", "Reward", better="more")])
        series.declare(session, 3, [Metric("Reward", "Reward", better="more")])
        series.append(session, 2, [Point("Reward", 1, 0.1, 3.0), Point("Reward", 2, 0.1, 1.0)])
        series.append(session, 3, [Point("Reward", 1, 0.1, 3.0), Point("Reward", 2, 0.1, 2.0)])
        for run in session.exec(select(Run)).all():  # stored before there were these knobs
            spec = {name: value for name, value in run.spec.items() if name != "cutout"}
            run.spec = {**spec, "model": {"name": run.spec["model"]["name"]}} if run.id != 4 else spec
            session.add(run)
    runs.describe(engine, 1, add_tags=["paper"])
    runs.describe(engine, 2, add_tags=["paper", "my talk"])
    runs.request_stop(engine, 5)
    return engine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("model:cnn", [3, 4]),
        ("-model:cnn", [1, 2, 5]),
        ("status:stopped", [5]),
        ("status:queued,stopped model:fc", [1, 2, 5]),
        ("test/accuracy>0.15", [2, 3]),
        ("test/accuracy>=20%", [2, 3]),
        ("test/accuracy.best>0.8", [1, 2, 3]),
        ("-test/accuracy>0.15", [1, 4, 5]),
        ("lr<=0.01", [1, 2, 4, 5]),
        ("lr=0.1", [3]),
        ("optimizer.lr!=0.1 -optimizer:adam", [1, 2, 4]),
        ("optimizer:adam", [5]),
        ("n_features>6", [4]),
        ("-n_features>6", [1, 2, 3, 5]),
        ("epochs:5", [4]),
        ("seed:1,2", [1, 2]),
        ("order:shuffled", [2]),
        ("tag:paper", [1, 2]),
        ('tag:"my talk"', [2]),
        ("talk", [2]),
        ("second try", [2]),
        ('"a>b"', [4]),
        ("name:third", [3]),
        ("id>3 steps=0", [4, 5]),
        ("parameters:6442", [1, 2, 5]),
        ("schedule:constant dataset:digits", [1, 2, 3, 4, 5]),
        ("  model:fc   paper ", [1, 2]),
        ("system/GPU0>0.4", [2, 3]),
        ("system/GPU0.best>0", []),
        ("Reward>=1.5", [3]),
        ("accuracy > 15%", [2, 3]),
        ("Test accuracy >= 20%", [2, 3]),
        ("-TEST ACCURACY > 15%", [1, 4, 5]),
        ("Learning rate <= 0.01 Model: CNN", [4]),
        ("Pixel order: shuffled", [2]),
        ('order:"in order" epochs:5', [4]),
        ("Hidden units > 0 paper", [1, 2]),
        ('"test accuracy>1"', []),
        ("learning rate", []),
        ("Reward.best>=2.5", [2, 3]),
        ("cutout:0 n_hidden:8", [1, 2, 5]),
    ],
    ids=str,
)
def test_the_filter_language(five: Engine, text: str, expected: list[int]) -> None:
    with reading(five) as session:
        found, _ = listed(session, Query(text=text, ascending=True))
    assert [run.id for run in found] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle:cnn", "'modle' is nothing that can be compared so; choose status, name, device, model"),
        ("lr>fast", "'fast' is no number"),
        ("lr>nan", "'nan' is no number"),
        ("model>3", "'model' is nothing that can be compared so; choose id, experiment, steps"),
        ("status:done", "'done' is no status; choose queued or starting"),
        ('tag:"open', "a quotation mark is open"),
    ],
)
def test_a_filter_that_says_nothing_is_refused_with_what_may_be_said(engine: Engine, text: str, words: str) -> None:
    with reading(engine) as session, pytest.raises(BadFilter, match=re.escape(words)):
        listed(session, Query(text=text))
