"""Lists of runs: every one once, in any order, a page at a time."""

import pytest
from sqlalchemy import Engine

from app.store import runs, series
from app.store.engine import reading, writing
from app.store.listing import SORTS, BadQuery, Query, listed
from app.store.series import Point
from tests.store.test_runs import queued

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


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "W10", "Wy1d", "WyJjcmVhdGVkIiwgZmFsc2UsIG51bGwsIDFd", "é"])
def test_a_cursor_that_is_not_ours_is_refused(engine: Engine, cursor: str) -> None:
    with reading(engine) as session, pytest.raises(BadQuery):
        listed(session, Query(cursor=cursor))


@pytest.mark.parametrize("sort", ["", "id; DROP TABLE run", "spec", "test/accuracy.worst", "Test/Accuracy"])
def test_a_sort_that_is_not_offered_is_refused(engine: Engine, sort: str) -> None:
    with reading(engine) as session, pytest.raises(BadQuery, match="choose created, status"):
        listed(session, Query(sort=sort))
