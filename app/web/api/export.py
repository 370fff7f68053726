"""/export: runs and their series as files, for a spreadsheet, pandas or R."""

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response, StreamingResponse
from sqlalchemy import Engine
from starlette.background import BackgroundTask

from app.spec.experiment import MAX_RUNS
from app.store import experiments, runs, series
from app.store.engine import reading
from app.store.series import Points
from app.web.limits import SlowWork, slowly
from app.web.numbers import finite
from app.web.problems import Refused, documented
from app.web.schemas import Id, RunOut, runs_out
from app.web.state import Database
from trainer.metrics import is_of_machine
from trainer.paths import flat

if TYPE_CHECKING:
    import pyarrow

router = APIRouter(tags=["export"])

FORMULA = frozenset("=+-@\t\r")
"""What a formula begins with."""
MEDIA = {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
SERIES_COLUMNS = ("run", "metric", "step", "time", "value")
FIGURES = ("last", "best", "best_step", "final")
"""Of each series."""
RUN_COLUMNS = (
    *("id", "name", "experiment_id", "status", "cause", "tags", "note", "parameters", "device", "seconds"),
    *("steps_done", "steps_total", "created_at", "started_at", "ended_at"),
)
VALUES = 2
"""Place of the values in Points: they may be no numbers."""
Part = tuple[int, str, Points]
"""A run's id, a metric, and some of its points in the order of steps."""


_SLOW = SlowWork("exports", at_once=2, waiting=8)


@router.get(
    "/export",
    summary="Runs as a file",
    response_class=Response,
    responses={
        200: {"description": "A file", "content": {media: {"schema": {"type": "string"}} for media in MEDIA.values()}},
        **documented(404, 422, 503),
    },
)
@slowly(_SLOW)
def export(
    engine: Database,
    experiment: Annotated[Id | None, Query(description="All runs of this experiment.")] = None,
    run: Annotated[list[Id], Query(max_length=MAX_RUNS, description="Ids of runs.")] = [],  # noqa: B006
    what: Annotated[
        Literal["series", "runs"],
        Query(description="series: every point exactly; runs: knobs and figures, a row each."),
    ] = "series",
    format: Annotated[
        Literal["csv", "json", "parquet"], Query(description="json has the runs beside the series.")
    ] = "csv",
    system: Annotated[bool, Query(description="With what the runs used of the machine, `system/…`.")] = False,
) -> Response:
    """A table `run, metric, step, time, value` of every point, or one of the runs with a column for each knob."""
    if (experiment is None) == (not run):
        raise Refused(422, "run", "run and experiment: give one of them, either experiment=1 or run=1&run=2")
    with reading(engine) as session:
        if experiment is None:
            rows = runs.get_many(session, run)
        else:
            experiments.get(session, experiment)
            rows = runs.of_experiment(session, experiment)
        found = runs_out(session, rows)
    if not system:
        found = [_of_training(each) for each in found]
    name = f"experiment-{experiment}" if experiment else f"run-{run[0]}" if len(run) == 1 else "runs"
    headers = {"Content-Disposition": f'attachment; filename="{name}-{what}.{format}"'}
    if format == "parquet":
        file = tempfile.NamedTemporaryFile(suffix=".parquet")  # noqa: SIM115  closed, and so deleted, once it was sent
        if what == "runs":
            _parquet_of_runs(file.name, found)
        else:
            _parquet_of_series(file.name, engine, found)
        return FileResponse(file.name, media_type=MEDIA[format], headers=headers, background=BackgroundTask(file.close))
    if format == "json":
        lines = _json(engine, found, with_series=what == "series")
    else:
        lines = _csv_of_runs(found) if what == "runs" else _csv_of_series(engine, found)
    return StreamingResponse(lines, media_type=MEDIA[format], headers=headers)


def _parts(engine: Engine, found: Iterable[RunOut]) -> Iterator[Part]:
    """Every series of every run, a chunk at a time. Nothing is held open between two: a client may be slow."""
    for run in found:
        for metric in run.summary:
            for points in series.chunks(engine, run.id, metric):
                yield run.id, metric, points


def _of_training(run: RunOut) -> RunOut:
    """The run without what the machine says of itself."""
    summary = {name: figures for name, figures in run.summary.items() if not is_of_machine(name, run.metrics)}
    metrics = {name: metric for name, metric in run.metrics.items() if not is_of_machine(name, run.metrics)}
    return run.model_copy(update={"summary": summary, "metrics": metrics})


def _table(found: Iterable[RunOut]) -> list[dict[str, Any]]:
    """A row a run, all with the same columns: what it is, its knobs, its figures."""
    rows = []
    for run in found:
        row = {name: getattr(run, name) for name in RUN_COLUMNS}
        row |= {"status": str(run.status), "tags": ", ".join(run.tags)}
        row |= flat(run.spec)
        for metric, summary in run.summary.items():
            row |= {f"{metric} {name}": getattr(summary, name) for name in FIGURES}
        rows.append(row)
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def _csv_of_series(engine: Engine, found: list[RunOut]) -> Iterator[str]:
    """repr of a float gives it back bit for bit."""
    yield ",".join(SERIES_COLUMNS) + "\n"
    for run, metric, (steps, times, values) in _parts(engine, found):
        rows = zip(steps.tolist(), times.tolist(), values.tolist(), strict=True)
        name = harmless(metric)
        name = f'"{name.replace(chr(34), 2 * chr(34))}"' if set(name) & set(',"') else name
        yield "".join(f"{run},{name},{step},{time!r},{value!r}\n" for step, time, value in rows)


def _csv_of_runs(found: list[RunOut]) -> Iterator[str]:
    rows = _table(found)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0] if rows else RUN_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    yield text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def harmless(text: str) -> str:
    """A cell that a spreadsheet would take for a formula, as text: others may have written it."""
    return f"'{text}" if text[:1] in FORMULA else text


