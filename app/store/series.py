"""Series: one metric of one run over steps, stored exactly, in chunks of up to 1,024 points."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import sqlalchemy
from sqlalchemy import Engine, and_, bindparam, case, delete, exists, func, or_, update
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlmodel import Session, col, select

from app.store.engine import Writing, reading
from app.store.tables import Chunk, Rollup, Summary, table
from app.store.tables import Metric as MetricRow
from trainer import metrics
from trainer.metrics import Metric

CHUNK_POINTS = 1024


class Point(NamedTuple):
    """One measurement: step, seconds of training, value, which may be NaN or infinite."""

    name: str
    step: int
    time: float
    value: float


class Points(NamedTuple):
    """A series or a part of it, in the order of steps; three arrays of shape (n,)."""

    steps: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]

    @classmethod
    def of(cls, steps: bytes, times: bytes, values: bytes) -> Self:
        """As they are stored."""
        return cls(np.frombuffer(steps, "<i8"), np.frombuffer(times, "<f8"), np.frombuffer(values, "<f8"))

    def packed(self) -> dict[str, bytes]:
        """As `of` takes them."""
        return {field: array.tobytes() for field, array in self._asdict().items()}

    def part(self, start: int, end: int) -> Self:
        """Those at these places."""
        return type(self)(self.steps[start:end], self.times[start:end], self.values[start:end])


class Rollups(NamedTuple):
    """Stretches of a series in short, in the order of steps; arrays of shape (n,)."""

    steps: npt.NDArray[np.int64]
    """The last of each."""
    times: npt.NDArray[np.float64]
    """Of that step, as `last`."""
    last: npt.NDArray[np.float64]
    finite: npt.NDArray[np.float64]
    """How many of its values are; `total`, `least` and `greatest` are of these, the latter NaN where there are none."""
    total: npt.NDArray[np.float64]
    least: npt.NDArray[np.float64]
    greatest: npt.NDArray[np.float64]


def declare(session: Writing, run_id: int, metrics: Iterable[Metric]) -> None:
    """Note what a run says of its series; what it said of one before is replaced."""
    for metric in metrics:
        session.merge(MetricRow(run_id=run_id, **asdict(metric)))


def declared(session: Session, run_ids: Collection[int]) -> dict[int, dict[str, Metric]]:
    """Run id to name to what the run says of that series."""
    found: dict[int, dict[str, Metric]] = {}
    for row in session.exec(select(MetricRow).where(col(MetricRow.run_id).in_(list(run_ids)))):
        found.setdefault(row.run_id, {})[row.name] = Metric(**row.model_dump(exclude={"run_id"}))
    return found


def append(session: Writing, run_id: int, points: Iterable[Point]) -> None:
    """Add points behind those that are there, and bring the summaries up to date."""
    session.flush()
    by_name: dict[str, list[Point]] = {}
    for point in points:
        by_name.setdefault(point.name, []).append(point)
    for name, of_series in by_name.items():
        _, steps, times, values = zip(*of_series, strict=True)
        new = Points(np.array(steps, "<i8"), np.array(times, "<f8"), np.array(values, "<f8"))
        _append_chunks(session, run_id, name, new)
        _summarise(session, run_id, name, new)


# A worker says these four times a second: written once, as SQLAlchemy takes longer to put a statement together than
# SQLite to carry it out
_CHUNKS, _ROLLUPS, _SUMMARIES, _METRICS = table(Chunk), table(Rollup), table(Summary), table(MetricRow)
_LAST_CHUNK = (
    _CHUNKS.select()
    .where(_CHUNKS.c.run_id == bindparam("run_id"), _CHUNKS.c.name == bindparam("name"))
    .order_by(_CHUNKS.c.first_step.desc())
    .limit(1)
)
_FILL_CHUNK = (
    update(_CHUNKS)
    .where(
        _CHUNKS.c.run_id == bindparam("of_run"),
        _CHUNKS.c.name == bindparam("of_name"),
        _CHUNKS.c.first_step == bindparam("of_step"),
    )
    .values({name: bindparam(name) for name in ("last_step", "points", "changed", "steps", "times", "values")})
)
_NEW_CHUNK, _NEW_ROLLUP = insert(_CHUNKS), insert(_ROLLUPS)
_ASSUME_METRIC = insert(_METRICS).on_conflict_do_nothing()


def _summary() -> Insert:
    """A new summary, or what is new in it, put into the one that is there."""
    statement = insert(_SUMMARIES)
    new, old = statement.excluded, _SUMMARIES.c
    is_less = or_(old.least.is_(None), new.least < old.least)
    is_greater = or_(old.greatest.is_(None), new.greatest > old.greatest)
    changes = {
        "last": new.last,
        "last_step": new.last_step,
        **{name: case((is_less, new[name]), else_=old[name]) for name in ("least", "least_step")},
        **{name: case((is_greater, new[name]), else_=old[name]) for name in ("greatest", "greatest_step")},
    }
    return statement.on_conflict_do_update(index_elements=["run_id", "metric"], set_=changes)


_SUMMARY = _summary()


def _append_chunks(session: Writing, run_id: int, name: str, new: Points) -> None:
    last = session.execute(_LAST_CHUNK, {"run_id": run_id, "name": name}).first()
    room = 0
    if last is None:
        session.execute(_ASSUME_METRIC, {"run_id": run_id, **asdict(metrics.assumed(name))})
    elif new.steps[0] <= last.last_step:
        raise ValueError(f"{name} of run {run_id} has step {last.last_step} already, {new.steps[0]} can't follow it")
    elif last.points < CHUNK_POINTS:
        room = CHUNK_POINTS - last.points
        fitting = new.part(0, room)
        which = {"of_run": run_id, "of_name": name, "of_step": last.first_step}
        longer = {field: getattr(last, field) + packed for field, packed in fitting.packed().items()}
        points = last.points + len(fitting.steps)
        end = {"last_step": int(fitting.steps[-1]), "points": points, "changed": session.change}
        session.execute(_FILL_CHUNK, which | longer | end)
        if points == CHUNK_POINTS:
            session.execute(_NEW_ROLLUP, _rollup(run_id, name, Points.of(**longer)))
    for start in range(room, len(new.steps), CHUNK_POINTS):
        part = new.part(start, start + CHUNK_POINTS)
        points = len(part.steps)
        which = {"run_id": run_id, "name": name, "first_step": int(part.steps[0])}
        end = {"last_step": int(part.steps[-1]), "points": points, "changed": session.change}
        session.execute(_NEW_CHUNK, which | part.packed() | end)
        if points == CHUNK_POINTS:
            session.execute(_NEW_ROLLUP, _rollup(run_id, name, part))


def _rollup(run_id: int, name: str, points: Points) -> dict[str, Any]:
    """Of a full chunk, as a row."""
    finite = points.values[np.isfinite(points.values)]
    return {
        "run_id": run_id,
        "name": name,
        "first_step": int(points.steps[0]),
        "last_step": int(points.steps[-1]),
        "last_time": float(points.times[-1]),
        "last": _number(float(points.values[-1])),
        "finite": len(finite),
        "total": float(finite.sum()),
        "least": float(finite.min()) if len(finite) else None,
        "greatest": float(finite.max()) if len(finite) else None,
    }


def _summarise(session: Writing, run_id: int, name: str, new: Points) -> None:
    finite = np.flatnonzero(np.isfinite(new.values))
    summary: dict[str, Any] = {
        "run_id": run_id,
        "metric": name,
        "last": _number(float(new.values[-1])),
        "last_step": int(new.steps[-1]),
        **dict.fromkeys(("least", "least_step", "greatest", "greatest_step")),
    }
    if len(finite):
        for field, find in (("least", np.argmin), ("greatest", np.argmax)):
            at = finite[find(new.values[finite])]
            summary |= {field: float(new.values[at]), f"{field}_step": int(new.steps[at])}
    session.execute(_SUMMARY, summary)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def best(summary: Summary, metric: Metric) -> tuple[float, int] | None:
    """Value and step of the best point, by the metric's own direction; None where nothing is better."""
    ends = {"more": (summary.greatest, summary.greatest_step), "less": (summary.least, summary.least_step)}
    value, step = ends.get(metric.better or "", (None, None))
    return None if value is None or step is None else (value, step)


