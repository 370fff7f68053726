"""The dispatcher: claims queued runs in order, launches a worker for each, and records the ends they can't record.

One thread in the server. It sees by the processes alone which workers ended. When one did, when it was woken, and from
time to time, it looks at the database: end workers that don't obey a stop or stand in the way of all, note those that
are silent, queue again what resumes by itself, queue what open questions need, launch what fits.
"""

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.asking import Asker
from app.jobs import causes
from app.jobs.launchers import Launched, Launcher
from app.settings import Settings
from app.store import artifacts, runs
from app.store.engine import reading, writer, writing
from app.store.errors import Conflict, NotFound, StoreError
from app.store.runs import Claim
from app.store.tables import Attempt, Run, Status, now
from trainer import hardware

TURN_SECONDS = 0.2  # between two looks at the processes
LOOK_SECONDS = 1.0  # between two looks at the database
IDLE_SECONDS = 5.0  # the same when nothing is at work or waits; whatever comes in wakes it
STOP_SECONDS = 5.0  # a worker that was asked to stop or pause and is still there after this is killed
SILENT_SECONDS = 10.0  # a worker that was not heard of for so long is shown as not responding
BLOCKING_SECONDS = 2.0  # a silent worker that is seen in a write for longer, which keeps all others out, is killed
PATIENCE_SECONDS = 1.0  # after an error
PURGE_SECONDS = 30.0
RESTORABLE = timedelta(minutes=10)  # a deleted run can be brought back for so long

log = logging.getLogger("runyard.jobs")


@dataclass
class Worker:
    """A worker that this server launched."""

    claim: Claim
    process: Launched
    stop_seen: float | None = field(default=None)
    """When a request to stop or pause was first seen, on the monotonic clock."""
    pausing: bool = False
    """The request was to pause."""
    blocking_since: float | None = None
    """Since when it has been silent in a write, on the monotonic clock."""
    blocked: bool = False
    """It was killed for that."""


