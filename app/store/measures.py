"""One number a run, for comparing: from its summaries where they have it, else from its series."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from sqlmodel import Session

from app.spec import stored
from app.store import runs, series
from app.store.tables import Run, Status, Summary
from trainer import catalog
from trainer.metrics import KNOWN, Metric

Kind = Literal["last", "best", "at", "steps_to", "seconds_to", "seconds", "images_per_second"]


def values(session: Session, rows: Sequence[Run], kind: Kind, of: Metric | None, value: float) -> dict[int, float]:
    """Run to its number, of those that succeeded and have one.

    kind: last and best value of the series `of`, last meaning at the weights that were kept, and best, of a test, at
    the step that was best for the images held out, where a run has such; its value at the last step up to `value`;
    training steps or seconds until it was first at least as good as `value`; seconds of training;
    training images a second.
    """
    done = [row for row in rows if row.status == Status.SUCCEEDED]
    ids = [row.id for row in done if row.id is not None]
    if kind == "seconds":
        return {row.id or 0: row.seconds for row in done}
    if kind == "images_per_second":
        return {row.id or 0: images_per_second(row) for row in done if row.seconds}
    if of is None:
        return {}
    numbers: dict[int, float | None] = {}
    if kind in ("last", "best"):
        for run, of_run in runs.summaries(session, ids).items():
            if (row := of_run.get(of.name)) is None:
                continue
            numbers[run] = series.kept(row) if kind == "last" else (series.best(row, of) or (None,))[0]
            chosen = _chosen(of_run, of) if kind == "best" else None
            if chosen is not None:
                numbers[run] = _at(series.read(session, run, of.name), chosen)
        return {run: number for run, number in numbers.items() if number is not None and math.isfinite(number)}
    for run in ids:
        points = series.read(session, run, of.name)
        if kind == "at":
            numbers[run] = _at(points, value)
        else:
            numbers[run] = _until(points, value, greater=of.better == "more", seconds=kind == "seconds_to")
    return {run: number for run, number in numbers.items() if number is not None and math.isfinite(number)}


def _chosen(of_run: Mapping[str, Summary], of: Metric) -> int | None:
    """The step that is best for the images held out, of a run that has some and a series of the test; else None."""
    judge = of_run.get(of.name.replace("test/", "validation/", 1)) if of.name.startswith("test/") else None
    found = series.best(judge, KNOWN[judge.metric]) if judge is not None and judge.metric in KNOWN else None
    return found[1] if found else None


def images_per_second(row: Run) -> float:
    """Training images a second of a run that trained."""
    return float(images(row) * row.steps_done / row.steps_total / row.seconds)


def images(row: Run) -> int:
    """Training images of all epochs. Where the data set is gone, the last batch of an epoch counts as a whole one."""
    dataset, spec = catalog.DATASETS.get(row.spec["dataset"]), stored.filled(row.spec)
    if dataset is None:
        return row.steps_total * int(spec["batch_size"])
    return (dataset.train_size - int(spec["validation"])) * int(spec["epochs"])


def _at(points: series.Points, step: float) -> float | None:
    before = int(np.searchsorted(points.steps, step, side="right"))
    return float(points.values[before - 1]) if before else None


def _until(points: series.Points, value: float, *, greater: bool, seconds: bool) -> float | None:
    reached = points.values >= value if greater else points.values <= value
    if not reached.any():
        return None
    first = int(np.argmax(reached))
    return float(points.times[first] if seconds else points.steps[first])
