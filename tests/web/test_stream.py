"""The live stream's tail, on a real database."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.store import runs
from app.store.engine import open_database, writing
from app.web.stream import Tail
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
            async for event in tail.listen((), "0"):
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
