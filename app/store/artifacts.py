"""Files that runs leave: weights and predictions under artifacts/, logs under logs/.

`files` is what the names of a run's files begin with (`Run.files`): its number and its random key, never input.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.settings import Settings


def weights(settings: Settings, files: str) -> Path:
    return settings.artifacts_dir / files / "weights.pt"


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
    """A name beside the file's place to write to, renamed into it at the end: the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    yield part
    part.rename(path)


def remove(settings: Settings, files: str) -> None:
    """Delete all files of a run."""
    shutil.rmtree(settings.artifacts_dir / files, ignore_errors=True)
    for path in settings.logs_dir.glob(f"{files}-*"):
        if re.fullmatch(rf"{files}-\d+\.(log|lock)", path.name):  # and not those of run 12 with those of run 1
            path.unlink(missing_ok=True)
