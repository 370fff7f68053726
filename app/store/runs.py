"""Runs: the state machine, and the only writer of the Run and Attempt tables.

queued -> starting -> running -> succeeded
   |          |          |----> failed | stopped | paused | lost
   |          '----> failed | stopped | paused | lost | queued (the launcher gave it back)
   '--> stopped | paused | failed
paused, failed, stopped, lost -> queued   (resume from the last checkpoint, or from the start)
"""

import contextlib
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import Engine, and_, bindparam, delete, exists, func, or_, true, update
from sqlmodel import Session, col, select

from app.spec.stored import configuration
from app.store import series
from app.store.engine import Writing, reading, writing
from app.store.errors import Conflict, IllegalTransition, NotFound, RunActive, Superseded
from app.store.tables import (
    ACTIVE,
    ENDED,
    RESUMABLE,
    Attempt,
    Clock,
    Deletion,
    Experiment,
    Leftover,
    Run,
    RunTag,
    Status,
    Summary,
    now,
    table,
)
from trainer import catalog
from trainer.metrics import TRAINING, Metric
from trainer.spec import RunSpec

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.STARTING, Status.STOPPED, Status.PAUSED, Status.FAILED}),
    Status.STARTING: frozenset(
        {Status.QUEUED, Status.RUNNING, Status.STOPPED, Status.PAUSED, Status.FAILED, Status.LOST}
    ),
    Status.RUNNING: frozenset({Status.SUCCEEDED, Status.STOPPED, Status.PAUSED, Status.FAILED, Status.LOST}),
    Status.SUCCEEDED: frozenset(),
    **{status: frozenset({Status.QUEUED}) for status in RESUMABLE},
}
STOPPED_BY_USER = "stopped by user"
PAUSED_BY_USER = "paused by user"
MOST_TAGS = 20
MOST_CRASHES = 3  # a run resumes by itself so often without a new checkpoint in between
RETRY_SECONDS = 2.0  # before it does, so that its cause can be read
GRACE = 5.0  # seconds that a worker has to leave when it is asked to, and twice the longest step it has made
LONG_GRACE = 60.0  # the least while it makes its first step, or one that takes longer than all before
THERE = col(Run.deleted_at).is_(None)
"""A deleted run can be restored for a while; until then it is nowhere to be seen, and nothing happens to it."""


# One run's life


class Place(NamedTuple):
    """In the queue; the least goes first."""

    position: int
    turn: int


def behind_the_first(session: Session) -> Place | None:
    """The place behind the set at the head of the queue, which are the runs of one seed that were queued together; None
    where nothing waits."""
    waiting = (THERE, col(Run.status) == Status.QUEUED)
    in_order = (col(Run.position), col(Run.turn), col(Run.id))
    head = session.exec(select(Run).where(*waiting).order_by(*in_order).limit(1)).first()
    if head is None:
        return None
    alike = (col(Run.experiment_id) == head.experiment_id, col(Run.seed) == head.seed)
    last = select(func.max(Run.turn)).where(*waiting, *alike, Run.position == head.position)
    return Place(head.position, (session.exec(last).one() or head.turn) + 1)


def add(
    session: Writing,
    spec: RunSpec,
    name: str,
    experiment_id: int | None = None,
    place: Place | None = None,
    repeats: int | None = None,
) -> Run:
    """A queued run; `place`: in the queue, if not at its end; `repeats`: a run that gave its result already."""
    run = Run(
        experiment_id=experiment_id,
        name=name,
        spec=spec.to_json(),
        seed=spec.seed,
        configuration=configuration(spec.to_json()),
        key=secrets.token_hex(6),
        parameters=spec.parameters,
        steps_total=spec.steps_total,
        changed=session.change,
        position=place.position if place else session.change,
        turn=place.turn if place else 0,
        repeats=repeats,
    )
    session.add(run)
    return run


