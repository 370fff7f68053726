"""One number a run, for comparing: from its summaries where they have it, else from its series."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from sqlmodel import Session

from app.store import runs, series
from app.store.tables import Run, Status
from trainer import catalog

Kind = Literal["last", "best", "at", "steps_to", "seconds_to", "seconds", "images_per_second"]


def values(session: Session, rows: Sequence[Run], kind: Kind, metric: str, value: float) -> dict[int, float]:
    """Run to its number, of those that succeeded and have one.

    kind: last and best value of the series `metric`; its value at the last step up to `value`; training steps or
    seconds until it was first at least as good as `value`; seconds of training; training images a second.
    """
    done = [row for row in rows if row.status == Status.SUCCEEDED]
    ids = [row.id for row in done if row.id is not None]
    if kind == "seconds":
        return {row.id or 0: row.seconds for row in done}
    if kind == "images_per_second":
        return {row.id or 0: images_per_second(row) for row in done if row.seconds}
    if kind in ("last", "best"):
        found = runs.summaries(session, ids)
        return {run: getattr(of_run[metric], kind) for run, of_run in found.items() if metric in of_run}
    numbers = {}
    for run in ids:
        points = series.read(session, run, metric)
        if kind == "at":
            number = _at(points, value)
        else:
            number = _until(points, value, greater=metric.endswith("accuracy"), seconds=kind == "seconds_to")
        if number is not None:
            numbers[run] = number
    return numbers


def images_per_second(row: Run) -> float:
    """Training images a second of a run that trained."""
    return float(images(row) * row.steps_done / row.steps_total / row.seconds)


def images(row: Run) -> int:
    """Training images of all epochs. Where the data set is gone, the last batch of an epoch counts as a whole one."""
    dataset, epochs = catalog.DATASETS.get(row.spec["dataset"]), int(row.spec["epochs"])
    return dataset.train_size * epochs if dataset else row.steps_total * int(row.spec["batch_size"])


def _at(points: series.Points, step: float) -> float | None:
    before = int(np.searchsorted(points.steps, step, side="right"))
    return float(points.values[before - 1]) if before else None


def _until(points: series.Points, value: float, *, greater: bool, seconds: bool) -> float | None:
    reached = points.values >= value if greater else points.values <= value
    if not reached.any():
        return None
    first = int(np.argmax(reached))
    return float(points.times[first] if seconds else points.steps[first])
