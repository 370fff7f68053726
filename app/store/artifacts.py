"""Files that runs leave: weights and predictions under artifacts/, logs under logs/.

`files` is what the names of a run's files begin with (`Run.files`): its number and its random key, never input.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.settings import Settings


def weights(settings: Settings, files: str) -> Path:
    return settings.artifacts_dir / files / "weights.pt"


LOG_BYTES = 16 * 1024 * 1024
KEPT_BYTES = 1024 * 1024
"""A log that grows beyond the one is cut to its last part, of so many bytes."""


def bound_log(path: Path) -> bool:
    """Cut a log that is too long; whether it was. Whoever writes to it appends, and goes on behind what is kept; what
    is written in the moment of cutting may be lost."""
    try:
        with path.open("r+b") as file:
            size = file.seek(0, 2)
            if size <= LOG_BYTES:
                return False
            file.seek(size - KEPT_BYTES)
            kept = file.read(KEPT_BYTES)
            kept = kept[kept.find(b"\n") + 1 :]
            file.truncate(0)
            file.seek(0)
            file.write(
                f"... {size - len(kept):,} bytes before this were cut: a log has at most 16 MiB\n".encode() + kept
            )
    except OSError:
        return False
    return True


def predictions(settings: Settings, files: str) -> Path:
    return settings.artifacts_dir / files / "predictions.npz"


def filters(settings: Settings, files: str) -> Path:
    return settings.artifacts_dir / files / "filters.npy"


def checkpoints(settings: Settings, files: str) -> Path:
    return settings.artifacts_dir / files / "checkpoints"


def lock(settings: Settings, files: str, attempt: int) -> Path:
    """Held by the attempt's worker for as long as it lives."""
    return settings.logs_dir / f"{files}-{attempt}.lock"


def log(settings: Settings, files: str, attempt: int) -> Path:
    return settings.logs_dir / f"{files}-{attempt}.log"


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A name beside the file's place to write to, renamed into it at the end: the file is whole or not there, and it is
    on the disk before anything says that it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    yield part
    _sync(part)
    part.rename(path)
    for directory in (path.parent, path.parent.parent):  # the second one: where the first was new
        _sync(directory)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def remove(settings: Settings, files: str) -> None:
    """Delete all files of a run."""
    shutil.rmtree(settings.artifacts_dir / files, ignore_errors=True)
    for path in logs(settings, files):
        path.unlink(missing_ok=True)


def logs(settings: Settings, files: str) -> list[Path]:
    """Logs and locks of all attempts of a run."""
    every = settings.logs_dir.glob(f"{files}-*")  # and not those of run 12 with those of run 1
    return [path for path in every if re.fullmatch(rf"{files}-\d+\.(log|lock)", path.name)]
