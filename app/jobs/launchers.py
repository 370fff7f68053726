"""Starting and ending worker processes. `Launcher` is what the dispatcher needs of one; local processes here."""

import contextlib
import errno
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol

import psutil

from app.jobs.forkserver import ForkServer
from app.jobs.plan import VANISHED
from app.settings import Settings
from app.store import artifacts
from app.store.runs import Claim
from trainer import hardware

errors = logging.getLogger("runyard.jobs")
WORKER_VARIABLES = {
    # How often a thread of OpenMP looks for new work before it sleeps. 20,000 are enough for full speed; GCC's own
    # 300,000 make nets on several threads four times slower as soon as others want the same cores
    "GOMP_SPINCOUNT": "20000",
    # What a step frees, the next one takes again: the C library would hand it back to the system, which clears
    # each page anew: a tenth of the step of the CNN. 32 MiB is the most that it takes (mallopt(3))
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
}
"""Of a worker's process, where whoever started the server has not set them."""
DEVICES_SECONDS = 180.0  # for finding out the devices: PyTorch is imported and CUDA begins
UNNAMED_SECONDS = 2.0  # between the moments in which a lock is taken and a process id is written into it, at most
NAMES_BYTES = 64  # of a lock: room for the process ids that are written into it
UNTOLD_SECONDS = 5.0  # a worker that is gone, and whose fork server says nothing of it for so long, has vanished


PASSING = (
    *(errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE),
    *(errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOENT),
)
"""Reasons for which the system refuses a process, its log or its lock now, and may not once somebody made room or put a
directory right: none of them is the run's, and each would fail the whole queue within seconds."""


class Later(Exception):
    """A launch that failed for a reason that passes; str() says which."""


class Launched(Protocol):
    """A worker that was started."""

    @property
    def pid(self) -> int | None:
        """Its process, where that is on this machine."""

    @property
    def handle(self) -> str:
        """The launcher's own text for it."""

    def poll(self) -> int | object | None:
        """None while it lives; its exit code, negative for a signal; VANISHED when that is not known."""

    def kill(self) -> None:
        """End it and all its children at once."""


class Launcher(Protocol):
    """Starts workers somewhere, and finds those that an earlier server started. Devices, workers' handles and the
    places of their logs are its own."""

    def start(self, changed: Callable[[], None]) -> None:
        """Begin to look for devices; `changed` is called when they are known."""

    def devices(self) -> list[dict[str, Any]] | None:
        """Name, title and memory of each, of a GPU its `uuid`, best first; None while they are not known."""

    def launch(self, claim: Claim) -> Launched:
        """Raises Later when it may go well in a moment, OSError when the process can't be started."""

    def log(self, files: str, attempt: int) -> Path:
        """Where an attempt's output goes; `files`: what the names of its run's files begin with."""

    def adopt(self, claim: Claim) -> Launched | None:
        """The worker of an attempt, if it lives; None: it is gone."""

    def ready(self) -> bool:
        """Get ready to launch quickly; False: it is worth waiting a moment."""

    def close(self) -> None:
        """End what was got ready; workers live on."""