def move(session: Writing, run_id: int, to: Status, *, attempt: int | None = None, **values: Any) -> None:
    """The one way a run changes its state; with `attempt`, only if that is the attempt that may write.

    Raises NotFound, Superseded or IllegalTransition, and then has changed nothing.
    """
    sources = [source for source, targets in TRANSITIONS.items() if to in targets]
    guarded = update(Run).where(col(Run.id) == run_id, THERE, col(Run.status).in_(sources))
    if attempt is not None:
        guarded = guarded.where(col(Run.attempt) == attempt)
    if to in ENDED:
        values |= {"ended_at": now(), "responding": True}
    result = session.execute(guarded.values(status=to, changed=session.change, **values))
    if result.rowcount == 0:  # type: ignore[attr-defined]
        run = get(session, run_id)
        if attempt is not None and run.attempt != attempt:
            raise Superseded(f"attempt {attempt} of run {run_id} is over: attempt {run.attempt} took its place")
        raise IllegalTransition(f"run {run_id} is {run.status}: it can't become {to}")
    if to in ENDED:
        ended = update(Attempt).where(col(Attempt.run_id) == run_id, col(Attempt.ended_at).is_(None))
        session.execute(ended.values(ended_at=now(), cause=values.get("cause")))


def request_stop(engine: Engine, run_id: int) -> None:
    """Stop a queued run now; ask the worker of one at work to leave; let one that would resume by itself stay ended.

    Raises NotFound or IllegalTransition.
    """
    with writing(engine) as session:
        run = get(session, run_id)
        if run.status == Status.QUEUED:
            move(session, run_id, Status.STOPPED, cause=STOPPED_BY_USER)
        elif run.status in ACTIVE:
            _set(session, run_id, stop_requested=True)
        elif run.retry_at is not None:
            _set(session, run_id, retry_at=None)
        else:
            raise IllegalTransition(
                f"run {run_id} is {run.status}: only a run that is queued or at work can be stopped"
            )


def request_pause(engine: Engine, run_id: int) -> None:
    """Pause a queued run now; ask the worker of one at work to keep a checkpoint and leave.

    Raises NotFound or IllegalTransition.
    """
    with writing(engine) as session:
        run = get(session, run_id)
        if run.status == Status.QUEUED:
            move(session, run_id, Status.PAUSED, cause=PAUSED_BY_USER)
        elif run.status in ACTIVE:
            _set(session, run_id, pause_requested=True)
        else:
            raise IllegalTransition(f"run {run_id} is {run.status}: only a run that is queued or at work can be paused")


def resume(engine: Engine, run_id: int) -> None:
    """Queue a run again; its next worker goes on from the last checkpoint. Raises NotFound or IllegalTransition."""
    with writing(engine) as session:
        run = get(session, run_id)
        if run.status not in RESUMABLE:
            words = " or ".join([", ".join(RESUMABLE[:-1]), RESUMABLE[-1]])
            raise IllegalTransition(f"run {run_id} is {run.status}: only a run that is {words} can be resumed")
        _queue_again(session, run_id, crashes=0)


def resume_by_itself(engine: Engine, run_id: int) -> None:
    """Queue a run again whose time has come, unless it was stopped or deleted meanwhile."""
    with contextlib.suppress(NotFound, IllegalTransition), writing(engine) as session:
        if get(session, run_id).retry_at is not None:
            _queue_again(session, run_id, crashes=Run.crashes + 1)


def _queue_again(session: Writing, run_id: int, **values: Any) -> None:
    """At the head of the queue: it was begun. Several keep the order that they had."""
    waiting = (col(Run.status) == Status.QUEUED, col(Run.attempt) == 0)
    first = session.execute(select(func.min(Run.position)).where(*waiting)).scalar_one()
    move(
        session,
        run_id,
        Status.QUEUED,
        cause=None,
        stop_requested=False,
        pause_requested=False,
        responding=True,
        retry_at=None,
        ended_at=None,
        position=session.change if first is None else first - 1,
        **values,
    )


def _set(session: Writing, run_id: int, **values: Any) -> None:
    session.execute(update(Run).where(col(Run.id) == run_id).values(changed=session.change, **values))


