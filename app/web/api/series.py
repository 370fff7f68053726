"""Series for charts, in buckets, and exact, as CSV."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import Engine
from sqlmodel import Session

from app.store import buckets, runs, series
from app.store.engine import reading
from app.store.tables import Run
from app.web.numbers import finite
from app.web.problems import Refused, documented
from app.web.schemas import MAX_ID, MetricOut, RunId, RunIds, SeriesName
from app.web.state import Database
from trainer.entries import shown
from trainer.metrics import KNOWN, MACHINE, assumed

router = APIRouter(tags=["series"])
EXPECTED = {*KNOWN, *(metric.name for metric in MACHINE)}
"""Series that any run may have."""

Points = Annotated[int, Query(ge=1, le=10_000, description="At most this many buckets for the longest run's length.")]
Width = Annotated[
    int | None,
    Query(ge=1, le=2**31, description="Steps a bucket, instead of `points`; to bring an earlier answer up to date."),
]
Smoothing = Annotated[float, Query(ge=0, lt=1, description="Factor of the moving average; 0: not smoothed.")]
First = Annotated[int, Query(alias="from", ge=1, le=MAX_ID, description="First step.")]
Last = Annotated[int | None, Query(alias="to", ge=1, le=MAX_ID, description="Last step.")]


class CurveOut(BaseModel):
    """One run's series in buckets; lists of equal length, one entry a bucket that holds a point."""

    run: int
    points: int = Field(description="Points in the buckets together.")
    steps: list[int] = Field(description="Step of the bucket's last point.")
    times: list[float] = Field(description="Seconds of training at that step.")
    min: list[float | None] = Field(description="Of the bucket's finite values, as max and mean; null: it has none.")
    max: list[float | None]
    mean: list[float | None]
    last: list[float | None] = Field(description="Null where that is not a finite number.")
    smoothed: list[float | None] | None = Field(
        description="Debiased exponential moving average over the raw series, at that step; null where that has no "
        "finite number."
    )


class CurvesOut(BaseModel):
    """The same series of several runs, in buckets of the same steps."""

    name: str
    metric: MetricOut = Field(description="What the runs say of the series.")
    width: int = Field(description="Steps a bucket: bucket k holds steps k·width+1 to (k+1)·width.")
    smoothing: float
    items: list[CurveOut]


class CurveAlone(CurveOut):
    """One run's series in buckets."""

    name: str
    metric: MetricOut
    width: int
    smoothing: float


CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON; with raw=true a CSV stream",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": "step,time,value\n1,0.01,2.303\n"}},
    }
}


@router.get(
    "/series", summary="One series of several runs", response_model=CurvesOut, responses=documented(404, 422, 503)
)
def several(
    engine: Database,
    run: RunIds,
    name: SeriesName = "train/loss",
    points: Points = 1000,
    width: Width = None,
    smoothing: Smoothing = 0,
    first: First = 1,
    last: Last = None,
) -> Response:
    """Bucketed alike, so that the runs can be compared bucket by bucket; min and max of each bucket are kept."""
    if not run:
        raise Refused(422, "run", "run is missing: name one or more, as run=1&run=2")
    with reading(engine) as session:
        rows = runs.get_many(session, run)
        _refuse_unknown(session, rows, name)
    return _json(_curves(engine, rows, name, points, width, smoothing, first, last))


@router.get(
    "/runs/{run_id}/series",
    summary="One series of one run",
    response_model=CurveAlone,
    responses={**CSV, **documented(404, 422, 503)},
)
def one(
    run_id: RunId,
    engine: Database,
    name: SeriesName = "train/loss",
    points: Points = 1000,
    width: Width = None,
    smoothing: Smoothing = 0,
    first: First = 1,
    last: Last = None,
    raw: Annotated[bool, Query(description="Every point exactly, as CSV `step,time,value`.")] = False,
) -> Response:
    """In buckets for a chart; with `raw=true` every point exactly, as a CSV stream."""
    with reading(engine) as session:
        row = runs.get(session, run_id)
        _refuse_unknown(session, [row], name)
    if raw:
        return StreamingResponse(_csv(engine, run_id, name), media_type="text/csv")
    found = _curves(engine, [row], name, points, width, smoothing, first, last)
    return _json({**{key: found[key] for key in ("name", "metric", "width", "smoothing")}, **found["items"][0]})


def _refuse_unknown(session: Session, rows: Sequence[Run], name: str) -> None:
    """A series that none of the runs has and no other yields: it is misspelt."""
    if name in EXPECTED:
        return
    there = runs.summaries(session, [row.id or 0 for row in rows])
    others = {metric for of_run in there.values() for metric in of_run} - EXPECTED
    names = sorted({*KNOWN, *others})
    if name not in names:
        raise Refused(422, "name", f"name is {shown(name)}: there is no such series here; choose {' or '.join(names)}")


def _curves(
    engine: Engine,
    rows: Sequence[Run],
    name: str,
    points: int,
    width: int | None,
    smoothing: float,
    first: int,
    last: int | None,
) -> dict[str, Any]:
    if last is not None and last < first:
        raise Refused(422, "to", f"to is {last}: it comes before from, {first}")
    longest = max(row.steps_total for row in rows)
    whole = width or buckets.width_for(min(longest, last or longest) - min(first, longest) + 1, points)
    with reading(engine) as session:
        declared = runs.metrics(session, [row.id or 0 for row in rows])
    return {
        "name": name,
        "metric": MetricOut.of(declared.get(name) or assumed(name)).model_dump(),
        "width": whole,
        "smoothing": smoothing,
        "items": [_curve(engine, row.id or 0, name, whole, smoothing, first, last) for row in rows],
    }


def _curve(
    engine: Engine, run_id: int, name: str, width: int, smoothing: float, first: int, last: int | None
) -> dict[str, Any]:
    if not smoothing and width >= series.CHUNK_POINTS:
        with reading(engine) as session:
            rollups, rest = series.read_rolled(session, run_id, name, width, first, last)
        points = len(rollups.steps) * series.CHUNK_POINTS + len(rest.steps)
        return _curve_out(run_id, points, buckets.merged(rollups, rest, width))
    with reading(engine) as session:
        found = series.read(session, run_id, name, 1 if smoothing else first, last)
    smoothed = buckets.smooth(found.values, smoothing) if smoothing else None
    if smoothed is not None and first > 1:  # smoothed over all that came before, then cut
        start = int(found.steps.searchsorted(first))
        smoothed = smoothed[start:]
        found = series.Points(found.steps[start:], found.times[start:], found.values[start:])
    return _curve_out(run_id, len(found.steps), buckets.bucketed(found, width, smoothed))


def _curve_out(run_id: int, points: int, curve: buckets.Buckets) -> dict[str, Any]:
    arrays = curve._asdict().items()
    return {
        "run": run_id,
        "points": points,
        **{key: None if array is None else finite(array) for key, array in arrays},
    }


def _json(found: dict[str, Any]) -> Response:
    # long lists of numbers: validating each of them again would take longer than reading them
    return Response(json.dumps(found, separators=(",", ":")), media_type="application/json")


def _csv(engine: Engine, run_id: int, name: str) -> Iterator[str]:
    """repr of a float gives it back bit for bit."""
    yield "step,time,value\n"
    for part in series.chunks(engine, run_id, name):
        rows = zip(part.steps.tolist(), part.times.tolist(), part.values.tolist(), strict=True)
        yield "".join(f"{step},{time!r},{value!r}\n" for step, time, value in rows)
