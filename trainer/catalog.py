"""What can be trained: knobs, models, data sets and presets, described without importing torch.

The form, the REST API, the command line and the validation of a RunSpec all read from here.
Models and data sets are built from these names only in a worker (`trainer.models`, `trainer.data`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Knobs = Mapping[str, Any]
Shape = tuple[int, int, int]
"""(channels, height, width)"""


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
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
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


def shown(value: object) -> str:
    """A value as an error message quotes it: whole when short, cut when long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Model:
    """A network: `parameters(knobs, shape, classes)` counts its trainable parameters without building it."""

    name: str
    title: str
    description: str
    citation: str
    knobs: tuple[Knob, ...]
    shapes: tuple[Shape, ...]
    """Image shapes that it accepts."""
    parameters: Callable[[Knobs, Shape, int], int]


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
    mean: float
    std: float
    """Of pixels scaled to 0..1; images are normalised by (pixel - mean) / std."""
    folder: str | None
    """Folder under the data set directory that holds its files; None: embedded, needs no file."""
    download_mb: int = 0
    files: tuple[tuple[str, str], ...] = ()
    """(name, MD5) of each unpacked file in the folder; it may also lie there as NAME.gz."""


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


SEED_MAX = 2**31 - 1
SEEDS = (1, 2, 3)

TRAINING: dict[str, Knob] = {
    knob.name: knob
    for knob in (
        Knob("epochs", "Epochs", "int", 1, "Passes over the training set", 1, 10_000),
        Knob("batch_size", "Batch size", "int", 64, "Training images per step", 1, 65_536),
        Knob("seed", "Seed", "int", 1, "Seed of the initial weights and the data order", 0, SEED_MAX),
        Knob(
            "pixel_order",
            "Pixel order",
            "choice",
            "original",
            "Shuffled: one fixed random permutation of the pixel positions, the same for every image",
            choices=("original", "shuffled"),
        ),
        Knob(
            "permutation_seed",
            "Permutation seed",
            "int",
            1,
            "Seed of the fixed pixel permutation: two models with the same seed see the same shuffle",
            0,
            SEED_MAX,
        ),
    )
}

OPTIMIZERS: dict[str, tuple[Knob, ...]] = {
    "sgd": (
        Knob("lr", "Learning rate", "float", 0.01, "Step size of the gradient descent", 0, 1000, above=True),
        Knob("momentum", "Momentum", "float", 0.5, "Share of the last step that is kept", 0, 0.9999),
    )
}


def _fc_parameters(knobs: Knobs, shape: Shape, classes: int) -> int:
    hidden, inputs = knobs["n_hidden"], math.prod(shape)
    return int((inputs + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * classes)


def _cnn_parameters(knobs: Knobs, shape: Shape, classes: int) -> int:
    maps, (channels, height, width) = knobs["n_features"], shape
    flat = maps * after_convolutions(height) * after_convolutions(width)
    return int((25 * channels + 1) * maps + (25 * maps + 1) * maps + (flat + 1) * 50 + 51 * classes)


def after_convolutions(side: int) -> int:
    """Pixels left of a side after two rounds of 5x5 convolution without padding and 2x2 max-pool."""
    return ((side - 4) // 2 - 4) // 2


_LECUN = "LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998"

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            name="fc",
            title="FC",
            description="Fully connected net with two hidden layers of equal width and ReLU. "
            "It sees the image as a plain list of pixels, in whatever order.",
            citation=_LECUN,
            knobs=(Knob("n_hidden", "Hidden units", "int", 8, "Units in each hidden layer", 1, 4096),),
            shapes=((1, 28, 28),),
            parameters=_fc_parameters,
        ),
        Model(
            name="cnn",
            title="CNN",
            description="Convolutional net: two 5×5 convolutions, each with ReLU and 2×2 max-pool, then 50 units. "
            "It relies on neighbouring pixels belonging together.",
            citation=_LECUN,
            knobs=(Knob("n_features", "Feature maps", "int", 6, "Feature maps of each convolution", 1, 512),),
            shapes=((1, 28, 28),),
            parameters=_cnn_parameters,
        ),
    )
}