def stop_experiment(engine: Engine, experiment_id: int) -> list[int]:
    """Stop every run of the experiment that has not ended, and ask no further; the ids of those runs."""
    with writing(engine) as session:
        open_question = update(Experiment).where(
            col(Experiment.id) == experiment_id, col(Experiment.asking) == "asking"
        )
        session.execute(open_question.values(asking="stopped", asking_beyond=False))
        waiting = select(Run.id).where(THERE, Run.experiment_id == experiment_id, Run.status == Status.QUEUED)
        queued = [run_id for run_id in session.exec(waiting) if run_id is not None]
        for run_id in queued:
            move(session, run_id, Status.STOPPED, cause=STOPPED_BY_USER)
        asked = session.execute(
            update(Run)
            .where(col(Run.experiment_id) == experiment_id, col(Run.status).in_(ACTIVE))
            .values(stop_requested=True, changed=session.change)
            .returning(col(Run.id))
        )
        would_resume = session.execute(
            update(Run)
            .where(THERE, col(Run.experiment_id) == experiment_id, col(Run.retry_at).is_not(None))
            .values(retry_at=None, changed=session.change)
            .returning(col(Run.id))
        )
        return sorted([*queued, *asked.scalars(), *would_resume.scalars()])


def describe(
    engine: Engine,
    run_id: int,
    *,
    name: str | None = None,
    note: str | None = None,
    tags: Collection[str] | None = None,
    add_tags: Collection[str] = (),
    remove_tags: Collection[str] = (),
) -> None:
    """What people say of a run; None leaves it as it is. `tags` replaces them all. Raises NotFound or Conflict."""
    with writing(engine) as session:
        get(session, run_id)
        said = {"name": name, "note": note}
        _set(session, run_id, **{key: value for key, value in said.items() if value is not None})
        own = col(RunTag.run_id) == run_id
        before = set(session.exec(select(RunTag.tag).where(own)))
        after = ((before if tags is None else set(tags)) | set(add_tags)) - set(remove_tags)
        if len(after) > MOST_TAGS:
            raise Conflict(f"run {run_id} would have {len(after)} tags: at most {MOST_TAGS}, remove some first")
        session.execute(delete(RunTag).where(own, col(RunTag.tag).in_(before - after)))
        session.add_all(RunTag(run_id=run_id, tag=tag) for tag in sorted(after - before))


def move_first(engine: Engine, run_id: int) -> None:
    """Let a queued run be the next one to start. Raises NotFound or IllegalTransition."""
    with writing(engine) as session:
        run = get(session, run_id)
        if run.status != Status.QUEUED:
            raise IllegalTransition(f"run {run_id} is {run.status}: only a queued run can be moved to the front")
        first = session.execute(select(func.min(Run.position)).where(Run.status == Status.QUEUED)).scalar_one()
        _set(session, run_id, position=first - 1)


def remove(engine: Engine, run_id: int) -> None:
    """Delete a run that is not at work; `restore` brings it back until it is purged. Raises NotFound or RunActive."""
    with writing(engine) as session:
        mark_deleted(session, get(session, run_id), now())


def mark_deleted(session: Writing, run: Run, when: datetime) -> None:
    assert run.id is not None
    if run.status in ACTIVE:
        raise RunActive(f"run {run.id} is {run.status}: stop it before you delete it")
    _set(session, run.id, deleted_at=when, retry_at=None)  # restored it stays as it is, and does not begin by itself
    session.add(Deletion(run_id=run.id, changed=session.change))


def restore(engine: Engine, run_id: int) -> None:
    """Bring a deleted run back as it was. Raises NotFound when it was purged."""
    with writing(engine) as session:
        run = session.get(Run, run_id)
        if run is None:
            raise NotFound("run", run_id)
        bring_back(session, run_id)
        session.execute(update(Experiment).where(col(Experiment.id) == run.experiment_id).values(deleted_at=None))


def bring_back(session: Writing, run_id: int) -> None:
    _set(session, run_id, deleted_at=None)
    session.execute(delete(Deletion).where(col(Deletion.run_id) == run_id))