def kept(summary: Summary) -> float | None:
    """The value that a run ended with: at the weights that were kept, or the last of a run that has kept none."""
    return summary.last if summary.final is None else summary.final


def settle(session: Writing, run_id: int, kept_step: int) -> None:
    """Note each series' value at the weights that were kept, which are those of `kept_step`; what the machine says of
    itself has none."""
    said = declared(session, [run_id]).get(run_id, {})
    for row in session.exec(select(Summary).where(Summary.run_id == run_id)).all():
        if metrics.is_of_machine(row.metric, said):
            continue
        if row.last_step is not None and row.last_step <= kept_step:
            row.final = row.last
        else:
            points = read(session, run_id, row.metric, 0, kept_step)
            row.final = _number(float(points.values[-1])) if len(points.values) else None
        session.add(row)


def cut(session: Writing, run_id: int, step: int, tested_step: int) -> int:
    """Drop what a run that goes on from `step`, last tested at `tested_step`, will measure again; by each series' own
    word what it is measured for.

    Gives the last step that `train/loss` then has, 0 for none.
    """
    kept = {"step": step, "part": step, "test": tested_step}
    for name, metric in declared(session, [run_id]).get(run_id, {}).items():
        if metric.per in kept:
            _cut(session, run_id, name, kept[metric.per])
    return last_step(session, run_id, metrics.TRAIN_LOSS.name)


