"""The live stream's tail, on a real database."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import select

from app.store import runs
from app.store.engine import open_database, reading, writing
from app.store.tables import Run
from app.web.stream import MOST_TOLD, Tail
from trainer.spec import parse


def test_a_listener_that_is_ahead_of_the_tail_waits_for_it(tmp_path: Path) -> None:
    """One that comes back is told of changes from the database, which the tail may not have seen yet."""
    engine = open_database(tmp_path / "runyard.db")

    def add(name: str) -> None:
        with writing(engine) as session:
            runs.add(session, parse({"dataset": "digits"}), name)

    async def listen() -> list[str]:
        tail = Tail(engine)
        add("before")
        tail._read_first()
        add("seen by the database alone")  # the tail does not look: it is not started
        heard = []

        async def hear() -> None:
            async for event in tail.listen((), "0", asyncio.Event()):
                heard.append(event.event or "")

        hearing = asyncio.create_task(hear())
        async with asyncio.timeout(10):
            while heard.count("run") < 2:
                await asyncio.sleep(0.01)
        await tail.start()
        add("seen by both")
        async with asyncio.timeout(10):
            while heard.count("run") < 3:
                await asyncio.sleep(0.01)
        await tail.close()
        await hearing
        return heard

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, listen()).result(30).count("run") >= 3
    engine.dispose()


def told(tail: Tail, after: int, count: int) -> list[tuple[str | None, int | None, str | None]]:
    """The first events for a listener that comes back: kind, run, id."""

    async def listen() -> list[tuple[str | None, int | None, str | None]]:
        found: list[tuple[str | None, int | None, str | None]] = []
        async with asyncio.timeout(30):
            async for event in tail.listen((), str(after), asyncio.Event()):
                run = json.loads(event.raw_data).get("run") if event.raw_data else None
                found.append((event.event, run, event.id))
                if len(found) == count:
                    return found
        return found

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, listen()).result(30)


@pytest.mark.mend("C2")
def test_who_loses_the_stream_in_the_middle_of_a_batch_is_told_it_again(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "runyard.db")
    tail = Tail(engine)
    tail._read_first()
    with writing(engine) as session:
        for seed in range(1, 11):
            runs.add(session, parse({"seed": seed}), f"run {seed}")
    tail._read_news()
    events = told(tail, 0, 11)
    assert [run for kind, run, _ in events if kind == "run"] == list(range(1, 11))
    assert [number for _, _, number in events[:9]] == [None] * 9, "as none of them came"
    assert [number for _, _, number in events[9:]] == [str(tail.change)] * 2
    engine.dispose()


@pytest.mark.mend("C2")
def test_what_was_said_of_a_run_last_stands_last(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "runyard.db")
    tail = Tail(engine)
    tail._read_first()
    with writing(engine) as session:
        for seed in (1, 2):
            runs.add(session, parse({"seed": seed}), "a run")
    with reading(engine) as session:
        ids = [run.id or 0 for run in session.exec(select(Run))]
    tail._read_news()
    for run in ids:
        runs.request_stop(engine, run)
        runs.remove(engine, run)
        tail._read_news()
    runs.restore(engine, ids[0])
    tail._read_news()
    events = [(kind, run) for kind, run, _ in told(tail, 0, 3) if run is not None]
    assert events == [("deleted", ids[1]), ("run", ids[0])]
    engine.dispose()


def test_who_missed_very_many_changes_is_told_that_and_asks_anew(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "runyard.db")
    many = MOST_TOLD + 1
    with writing(engine) as session:
        for seed in range(1, many + 1):
            runs.add(session, parse({"seed": seed}), f"run {seed}")
    tail = Tail(engine)
    tail._read_first()
    kind, _, number = told(tail, 0, 1)[0]
    assert (kind, number) == ("missed", str(tail.change))

    async def hear() -> list[int]:
        found: list[int] = []
        async for event in tail.listen((3, 7), "0", asyncio.Event()):
            if event.event == "counts":
                return found
            found.append(json.loads(event.raw_data or "{}")["run"])
        return found

    with ThreadPoolExecutor(1) as thread:
        heard = thread.submit(asyncio.run, hear()).result(30)
    assert heard == [3, 7], "of a few, each is told"
    engine.dispose()