def purge(engine: Engine, before: datetime) -> list[str]:
    """Delete for good what was deleted before that time; what the names of the files begin with that are then to be
    removed: `removed` says that they are."""
    old = select(Run).where(col(Run.deleted_at) < before)
    left = select(Experiment.id).where(col(Experiment.deleted_at) < before)
    with reading(engine) as session:
        if session.exec(old.limit(1)).first() is None and session.exec(left).first() is None:
            return []
    with writing(engine) as session:
        gone_runs = session.exec(old).all()
        for run in gone_runs:
            session.add(Leftover(files=run.files))
        session.flush()
        session.execute(delete(Run).where(col(Run.id).in_([run.id for run in gone_runs])))
        used = select(Run.experiment_id).where(col(Run.experiment_id).is_not(None))
        gone = delete(Experiment).where(col(Experiment.deleted_at) < before, col(Experiment.id).not_in(used))
        session.execute(gone)
        return [run.files for run in gone_runs]


def leftovers(engine: Engine) -> list[str]:
    """What the names of files begin with that an earlier purge did not come to remove."""
    with reading(engine) as session:
        return list(session.exec(select(Leftover.files)))


def removed(engine: Engine, files: str) -> None:
    """Nothing is left of a purged run."""
    with writing(engine) as session:
        session.execute(delete(Leftover).where(col(Leftover.files) == files))


# What the dispatcher and the worker do to it


@dataclass(frozen=True)
class Claim:
    """A run that is the dispatcher's to launch."""

    run_id: int
    attempt: int
    device: str
    files: str
    """What the names of the run's files begin with."""


@dataclass(frozen=True)
class Start:
    """Where a worker begins: at a checkpoint's step, or at 0."""

    step: int = 0
    tested_step: int = 0
    """Step of the last test before it."""
    seconds: float = 0.0
    """Seconds of training before it."""


@dataclass(frozen=True)
class Requests:
    """What a user asks of a worker."""

    stop: bool = False
    pause: bool = False


def claim(session: Writing, run: Run, device: str) -> Claim:
    """Take a queued run: a new attempt begins. Raises IllegalTransition when it was stopped meanwhile."""
    assert run.id is not None
    n = run.attempt + 1
    move(session, run.id, Status.STARTING, attempt=run.attempt, device=device)
    session.execute(update(Run).where(col(Run.id) == run.id).values(attempt=n))
    session.add(Attempt(run_id=run.id, n=n))
    return Claim(run.id, n, device, run.files)


def give_back(engine: Engine, claimed: Claim) -> None:
    """Queue a run again, in its place, that could not be launched just now; its attempt never was. One that was asked
    to stop or to pause meanwhile does."""
    with contextlib.suppress(NotFound, IllegalTransition, Superseded), writing(engine) as session:
        run = get(session, claimed.run_id)
        if run.stop_requested or run.pause_requested:
            to, cause = (Status.STOPPED, STOPPED_BY_USER) if run.stop_requested else (Status.PAUSED, PAUSED_BY_USER)
            move(session, claimed.run_id, to, attempt=claimed.attempt, cause=cause)
        else:
            move(session, claimed.run_id, Status.QUEUED, attempt=claimed.attempt, device=None)
        session.execute(update(Run).where(col(Run.id) == claimed.run_id).values(attempt=claimed.attempt - 1))
        own = (col(Attempt.run_id) == claimed.run_id, col(Attempt.n) == claimed.attempt)
        session.execute(delete(Attempt).where(*own))


def launched(engine: Engine, claimed: Claim, pid: int | None, handle: str) -> None:
    """Note the launcher's text for the worker, and its process where that is on this machine."""
    with writing(engine) as session:
        session.execute(
            update(Attempt)
            .where(col(Attempt.run_id) == claimed.run_id, col(Attempt.n) == claimed.attempt)
            .values(pid=pid, handle=handle)
        )


def begin(
    engine: Engine,
    run_id: int,
    attempt: int,
    environment: Mapping[str, Any],
    start: Start,
    yields: Iterable[Metric] = TRAINING,
) -> None:
    """The worker is ready to train from `start` and to yield these metrics; points beyond it are dropped in the same
    transaction.

    Raises Superseded or IllegalTransition when it should not train, Conflict when the series end before `start`.
    """
    with writing(engine) as session:
        move(session, run_id, Status.RUNNING, attempt=attempt)
        series.declare(session, run_id, yields)
        recorded = series.cut(session, run_id, start.step, start.tested_step)
        if recorded < start.step:
            raise Conflict(f"the checkpoint is of step {start.step}, but the series of run {run_id} end at {recorded}")
        begun = func.coalesce(col(Run.started_at), now())
        kept = start.step or None
        at_start = {"steps_done": start.step, "seconds": start.seconds, "checkpoint_step": kept}
        _set(session, run_id, started_at=begun, responding=True, **at_start)
        session.execute(
            update(Attempt)
            .where(col(Attempt.run_id) == run_id, col(Attempt.n) == attempt)
            .values(environment=dict(environment), from_step=start.step, heartbeat_at=now(), grace=LONG_GRACE)
        )


