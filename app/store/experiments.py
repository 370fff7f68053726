"""Experiments: runs that were launched together and belong together."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from app.spec import stored
from app.spec.experiment import MAX_RUNS, ExperimentSpec, RandomSearch
from app.spec.plan import Plan, run_names, turns
from app.store import runs
from app.store.engine import Writing, reading, writing
from app.store.errors import NotFound
from app.store.tables import ENDED, Experiment, Run, Status, now
from trainer import paths
from trainer.spec import Problem, RunSpec, SpecError, parse


def create(
    engine: Engine, experiment: ExperimentSpec, plan: Plan | None = None, smallest: float | None = None
) -> tuple[Experiment, list[Run]]:
    """The experiment and the runs of its plan, where that is made already, queued, in one transaction. `smallest`: the
    smallest difference of test accuracy that matters.

    Raises SpecError where it has to be made.
    """
    plan = plan or Plan.of(experiment)
    with writing(engine) as session:
        random = experiment.random.model_dump(mode="json") if experiment.random else None
        base = paths.nested(experiment.base)
        row = Experiment(name=experiment.name, base=base, grid=experiment.grid, random=random, smallest=smallest)
        return row, add(session, row, plan.specs)


def add(session: Writing, row: Experiment, specs: Sequence[RunSpec], *, ahead: bool = False) -> list[Run]:
    """Queue runs of an experiment, which may be new; `ahead`: behind the set at the head of the queue."""
    session.add(row)
    session.flush()
    behind = runs.behind_the_first(session) if ahead else None
    places = [behind or runs.Place(session.change, turn) for turn in turns(specs, row.id or 0)]
    planned = zip(specs, run_names(specs), places, strict=True)
    seen = _succeeded(session, specs, before=row.created_at)
    made = [runs.add(session, spec, name, row.id, place, seen.get(_key(spec))) for spec, name, place in planned]
    session.flush()
    return made


class Progress(NamedTuple):
    """How far the plan of an experiment is."""

    state: Literal["running", "over", "watched"]
    """Its runs were fixed at its launch, and some have not ended for good; all have; or it can grow, or was cut short,
    by what somebody saw."""
    runs: int
    to_go: int


def progress(experiment: Experiment, members: Sequence[Run]) -> Progress:
    """Failed and lost runs have ended, unless they will be tried again; one that was launched again in place of another
    is the one that was planned. A run that was stopped, added or deleted by somebody makes it watched."""
    if experiment.question is not None:
        return Progress("watched", 0, 0)  # it decides by looking
    try:
        random = RandomSearch.model_validate(experiment.random) if experiment.random else None
        body = ExperimentSpec(name=experiment.name, base=experiment.base, grid=experiment.grid, random=random)
        specs = Plan.of(body).specs
    except SpecError:  # of a plug-in that is gone
        return Progress("watched", 0, 0)
    counted: dict[tuple[str, int | None], Run] = {}
    for run in members:
        key = (run.configuration, run.seed)
        if key not in counted or counted[key].status != Status.SUCCEEDED:
            counted[key] = run
    if counted.keys() != {_key(spec) for spec in specs} or any(
        run.status == Status.STOPPED for run in counted.values()
    ):
        return Progress("watched", 0, 0)
    to_go = sum(run.status not in ENDED or run.retry_at is not None for run in counted.values())
    return Progress("running" if to_go else "over", len(counted), to_go)


def measured(experiment: Experiment) -> str:
    """What its configurations are compared on unless somebody says otherwise, and what `smallest` is in the unit of: of
    a search the images held out, where all its runs have such, so that the test images choose nothing."""
    if experiment.question is not None:
        return str(experiment.question.get("measure", "test/accuracy"))
    held_out = experiment.grid.get("validation", [experiment.base.get("validation", 0)])
    return "validation/accuracy" if experiment.random is not None and all(held_out) else "test/accuracy"


def _key(spec: RunSpec) -> tuple[str, int | None]:
    """What tells the runs of an experiment apart."""
    return stored.configuration(spec.to_json()), spec.seed


def more(engine: Engine, experiment_id: int, seeds: int, values: Mapping[str, Sequence[Any]]) -> list[int]:
    """Add seeds to each configuration of an experiment, after its greatest one, or values of knobs to each of its runs;
    the ids of the new runs. What is there already is not launched again. Raises NotFound, SpecError."""
    with writing(engine) as session:
        row = get(session, experiment_id)
        if row.question is not None:
            raise SpecError([Problem("seeds", f"experiment {experiment_id} asks by itself: raise its budget instead")])
        members = runs.of_experiment(session, experiment_id)
        configurations = {run.configuration: run.spec for run in members}
        many = len(configurations) * seeds + len(members) * sum(map(len, values.values()))
        if len(members) + many > MAX_RUNS:
            words = f"that makes up to {len(members) + many:,} runs: at most {MAX_RUNS} an experiment"
            raise SpecError([Problem("seeds", words)])
        new: dict[tuple[str, int | None], RunSpec] = {}
        problems: dict[Problem, None] = {}
        for run in members:
            try:
                for path, wanted in values.items():
                    made = ExperimentSpec(name=row.name, base=run.spec, grid={path: list(wanted)}).expand()
                    new |= {_key(spec): spec for spec in made}
            except SpecError as error:
                problems |= dict.fromkeys(error.problems)
        if problems:
            raise SpecError(problems)
        last = max((run.seed for run in members if run.seed is not None), default=0)
        for given, seed in itertools.product(configurations.values(), range(last + 1, last + seeds + 1)):
            spec = parse({**given, "seed": seed})
            new[_key(spec)] = spec
        there = {(run.configuration, run.seed) for run in members}
        added = add(session, row, [spec for key, spec in new.items() if key not in there])
        return [run.id for run in added if run.id is not None]


def already_run(session: Session, specs: Sequence[RunSpec]) -> list[int]:
    """Runs that have succeeded with the configuration and the seed of one of these specs; the newest of each."""
    return sorted(_succeeded(session, specs, deleted=False).values())


def _succeeded(
    session: Session, specs: Sequence[RunSpec], *, before: datetime | None = None, deleted: bool = True
) -> dict[tuple[str, int | None], int]:
    """Configuration and seed to the newest run that has succeeded with them, of those that ended before then."""
    wanted = {_key(spec) for spec in specs}
    alike = select(Run.id, Run.configuration, Run.seed).where(
        Run.status == Status.SUCCEEDED, col(Run.configuration).in_({configuration for configuration, _ in wanted})
    )
    if before is not None:
        alike = alike.where(col(Run.ended_at) < before)
    if not deleted:
        alike = alike.where(col(Run.deleted_at).is_(None))
    rows = session.exec(alike.order_by(col(Run.id)))
    return {(configuration, seed): run or 0 for run, configuration, seed in rows if (configuration, seed) in wanted}


def sharing(
    session: Session, experiment_id: int, configurations: Collection[str], limit: int
) -> list[tuple[Experiment, int]]:
    """The newest other experiments in which two or more of these configurations ran, each with how many."""
    count = func.count(func.distinct(col(Run.configuration)))
    shared = (
        select(Run.experiment_id, count)
        .where(col(Run.configuration).in_(configurations), col(Run.deleted_at).is_(None))
        .where(col(Run.experiment_id).is_not(None), Run.experiment_id != experiment_id)
        .group_by(col(Run.experiment_id))
        .having(count > 1)
        .subquery()
    )
    found = (
        select(Experiment, shared.c[1])
        .join(shared, shared.c.experiment_id == Experiment.id)
        .where(col(Experiment.deleted_at).is_(None), col(Experiment.archived).is_(False))
        .order_by(col(Experiment.id).desc())
        .limit(limit)
    )
    return [(row, many) for row, many in session.exec(found)]


def unused_seeds(session: Session, specs: Sequence[RunSpec], count: int) -> list[int]:
    """So many seeds, in a row, that no run of these specs' configurations was launched with."""
    configurations = {configuration for configuration, _ in map(_key, specs)}
    last = session.exec(select(func.max(Run.seed)).where(col(Run.configuration).in_(configurations))).one()
    return [(last or 0) + at for at in range(1, count + 1)]


