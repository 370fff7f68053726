"""/experiments"""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.asking import cells, questions
from app.spec.plan import Plan
from app.store import experiments, runs
from app.store.engine import reading, writing
from app.store.tables import ACTIVE, Status
from app.web.launching import Estimate, check_devices
from app.web.problems import Refused, documented
from app.web.schemas import (
    ConfigurationOut,
    ExperimentChange,
    ExperimentId,
    ExperimentIn,
    ExperimentOut,
    ExperimentPage,
    Limit,
    MoreIn,
    PlanOut,
    RunsOut,
)
from app.web.state import Background, BackgroundNow, Database
from app.web.titles import capital, configuration_title, differing, question_title
from trainer.paths import flat
from trainer.spec import parse

router = APIRouter(prefix="/experiments", tags=["experiments"])


@router.post("", status_code=201, summary="Launch an experiment", responses=documented(400, 403, 413, 422, 503))
def launch(body: ExperimentIn, engine: Database, background: BackgroundNow, response: Response) -> ExperimentOut:
    """Every combination of the grid's values, on top of the base, is queued as a run."""
    planned = _planned(body, background)
    if body.question is not None:
        row, members = questions.launch(engine, body.name, body.base, body.grid, body.question, planned, body.smallest)
    else:
        row, members = experiments.create(engine, body, planned, body.smallest)
    background.wake()
    response.headers["Location"] = f"/api/v1/experiments/{row.id}"
    return ExperimentOut.of(row, runs.tally(members))


@router.post("/plan", summary="What a launch would make", responses=documented(400, 403, 413, 422, 503))
def plan(body: ExperimentIn, engine: Database, background: BackgroundNow) -> PlanOut:
    """The runs that the same body would launch, with the same errors; nothing is made."""
    planned = _planned(body, background)
    groups = list(planned.configurations.values())
    paths = differing([flat(members[0].to_json()) for members in groups])
    with reading(engine) as session:
        estimate = Estimate(session, background)
        already = experiments.already_run(session, planned.specs)
        unused = experiments.unused_seeds(session, planned.specs, planned.seeds)
        waiting = runs.counts(session)
    question = cells.judged_by(body.question, planned.cells) if body.question else None
    return PlanOut(
        runs=len(planned.specs),
        seeds=planned.seeds,
        steps=sum(spec.steps_total for spec in planned.specs),
        seconds=estimate.of_all(planned.specs),
        question=question_title(question, body.grid, planned.cells) if question else None,
        already=already,
        unused_seeds=unused,
        ahead=sum(waiting[status.value] for status in (Status.QUEUED, *ACTIVE)),
        most_runs=cells.most_runs(planned.cells, question) if question else None,
        configurations=[
            ConfigurationOut(
                name=capital(configuration_title(flat(members[0].to_json()), paths)),
                spec=members[0].to_json(),
                parameters=members[0].parameters,
                runs=len(members),
                steps=members[0].steps_total,
                seconds=estimate.of(members[0]),
            )
            for members in groups
        ],
    )


def _planned(body: ExperimentIn, background: Background) -> Plan:
    """What a body asks for, checked against the devices. Raises SpecError, Refused."""
    if body.question is None:
        found = Plan.of(body)
    else:
        _no_draws(body)
        found = cells.plan(body.base, body.grid, body.question)
    check_devices(found.specs, background)
    return found


def _no_draws(body: ExperimentIn) -> None:
    if body.random is not None:
        raise Refused(422, "random", "random and question: a question compares fixed configurations; give one of them")


@router.get("", summary="List experiments", responses=documented(422, 503))
def list_experiments(
    engine: Database,
    archived: Annotated[bool, Query(description="Those in the archive instead.")] = False,
    cursor: Annotated[str | None, Query(max_length=30, description="`next` of the page before.")] = None,
    limit: Limit = 100,
) -> ExperimentPage:
    """Newest first."""
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise Refused(422, "cursor", "cursor is not one of ours: take `next` of the page before as it is")
    rows = experiments.listed(engine, int(cursor) if cursor else None, limit + 1, archived=archived)
    with reading(engine) as session:
        tallies = runs.tallies(session, [row.id or 0 for row in rows[:limit]])
        items = [ExperimentOut.of(row, tallies[row.id or 0]) for row in rows[:limit]]
    return ExperimentPage(items=items, next=str(items[-1].id) if len(rows) > limit else None)