# A worker says these four times a second: written once, as those of app.store.series
_RUNS, _ATTEMPTS = table(Run), table(Attempt)
_PROGRESS = (
    update(_RUNS)
    .where(
        _RUNS.c.id == bindparam("of_run"),
        _RUNS.c.attempt == bindparam("of_attempt"),
        _RUNS.c.status == Status.RUNNING,
    )
    .values(responding=True, **{name: bindparam(name) for name in ("steps_done", "seconds", "changed")})
    .returning(_RUNS.c.stop_requested, _RUNS.c.pause_requested)
)
_OWN_ATTEMPT = update(_ATTEMPTS).where(
    _ATTEMPTS.c.run_id == bindparam("of_run"), _ATTEMPTS.c.n == bindparam("of_attempt")
)
_ALIVE = _OWN_ATTEMPT.values(heartbeat_at=bindparam("heartbeat_at"))
_GIVE_GRACE = _OWN_ATTEMPT.values(grace=bindparam("grace"))


def progress(session: Writing, run_id: int, attempt: int, steps_done: int, seconds: float) -> Requests:
    """Note how far the worker is, and that it lives; what it is asked to do.

    Raises Superseded when it must not write.
    """
    who = {"of_run": run_id, "of_attempt": attempt}
    news = {"steps_done": steps_done, "seconds": seconds, "changed": session.change}
    row = session.execute(_PROGRESS, who | news).first()
    if row is None:
        raise Superseded(f"attempt {attempt} of run {run_id} is over: nothing more is recorded for it")
    session.execute(_ALIVE, who | {"heartbeat_at": now()})
    return Requests(stop=bool(row[0]), pause=bool(row[1]))


def beat(engine: Engine, run_id: int, attempt: int, grace: float) -> None:
    """Note that a worker lives which has nothing else to write, and how long it may take to leave."""
    with writing(engine) as session:
        at_work = (col(Run.id) == run_id, col(Run.attempt) == attempt, col(Run.status) == Status.RUNNING)
        own = (col(Attempt.run_id) == run_id, col(Attempt.n) == attempt, exists().where(*at_work))
        session.execute(update(Attempt).where(*own).values(heartbeat_at=now(), grace=grace))
        silent = update(Run).where(*at_work, col(Run.responding).is_(False))
        session.execute(silent.values(responding=True, changed=session.change))


def give_grace(session: Writing, run_id: int, attempt: int, seconds: float) -> None:
    """Note how long the worker may take to leave when it is asked to."""
    session.execute(_GIVE_GRACE, {"of_run": run_id, "of_attempt": attempt, "grace": seconds})


def checkpointed(session: Writing, run_id: int, attempt: int, step: int) -> None:
    """A new checkpoint is in its place: crashes before it no longer count."""
    kept = update(Run).where(col(Run.id) == run_id, col(Run.attempt) == attempt)
    session.execute(kept.values(checkpoint_step=step, crashes=0, changed=session.change))


def not_responding(engine: Engine, run_id: int, attempt: int) -> None:
    """Note that a worker which lives has not been heard of for a while."""
    with writing(engine) as session:
        silent = update(Run).where(col(Run.id) == run_id, col(Run.attempt) == attempt, col(Run.responding).is_(True))
        session.execute(silent.values(responding=False, changed=session.change))


def refuse(engine: Engine, run_id: int, cause: str) -> None:
    """Fail a queued run that can't be launched here."""
    with contextlib.suppress(NotFound, IllegalTransition), writing(engine) as session:
        move(session, run_id, Status.FAILED, cause=cause)