def get(session: Session, experiment_id: int) -> Experiment:
    """Raises NotFound."""
    row = session.get(Experiment, experiment_id)
    if row is None or row.deleted_at is not None:
        raise NotFound("experiment", experiment_id)
    return row


def describe(
    engine: Engine,
    experiment_id: int,
    *,
    name: str | None = None,
    note: str | None = None,
    archived: bool | None = None,
    smallest: float | None = None,
) -> None:
    """What people say of an experiment, told to whoever listens; None leaves it as it is. Raises NotFound."""
    with writing(engine) as session:
        row = get(session, experiment_id)
        row.name, row.note = row.name if name is None else name, row.note if note is None else note
        row.archived = row.archived if archived is None else archived
        row.smallest = row.smallest if smallest is None else smallest
        session.add(row)
        runs.touch_newest(session, experiment_id)


def remove(engine: Engine, experiment_id: int) -> list[int]:
    """Delete an experiment with its runs, until they are purged restorable; the runs' ids.

    Raises NotFound, or RunActive and has then deleted nothing.
    """
    with writing(engine) as session:
        row, when = get(session, experiment_id), now()
        members = runs.of_experiment(session, experiment_id)
        for run in members:
            runs.mark_deleted(session, run, when)
        row.deleted_at = when
        session.add(row)
        return [run.id for run in members if run.id is not None]


def restore(engine: Engine, experiment_id: int) -> None:
    """Bring a deleted experiment back with the runs that went with it. Raises NotFound when it was purged."""
    with writing(engine) as session:
        row = session.get(Experiment, experiment_id)
        if row is None:
            raise NotFound("experiment", experiment_id)
        went = select(Run.id).where(Run.experiment_id == experiment_id, col(Run.deleted_at).is_not(None))
        if row.deleted_at is not None:  # else one of its runs was restored before, and it with that
            went = went.where(Run.deleted_at == row.deleted_at)
        for run_id in session.exec(went).all():
            runs.bring_back(session, run_id or 0)
        row.deleted_at = None
        session.add(row)


def asking(session: Session) -> list[Experiment]:
    """Experiments whose question is open."""
    return list(
        session.exec(select(Experiment).where(Experiment.asking == "asking", col(Experiment.deleted_at).is_(None)))
    )


def listed(engine: Engine, before: int | None, limit: int, *, archived: bool = False) -> list[Experiment]:
    """Newest first; `before`: only experiments with a lower id; those that are archived, or those that are not."""
    with reading(engine) as session:
        there = col(Experiment.deleted_at).is_(None)
        query = (
            select(Experiment)
            .where(there, col(Experiment.archived) == archived)
            .order_by(col(Experiment.id).desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(col(Experiment.id) < before)
        return list(session.exec(query))
