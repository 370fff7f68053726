"""Why a run ended, in one line that a person can act on. docs/operations.md says what each means; a test compares."""

import errno
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from app.store.errors import StoreError
from app.store.runs import PAUSED_BY_USER, STOPPED_BY_USER

VANISHED = "its worker vanished while no server watched: it was killed, or the machine restarted"
TAKEN = "its worker left, because another process had taken over the run"
KILLED = "killed by signal {signal}"
KILLED_9 = "killed by signal 9 (the system may be out of memory)"
BLOCKED = "its worker was stopped from outside in the middle of a write and kept all others out: it was ended"
IGNORED = "{asked}: its worker did not answer in time and was ended; when resumed, it goes on from its last checkpoint"
NOT_STARTED = "the worker could not be started: {why}"
ENDED = "the worker ended with exit code {code}: {last_line}"
DEVICE_GONE = "device is {device}: there is no such device here; choose {choices}"
NO_SLOTS = "device is {device}: {setting} is 0, so that nothing runs there; choose {choices}, or give it a slot"
GPU_MEMORY = "out of GPU memory at batch size {batch_size}: choose a smaller one"
MEMORY = "out of memory at batch size {batch_size}: choose a smaller one"
DIVERGED = "loss became {what} at step {step}: choose a lower learning rate than {lr}"
DISK_FULL = "the disk is full: free some space, then resume the run"
DATABASE = "the database could not be used: {why}"
DATA = "data set {dataset}: {why}"
EXCEPTION = "{exception}: {why}"

CAUSES = (
    *(STOPPED_BY_USER, PAUSED_BY_USER, IGNORED, VANISHED, TAKEN, KILLED, KILLED_9, BLOCKED, NOT_STARTED, ENDED),
    *(DEVICE_GONE, NO_SLOTS, GPU_MEMORY, MEMORY, DIVERGED, DISK_FULL, DATABASE, DATA, EXCEPTION),
)
"""All there are; a run that succeeded has none."""

NO_GPU_MEMORY = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
"""What PyTorch's errors say where the lack of memory was met outside of its allocator."""
NO_MEMORY = ("DefaultCPUAllocator", "std::bad_alloc", "Cannot allocate memory")
TAIL_BYTES = 16_384
LONGEST = 500
NOT_ITS_RUN = 75
"""Exit code of a worker that found its run in other hands; no net or data set ends a process with it by accident."""
NOT_RECORDED = 4
"""Exit code of a worker that could not record its end; the last line of its log then is its cause."""
NOT_EVEN_LOGGED = 76
"""Exit code of a worker that met a full disk, and found no room to say so anywhere."""
FAILED = "failed: "
"""Stands before the cause in a worker's log."""


def of_exception(error: BaseException, spec: Mapping[str, Any]) -> str:
    """The cause of a run whose training raised."""
    return _of_exception(error, spec)[:LONGEST]


def _of_exception(error: BaseException, spec: Mapping[str, Any]) -> str:
    name = type(error).__name__
    text = " ".join(line.strip() for line in str(error).splitlines() if line.strip())  # each may be what matters
    if name == "OutOfMemoryError" or any(said in str(error) for said in NO_GPU_MEMORY):
        return GPU_MEMORY.format(batch_size=spec["batch_size"])
    if isinstance(error, MemoryError) or any(said in str(error) for said in NO_MEMORY):
        return MEMORY.format(batch_size=spec["batch_size"])
    if name == "Diverged":  # its words are those of DIVERGED up to the colon
        return f"{text}: choose a lower learning rate than {spec['optimizer']['lr']:g}"
    if name == "DataError":
        return DATA.format(dataset=spec["dataset"], why=text)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DISK_FULL
    if isinstance(error, DBAPIError):
        why = str(error.orig)
        return DISK_FULL if "disk is full" in why else DATABASE.format(why=why)
    if isinstance(error, StoreError):
        return DATABASE.format(why=text)
    return EXCEPTION.format(exception=name, why=text) if text else name


def of_exit(code: int, log: Path) -> str:
    """The cause of a run whose worker left without a word; `code` as subprocess gives it, negative for a signal."""
    if code < 0:
        return KILLED_9 if -code == signal.SIGKILL else KILLED.format(signal=-code)
    if code == NOT_EVEN_LOGGED:
        return DISK_FULL
    last = _last_line(log)
    _, said, cause = last.partition(FAILED)
    if code == NOT_RECORDED and said:
        return cause
    return ENDED.format(code=code, last_line=last or "its log is empty")


def _last_line(path: Path) -> str:
    """Of a log whose end alone is read: a run can write more than there is memory."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            lines = file.read(TAIL_BYTES).decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:LONGEST] if lines else ""