def end(
    engine: Engine,
    run_id: int,
    attempt: int,
    to: Status,
    cause: str | Callable[[], str | None] | None,
    *,
    again: bool = False,
) -> bool:
    """End an attempt, if it is still at work; False if it had ended (or was deleted) before.

    A cause that is to be looked up is asked for within the transaction, when the directory is known to be there.
    `again`: it may resume by itself, unless it has done so too often without a new checkpoint.
    """
    with writing(engine) as session:
        try:
            run = get(session, run_id)
            if run.status not in ACTIVE:
                return False  # it ended by itself, and may even be queued again by now
            retry_at = None
            if again and run.crashes < MOST_CRASHES and not (run.stop_requested or run.pause_requested):
                retry_at = now() + timedelta(seconds=RETRY_SECONDS)
            why = cause() if callable(cause) else cause
            move(session, run_id, to, attempt=attempt, cause=why, retry_at=retry_at)
        except (NotFound, Superseded, IllegalTransition):
            return False
    return True


def at_work(engine: Engine) -> list[tuple[Run, Attempt | None]]:
    """The runs that have a worker, each with its attempt."""
    with reading(engine) as session:
        query = (
            select(Run, Attempt)
            .outerjoin(Attempt, and_(col(Attempt.run_id) == Run.id, col(Attempt.n) == Run.attempt))
            .where(col(Run.status).in_(ACTIVE))
        )
        return [(run, attempt) for run, attempt in session.exec(query)]


def training(session: Session, run_ids: Collection[int]) -> dict[int, tuple[int, float]]:
    """Attempt and seconds of training so far of those that train."""
    query = select(Run.id, Run.attempt, Run.seconds).where(col(Run.id).in_(run_ids), Run.status == Status.RUNNING)
    return {run_id or 0: (attempt, seconds) for run_id, attempt, seconds in session.exec(query)}


class Pending(NamedTuple):
    """What the dispatcher asks of a run that waits, is at work, or will go on by itself."""

    run_id: int
    status: Status
    attempt: int
    wants: str
    """The device that its spec names."""
    stop: bool
    pause: bool
    responding: bool
    retry_at: datetime | None
    heartbeat: datetime | None
    """When its worker was last heard of."""
    grace: float
    """Seconds that a stop or a pause may take."""
    threads: int
    """Of the CPU, if it runs there."""


def pending(engine: Engine, *, queued: bool = True) -> list[Pending]:
    """In the queue's order; `queued`: those that wait for a slot as well. Columns alone: there may be thousands, and
    this is asked every second."""
    statuses = (Status.QUEUED, *ACTIVE) if queued else ACTIVE
    with reading(engine) as session:
        due = and_(col(Run.status).in_(RESUMABLE), col(Run.retry_at).is_not(None))
        query = (
            sqlalchemy.select(
                *(col(Run.id), col(Run.status), col(Run.attempt)),
                func.coalesce(col(Run.spec)["device"].as_string(), "auto"),
                *(col(Run.stop_requested), col(Run.pause_requested), col(Run.responding), col(Run.retry_at)),
                *(col(Attempt.heartbeat_at), func.coalesce(col(Attempt.grace), 0.0)),
                *(col(Run.spec)["model"]["name"].as_string(), col(Run.parameters)),
            )
            .outerjoin(Attempt, and_(col(Attempt.run_id) == Run.id, col(Attempt.n) == Run.attempt))
            .where(THERE, or_(col(Run.status).in_(statuses), due))
            .order_by(col(Run.position), col(Run.turn), col(Run.id))
        )
        rows = session.execute(query).all()
    return [Pending._make([*row, catalog.threads(model, parameters)]) for *row, model, parameters in rows]


def oldest_deletion(engine: Engine) -> datetime | None:
    """When the oldest run or experiment was deleted that can still be restored."""
    with reading(engine) as session:
        both = [session.exec(select(func.min(col(of.deleted_at)))).one() for of in (Run, Experiment)]
        return min((when for when in both if when is not None), default=None)


# Looking


def get(session: Session, run_id: int) -> Run:
    """Raises NotFound."""
    run = session.exec(select(Run).where(Run.id == run_id, THERE)).first()
    if run is None:
        raise NotFound("run", run_id)
    return run


