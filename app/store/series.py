"""Series: one metric of one run over steps, stored exactly, in chunks of up to 1,024 points."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from app.store.engine import Writing
from app.store.tables import Chunk, Summary

CHUNK_POINTS = 1024


class Point(NamedTuple):
    """One measurement: step from 1, seconds of training, value."""

    name: str
    step: int
    time: float
    value: float


class Points(NamedTuple):
    """A series or a part of it, in the order of steps; three arrays of shape (n,)."""

    steps: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]


def append(session: Writing, run_id: int, points: Iterable[Point]) -> None:
    """Add points behind those that are there, and bring the summaries up to date."""
    by_name: dict[str, list[Point]] = {}
    for point in points:
        by_name.setdefault(point.name, []).append(point)
    for name, new in by_name.items():
        _append_chunks(session, run_id, name, new)
        _summarise(session, run_id, name, new)


def _append_chunks(session: Writing, run_id: int, name: str, new: list[Point]) -> None:
    last = session.exec(
        select(Chunk).where(Chunk.run_id == run_id, Chunk.name == name).order_by(col(Chunk.first_step).desc()).limit(1)
    ).first()
    if last is not None and new[0].step <= last.last_step:
        raise ValueError(f"{name} of run {run_id} has step {last.last_step} already, {new[0].step} can't follow it")
    if last is not None and last.points < CHUNK_POINTS:
        fitting, new = new[: CHUNK_POINTS - last.points], new[CHUNK_POINTS - last.points :]
        steps, times, values = _packed(fitting)
        session.execute(
            update(Chunk)
            .where(col(Chunk.run_id) == run_id, col(Chunk.name) == name, col(Chunk.first_step) == last.first_step)
            .values(
                last_step=fitting[-1].step,
                points=last.points + len(fitting),
                changed=session.change,
                steps=last.steps + steps,
                times=last.times + times,
                values=last.values + values,
            )
        )
    for start in range(0, len(new), CHUNK_POINTS):
        part = new[start : start + CHUNK_POINTS]
        steps, times, values = _packed(part)
        session.add(
            Chunk(
                run_id=run_id,
                name=name,
                first_step=part[0].step,
                last_step=part[-1].step,
                points=len(part),
                changed=session.change,
                steps=steps,
                times=times,
                values=values,
            )
        )


def _packed(points: list[Point]) -> tuple[bytes, bytes, bytes]:
    return (
        np.array([point.step for point in points], "<i8").tobytes(),
        np.array([point.time for point in points], "<f8").tobytes(),
        np.array([point.value for point in points], "<f8").tobytes(),
    )


def _summarise(session: Writing, run_id: int, name: str, new: list[Point]) -> None:
    greater_is_better = name.endswith("accuracy")
    best = (max if greater_is_better else min)(new, key=lambda point: point.value)
    row = session.get(Summary, (run_id, name))
    if row is None:
        session.add(Summary(run_id=run_id, metric=name, last=new[-1].value, best=best.value, best_step=best.step))
        return
    row.last = new[-1].value
    if (best.value > row.best) if greater_is_better else (best.value < row.best):
        row.best, row.best_step = best.value, best.step
    session.add(row)


def cut(session: Writing, run_id: int, keep: Mapping[str, int]) -> int:
    """Drop the points beyond a step: `keep` has it for each beginning of a series' name (`train/`).

    Gives the last step that `train/loss` then has, 0 for none.
    """
    last = 0
    for name in names(session, run_id):
        step = next(step for prefix, step in keep.items() if name.startswith(prefix))
        points = read(session, run_id, name, 1, step)
        beyond = delete(Chunk).where(col(Chunk.run_id) == run_id, col(Chunk.name) == name)
        session.execute(beyond.where(col(Chunk.first_step) > step))
        _shorten_last(session, run_id, name, step)
        row = session.get(Summary, (run_id, name))
        assert row is not None
        if not len(points.steps):
            session.delete(row)
            continue
        best = int(points.values.argmax() if name.endswith("accuracy") else points.values.argmin())
        row.last, row.best, row.best_step = (
            float(points.values[-1]),
            float(points.values[best]),
            int(points.steps[best]),
        )
        session.add(row)
        if name == "train/loss":
            last = int(points.steps[-1])
    return last


def _shorten_last(session: Writing, run_id: int, name: str, step: int) -> None:
    """Cut the chunk that goes beyond a step."""
    chunk = session.exec(
        select(Chunk).where(Chunk.run_id == run_id, Chunk.name == name, Chunk.last_step > step)
    ).first()
    if chunk is None:
        return
    kept = int(np.searchsorted(np.frombuffer(chunk.steps, "<i8"), step, side="right"))
    chunk.steps, chunk.times, chunk.values = (part[: 8 * kept] for part in (chunk.steps, chunk.times, chunk.values))
    chunk.points, chunk.changed = kept, session.change
    chunk.last_step = int(np.frombuffer(chunk.steps, "<i8")[-1])
    session.add(chunk)


def read(session: Session, run_id: int, name: str, first: int = 1, last: int | None = None) -> Points:
    """The points with first <= step <= last."""
    query = (
        select(Chunk.steps, Chunk.times, Chunk.values)
        .where(Chunk.run_id == run_id, Chunk.name == name, Chunk.last_step >= first)
        .order_by(col(Chunk.first_step))
    )
    if last is not None:
        query = query.where(Chunk.first_step <= last)
    rows = session.exec(query).all()
    points = Points(
        np.frombuffer(b"".join(row[0] for row in rows), "<i8"),
        np.frombuffer(b"".join(row[1] for row in rows), "<f8"),
        np.frombuffer(b"".join(row[2] for row in rows), "<f8"),
    )
    part = slice(
        int(np.searchsorted(points.steps, first)),
        None if last is None else int(np.searchsorted(points.steps, last, side="right")),
    )
    return Points(points.steps[part], points.times[part], points.values[part])


def chunks(session: Session, run_id: int, name: str) -> Iterator[Points]:
    """The whole series, a chunk at a time."""
    after = 0
    while True:
        row = session.exec(
            select(Chunk.steps, Chunk.times, Chunk.values, Chunk.last_step)
            .where(Chunk.run_id == run_id, Chunk.name == name, Chunk.first_step > after)
            .order_by(col(Chunk.first_step))
            .limit(1)
        ).first()
        if row is None:
            return
        yield Points(np.frombuffer(row[0], "<i8"), np.frombuffer(row[1], "<f8"), np.frombuffer(row[2], "<f8"))
        after = row[3]


def last_step(session: Session, run_id: int, name: str) -> int:
    """The last step that is recorded; 0: none."""
    found = session.exec(select(func.max(Chunk.last_step)).where(Chunk.run_id == run_id, Chunk.name == name)).one()
    return int(found or 0)


def names(session: Session, run_id: int) -> list[str]:
    return sorted(session.exec(select(Summary.metric).where(Summary.run_id == run_id)))
