"""/runs"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from fastapi import Query as Param
from fastapi.responses import FileResponse, PlainTextResponse
from sqlalchemy import Engine

from app.spec.experiment import ExperimentSpec
from app.spec.plan import run_names
from app.store import artifacts, runs
from app.store.engine import reading, writing
from app.store.errors import Conflict, NotFound
from app.store.filters import BadFilter
from app.store.listing import SORTS, BadCursor, BadQuery, Query, listed
from app.store.runs import MOST_TAGS
from app.store.tables import Status
from app.web.launching import check_devices
from app.web.problems import Refused, documented
from app.web.schemas import (
    MAX_ID,
    Bulk,
    BulkOut,
    Cursor,
    Id,
    Limit,
    RefusedOut,
    Relaunch,
    RunChange,
    RunId,
    RunIn,
    RunOut,
    RunPage,
    Tag,
    runs_out,
)
from app.web.state import BackgroundNow, Database, SettingsNow
from app.web.usage import UsageOut, usage
from trainer import catalog
from trainer.entries import shown
from trainer.paths import nested
from trainer.spec import parse

router = APIRouter(prefix="/runs", tags=["runs"])
LOG_BYTES = 256 * 1024


@router.post("", status_code=201, summary="Launch one run", responses=documented(400, 403, 413, 422, 503))
def launch(body: RunIn, engine: Database, background: BackgroundNow, response: Response) -> RunOut:
    spec = parse(nested(body.spec))
    check_devices([spec], background)
    with writing(engine) as session:
        row = runs.add(session, spec, body.name or run_names([spec])[0])
        session.flush()
    background.wake()
    response.headers["Location"] = f"/api/v1/runs/{row.id}"
    with reading(engine) as reader:
        return runs_out(reader, [row])[0]


@router.get("", summary="List runs", responses=documented(422, 503))
def list_runs(
    engine: Database,
    status: Annotated[list[Status], Param(description="Only runs in one of these states.")] = [],  # noqa: B006
    experiment: Annotated[Id | None, Param(description="Only runs of this experiment.")] = None,
    archived: Annotated[
        bool, Param(description="Runs of archived experiments instead, which lists leave out otherwise.")
    ] = False,
    dataset: Annotated[str | None, Param(description="Only runs on this data set.")] = None,
    q: Annotated[
        str,
        Param(
            max_length=500,
            description="Filter: `model:cnn status:running test/accuracy>0.9 lr<=0.01 tag:paper -device:cpu`; other "
            "words are looked for in names and tags. See docs/api.md.",
        ),
    ] = "",
    tag: Annotated[list[Tag], Param(max_length=MOST_TAGS, description="Only runs that have all these tags.")] = [],  # noqa: B006
    sort: Annotated[
        str,
        Param(
            max_length=100,
            description=f"{', '.join(SORTS)}; METRIC is a series' name, as in test/accuracy. A minus before it: the "
            "greatest first, as without `order`.",
        ),
    ] = "created",
    order: Annotated[Literal["asc", "desc"] | None, Param(description="desc when absent.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> RunPage:
    """Newest first, or as `sort` and `order` say."""
    if sort.startswith("-") and order == "asc":
        raise Refused(422, "order", f"order is asc, and sort, {sort!r}, means desc: give one of them")
    sort, is_ascending = sort.removeprefix("-"), order == "asc"
    put_away = archived if experiment is None else None  # one experiment's runs are shown wherever it is
    query = Query(tuple(status), experiment, put_away, dataset, tuple(tag), q, sort, is_ascending, cursor, limit)
    with reading(engine) as session:
        dataset = (
            catalog.canonical(dataset) if dataset is not None and not runs.on_dataset(session, dataset) else dataset
        )
        if dataset is not None and dataset not in catalog.DATASETS and not runs.on_dataset(session, dataset):
            message = f"dataset is {shown(dataset)}: there is no such data set; choose {' or '.join(catalog.DATASETS)}"
            raise Refused(422, "dataset", message)
        try:
            rows, following = listed(session, query)
        except BadFilter as error:
            raise Refused(422, "q", str(error)) from None
        except BadQuery as error:
            raise Refused(422, "cursor" if isinstance(error, BadCursor) else "sort", str(error)) from None
        return RunPage(items=runs_out(session, rows), next=following)


@router.post("/bulk", summary="One action on many runs", responses=documented(400, 403, 413, 422, 503))
def bulk(body: Bulk, engine: Database, background: BackgroundNow) -> BulkOut:
    """Each run is on its own: those that the action is not possible on are named, with the reason."""
    actions: dict[str, Callable[[Engine, int], None]] = {
        "stop": runs.request_stop,
        "pause": runs.request_pause,
        "resume": runs.resume,
        "first": runs.move_first,
        "delete": runs.remove,
        "restore": runs.restore,
        "tag": partial(runs.describe, add_tags=body.add_tags, remove_tags=body.remove_tags),
    }
    done, refused = [], []
    # the last one moved to the front is the first: so they stand in the order given
    for run_id in reversed(body.run_ids) if body.action == "first" else body.run_ids:
        try:
            actions[body.action](engine, run_id)
            done.append(run_id)
        except (NotFound, Conflict) as error:
            refused.append(RefusedOut(run=run_id, message=str(error)))
    background.wake()
    return BulkOut(run_ids=done, refused=refused)


@router.get("/{run_id}", summary="One run", responses=documented(404, 422, 503))
def get_run(run_id: RunId, engine: Database) -> RunOut:
    with reading(engine) as session:
        return runs_out(session, [runs.get(session, run_id)])[0]


@router.get("/{run_id}/usage", summary="What a run uses of the machine", responses=documented(404, 422, 503))
def get_usage(run_id: RunId, engine: Database) -> UsageOut:
    """Processor, memory and GPU, sampled every two seconds; each is also a series, `system/…`."""
    with reading(engine) as session:
        return usage(session, runs.get(session, run_id))


@router.patch("/{run_id}", summary="Rename, tag or note a run", responses=documented(400, 403, 404, 409, 413, 422, 503))
def change_run(run_id: RunId, body: RunChange, engine: Database) -> RunOut:
    runs.describe(engine, run_id, name=body.name, note=body.note, tags=body.tags)
    return get_run(run_id, engine)


@router.delete(
    "/{run_id}", status_code=204, summary="Delete a run", responses=documented(400, 403, 404, 409, 413, 422, 503)
)
def delete_run(run_id: RunId, engine: Database) -> None:
    """With its series, weights and logs; ten minutes long it can be restored. One at work is refused: stop it first."""
    runs.remove(engine, run_id)


@router.post(
    "/{run_id}/restore", summary="Bring a deleted run back", responses=documented(400, 403, 404, 413, 422, 503)
)
def restore_run(run_id: RunId, engine: Database, background: BackgroundNow) -> RunOut:
    """As it was; a run that was queued is queued again."""
    runs.restore(engine, run_id)
    background.wake()
    return get_run(run_id, engine)


@router.post(
    "/{run_id}/first", summary="Move a queued run to the front", responses=documented(400, 403, 404, 409, 413, 422, 503)
)
def first_run(run_id: RunId, engine: Database) -> RunOut:
    """The next free slot that it fits is its own."""
    runs.move_first(engine, run_id)
    return get_run(run_id, engine)


@router.post("/{run_id}/stop", summary="Stop a run", responses=documented(400, 403, 404, 409, 413, 422, 503))
def stop_run(run_id: RunId, engine: Database, background: BackgroundNow) -> RunOut:
    """A queued run is stopped at once, a running one within a second; what it recorded is kept."""
    runs.request_stop(engine, run_id)
    background.wake()
    return get_run(run_id, engine)


@router.post("/{run_id}/pause", summary="Pause a run", responses=documented(400, 403, 404, 409, 413, 422, 503))
def pause_run(run_id: RunId, engine: Database, background: BackgroundNow) -> RunOut:
    """A queued run is paused at once, a running one within a second, with a checkpoint that it goes on from."""
    runs.request_pause(engine, run_id)
    background.wake()
    return get_run(run_id, engine)


@router.post("/{run_id}/resume", summary="Resume a run", responses=documented(400, 403, 404, 409, 413, 422, 503))
def resume_run(run_id: RunId, engine: Database, background: BackgroundNow) -> RunOut:
    """A run that is paused, failed, stopped or lost is queued again and goes on from its last checkpoint."""
    runs.resume(engine, run_id)
    background.wake()
    return get_run(run_id, engine)


@router.post(
    "/{run_id}/relaunch",
    status_code=201,
    summary="Launch a run again",
    responses=documented(400, 403, 404, 413, 422, 503),
)
def relaunch_run(
    run_id: RunId, body: Relaunch, engine: Database, background: BackgroundNow, response: Response
) -> RunOut:
    """A new run from the start, with the same knobs but for the overrides, in the same experiment."""
    with reading(engine) as session:
        old = runs.get(session, run_id)
    grid = {path: [value] for path, value in body.overrides.items()}
    (spec,) = ExperimentSpec(name=old.name, base=old.spec, grid=grid).expand()
    check_devices([spec], background)
    with writing(engine) as session:
        name = old.name if spec == parse(old.spec) else run_names([spec])[0]
        row = runs.add(session, spec, name, old.experiment_id)
        session.flush()
    background.wake()
    response.headers["Location"] = f"/api/v1/runs/{row.id}"
    return get_run(row.id or 0, engine)


@router.get(
    "/{run_id}/log",
    summary="Its worker's output",
    response_class=PlainTextResponse,
    responses=documented(404, 422, 503),
)
def get_log(
    run_id: RunId,
    engine: Database,
    background: BackgroundNow,
    attempt: Annotated[int | None, Param(ge=1, le=1_000_000, description="The newest when absent.")] = None,
    after: Annotated[int | None, Param(ge=0, le=MAX_ID, description="Byte from which on.")] = None,
) -> PlainTextResponse:
    """One attempt's log as plain text: its last 256 KiB, or what follows `after`. The header `Runyard-Log-End` has the
    byte at which it ends: give that as `after` to read on."""
    with reading(engine) as session:
        run = runs.get(session, run_id)
    path = background.log(run.files, attempt or run.attempt)
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - LOG_BYTES) if after is None else min(after, size)
            file.seek(start)
            text = file.read(LOG_BYTES)
    except FileNotFoundError:
        if attempt is not None:
            raise Refused(404, "attempt", f"attempt {attempt} of run {run_id} has no log") from None
        start, text = 0, b""
    end = str(start + len(text))
    return PlainTextResponse(text.decode("utf-8", "replace"), headers={"Runyard-Log-End": end})


@router.get(
    "/{run_id}/weights",
    summary="Its final weights",
    response_class=FileResponse,
    responses={
        200: {
            "description": "A state_dict: torch.load(file, weights_only=True)",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **documented(404, 422, 503),
    },
)
def get_weights(run_id: RunId, engine: Database, settings: SettingsNow) -> FileResponse:
    """The net's state_dict, safe to load with `weights_only=True`."""
    with reading(engine) as session:
        run = runs.get(session, run_id)
    path = artifacts.weights(settings, run.files)
    if not path.is_file():
        message = f"run {run_id} is {run.status}: only a run that succeeded has weights"
        raise Refused(404, "run_id", message)
    return FileResponse(path, media_type="application/octet-stream", filename=f"run-{run_id}.pt")
