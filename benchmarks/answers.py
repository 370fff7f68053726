"""How quickly a server answers, and how soon a listener hears of a change: on runs that nobody trained."""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import Engine
from sqlmodel import col, update

from app.store import experiments, series
from app.store.engine import open_database, writing
from app.store.series import Point
from app.store.tables import Run, Status, now
from benchmarks.filled import fill, record
from benchmarks.report import Report
from tests.serving import Server, serving

ANSWERS = 9
CHANGES = 100
EACH = 100  # runs of an experiment
LISTS: list[tuple[str, dict[str, str]]] = [
    ("/runs", {}),
    ("/runs", {"sort": "name"}),
    ("/runs", {"sort": "test/accuracy"}),
    ("/runs", {"sort": "test/accuracy.best"}),
    ("/runs", {"q": "lr<=0.01 model:cnn"}),
    ("/runs", {"q": "test/accuracy>0.9"}),
    ("/runs", {"status": "failed"}),
    ("/experiments", {}),
]
IDLE = {"RUNYARD_CPU_SLOTS": "0", "RUNYARD_PRELOAD": "0"}


def finished(home: Path, count: int) -> None:
    """So many runs that succeeded, a hundred an experiment."""
    home.mkdir(parents=True)
    engine = open_database(home / "runyard.db")
    random = np.random.default_rng(1)
    grid = {"optimizer.lr": [round(0.001 * 1.2**n, 6) for n in range(EACH // 5)], "seed": [1, 2, 3, 4, 5]}
    for at in range(count // EACH):
        base = {"model": "cnn" if at % 2 else "fc"}
        _, made = experiments.create(engine, experiments.ExperimentSpec(name=f"sweep {at}", base=base, grid=grid))
        with writing(engine) as session:
            for run in made:
                accuracy = float(random.random())
                points = [Point("test/accuracy", 1, 0.1, accuracy), Point("test/loss", 1, 0.1, 1 - accuracy)]
                series.append(session, run.id or 0, points)
                done = {"status": Status.SUCCEEDED, "started_at": now(), "ended_at": now(), "changed": session.change}
                session.execute(update(Run).where(col(Run.id) == run.id).values(**done))
    engine.dispose()


def lists(report: Report, counts: tuple[int, ...]) -> None:
    """Each list, at so many runs."""
    table = report.table(
        "Lists from the server, medians of n", "list", *(f"at {count:,} runs" for count in counts), "n"
    )
    took: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "prepared").mkdir()
        for count in counts:
            home = root / str(count)
            finished(home, count)
            with serving(home, root / "prepared", **IDLE) as server, server.api() as client:
                for path, params in LISTS:
                    asked = httpx.Request("GET", path, params=params).url.raw_path.decode()
                    seconds = []
                    for _ in range(ANSWERS):
                        began = time.perf_counter()
                        client.get(path, params=params).raise_for_status()
                        seconds.append(time.perf_counter() - began)
                    took.setdefault(asked, []).append(f"{1000 * statistics.median(seconds):.0f} ms")
    for asked, figures in took.items():
        table.add(f"`{asked}`", *figures, str(ANSWERS))


async def listening(server: Server, heard: list[dict[int, float]], ready: asyncio.Event) -> None:
    """As many listeners as there are places in `heard`: step to when its event came."""
    opened = 0

    async def one(client: httpx.AsyncClient, steps: dict[int, float]) -> None:
        nonlocal opened
        async with client.stream("GET", "/api/v1/events", timeout=60) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("event: counts"):
                    opened += 1
                    if opened == len(heard):
                        ready.set()
                if line.startswith('data: {"run"'):
                    step = json.loads(line[6:])["step"]
                    steps.setdefault(step, time.perf_counter())
                    if step == CHANGES + 1:
                        return

    limits = httpx.Limits(max_connections=len(heard) + 1)
    async with httpx.AsyncClient(base_url=server.url, limits=limits) as client, asyncio.TaskGroup() as group:
        for steps in heard:
            group.create_task(one(client, steps))


def when_told(step: int, steps: dict[int, float]) -> float:
    """One that was overtaken by the next within a look was told with that."""
    return min(at for told, at in steps.items() if told >= step)


def live(report: Report, counts: tuple[int, ...]) -> None:
    """From a commit to the event at each of so many listeners."""
    table = report.table("From a commit to its event", "listeners", "median", "95%", "n")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "prepared").mkdir()
        _, (run_id, *_) = fill(root / "home", 1, 1, 0)
        with serving(root / "home", root / "prepared", **IDLE) as server:
            engine = open_database(root / "home" / "runyard.db")
            record(engine, run_id, [1.0], total=10_000, status=Status.RUNNING)
            for count in counts:
                later = delays(server, engine, run_id, count)
                quantile = f"{1000 * float(np.quantile(later, 0.95)):.0f} ms"
                table.add(str(count), f"{1000 * statistics.median(later):.0f} ms", quantile, f"{len(later):,}")
            engine.dispose()


def delays(server: Server, engine: Engine, run_id: int, count: int) -> list[float]:
    """Seconds of each change at each of so many listeners."""
    heard: list[dict[int, float]] = [{} for _ in range(count)]
    committed: dict[int, float] = {}

    def change() -> None:
        random = np.random.default_rng(1)
        for step in range(2, CHANGES + 2):
            time.sleep(0.05 + 0.1 * float(random.random()))
            with writing(engine) as session:
                values = {"steps_done": step, "changed": session.change}
                session.execute(update(Run).where(col(Run.id) == run_id).values(**values))
            committed[step] = time.perf_counter()

    async def both() -> None:
        ready = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(listening(server, heard, ready))
            await ready.wait()
            await asyncio.to_thread(change)

    asyncio.run(both())
    return [when_told(step, steps) - at for steps in heard for step, at in committed.items()]