_DIGITS = tuple("0123456789")

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="digits",
            title="Digits",
            version=1,
            description="The 1,797 handwritten digits of 8×8 pixels that come with scikit-learn, split first "
            "(stratified, 1,437 to train, 360 to test), then each enlarged to 20×20 and pasted at five seeded "
            "positions of a 28×28 image. Nothing is downloaded; its figures don't stand for MNIST.",
            citation="Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998",
            shape=(1, 28, 28),
            classes=_DIGITS,
            train_size=7185,
            test_size=1800,
            mean=0.1560,
            std=0.2775,
            folder=None,
        ),
        Dataset(
            name="mnist",
            title="MNIST",
            version=1,
            description="70,000 handwritten digits of 28×28 pixels: 60,000 to train with, 10,000 to test with.",
            citation="LeCun, Cortes, Burges: The MNIST database of handwritten digits, 1998",
            shape=(1, 28, 28),
            classes=_DIGITS,
            train_size=60_000,
            test_size=10_000,
            mean=0.1307,
            std=0.3081,
            folder="MNIST/raw",
            download_mb=12,
            files=(
                ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"),
                ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
                ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"),
                ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"),
            ),
        ),
        Dataset(
            name="fashion-mnist",
            title="Fashion-MNIST",
            version=1,
            description="70,000 pictures of clothes in MNIST's format, harder to tell apart than digits.",
            citation="Xiao, Rasul, Vollgraf: Fashion-MNIST, arXiv:1708.07747, 2017",
            shape=(1, 28, 28),
            classes=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            train_size=60_000,
            test_size=10_000,
            mean=0.2860,
            std=0.3530,
            folder="FashionMNIST/raw",
            download_mb=31,
            files=(
                ("train-images-idx3-ubyte", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
                ("train-labels-idx1-ubyte", "9018921c3c673c538a1fc5bad174d6f9"),
                ("t10k-images-idx3-ubyte", "8181f5470baa50b63fa0f6fddb340f0a"),
                ("t10k-labels-idx1-ubyte", "15d484375f8d13e6eb1aabb0c3f46965"),
            ),
        ),
    )
}

_FOUR_WAYS: dict[str, list[Any]] = {
    "model": ["fc", "cnn"],
    "pixel_order": ["original", "shuffled"],
    "seed": list(SEEDS),
}

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="mnist-fc-vs-cnn",
            title="MNIST, pixels in order and shuffled",
            question="Does a CNN need pixels in order?",
            description="A fully connected net and a CNN of the same size learn MNIST for one epoch, "
            "once with the pixels in order and once shuffled. The tutorial's recipe.",
            base={
                "dataset": "mnist",
                "epochs": 1,
                "batch_size": 64,
                "optimizer": {"name": "sgd", "lr": 0.01, "momentum": 0.5},
            },
            grid=_FOUR_WAYS,
            published=(
                Published({"model": "fc", "pixel_order": "original"}, {"test/accuracy": 0.8683, "test/loss": 0.4533}),
                Published({"model": "fc", "pixel_order": "shuffled"}, {"test/accuracy": 0.8810, "test/loss": 0.4099}),
            ),
            source="The tutorial whose recipe this is; it prints no figure for the CNN.",
        ),
        Preset(
            name="digits-fc-vs-cnn",
            title="Digits, pixels in order and shuffled",
            question="The same question, without a download",
            description="The small digits that come with scikit-learn, placed at random positions: "
            "ten epochs show the same effect within a minute or two.",
            base={
                "dataset": "digits",
                "epochs": 10,
                "batch_size": 64,
                "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.5},
            },
            grid=_FOUR_WAYS,
        ),
        Preset(
            name="fashion-learning-rates",
            title="Fashion-MNIST, learning rates",
            question="Which learning rate?",
            description="A CNN on clothes instead of digits, at four learning rates: "
            "where training is slow, and where it breaks.",
            base={"dataset": "fashion-mnist", "model": "cnn", "epochs": 1, "batch_size": 64},
            grid={"optimizer.lr": [0.001, 0.01, 0.1, 1.0], "seed": list(SEEDS)},
        ),
    )
}
