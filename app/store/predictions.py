"""What a finished run's net says of every test image: kept as plain arrays beside the run's weights."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.store.errors import Unreadable


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
