"""Lists of runs: filtered, sorted by any column or figure, a page at a time."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy
from sqlalchemy import Select, and_, func, not_, or_
from sqlmodel import Session, col, select

from app.store.filters import FIGURES, SAME_SERIES, as_figure, condition
from app.store.runs import THERE
from app.store.tables import Experiment, Metric, Run, RunTag, Status, Summary

TURNS = 2**20
"""More than an experiment has runs."""
FAR = 1e300
"""Stands for a figure that a run has not got: such runs come last, whichever way the list is sorted."""
_COLUMNS: dict[str, tuple[Any, type]] = {
    "created": (col(Run.id), int),
    "status": (col(Run.status), str),
    "name": (col(Run.name), str),
    "model": (col(Run.spec)["model"]["name"].as_string(), str),
    "dataset": (col(Run.spec)["dataset"].as_string(), str),
    "pixel_order": (col(Run.spec)["pixel_order"].as_string(), str),
    "seed": (func.coalesce(col(Run.seed), -1), int),
    "device": (func.coalesce(col(Run.device), ""), str),
    "steps": (col(Run.steps_done), int),
    "duration": (col(Run.seconds), float),
    "queue": (col(Run.position) * TURNS + col(Run.turn), int),
}
SORTS = (*_COLUMNS, "METRIC", "METRIC.best")
"""What a list can be sorted by; METRIC as in `test/accuracy`."""


class BadQuery(ValueError):
    """A sort that is not possible."""


class BadCursor(BadQuery):
    """A cursor that is not one of ours, or belongs to another sort."""


@dataclass(frozen=True)
class Query:
    """Which runs, in which order."""

    statuses: Sequence[Status] = ()
    experiment_id: int | None = None
    archived: bool | None = None
    """True: only runs of archived experiments; False: none of those."""
    dataset: str | None = None
    tags: Sequence[str] = ()
    text: str = ""
    sort: str = "created"
    ascending: bool = False
    cursor: str | None = None
    limit: int = 100


def listed(session: Session, query: Query) -> tuple[list[Run], str | None]:
    """One page of runs and the cursor of the next. Raises BadQuery, and BadFilter for `text`."""
    found = _sorted(query, session).where(THERE)
    if query.statuses:
        found = found.where(col(Run.status).in_(query.statuses))
    if query.experiment_id is not None:
        found = found.where(col(Run.experiment_id) == query.experiment_id)
    if query.archived is not None:
        put_away = col(Run.experiment_id).in_(select(Experiment.id).where(col(Experiment.archived)))
        # runs without an experiment are not archived: for them `in` is unknown
        found = found.where(put_away if query.archived else or_(col(Run.experiment_id).is_(None), not_(put_away)))
    if query.dataset:
        found = found.where(col(Run.spec)["dataset"].as_string() == query.dataset)
    for tag in query.tags:
        found = found.where(col(Run.id).in_(select(RunTag.run_id).where(RunTag.tag == tag)))
    for term in condition(query.text, session):
        found = found.where(term)
    page = list(session.execute(found.limit(query.limit + 1)).all())
    more = len(page) > query.limit
    page = page[: query.limit]
    following = _encode(query, page[-1][1], page[-1][0].id) if more else None
    return [run for run, _ in page], following


def _sorted(query: Query, session: Session) -> Select[Any]:
    figure = as_figure(query.sort, session)
    if query.sort in _COLUMNS:
        key, kind = _COLUMNS[query.sort]
        found = cast(Select[Any], sqlalchemy.select(Run, key))
    elif figure:
        name, figured = figure
        key, kind = func.coalesce(FIGURES[figured], FAR if query.ascending else -FAR), float
        own = and_(col(Summary.run_id) == Run.id, col(Summary.metric) == name)
        found = cast(Select[Any], sqlalchemy.select(Run, key)).outerjoin(Summary, own).outerjoin(Metric, SAME_SERIES)
    else:
        raise BadQuery(f"sort is {query.sort[:60]!r}: choose {', '.join(SORTS[:-1])} or {SORTS[-1]}")
    if query.cursor is not None:
        value, run_id = _decode(query, kind)
        beyond = (key > value, col(Run.id) > run_id) if query.ascending else (key < value, col(Run.id) < run_id)
        found = found.where(or_(beyond[0], and_(key == value, beyond[1])))
    order = (key.asc(), col(Run.id).asc()) if query.ascending else (key.desc(), col(Run.id).desc())
    return found.order_by(*order)


def _encode(query: Query, value: object, run_id: int) -> str:
    place = json.dumps([query.sort, query.ascending, value, run_id])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _decode(query: Query, kind: type) -> tuple[Any, int]:
    assert query.cursor is not None
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        sort, ascending, value, run_id = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, TypeError, UnicodeError, RecursionError) as error:
        raise BadCursor("cursor is not one of ours: take `next` of the page before as it is") from error
    if (sort, ascending) != (query.sort, query.ascending) or not _fits(value, kind) or not _fits(run_id, int):
        raise BadCursor("cursor belongs to another order: take `next` of the page before, with the same sort")
    return value, run_id


def _fits(value: object, kind: type) -> bool:
    if kind is int:
        return isinstance(value, int) and -(2**63) <= value < 2**63
    return isinstance(value, (float, int) if kind is float else kind)