class Dispatcher:
    """`adopt()`, `start()`, `wake()` it when something was queued or is to stop, `close()` it; workers then live on.

    Its engine should wait for a busy database only for some seconds: it is the one who ends a worker that blocks it.
    """

    def __init__(self, engine: Engine, settings: Settings, launcher: Launcher) -> None:
        self.engine, self.settings, self.launcher = engine, settings, launcher
        self.devices: list[dict[str, Any]] | None = None  # None until the probe has answered
        self._asker = Asker(engine)
        self._workers: dict[int, Worker] = {}
        self._look_next = self._purge_next = 0.0
        self._said = ""
        self._wake, self._closing = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, name="runyard-dispatcher", daemon=True),
            threading.Thread(target=self._probe, name="runyard-devices", daemon=True),
        ]

    def start(self) -> None:
        """Begin; `adopt()` first."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        self._wake.set()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        if self._threads[0].is_alive():
            self._threads[0].join()
        self.launcher.close()

    def slots(self) -> list[dict[str, Any]]:
        """Each device with its slots and how many are in use; empty until the devices are known."""
        used = [worker.claim.device for worker in list(self._workers.values())]
        return [
            {**device, "slots": self._slots_of(device["name"]), "used": used.count(device["name"])}
            for device in self.devices or []
        ]

    def adopt(self) -> None:
        """Workers outlive their server: those that live are this server's now, those that don't have lost their run."""
        for run, attempt in runs.at_work(self.engine):
            claim = Claim(run.id or 0, run.attempt, run.device or "cpu", run.files)
            process = self.launcher.adopt(claim)
            if process is None:
                runs.end(self.engine, claim.run_id, claim.attempt, Status.LOST, causes.VANISHED, again=True)
                continue
            self._workers[claim.run_id] = Worker(claim, process)
            if attempt is not None and attempt.pid is None:  # the server before was ended before it could note it
                runs.launched(self.engine, claim, process.pid, f"process {process.pid}")

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
        """Seconds to the next one."""
        at_work: list[tuple[Run, Attempt | None]] = []
        if due := time.monotonic() >= self._look_next:
            at_work = runs.at_work(self.engine) if self._workers else []
            self._unblock(at_work)
        if not self._reap() and not due:
            return TURN_SECONDS
        self._look_after(at_work)
        resuming = runs.resume_due(self.engine)
        self._asker.go_on(sum(device["slots"] for device in self.slots()))
        ready = self.launcher.ready()
        waiting = ready and self._launch()
        self._purge()
        if ready and not (waiting or resuming or self._workers):
            pause = look = IDLE_SECONDS
        else:
            is_ending = any(worker.stop_seen for worker in self._workers.values())
            pause, look = TURN_SECONDS, LOOK_SECONDS if ready and not is_ending else TURN_SECONDS
        self._look_next = time.monotonic() + look
        return pause

    def _probe(self) -> None:
        """Find the devices; where there may be a GPU, by a process of its own: the server must not import torch."""
        if not hardware.may_have_gpu():
            self.devices = [hardware.cpu()]
            self.wake()
            return
        command = [sys.executable, "-m", "trainer", "devices", "--json"]
        asked = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        try:
            self.devices = json.loads(asked.stdout)
        except ValueError:
            log.error("the devices could not be found out, the CPU is used: %s", asked.stderr.strip()[-500:])
            self.devices = [hardware.cpu()]
        self.wake()

    def _say(self, trouble: str) -> None:
        """Log a trouble once for as long as it lasts."""
        if trouble != self._said:
            log.error(trouble)
        self._said = trouble

    # Each turn

    def _purge(self) -> None:
        if time.monotonic() < self._purge_next:
            return
        self._purge_next = time.monotonic() + PURGE_SECONDS
        for files in runs.purge(self.engine, now() - RESTORABLE):
            artifacts.remove(self.settings, files)

    def _reap(self) -> bool:
        """Record the ends of workers that left without a word. True: there are slots that were not free before."""
        ended = False
        for worker in list(self._workers.values()):
            code = worker.process.poll()
            if code is None:
                continue
            to, cause, again = self._fate(worker, code)
            runs.end(self.engine, worker.claim.run_id, worker.claim.attempt, to, cause, again=again)
            del self._workers[worker.claim.run_id]  # only now: where the end could not be recorded, it is tried again
            ended = True
        return ended

    def _fate(self, worker: Worker, code: int | object) -> tuple[Status, str, bool]:
        """State, cause and whether it resumes by itself, for a run whose worker left without a word."""
        if worker.stop_seen is not None:
            return (
                (Status.PAUSED, runs.PAUSED_BY_USER, False)
                if worker.pausing
                else (Status.STOPPED, runs.STOPPED_BY_USER, False)
            )
        if worker.blocked:
            return Status.FAILED, causes.BLOCKED, True
        if not isinstance(code, int):
            return Status.LOST, causes.VANISHED, True
        output = artifacts.log(self.settings, worker.claim.files, worker.claim.attempt)
        return Status.FAILED, causes.of_exit(code, output), code < 0

    def _unblock(self, at_work: list[tuple[Run, Attempt | None]]) -> None:
        """End a worker that was stopped in the middle of a write: until it wakes, nobody else can write.

        Only reads are needed to see it. Any write of the worker is a sign of life, so a silent one that is seen in a
        write twice, seconds apart, is in the same one.
        """
        silent = {run.id for run, attempt in at_work if attempt and _is_silent(attempt)}
        holder = writer(self.settings.database) if silent else None
        for run_id, worker in self._workers.items():
            if run_id not in silent or worker.process.pid != holder:
                worker.blocking_since = None
                continue
            worker.blocking_since = worker.blocking_since or time.monotonic()
            if not worker.blocked and time.monotonic() - worker.blocking_since > BLOCKING_SECONDS:
                log.warning("run %d: process %d is stopped in a write, it is ended", run_id, holder)
                worker.blocked = True
                worker.process.kill()

    def _look_after(self, at_work: list[tuple[Run, Attempt | None]]) -> None:
        """End workers that can't see a request yet, or that ignore it; note those that are silent."""
        for run, attempt in at_work:
            worker = self._workers.get(run.id or 0)
            if worker is None or attempt is None:
                continue
            if run.stop_requested or run.pause_requested:
                worker.pausing = not run.stop_requested
                worker.stop_seen = worker.stop_seen or time.monotonic()
                if run.status == Status.STARTING or time.monotonic() - worker.stop_seen > STOP_SECONDS:
                    worker.process.kill()
            elif run.status == Status.RUNNING and run.responding and _is_silent(attempt):
                runs.not_responding(self.engine, worker.claim.run_id, worker.claim.attempt)

    def _launch(self) -> bool:
        """Launch what fits; True: something waits."""
        if self.devices is None:
            return True
        free = {device["name"]: device["slots"] - device["used"] for device in self.slots()}
        if not any(count > 0 for count in free.values()):
            return True
        with reading(self.engine) as session:
            waiting = runs.queued(session)
        for run in waiting:
            if run.id in self._workers:
                continue  # resumed before the worker that paused it has left
            device = self._device_for(run, free)
            if device is not None and self._launch_one(run, device):
                free[device] -= 1
        return bool(waiting)

    def _device_for(self, run: Run, free: dict[str, int]) -> str | None:
        """A device with a free slot that the run wants; None: it waits, or was failed since it would wait for ever.

        With no slot anywhere all wait: whoever runs the server holds the queue.
        """
        wanted = run.spec.get("device", "auto")
        used = [name for name in free if self._slots_of(name)] or list(free)
        kind = used[0].partition(":")[0] if wanted == "auto" else wanted  # they come best first: a GPU where there is
        choices = [name for name in used if name == kind or name.partition(":")[0] == kind]
        if not choices:
            assert run.id is not None
            there = any(name == kind or name.partition(":")[0] == kind for name in free)
            cause = causes.NO_SLOTS if there else causes.DEVICE_GONE
            setting = "RUNYARD_CPU_SLOTS" if kind == "cpu" else "RUNYARD_GPU_SLOTS"
            choice = " or ".join(["auto", *used])
            runs.refuse(self.engine, run.id, cause.format(device=repr(wanted), choices=choice, setting=setting))
        return next((name for name in choices if free[name] > 0), None)

    def _launch_one(self, run: Run, device: str) -> bool:
        try:
            with writing(self.engine) as session:
                claim = runs.claim(session, run, device)
        except (Conflict, NotFound):  # stopped or deleted meanwhile
            return False
        try:
            process = self.launcher.launch(claim)
        except OSError as error:
            cause = causes.NOT_STARTED.format(why=error)
            runs.end(self.engine, claim.run_id, claim.attempt, Status.FAILED, cause)
            return False
        self._workers[claim.run_id] = Worker(claim, process)
        runs.launched(self.engine, claim, process.pid, f"process {process.pid}")
        return True

    def _slots_of(self, device: str) -> int:
        return self.settings.cpu_slots if device == "cpu" else self.settings.gpu_slots


def _is_silent(attempt: Attempt) -> bool:
    return attempt.heartbeat_at is not None and (now() - attempt.heartbeat_at).total_seconds() > SILENT_SECONDS
