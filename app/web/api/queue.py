"""/queue: what runs now, what has just ended, what comes next and when."""

from itertools import groupby

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.store import runs
from app.store.engine import reading
from app.store.tables import ACTIVE, Run, Status
from app.web.launching import Estimate
from app.web.problems import documented
from app.web.schemas import RunOut, runs_out
from app.web.state import BackgroundNow, Database
from app.web.titles import value_title

router = APIRouter(tags=["runs"])
MOST = 500
"""Queued runs that are told one by one."""


class AtWorkOut(BaseModel):
    """A run at work, or one that has just ended."""

    run: RunOut
    model: str = Field(description="Title of its model.")
    experiment: str | None = Field(description="Name of its experiment.")
    left: float | None = Field(description="Seconds until it ends, by runs like it; null: not known, or it has ended.")


class WaitingOut(BaseModel):
    """Runs of one experiment that stand together in the queue."""

    experiment_id: int | None
    experiment: str | None = Field(description="Its name.")
    run_ids: list[int]
    first: int = Field(description="Place in the queue of the first of them, from 1.")
    starts: list[float | None] = Field(description="Seconds until each of them begins, by runs like those before it.")


class QueueOut(BaseModel):
    """Now, and next."""

    slots: int = Field(description="Most runs at a time, of all devices together.")
    running: list[AtWorkOut]
    ended: AtWorkOut | None = Field(description="The last that ended.")
    waiting: list[WaitingOut]
    more: int = Field(description=f"Queued runs beyond the {MOST} that are told.")
    left: dict[int, float | None] = Field(
        description=f"Seconds until each experiment in it has ended, by its id; none while more than {MOST} wait."
    )
    done: float | None = Field(description="Seconds until all of it has ended; null: nothing is left, or not known.")


@router.get("/queue", summary="What runs now, and what comes next", responses=documented(503))
def get_queue(engine: Database, background: BackgroundNow) -> QueueOut:
    """The runs at work with the time they need, the last that ended, and the queue in its order."""
    with reading(engine) as session:
        estimate = Estimate(session, background)
        working = runs.in_state(session, ACTIVE, MOST)
        queued = runs.in_state(session, (Status.QUEUED,), MOST)
        more = runs.counts(session)[Status.QUEUED.value] - len(queued)
        last = runs.last_ended(session)
        names = runs.experiment_names(session, [*working, *queued, *([last] if last else [])])
        shown = {one.id: one for one in runs_out(session, [*working, *([last] if last else [])])}

        def at_work(run: Run, left: float | None) -> AtWorkOut:
            return AtWorkOut(
                run=shown[run.id or 0],
                model=value_title("model", run.spec["model"]["name"]),
                experiment=names.get(run.experiment_id or 0),
                left=left,
            )

        slots = sum(one["slots"] for one in background.slots())
        times = estimate.times([*working, *queued])
        if background.waits() is not None:
            times[len(working) :] = [(None, None)] * len(queued)
        starts = [begins for begins, _ in times[len(working) :]]
        waiting, first = [], 1
        for experiment_id, group in groupby(queued, key=lambda run: run.experiment_id):
            members = list(group)
            waiting.append(
                WaitingOut(
                    experiment_id=experiment_id,
                    experiment=names.get(experiment_id or 0),
                    run_ids=[run.id or 0 for run in members],
                    first=first,
                    starts=starts[first - 1 : first - 1 + len(members)],
                )
            )
            first += len(members)
        return QueueOut(
            slots=slots,
            running=[at_work(run, estimate.left([run])) for run in working],
            ended=at_work(last, None) if last else None,
            waiting=waiting,
            more=more,
            left={} if more else _left([*working, *queued], [ends for _, ends in times]),
            done=None if more else estimate.left([*working, *queued]),
        )


def _left(rows: list[Run], ends: list[float | None]) -> dict[int, float | None]:
    """Until the last run of each experiment ends; None where that is not known of all of them."""
    found: dict[int, float | None] = {}
    for run, end in zip(rows, ends, strict=True):
        if run.experiment_id:
            before = found.get(run.experiment_id, 0.0)
            found[run.experiment_id] = None if before is None or end is None else max(before, end)
    return found
