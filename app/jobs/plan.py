"""What the dispatcher is to do, decided from what it sees alone: no clock, no database, no process.

The thread in `app.jobs.dispatcher` looks, asks here, and carries out.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.jobs import causes
from app.store.runs import PAUSED_BY_USER, STOPPED_BY_USER
from app.store.tables import ACTIVE, RESUMABLE, Status

SILENT_SECONDS = 10.0  # a worker that was not heard of for so long is shown as not responding
BLOCKING_SECONDS = 2.0  # a silent worker that is seen in a write for longer, which keeps all others out, is killed
LONGEST_RETRY = timedelta(minutes=5)  # a run that resumes by itself never waits longer
RESTORABLE = timedelta(minutes=10)  # a deleted run can be brought back for so long

VANISHED = object()
"""The end of a worker whose exit code nobody saw."""


# What is seen


@dataclass(frozen=True)
class Job:
    """A run that waits, is at work, or may go on by itself."""

    run_id: int
    status: Status
    attempt: int = 0
    wants: str = "auto"
    """The device that its spec names."""
    stop: bool = False
    pause: bool = False
    responding: bool = True
    heartbeat: datetime | None = None
    """When its worker was last heard of."""
    grace: float = 5.0
    """Seconds that a stop or a pause may take."""
    retry_at: datetime | None = None
    threads: int = 1
    """Of the CPU, if it runs there."""


@dataclass(frozen=True)
class At:
    """A worker that this server launched or adopted."""

    run_id: int
    attempt: int
    device: str
    threads: int = 1
    """Of the CPU, if it runs there."""
    end: int | object | None = None
    """None: it lives; its exit code, negative for a signal; VANISHED."""
    writes: bool = False
    """It is in a write transaction, which keeps all others out."""
    stopping: float | None = None
    """Seconds since a request to stop or pause was first seen."""
    pausing: bool = False
    """The request was to pause."""
    blocking: float | None = None
    """Seconds since it was first seen in a write while it was silent."""
    blocked: bool = False
    """It was killed for that."""
    ignoring: bool = False
    """It was killed because it did not leave when it was asked to."""


# What is to be done


@dataclass(frozen=True)
class End:
    """Record the end of an attempt whose worker left without a word."""

    run_id: int
    attempt: int
    to: Status
    cause: str | None
    """None: what its exit code and its log say."""
    again: bool
    """It may resume by itself."""


@dataclass(frozen=True)
class Notice:
    """Remember when it was first seen that a worker was asked to leave, or kept all others out."""

    run_id: int
    stopping: bool = False
    pausing: bool = False
    blocking: bool | None = None
    """False: no longer."""


@dataclass(frozen=True)
class Kill:
    """End a worker at once."""

    run_id: int
    blocked: bool = False
    """It keeps all others out of the database."""
    ignoring: bool = False
    """It was asked to leave, and has not within its grace."""


@dataclass(frozen=True)
class Silent:
    """Note that a worker which lives has not been heard of for a while."""

    run_id: int
    attempt: int


@dataclass(frozen=True)
class Resume:
    """Queue a run again whose time to go on by itself has come."""

    run_id: int


@dataclass(frozen=True)
class Launch:
    """Start a worker for a queued run."""

    run_id: int
    device: str


@dataclass(frozen=True)
class Refuse:
    """Fail a queued run that would wait for ever."""

    run_id: int
    cause: str


@dataclass(frozen=True)
class Purge:
    """Delete for good what was deleted before that time."""

    before: datetime


Action = End | Notice | Kill | Silent | Resume | Launch | Refuse | Purge
Devices = Sequence[Mapping[str, Any]]
"""Name and slots of each, best first; of the CPU also `threads`, as many as may be at work together."""


def plan(
    now: datetime,
    jobs: Sequence[Job],
    workers: Sequence[At],
    devices: Devices | None,
    *,
    ready: bool = True,
    oldest_deletion: datetime | None = None,
) -> list[Action]:
    """The actions, in the order in which they are to be carried out.

    jobs: in the order of the queue. devices: None while they are not known; then nothing is launched, as while the
    launcher is not `ready`. oldest_deletion: when the oldest run or experiment was deleted that can still be restored.
    """
    by_run = {job.run_id: job for job in jobs}
    actions: list[Action] = []
    for worker in workers:
        if worker.end is not None:
            actions.append(_end(worker))
        elif (job := by_run.get(worker.run_id)) and job.attempt == worker.attempt and job.status in ACTIVE:
            actions += _look_after(now, job, worker)
    actions += [Resume(job.run_id) for job in jobs if job.status in RESUMABLE and _is_due(job.retry_at, now)]
    if ready and devices is not None:
        actions += _fill(jobs, [worker for worker in workers if worker.end is None], workers, devices)
    if oldest_deletion is not None and oldest_deletion < now - RESTORABLE:
        actions.append(Purge(now - RESTORABLE))
    # what needs no database first: it may be what keeps all others out of it that is killed
    return sorted(actions, key=lambda action: not isinstance(action, Notice | Kill))


def _is_due(retry_at: datetime | None, now: datetime) -> bool:
    """Its time has come, or lies further off than any is ever set: then the clock was put back."""
    return retry_at is not None and not now < retry_at <= now + LONGEST_RETRY


def _end(worker: At) -> End:
    if worker.stopping is not None:
        to, cause = (Status.PAUSED, PAUSED_BY_USER) if worker.pausing else (Status.STOPPED, STOPPED_BY_USER)
        if worker.ignoring:
            cause = causes.IGNORED.format(asked=cause)
        return End(worker.run_id, worker.attempt, to, cause, again=False)
    if worker.blocked:
        return End(worker.run_id, worker.attempt, Status.FAILED, causes.BLOCKED, again=True)
    if not isinstance(worker.end, int):
        return End(worker.run_id, worker.attempt, Status.LOST, causes.VANISHED, again=True)
    if worker.end == causes.NOT_ITS_RUN:
        return End(worker.run_id, worker.attempt, Status.LOST, causes.TAKEN, again=True)
    return End(worker.run_id, worker.attempt, Status.FAILED, None, again=worker.end < 0)


def _look_after(now: datetime, job: Job, worker: At) -> list[Action]:
    """Of a worker that lives."""
    actions: list[Action] = []
    # one that lies ahead is of before the clock was put back: who lives has another one within a moment
    silent = job.heartbeat is not None and abs((now - job.heartbeat).total_seconds()) > SILENT_SECONDS
    if silent and worker.writes:
        # Any write of the worker is a sign of life, so a silent one that is seen in a write twice is in the same one
        if worker.blocking is None:
            actions.append(Notice(job.run_id, blocking=True))
        elif worker.blocking > BLOCKING_SECONDS and not worker.blocked:
            actions.append(Kill(job.run_id, blocked=True))
    elif worker.blocking is not None:
        actions.append(Notice(job.run_id, blocking=False))
    if job.stop or job.pause:
        if worker.stopping is None or worker.pausing == job.stop:
            actions.append(Notice(job.run_id, stopping=True, pausing=not job.stop))
        if job.status == Status.STARTING:
            actions.append(Kill(job.run_id))  # it can't see the request yet
        elif (worker.stopping or 0.0) > job.grace:
            actions.append(Kill(job.run_id, ignoring=True))
    elif silent and job.responding and job.status == Status.RUNNING:
        actions.append(Silent(job.run_id, job.attempt))
    return actions


def _fill(jobs: Iterable[Job], living: Sequence[At], workers: Sequence[At], devices: Devices) -> list[Action]:
    """Launch what fits, in the order of the queue; refuse what never will. On the CPU a run fits while the threads of
    all at work do; one with more than are free waits, and those behind it too, else it might wait for ever."""
    used = [worker.device for worker in living]
    free = {one["name"]: one["slots"] - used.count(one["name"]) for one in devices}
    at_work = {one["name"]: sum(at.threads for at in living if at.device == one["name"]) for one in devices}
    most = {one["name"]: one.get("threads") or math.inf for one in devices}
    slots = {one["name"]: one["slots"] for one in devices}
    if not any(slots.values()):
        return []  # whoever runs the server holds the queue
    actions: list[Action] = []
    leaving = {worker.run_id for worker in workers}  # resumed before the worker that paused it has left
    for job in jobs:
        if job.status != Status.QUEUED or job.run_id in leaving:
            continue
        choices = choose(job.wants, slots)
        if not choices:
            actions.append(Refuse(job.run_id, _refusal(job.wants, slots)))
        elif (device := next((name for name in choices if free[name] > 0), None)) is not None:
            if at_work[device] and at_work[device] + job.threads > most[device]:
                free[device] = 0
                continue
            free[device] -= 1
            at_work[device] += job.threads
            actions.append(Launch(job.run_id, device))
    return actions


def choose(wants: str, slots: Mapping[str, int]) -> list[str]:
    """The devices with slots that a run may get, best first: `auto` means all of the best kind, `cuda` any GPU."""
    offered = [name for name, count in slots.items() if count]
    wanted = kind(offered[0]) if wants == "auto" and offered else wants
    return [name for name in offered if wanted in (name, kind(name))]


def kind(device: str) -> str:
    """`cuda:1` to `cuda`."""
    return device.partition(":")[0]


def _refusal(wants: str, slots: Mapping[str, int]) -> str:
    there = any(wants in (name, kind(name)) for name in slots)
    setting = "RUNYARD_CPU_SLOTS" if kind(wants) == "cpu" else "RUNYARD_GPU_SLOTS"
    choices = " or ".join(["auto", *(name for name, count in slots.items() if count)])
    cause = causes.NO_SLOTS if there else causes.DEVICE_GONE
    return cause.format(device=repr(wants), choices=choices, setting=setting)