def _json(engine: Engine, found: list[RunOut], *, with_series: bool) -> Iterator[str]:
    yield f'{{"runs": {json.dumps([run.model_dump(mode="json") for run in found])}'
    if with_series:
        yield ', "series": ['
        separator = ""
        for run in found:
            for metric in run.summary:
                yield f'{separator}{{"run": {run.id}, "metric": {json.dumps(metric)}'
                for at, column in enumerate(("steps", "times", "values")):
                    yield f', "{column}": ['
                    yield from _json_of_column(engine, run.id, metric, at)
                    yield "]"
                yield "}"
                separator = ",\n"
        yield "]"
    yield "}\n"


def _json_of_column(engine: Engine, run_id: int, metric: str, column: int) -> Iterator[str]:
    """A chunk at a time: the whole of a long series as JSON would hold the interpreter, and all others, for seconds."""
    separator = ""
    for points in series.chunks(engine, run_id, metric):
        values = points[column]
        numbers = finite(values) if column == VALUES else values.tolist()
        yield separator + json.dumps(numbers)[1:-1]
        separator = ", "


def _parquet_of_runs(path: str, found: list[RunOut]) -> None:
    import pyarrow  # half a second: only who asks for Parquet waits for it
    import pyarrow.parquet

    rows = _table(found)
    table = pyarrow.Table.from_pylist(rows) if rows else pyarrow.table({name: [] for name in RUN_COLUMNS})
    pyarrow.parquet.write_table(table, path)


def _parquet_of_series(path: str, engine: Engine, found: list[RunOut]) -> None:
    import pyarrow
    import pyarrow.parquet

    kinds = (pyarrow.int64(), pyarrow.string(), pyarrow.int64(), pyarrow.float64(), pyarrow.float64())
    schema = pyarrow.schema(list(zip(SERIES_COLUMNS, kinds, strict=True)))
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in _gathered(_parts(engine, found)):
            writer.write_table(pyarrow.concat_tables(_arrow(one, schema) for one in part))


def _arrow(part: Part, schema: "pyarrow.Schema") -> "pyarrow.Table":
    import pyarrow

    run, metric, (steps, times, values) = part
    columns = [[run] * len(steps), [metric] * len(steps), steps, times, values]
    return pyarrow.table([pyarrow.array(column) for column in columns], schema=schema)


def _gathered(parts: Iterator[Part], count: int = 100) -> Iterator[list[Part]]:
    """Lists of up to 100 chunks: a row group of a Parquet file should not be small."""
    some: list[Part] = []
    for part in parts:
        some.append(part)
        if len(some) == count:
            yield some
            some = []
    if some:
        yield some
