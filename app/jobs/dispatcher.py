"""The dispatcher: claims queued runs in order, launches a worker for each, and records the ends they can't record.

One thread in the server. It sees by the processes alone which workers ended. When one did, when it was woken, and from
time to time, it looks at the database, has `app.jobs.plan` decide what is to be done, and carries that out.
"""

import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.asking.questions import Asker
from app.jobs import causes
from app.jobs.launchers import Later, Launched, Launcher
from app.jobs.pace import Paces
from app.jobs.plan import Action, At, End, Job, Kill, Launch, Notice, Purge, Refuse, Resume, Silent, plan
from app.jobs.usage import Working
from app.settings import Settings
from app.spec.estimate import Past
from app.store import artifacts, runs
from app.store.engine import reclaim, writer, writing
from app.store.errors import Conflict, NotFound, StoreError
from app.store.runs import Claim
from app.store.tables import Run, Status, now
from trainer import catalog

TURN_SECONDS = 0.2  # between two looks at the processes
LOOK_SECONDS = 1.0  # between two looks at the database
IDLE_SECONDS = 5.0  # the same when nothing is at work or waits; whatever comes in wakes it
PATIENCE_SECONDS = 1.0  # after an error, or a launch that was given back
STALE_SECONDS = 5.0  # a launch that was refused longer ago says nothing of now
PURGE_SECONDS = 30.0
LOGS_SECONDS = 2.0  # between two looks at how long logs are

log = logging.getLogger("runyard.jobs")


@dataclass
class Worker:
    """A worker that this server launched or adopted; times are on the monotonic clock."""

    claim: Claim
    process: Launched
    threads: int = 1
    """Of the CPU, if it runs there."""
    stopping_since: float | None = field(default=None)
    """When a request to stop or pause was first seen."""
    pausing: bool = False
    """The request was to pause."""
    blocking_since: float | None = None
    """Since when it has been silent in a write."""
    blocked: bool = False
    """It was killed for that."""
    ignoring: bool = False
    """It was killed because it did not leave when it was asked to."""

    def seen(self, writing: int | None) -> At:
        """As the plan sees it; `writing`: the process that is in a write transaction."""
        moment = time.monotonic()
        return At(
            self.claim.run_id,
            self.claim.attempt,
            self.claim.device,
            threads=self.threads,
            end=self.process.poll(),
            writes=writing is not None and self.process.pid == writing,
            stopping=None if self.stopping_since is None else moment - self.stopping_since,
            pausing=self.pausing,
            blocking=None if self.blocking_since is None else moment - self.blocking_since,
            blocked=self.blocked,
            ignoring=self.ignoring,
        )


