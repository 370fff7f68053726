"""A database of runs that nobody trained, for measuring and testing what is drawn: curves of any length, at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine
from sqlmodel import col, update

from app.store import experiments, series
from app.store.engine import open_database, writing
from app.store.series import Point
from app.store.tables import Run, Status, now

Floats = npt.NDArray[np.float64]


def curve(points: int, seed: int, slope: float = 1.0) -> Floats:
    """A loss that falls, with noise; shape (points,)."""
    steps = np.arange(points)
    return 2.3 * np.exp(-slope * steps / points * 3) + 0.1 + np.random.default_rng(seed).gamma(2, 0.03, points)


def fill(home: Path, configurations: int, seeds: int, points: int) -> tuple[int, list[int]]:
    """An experiment of configurations × seeds runs that succeeded, in the database of a home; its id and theirs. With 0
    points they are queued: `record` them."""
    home.mkdir(parents=True, exist_ok=True)
    engine = open_database(home / "runyard.db")
    rates = [round(0.001 * 1.2**n, 6) for n in range(configurations)]
    grid: dict[str, list[Any]] = {"optimizer.lr": rates, "seed": list(range(1, seeds + 1))}
    body = experiments.ExperimentSpec(name="Filled", base={"model": "fc"}, grid=grid)
    row, made = experiments.create(engine, body)
    for index, run in enumerate(made if points else []):
        loss = curve(points, index, slope=0.5 + index / len(made))
        record(engine, run.id or 0, loss, total=points, status=Status.SUCCEEDED)
    engine.dispose()
    return row.id or 0, [run.id or 0 for run in made]


def record(engine: Engine, run_id: int, loss: Sequence[float] | Floats, *, total: int, status: Status) -> None:
    """Give a run these losses from step 1 on, an accuracy, a length and a state."""
    with writing(engine) as session:
        series.append(session, run_id, [Point("train/loss", at, at / 1000, float(v)) for at, v in enumerate(loss, 1)])
        if status == Status.SUCCEEDED:
            accuracy = 1 - float(np.mean(loss[-100:])) / 3
            series.append(session, run_id, [Point("test/accuracy", len(loss), len(loss) / 1000, accuracy)])
        ended = now() if status == Status.SUCCEEDED else None
        changed = {"status": status, "steps_total": total, "steps_done": len(loss), "seconds": len(loss) / 1000}
        one = update(Run).where(col(Run.id) == run_id)
        session.execute(one.values(**changed, started_at=now(), ended_at=ended, changed=session.change))


def grow(engine: Engine, run_id: int, first: int, loss: Sequence[float] | Floats) -> None:
    """More losses of a run, from step `first` on."""
    with writing(engine) as session:
        points = [Point("train/loss", at, at / 1000, float(value)) for at, value in enumerate(loss, first)]
        series.append(session, run_id, points)
        done = first + len(points) - 1
        session.execute(update(Run).where(col(Run.id) == run_id).values(steps_done=done, changed=session.change))
