"""Files that runs leave: weights and predictions under artifacts/, logs under logs/.

Names are made from numbers, never from input.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.settings import Settings


def weights(settings: Settings, run_id: int) -> Path:
    return settings.artifacts_dir / f"run-{run_id}" / "weights.pt"


def predictions(settings: Settings, run_id: int) -> Path:
    return settings.artifacts_dir / f"run-{run_id}" / "predictions.npz"


def filters(settings: Settings, run_id: int) -> Path:
    return settings.artifacts_dir / f"run-{run_id}" / "filters.npy"


def checkpoints(settings: Settings, run_id: int) -> Path:
    return settings.artifacts_dir / f"run-{run_id}" / "checkpoints"


def lock(settings: Settings, run_id: int, attempt: int) -> Path:
    """Held by the attempt's worker for as long as it lives."""
    return settings.logs_dir / f"run-{run_id}-{attempt}.lock"


def log(settings: Settings, run_id: int, attempt: int) -> Path:
    return settings.logs_dir / f"run-{run_id}-{attempt}.log"


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A name beside the file's place to write to, renamed into it at the end: the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    yield part
    part.rename(path)


def remove(settings: Settings, run_id: int) -> None:
    """Delete all files of a run."""
    shutil.rmtree(settings.artifacts_dir / f"run-{run_id}", ignore_errors=True)
    for path in settings.logs_dir.glob(f"run-{run_id}-*.lo[gc]*"):
        path.unlink(missing_ok=True)