def _cut(session: Writing, run_id: int, name: str, step: int) -> None:
    row = session.get(Summary, (run_id, name))
    if row is None or row.last_step is None or row.last_step <= step:
        return
    of_series = delete(Chunk).where(col(Chunk.run_id) == run_id, col(Chunk.name) == name)
    session.execute(of_series.where(col(Chunk.first_step) > step))
    _shorten_last(session, run_id, name, step)
    session.delete(row)
    session.flush()
    points = read(session, run_id, name, 0)
    if len(points.steps):
        _summarise(session, run_id, name, points)


def _shorten_last(session: Writing, run_id: int, name: str, step: int) -> None:
    """Cut the chunk that goes beyond a step."""
    chunk = session.exec(
        select(Chunk).where(Chunk.run_id == run_id, Chunk.name == name, Chunk.last_step > step)
    ).first()
    if chunk is None:
        return
    session.execute(
        delete(Rollup).where(
            col(Rollup.run_id) == run_id, col(Rollup.name) == name, col(Rollup.first_step) == chunk.first_step
        )
    )
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
    return _between(_joined(rows), first, last)


def read_rolled(
    session: Session, run_id: int, name: str, width: int, first: int = 1, last: int | None = None
) -> tuple[Rollups, Points]:
    """As `read`, but of a full chunk that lies within one stretch of `width` steps (1 to width, and so on) the rollup
    alone; and all other points."""
    rolled, chunk = _ROLLUPS.c, _CHUNKS.c
    fits = and_(rolled.first_step >= first, (rolled.first_step - 1) // width == (rolled.last_step - 1) // width)
    among = chunk.last_step >= first
    if last is not None:
        fits, among = and_(fits, rolled.last_step <= last), and_(among, chunk.first_step <= last)
    fields = (rolled.last_step, rolled.last_time, *(rolled[field] for field in Rollups._fields[2:]))
    short = session.execute(
        sqlalchemy.select(*fields).where(rolled.run_id == run_id, rolled.name == name, fits).order_by(rolled.first_step)
    ).all()
    same = and_(*(rolled[key] == chunk[key] for key in ("run_id", "name", "first_step")))
    rest = session.execute(
        sqlalchemy.select(chunk.steps, chunk.times, chunk["values"])
        .where(chunk.run_id == run_id, chunk.name == name, among, ~exists().where(same, fits))
        .order_by(chunk.first_step)
    ).all()
    columns = list(zip(*short, strict=True)) or [()] * len(fields)
    rollups = Rollups(np.array(columns[0], np.int64), *(np.array(column, np.float64) for column in columns[1:]))
    return rollups, _between(_joined(rest), first, last)


def _joined(rows: Sequence[Any]) -> Points:
    """Steps, times and values of some chunks, in their order."""
    steps, times, values = (b"".join(row[at] for row in rows) for at in range(3))
    return Points.of(steps, times, values)


def _between(points: Points, first: int, last: int | None) -> Points:
    part = slice(
        int(np.searchsorted(points.steps, first)),
        None if last is None else int(np.searchsorted(points.steps, last, side="right")),
    )
    return Points(points.steps[part], points.times[part], points.values[part])


def chunks(engine: Engine, run_id: int, name: str) -> Iterator[Points]:
    """The whole series, a chunk at a time. Each is read by itself: who takes the next one late holds nothing open."""
    after = 0
    while True:
        with reading(engine) as session:
            row = session.exec(
                select(Chunk.steps, Chunk.times, Chunk.values, Chunk.last_step)
                .where(Chunk.run_id == run_id, Chunk.name == name, Chunk.first_step > after)
                .order_by(col(Chunk.first_step))
                .limit(1)
            ).first()
        if row is None:
            return
        yield Points.of(*row[:3])
        after = row[3]


def last_step(session: Session, run_id: int, name: str) -> int:
    """The last step that is recorded; 0: none."""
    found = session.exec(select(func.max(Chunk.last_step)).where(Chunk.run_id == run_id, Chunk.name == name)).one()
    return int(found or 0)