@router.get("/{experiment_id}", summary="One experiment", responses=documented(404, 422, 503))
def get_experiment(experiment_id: ExperimentId, engine: Database) -> ExperimentOut:
    with reading(engine) as session:
        row = experiments.get(session, experiment_id)
        return ExperimentOut.of(row, runs.tallies(session, [experiment_id])[experiment_id])


@router.patch(
    "/{experiment_id}", summary="Rename or note an experiment", responses=documented(400, 403, 404, 413, 422, 503)
)
def change_experiment(experiment_id: ExperimentId, body: ExperimentChange, engine: Database) -> ExperimentOut:
    experiments.describe(engine, experiment_id, **body.model_dump())
    return get_experiment(experiment_id, engine)


@router.delete(
    "/{experiment_id}",
    status_code=204,
    summary="Delete an experiment with its runs",
    responses=documented(400, 403, 404, 409, 413, 422, 503),
)
def delete_experiment(experiment_id: ExperimentId, engine: Database) -> None:
    """Ten minutes long it can be restored. Refused while one of its runs is at work: stop them first."""
    experiments.remove(engine, experiment_id)


@router.post(
    "/{experiment_id}/restore",
    summary="Bring a deleted experiment back",
    responses=documented(400, 403, 404, 413, 422, 503),
)
def restore_experiment(experiment_id: ExperimentId, engine: Database, background: BackgroundNow) -> ExperimentOut:
    """With the runs that were deleted with it."""
    experiments.restore(engine, experiment_id)
    background.wake()
    return get_experiment(experiment_id, engine)


@router.post("/{experiment_id}/stop", summary="Stop all its runs", responses=documented(400, 403, 404, 413, 422, 503))
def stop(experiment_id: ExperimentId, engine: Database, background: BackgroundNow) -> RunsOut:
    """Queued runs are stopped at once, running ones within a second; what they recorded is kept."""
    with reading(engine) as session:
        experiments.get(session, experiment_id)
    stopped = runs.stop_experiment(engine, experiment_id)
    background.wake()
    return RunsOut(run_ids=stopped)


@router.post(
    "/{experiment_id}/more",
    status_code=201,
    summary="Add seeds or values to an experiment",
    responses=documented(400, 403, 404, 413, 422, 503),
)
def more(experiment_id: ExperimentId, body: MoreIn, engine: Database, background: BackgroundNow) -> RunsOut:
    """Runs that are there already are not launched again. Seeds beyond the plan were not fixed beforehand: from then on
    the comparison is judged by intervals that are valid while watched. Where the best is to be found, values of a
    knob of the grid are looked at as well."""
    if not body.seeds and not body.values:
        raise Refused(422, "seeds", "seeds and values are missing: say how many seeds, or which values, to add")
    with reading(engine) as session:
        asks = (experiments.get(session, experiment_id).question or {}).get("kind")
    if asks == "best" and not body.seeds:
        made = questions.add_values(engine, experiment_id, body.values)
    else:
        made = experiments.more(engine, experiment_id, body.seeds, body.values)
    background.wake()
    return RunsOut(run_ids=made)


@router.post(
    "/{experiment_id}/relaunch-failed",
    status_code=201,
    summary="Launch its failed runs again",
    responses=documented(400, 403, 404, 413, 422, 503),
)
def relaunch_failed(experiment_id: ExperimentId, engine: Database, background: BackgroundNow) -> RunsOut:
    """A new run from the start for each that failed or was lost, unless it was launched again since or resumes by
    itself; the old ones stay. To go on from a checkpoint, resume them instead."""
    with writing(engine) as session:
        experiments.get(session, experiment_id)
        failed = runs.to_relaunch(runs.of_experiment(session, experiment_id))
        made = [runs.add(session, parse(run.spec), run.name, experiment_id) for run in failed]
        session.flush()
        ids = [run.id for run in made if run.id is not None]
    background.wake()
    return RunsOut(run_ids=ids)
