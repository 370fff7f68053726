"""What a prepared data set holds, in figures: images by class, brightness by channel. Computed once from its arrays."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainer import catalog
from trainer.prepared import Places, open_arrays

BLOCK = 1000  # images counted at a time: a whole data set as 64-bit numbers would not fit


@dataclass(frozen=True)
class Channel:
    """Values of one channel over all training images."""

    histogram: tuple[int, ...]
    """Pixels with each of the values 0 to 255."""
    mean: float
    std: float
    """Of values scaled to 0..1."""


@dataclass(frozen=True)
class Described:
    """The figures of one data set."""

    train: tuple[int, ...]
    """Training images of each class."""
    test: tuple[int, ...]
    channels: tuple[Channel, ...]
    bytes: int
    """Of its prepared arrays."""


def described(name: str, places: Places) -> Described | None:
    """None while the data set is not prepared."""
    if not places.is_prepared(name):
        return None
    folder = places.folder(name)
    return _described(name, places, folder, folder.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _described(name: str, places: Places, folder: Path, modified: int) -> Described:  # noqa: ARG001
    """`modified` is there for the cache: a data set that was prepared again is counted again."""
    images, labels, _, test_labels = open_arrays(name, places)
    classes = len(catalog.DATASETS[name].classes)
    counts = np.zeros((images.shape[1], 256), np.int64)
    for start in range(0, len(images), BLOCK):
        for channel, counted in enumerate(counts):
            counts[channel] = counted + np.bincount(images[start : start + BLOCK, channel].reshape(-1), minlength=256)
    return Described(
        train=tuple(np.bincount(labels, minlength=classes).tolist()),
        test=tuple(np.bincount(test_labels, minlength=classes).tolist()),
        channels=tuple(_channel(count) for count in counts),
        bytes=sum(path.stat().st_size for path in folder.iterdir()),
    )


def _channel(counts: npt.NDArray[np.int64]) -> Channel:
    values = np.arange(256) / 255
    mean = float(np.average(values, weights=counts))
    return Channel(tuple(counts.tolist()), mean, float(np.sqrt(np.average((values - mean) ** 2, weights=counts))))