def get_many(session: Session, run_ids: Iterable[int]) -> list[Run]:
    """The runs in the order of the ids. Raises NotFound for the first that isn't there."""
    wanted = list(dict.fromkeys(run_ids))
    found = {run.id: run for run in session.exec(select(Run).where(col(Run.id).in_(wanted), THERE))}
    for run_id in wanted:
        if run_id not in found:
            raise NotFound("run", run_id)
    return [found[run_id] for run_id in wanted]


def succeeded_alike(session: Session, configuration: str, limit: int) -> list[Run]:
    """The newest runs of a configuration that have succeeded, oldest first."""
    query = select(Run).where(Run.configuration == configuration, Run.status == Status.SUCCEEDED, THERE)
    return list(session.exec(query.order_by(col(Run.id).desc()).limit(limit)))[::-1]


def touch_newest(session: Writing, experiment_id: int) -> None:
    """Let listeners hear of an experiment: its newest run counts as changed."""
    newest = select(func.max(Run.id)).where(Run.experiment_id == experiment_id, THERE).scalar_subquery()
    session.execute(update(Run).where(col(Run.id) == newest).values(changed=session.change))


def of_experiment(session: Session, experiment_id: int) -> list[Run]:
    return list(session.exec(select(Run).where(Run.experiment_id == experiment_id, THERE).order_by(col(Run.id))))


class Tally(NamedTuple):
    """Of an experiment's runs what its line says."""

    run_ids: list[int]
    counts: dict[str, int]
    """Number of runs in each state."""
    to_relaunch: int


def tally(members: Collection[Run]) -> Tally:
    counts = {status.value: sum(run.status == status for run in members) for status in Status}
    return Tally([run.id for run in members if run.id is not None], counts, len(to_relaunch(members)))


def tallies(session: Session, experiment_ids: Collection[int]) -> dict[int, Tally]:
    """Of each of these experiments. Columns alone: a list has thousands of runs."""
    found = {one: Tally([], dict.fromkeys(map(str, Status), 0), 0) for one in experiment_ids}
    columns = sqlalchemy.select(col(Run.experiment_id), col(Run.id), col(Run.status))
    for one, run_id, status in session.execute(
        columns.where(col(Run.experiment_id).in_(experiment_ids), THERE).order_by(col(Run.id))
    ):
        found[one].run_ids.append(run_id)
        found[one].counts[status] += 1
    for one, of_one in found.items():
        if of_one.counts[Status.FAILED] or of_one.counts[Status.LOST]:
            found[one] = of_one._replace(to_relaunch=len(to_relaunch(of_experiment(session, one))))
    return found


def states(session: Session, experiment_id: int) -> list[tuple[Any, ...]]:
    """Of each run of an experiment what changes when it begins or ends, and not while it trains."""
    columns = (col(Run.id), col(Run.status), col(Run.retry_at), col(Run.untrained))
    query = sqlalchemy.select(*columns).where(col(Run.experiment_id) == experiment_id, THERE).order_by(col(Run.id))
    return [tuple(row) for row in session.execute(query)]


def to_relaunch(members: Collection[Run]) -> list[Run]:
    """Those that failed or were lost, were not launched again since, and will not resume by themselves."""

    def is_again(later: Run, run: Run) -> bool:
        same = (later.configuration, later.seed) == (run.configuration, run.seed)
        return same and run.ended_at is not None and later.created_at >= run.ended_at

    failed = [run for run in members if run.status in (Status.FAILED, Status.LOST) and run.retry_at is None]
    return [run for run in failed if not any(is_again(later, run) for later in members)]


def on_dataset(session: Session, dataset: str) -> int:
    """How many runs there are on a data set."""
    of_it = select(func.count()).select_from(Run).where(THERE, col(Run.spec)["dataset"].as_string() == dataset)
    return session.exec(of_it).one()


def succeeded(session: Session, limit: int = 300) -> list[Run]:
    """The last runs that succeeded, newest first."""
    done = select(Run).where(THERE, Run.status == Status.SUCCEEDED).order_by(col(Run.id).desc()).limit(limit)
    return list(session.exec(done))


LATELY = 500  # runs, of which one is the last that ended


