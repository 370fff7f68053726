"""Files that runs leave: weights under artifacts/, logs under logs/. Names are made from numbers, never from input."""

import shutil
from pathlib import Path

from app.settings import Settings


def weights(settings: Settings, run_id: int) -> Path:
    return settings.artifacts_dir / f"run-{run_id}" / "weights.pt"


def checkpoints(settings: Settings, run_id: int) -> Path:
    return settings.artifacts_dir / f"run-{run_id}" / "checkpoints"


def lock(settings: Settings, run_id: int, attempt: int) -> Path:
    """Held by the attempt's worker for as long as it lives."""
    return settings.logs_dir / f"run-{run_id}-{attempt}.lock"


def log(settings: Settings, run_id: int, attempt: int) -> Path:
    return settings.logs_dir / f"run-{run_id}-{attempt}.log"


def remove(settings: Settings, run_id: int) -> None:
    """Delete all files of a run."""
    shutil.rmtree(settings.artifacts_dir / f"run-{run_id}", ignore_errors=True)
    for path in settings.logs_dir.glob(f"run-{run_id}-*.lo[gc]*"):
        path.unlink(missing_ok=True)
