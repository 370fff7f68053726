"""What a finished run's net says of every test image: kept as plain arrays beside the run's weights."""

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine
from sqlmodel import col, select, update

from app.settings import Settings
from app.store import artifacts
from app.store.engine import reading, writing
from app.store.errors import StoreError, Unreadable
from app.store.tables import Run, Status


@dataclass(frozen=True)
class Predictions:
    """One entry a test image, in the order of the test set; shape (N,) each."""

    labels: npt.NDArray[Any]
    """True class, from 0."""
    predicted: npt.NDArray[Any]
    """Class of the highest probability."""
    confidence: npt.NDArray[np.float32]
    """That probability, 0 to 1."""

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = self.labels == self.predicted
        return found

    @property
    def is_untrained(self) -> bool:
        """The net learned nothing: it gives one class for all images, or always giving the most frequent class would be
        as good, within two standard errors or a twentieth of what lies above its share."""
        n, counts = len(self.labels), np.bincount(self.labels)
        share = float(counts.max(initial=0)) / max(n, 1)
        if share in (0.0, 1.0):
            return False
        error = math.sqrt(share * (1 - share) / n)
        is_no_better = float(self.right.mean()) <= share + max(2 * error, 0.05 * (1 - share))
        return is_no_better or len(np.unique(self.predicted)) == 1


def save(path: Path, predictions: Predictions) -> None:
    """Write an .npz file; 8 bytes an image."""
    with path.open("wb") as file:
        np.savez(
            file,
            labels=predictions.labels.astype(np.uint16),
            predicted=predictions.predicted.astype(np.uint16),
            confidence=predictions.confidence.astype(np.float32),
        )


def load(path: Path) -> Predictions:
    """Raises FileNotFoundError where there are none, Unreadable where they are damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return Predictions(kept["labels"].astype(np.int64), kept["predicted"].astype(np.int64), kept["confidence"])
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise Unreadable(f"{path.name} of {path.parent.name} can't be read ({error}): relaunch the run") from error


def settle_untrained(engine: Engine, settings: Settings) -> int:
    """Note of runs that succeeded before it was noted whether they learned anything, from what they say of the test
    images; of how many. Those without predictions stay as they are."""
    with reading(engine) as session:
        unknown = session.exec(select(Run).where(Run.status == Status.SUCCEEDED, col(Run.untrained).is_(None))).all()
    settled = 0
    for run in unknown:
        try:
            untrained = load(artifacts.predictions(settings, run.files)).is_untrained
        except (FileNotFoundError, StoreError):
            continue
        with writing(engine) as session:
            session.execute(update(Run).where(col(Run.id) == run.id).values(untrained=untrained))
        settled += 1
    return settled
