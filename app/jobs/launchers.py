"""Starting and ending worker processes. `Launcher` is what the dispatcher needs of one; local processes here."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import psutil

from app.settings import Settings
from app.store import artifacts
from app.store.runs import Claim


class Launched(Protocol):
    """A worker that was started."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""

    def kill(self) -> None:
        """End it and all its children at once."""


class Launcher(Protocol):
    """Starts workers somewhere."""

    def launch(self, claim: Claim) -> Launched:
        """Raises OSError when the process can't be started."""


class LocalProcess:
    """A worker on this machine, leader of its own process session."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


class LocalLauncher:
    """Worker processes on this machine. They outlive the server: each has its own session and its own log file."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def launch(self, claim: Claim) -> LocalProcess:
        log = artifacts.log(self.settings, claim.run_id, claim.attempt)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.jobs.worker", str(claim.run_id)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=Path(__file__).parents[2],
                env={**os.environ, **self.settings.environment()},
            )
        return LocalProcess(process)


def created(pid: int) -> float | None:
    """When the process began, to tell it from a later one with the same id; None: it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def kill_leftover(pid: int, pid_created: float | None) -> None:
    """End the process session of a worker whose server is gone, if that process still is the worker."""
    now_created = created(pid)
    if pid_created is None or now_created is None or abs(now_created - pid_created) > 1:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).wait(timeout=10)