class LocalProcess:
    """A worker on this machine, leader of its own process session."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._is_over = process, False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def handle(self) -> str:
        return f"process {self.pid}"

    def poll(self) -> int | None:
        code = self._process.poll()
        if code is not None and not self._is_over:
            self._is_over = True
            _kill_session(self.pid)  # what it started and left
        return code

    def kill(self) -> None:
        _kill_session(self.pid)


class AdoptedProcess:
    """A worker that an earlier server started. It is gone without its lock, and also where its process is gone: then
    something that it started holds the lock, and goes with it."""

    def __init__(self, pid: int, lock: Path) -> None:
        self.pid, self.handle, self._lock = pid, f"process {pid}", lock
        self._created = _created(pid)

    def poll(self) -> object | None:
        if not is_held(self._lock):
            return VANISHED
        if self._created is not None and _created(self.pid) == self._created:
            return None
        _kill_session(self.pid)
        return VANISHED

    def kill(self) -> None:
        if self._created is not None and _created(self.pid) == self._created:
            _kill_session(self.pid)


class ForkedProcess(AdoptedProcess):
    """A worker that a fork server started and whose end it tells."""

    def __init__(self, pid: int, lock: Path, parent: ForkServer) -> None:
        super().__init__(pid, lock)
        self._parent = parent
        self._ended: float | None = None

    def poll(self) -> int | object | None:
        if super().poll() is None:
            return None
        code = self._parent.exit_code(self.pid)
        self._ended = self._ended or time.monotonic()
        if code is None and not self._parent.gone and time.monotonic() - self._ended < UNTOLD_SECONDS:
            return None
        return VANISHED if code is None else code


class LocalLauncher:
    """Worker processes on this machine. They outlive the server: each has its own session, log file and lock.

    The lock (`flock`) is taken here and handed to the worker, which holds it until the operating system ends it: there
    is no moment in which a worker lives without its lock, and no worker that is gone keeps it. Who launches a worker
    writes its process id into the lock at once, so that the next server knows it, however this one ends.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._forks: ForkServer | None = None
        self._cold = not settings.preload
        self._devices: list[dict[str, Any]] | None = None

    def start(self, changed: Callable[[], None]) -> None:
        def probe() -> None:
            self._devices = _probed()
            changed()

        threading.Thread(target=probe, name="runyard-devices", daemon=True).start()

    def devices(self) -> list[dict[str, Any]] | None:
        return self._devices

    def log(self, files: str, attempt: int) -> Path:
        return artifacts.log(self.settings, files, attempt)

    def ready(self) -> bool:
        if self._cold:
            return True
        if self._forks is None:
            self._forks = ForkServer(self._start)
        self._forks.look()
        if self._forks.gone:  # another one is made, but not of what never got ready: a cold worker's log says why
            self._cold, self._forks = not self._forks.ready, None
            return self._cold
        return self._forks.ready

    def close(self) -> None:
        if self._forks is not None:
            self._forks.close()

    def launch(self, claim: Claim) -> Launched:
        try:
            return self._launch(claim)
        except OSError as error:
            if error.errno in PASSING:
                raise Later(str(error)) from error
            raise

    def _launch(self, claim: Claim) -> Launched:
        log = self.log(claim.files, claim.attempt)
        log.parent.mkdir(parents=True, exist_ok=True)
        lock = artifacts.lock(self.settings, claim.files, claim.attempt)
        lock.unlink(missing_ok=True)  # of a launch that was given back: what it left behind may hold that one for ever
        with log.open("ab") as output, lock.open("xb", buffering=0) as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.write(b" " * NAMES_BYTES)  # a full disk is met here, and not once there is a process to be named
            held.seek(0)
            if self._forks is not None and self._forks.ready and not self._forks.gone:
                with contextlib.suppress(OSError):  # it has just gone
                    pid = self._forks.fork(claim.run_id, output.fileno(), held.fileno())
                    return ForkedProcess(pid, lock, self._forks)
            process = self._start([str(claim.run_id)], (held.fileno(),), output)
            held.write(f"{process.pid}\n".encode())
            return LocalProcess(process)

    def _start(
        self, arguments: list[str], descriptors: tuple[int, ...], output: IO[bytes] | int = subprocess.DEVNULL
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "app.jobs.worker", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=descriptors,
            cwd=Path(__file__).parents[2],
            env={**WORKER_VARIABLES, **os.environ, **self.settings.environment()},
        )

    def adopt(self, claim: Claim) -> AdoptedProcess | None:
        lock = artifacts.lock(self.settings, claim.files, claim.attempt)
        patience = time.monotonic() + UNNAMED_SECONDS
        while is_held(lock):
            if named := lock.read_text().split():  # several, where a fork server was too late to say that it had forked
                return AdoptedProcess(int(named[-1]), lock)
            if time.monotonic() > patience:
                return None  # its attempt is over, so that it records nothing more and leaves
            time.sleep(0.01)
        return None


def _probed() -> list[dict[str, Any]]:
    """The devices of this machine; where there may be a GPU, from a process of its own: the server imports no torch."""
    if not hardware.may_have_gpu():
        return [hardware.cpu()]
    command = [sys.executable, "-m", "trainer", "devices", "--json"]
    try:
        asked = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEVICES_SECONDS
        )
    except subprocess.TimeoutExpired:
        errors.error("the devices could not be found out within %g s, the CPU is used", DEVICES_SECONDS)
        return [hardware.cpu()]
    try:
        found: list[dict[str, Any]] = json.loads(asked.stdout)
    except ValueError:
        errors.error("the devices could not be found out, the CPU is used: %s", asked.stderr.strip()[-500:])
        return [hardware.cpu()]
    return found


def is_held(lock: Path) -> bool:
    """True while a worker holds this lock."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _created(pid: int) -> float | None:
    """When the process began, to tell it from a later one with the same id; None: it is gone, or only not buried."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def _kill_session(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