class Dispatcher:
    """`adopt()`, `start()`, `wake()` it when something was queued or is to stop, `close()` it; workers then live on.

    Its engine should wait for a busy database only for some seconds: it is the one who ends a worker that blocks it.
    """

    def __init__(self, engine: Engine, settings: Settings, launcher: Launcher) -> None:
        self.engine, self.settings, self.launcher = engine, settings, launcher
        self._asker = Asker(engine)
        self._workers: dict[int, Worker] = {}
        self._refused = ""  # why the last launch was put off
        self._unlaunched: dict[int, tuple[Claim, str | None]] = {}  # claims without a worker, and why for good
        self._look_next = self._purge_next = self._launch_next = self._logs_next = 0.0
        self._said = ""
        self._is_idle = False  # as of the last look: nothing runs, nothing waits
        self._paces = Paces(settings, lambda: self._is_idle, lambda: self.devices)
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="runyard-dispatcher", daemon=True)

    def start(self) -> None:
        """Begin; `adopt()` first."""
        self.launcher.start(self.wake)
        self._thread.start()
        self._paces.start()

    def wake(self) -> None:
        self._wake.set()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        self._paces.close()
        if self._thread.is_alive():
            self._thread.join()
        self.launcher.close()

    @property
    def devices(self) -> list[dict[str, Any]] | None:
        """Name, title and memory of each, best first; None until they are known."""
        return self.launcher.devices()

    def slots(self) -> list[dict[str, Any]]:
        """Each device with its slots and how many are in use, of the CPU also threads; empty until the devices are
        known."""
        workers = list(self._workers.values())
        found = []
        for device in self.devices or []:
            there = [worker for worker in workers if worker.claim.device == device["name"]]
            slots = self._slots_of(device["name"])
            threads = {
                "threads": max(slots, os.cpu_count() or 1),
                "threads_used": sum(worker.threads for worker in there),
            }
            is_cpu = device["name"] == "cpu"
            found.append({**device, "slots": slots, "used": len(there), **(threads if is_cpu else {})})
        return found

    def paces(self) -> Sequence[Past]:
        """What a step of the presets takes here, as far as it is measured."""
        return self._paces.found()

    def working(self) -> list[Working]:
        """The workers that live, as far as is known."""
        return [Working(worker.claim, worker.process.pid) for worker in list(self._workers.values())]

    def waits(self) -> str | None:
        """Why nothing is launched now, whatever is queued; None: it is, as slots become free."""
        slots = self.slots()
        if slots and not any(device["slots"] for device in slots):
            return "no device has a slot: start the server with RUNYARD_CPU_SLOTS or RUNYARD_GPU_SLOTS above 0"
        is_refused = time.monotonic() < self._launch_next + STALE_SECONDS  # else nobody has tried since
        return self._said or (self._refused if is_refused else "") or None

    def log(self, files: str, attempt: int) -> Path:
        """Where an attempt's output goes."""
        return self.launcher.log(files, attempt)

    def adopt(self) -> None:
        """Workers outlive their server: those that live are this server's now, those that don't have lost their run."""
        self._remove(runs.leftovers(self.engine))
        for run, attempt in runs.at_work(self.engine):
            claim = Claim(run.id or 0, run.attempt, run.device or "cpu", run.files)
            process = self.launcher.adopt(claim)
            if process is None:
                runs.end(self.engine, claim.run_id, claim.attempt, Status.LOST, causes.VANISHED, again=True)
                continue
            self._workers[claim.run_id] = Worker(claim, process, _threads(run))
            # the server before may have been ended before it could note it
            if attempt is not None and None in (attempt.pid, attempt.handle):
                runs.launched(self.engine, claim, process.pid, process.handle)

    def _follow(self) -> None:
        while not self._closing.is_set():
            pause = TURN_SECONDS
            try:
                pause = self._turn()
            except (StoreError, SQLAlchemyError) as error:  # a full disk, a directory that is gone
                holder = writer(self.settings.database)
                who = f" (process {holder} is writing)" if holder else ""
                self._say(f"the database can't be used, the queue waits: {getattr(error, 'orig', None) or error}{who}")
                self._look_next = 0.0
                self._closing.wait(PATIENCE_SECONDS)
            except Exception:  # the queue goes on, whatever happens to one turn
                log.exception("the dispatcher met an error; it goes on")
                self._look_next = 0.0
                self._closing.wait(PATIENCE_SECONDS)
            else:
                self._said = ""
            if self._wake.wait(pause):
                self._look_next = 0.0
            self._wake.clear()

    def _turn(self) -> float:
        """Look, and do what is to be done; seconds to the next turn."""
        if time.monotonic() < self._look_next and all(
            worker.process.poll() is None for worker in self._workers.values()
        ):
            return TURN_SECONDS
        ready = self.launcher.ready() and time.monotonic() >= self._launch_next
        jobs = self._look_and_act(ready)
        if self._asker.go_on(sum(device["slots"] for device in self.slots())):
            jobs = self._look_and_act(ready)
        waits = any(job.status == Status.QUEUED or job.retry_at is not None for job in jobs)
        self._is_idle = not (waits or self._workers)
        if ready and self._is_idle:
            pause = look = IDLE_SECONDS
        else:
            is_ending = any(worker.stopping_since is not None for worker in self._workers.values())
            pause, look = TURN_SECONDS, LOOK_SECONDS if ready and not is_ending else TURN_SECONDS
        self._look_next = time.monotonic() + look
        return pause

    def _look_and_act(self, ready: bool) -> Sequence[Job]:
        """What was seen."""
        self._settle()
        writing = writer(self.settings.database) if self._workers else None
        workers = [worker.seen(writing) for worker in self._workers.values()]
        slots = self.slots()
        full = all(one["used"] >= one["slots"] for one in slots) and all(one.end is None for one in workers)
        jobs = [Job(**row._asdict()) for row in runs.pending(self.engine, queued=not full)]
        devices = None if self.devices is None else slots
        for action in plan(now(), jobs, workers, devices, ready=ready, oldest_deletion=self._oldest_deletion()):
            self._act(action)
        if time.monotonic() >= self._logs_next:
            self._logs_next = time.monotonic() + LOGS_SECONDS
            for one in self._workers.values():
                artifacts.bound_log(self.launcher.log(one.claim.files, one.claim.attempt))
        return jobs

    def _oldest_deletion(self) -> datetime | None:
        """Asked for now and then."""
        if time.monotonic() < self._purge_next:
            return None
        self._purge_next = time.monotonic() + PURGE_SECONDS
        return runs.oldest_deletion(self.engine)

    def _say(self, trouble: str) -> None:
        """Log a trouble once for as long as it lasts."""
        if trouble != self._said:
            log.error(trouble)
        self._said = trouble

    def _slots_of(self, device: str) -> int:
        return self.settings.cpu_slots if device == "cpu" else self.settings.gpu_slots

    # Carrying out

    @singledispatchmethod
    def _act(self, action: Action) -> None:
        raise TypeError(f"nobody carries out {action}")

    @_act.register
    def _(self, action: Notice) -> None:
        worker, moment = self._workers[action.run_id], time.monotonic()
        if action.stopping:
            worker.stopping_since, worker.pausing = worker.stopping_since or moment, action.pausing
        if action.blocking is not None:
            worker.blocking_since = moment if action.blocking else None

    @_act.register
    def _(self, action: Kill) -> None:
        worker = self._workers[action.run_id]
        if action.blocked:
            log.warning("run %d: process %s is stopped in a write, it is ended", action.run_id, worker.process.pid)
            worker.blocked = True
        worker.ignoring = worker.ignoring or action.ignoring
        worker.process.kill()

    @_act.register
    def _(self, action: End) -> None:
        worker = self._workers[action.run_id]

        def cause() -> str | None:
            code, output = worker.process.poll(), self.launcher.log(worker.claim.files, worker.claim.attempt)
            return causes.of_exit(code, output) if action.cause is None and isinstance(code, int) else action.cause

        runs.end(self.engine, action.run_id, action.attempt, action.to, cause, again=action.again)
        del self._workers[action.run_id]  # only now: where the end could not be recorded, it is tried again

    @_act.register
    def _(self, action: Silent) -> None:
        runs.not_responding(self.engine, action.run_id, action.attempt)

    @_act.register
    def _(self, action: Resume) -> None:
        runs.resume_by_itself(self.engine, action.run_id)

    @_act.register
    def _(self, action: Launch) -> None:
        if time.monotonic() < self._launch_next:
            return  # one before it in this turn was given back
        try:
            with writing(self.engine) as session:
                run = runs.get(session, action.run_id)
                threads = _threads(run)
                claim = runs.claim(session, run, action.device)
        except (Conflict, NotFound):  # stopped or deleted meanwhile
            return
        try:
            process = self.launcher.launch(claim)
        except Later as error:
            if str(error) != self._refused:
                log.warning("run %d could not be launched now, the queue waits: %s", action.run_id, error)
            self._refused = str(error)
            self._launch_next = time.monotonic() + PATIENCE_SECONDS
            self._unlaunched[claim.run_id] = claim, None
            self._settle()
        except Exception as error:  # whatever it is: a run that nobody launched must not stay as if somebody had
            cause = causes.NOT_STARTED.format(why=error)
            log.exception("run %d could not be launched", action.run_id)
            self._unlaunched[claim.run_id] = claim, cause
            self._settle()
        else:
            self._refused = ""
            self._workers[claim.run_id] = Worker(claim, process, threads)
            runs.launched(self.engine, claim, process.pid, process.handle)

    def _settle(self) -> None:
        """Give back what could not be launched, or fail it; what can't be recorded now is with the next turn."""
        for claim, cause in list(self._unlaunched.values()):
            if cause is None:
                runs.give_back(self.engine, claim)
            else:
                runs.end(self.engine, claim.run_id, claim.attempt, Status.FAILED, cause)
            del self._unlaunched[claim.run_id]

    @_act.register
    def _(self, action: Refuse) -> None:
        runs.refuse(self.engine, action.run_id, action.cause)

    @_act.register
    def _(self, action: Purge) -> None:
        self._remove(runs.purge(self.engine, action.before))
        if not self._workers:
            reclaim(self.engine)

    def _remove(self, gone: Iterable[str]) -> None:
        for files in gone:
            artifacts.remove(self.settings, files)
            runs.removed(self.engine, files)


def _threads(run: Run) -> int:
    """Of the CPU, if it runs there."""
    return catalog.threads(run.spec["model"]["name"], run.parameters)
