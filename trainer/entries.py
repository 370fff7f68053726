"""What a catalogue entry says of a model, a data set or a recipe. No torch: most who read it train nothing."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import nn

Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.int64]]
"""Training images (uint8, N×C×H×W), training labels (int64, N), test images, test labels."""
Knobs = Mapping[str, Any]
Shape = tuple[int, int, int]
"""(channels, height, width)"""
SMALL_IMAGES: tuple[Shape, ...] = tuple((channels, side, side) for side in (28, 32, 64) for channels in (1, 3))
"""Shapes of the data sets of small images, grey and in colour."""
LARGE_IMAGES: tuple[Shape, ...] = ((1, 224, 224), (3, 224, 224))
"""Of the images that the nets of the ImageNet challenge were made for."""
LARGE_SIDE = 224


class DataError(Exception):
    """A data set that can't be used; str() says which file, why, and what to do."""


@dataclass(frozen=True)
class Knob:
    """One adjustable value. `check` is the only place where a value of it is judged."""

    name: str
    title: str
    kind: Literal["int", "float", "choice"]
    default: Any
    help: str
    minimum: float = 0
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    above: bool = False
    """True: the minimum itself is excluded (a learning rate must be over 0)."""

    def check(self, value: object) -> Any:
        """Return the value as this knob's type; raise ValueError with the fact and the way out.

        The message does not name the knob: whoever reports it puts the path before it.
        """
        if self.kind == "choice":
            if isinstance(value, str) and value in self.choices:
                return value
            raise ValueError(f"is {shown(value)}: choose {' or '.join(self.choices)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise ValueError(f"is {shown(value)}: choose {self.range_text}")
        too_low = value <= self.minimum if self.above else value < self.minimum
        if too_low or value > self.maximum or (self.kind == "int" and value != int(value)):
            raise ValueError(f"is {shown(value)}: choose {self.range_text}")
        return int(value) if self.kind == "int" else float(value)

    @property
    def range_text(self) -> str:
        """For people: `a whole number from 1 to 65536`."""
        noun = "a whole number" if self.kind == "int" else "a number"
        return f"{noun} {'over' if self.above else 'from'} {self.minimum:g} to {self.maximum:.15g}"


def _is_finite(value: float) -> bool:
    """Also of a whole number that no float holds."""
    return isinstance(value, int) or math.isfinite(value)


def shown(value: object) -> str:
    """A value as an error message quotes it: whole when short, cut when long."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of over 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Model:
    """A network."""

    name: str
    title: str
    description: str
    citation: str
    shapes: tuple[Shape, ...]
    """Image shapes that it accepts."""
    parameters: Callable[[Knobs, Shape, int], int]
    """(knobs, shape, classes) to the number of trainable parameters, without building it."""
    build: Callable[..., "nn.Module"]
    """(shape, classes, **knobs) to the net with PyTorch's own initial weights; imports torch."""
    knobs: tuple[Knob, ...] = ()
    rank: int = 50
    """Place in lists, least first."""
    log_probabilities: bool = False
    """True: its last layer is a log-softmax; else it gives logits."""
    channels_last: bool = True
    """True: trained with its arrays in channels-last order, in which convolutions are quicker."""
    threads: int | None = None
    """On a CPU, as many threads as it gains from while it is small; None: all there are."""
    static: bool = False
    """True: each training step is the same operations in the same order, whatever the images and the random numbers.
    Then a GPU records one and repeats it (`trainer.captured`)."""


@dataclass(frozen=True)
class Layer:
    """One layer of a net, in the order in which they compute."""

    path: str
    """Its place in the net's module tree."""
    title: str
    output: tuple[int, ...]
    """Shape of what it gives for one image."""
    parameters: int
    multiply_adds: int
    """For one image."""


@dataclass(frozen=True)
class Optimizer:
    """A way to take steps down the gradient; torch.optim has one of that title."""

    name: str
    title: str
    description: str
    knobs: tuple[Knob, ...]


@dataclass(frozen=True)
class Dataset:
    """A labelled set of images with a fixed training and test part."""

    name: str
    title: str
    version: int
    """Counted up when the prepared arrays change, so that old ones are not mistaken for new."""
    description: str
    citation: str
    shape: Shape
    classes: tuple[str, ...]
    train_size: int
    test_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Of pixels scaled to 0..1, a channel each; images are normalised by (pixel - mean) / std."""
    prepare: Callable[["Dataset", Path], Arrays]
    """(itself, directory of data sets) to its arrays, downloaded where absent. Raises DataError with the way out."""
    folder: str | None = None
    """Folder under the data set directory that holds its files; None: embedded, needs no file."""
    files: tuple[tuple[str, str | None], ...] = ()
    """(name, MD5) of each unpacked file in the folder; None: only its archive's is known, checked at the download."""
    archives: tuple[str, ...] = ()
    """Under the data set directory, what is downloaded, from which the files are unpacked."""
    download_mb: int = 0
    rank: int = 50
    """Place in lists, least first."""
    notes: tuple[str, ...] = ()
    """What whoever uses it should know, such as files that were left out; a sentence each."""
    fingerprint: str | None = None
    """Of a folder of images as it was when it was read."""
    read_at: str | None = None
    """When that was, in ISO 8601."""


@dataclass(frozen=True)
class Published:
    """Figures that the source of a preset states for one of its configurations."""

    where: Mapping[str, str]
    """Knob path to value."""
    figures: Mapping[str, float]
    """Metric name to value; accuracies as fractions."""


@dataclass(frozen=True)
class Preset:
    """A ready experiment: base and grid (see `app.store.experiments`), and what its source published."""

    name: str
    title: str
    question: str
    description: str
    base: Mapping[str, Any]
    grid: Mapping[str, list[Any]]
    published: tuple[Published, ...] = ()
    source: str = ""