def in_state(session: Session, statuses: Iterable[Status], limit: int) -> list[Run]:
    """The runs in these states, in the queue's order, the first `limit` of them."""
    found = select(Run).where(THERE, col(Run.status).in_(statuses))
    return list(session.exec(found.order_by(col(Run.position), col(Run.turn), col(Run.id)).limit(limit)))


def last_ended(session: Session) -> Run | None:
    """Of the newest runs, the one that ended last."""
    newest = select(Run.id).order_by(col(Run.id).desc()).limit(LATELY)
    over = (THERE, col(Run.id).in_(newest), col(Run.status).not_in((Status.QUEUED, *ACTIVE)))
    return session.exec(select(Run).where(*over).order_by(col(Run.ended_at).desc()).limit(1)).first()


def experiment_names(session: Session, rows: Iterable[Run]) -> dict[int, str]:
    """Experiment id to its name, of those that these runs belong to."""
    ids = {row.experiment_id for row in rows if row.experiment_id}
    found = select(Experiment.id, Experiment.name).where(col(Experiment.id).in_(ids))
    return {id or 0: name for id, name in session.exec(found).all()}


def counts(session: Session) -> dict[str, int]:
    """Number of runs in each state, every state named."""
    found = dict(session.execute(select(Run.status, func.count()).where(THERE).group_by(Run.status)).all())
    return {status.value: found.get(status, 0) for status in Status}


def summaries(session: Session, run_ids: Iterable[int]) -> dict[int, dict[str, Summary]]:
    """Run id to metric to its summary."""
    found: dict[int, dict[str, Summary]] = {}
    for row in session.exec(select(Summary).where(col(Summary.run_id).in_(list(run_ids)))):
        found.setdefault(row.run_id, {})[row.metric] = row
    return found


def metrics(session: Session, run_ids: Iterable[int]) -> dict[str, Metric]:
    """Name to metric, of all series that the runs have; where they differ in their words, the newest run's."""
    return newest(series.declared(session, list(run_ids)))


def newest(declared: Mapping[int, Mapping[str, Metric]]) -> dict[str, Metric]:
    """Name to metric, of what runs say (`series.declared`); where they differ in their words, the newest run's."""
    return {name: metric for run in sorted(declared) for name, metric in declared[run].items()}


def tags(session: Session, run_ids: Iterable[int]) -> dict[int, list[str]]:
    """Run id to its tags, in the order of the alphabet."""
    found: dict[int, list[str]] = {}
    query = select(RunTag).where(col(RunTag.run_id).in_(list(run_ids))).order_by(col(RunTag.tag))
    for row in session.exec(query):
        found.setdefault(row.run_id, []).append(row.tag)
    return found


def attempts(session: Session, run_ids: Iterable[int]) -> dict[int, list[Attempt]]:
    """Run id to its attempts, oldest first."""
    found: dict[int, list[Attempt]] = {}
    query = select(Attempt).where(col(Attempt.run_id).in_(list(run_ids))).order_by(col(Attempt.run_id), col(Attempt.n))
    for row in session.exec(query):
        found.setdefault(row.run_id, []).append(row)
    return found


def count_changed(session: Session, change: int) -> int:
    """How many runs changed after that change number."""
    return session.exec(select(func.count()).select_from(Run).where(THERE, Run.changed > change)).one()


def changed_since(
    session: Session, change: int, only: Collection[int] = (), most: int = 500
) -> tuple[int, list[Run], list[int]]:
    """The runs changed, of these if there are any in `only`, and the ids of those deleted after that change number, up
    to the one that is returned: about so many, all of one change together."""
    asked = col(Run.id).in_(only) if only else true()
    later = select(Run.changed).where(THERE, asked, Run.changed > change).order_by(col(Run.changed))
    upto: int = session.execute(select(col(Clock.change))).scalar_one()
    beyond = session.exec(later.offset(most).limit(1)).first()
    if beyond is not None:
        upto = max(beyond - 1, session.exec(later.limit(1)).one())
    within = select(Run).where(THERE, asked, Run.changed > change, Run.changed <= upto)
    changed = list(session.exec(within.order_by(col(Run.changed), col(Run.id))))
    deleted = list(session.exec(select(Deletion.run_id).where(Deletion.changed > change, Deletion.changed <= upto)))
    return upto, changed, deleted
