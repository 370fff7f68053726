"""What can be trained: knobs, models, data sets and presets, described without importing torch.

The form, the REST API, the command line and the validation of a RunSpec all read from here. Every file of
`trainer.models` and `trainer.data` brings its own entries.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from trainer import data, models
from trainer.entries import Dataset, Knob, Model, Optimizer, Preset, Published

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
        Knob(
            "normalization",
            "Normalisation",
            "choice",
            "dataset",
            "dataset: by the data set's mean and deviation, a channel each; half: (pixel - 0.5) / 0.5",
            choices=("dataset", "half"),
        ),
        Knob(
            "crop_padding",
            "Random crop",
            "int",
            0,
            "Black pixels put around a training image before a random part of its size is cut out; 0: no cropping",
            0,
            64,
        ),
        Knob(
            "flip",
            "Random flip",
            "choice",
            "off",
            "horizontal: half of the training images, anew in each epoch, are mirrored",
            choices=("off", "horizontal"),
        ),
        Knob(
            "precision",
            "Precision",
            "choice",
            "float32",
            "bfloat16 and float16: the net computes in half precision where that is safe; float16 needs a GPU",
            choices=("float32", "bfloat16", "float16"),
        ),
    )
}

OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.name: optimizer
    for optimizer in (
        Optimizer(
            "sgd",
            "SGD",
            "Stochastic gradient descent with momentum",
            (
                Knob("lr", "Learning rate", "float", 0.01, "Step size of the gradient descent", 0, 1000, above=True),
                Knob("momentum", "Momentum", "float", 0.5, "Share of the last step that is kept", 0, 0.9999),
            ),
        ),
        Optimizer(
            "adam",
            "Adam",
            "Steps of each weight scaled by its gradients so far (Kingma, Ba: Adam, 2014)",
            (Knob("lr", "Learning rate", "float", 0.001, "Largest usual step of a weight", 0, 1000, above=True),),
        ),
    )
}


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def _in_order(entries: list[Any]) -> dict[str, Any]:
    return {entry.name: entry for entry in sorted(entries, key=lambda entry: (entry.rank, entry.name))}


MODELS: dict[str, Model] = _in_order([module.MODEL for module in _modules(models)])
DATASETS: dict[str, Dataset] = _in_order([entry for module in _modules(data) for entry in module.DATASETS])


def add_dataset(dataset: Dataset) -> None:
    """Add an entry that was not known from the start; one of the same name is replaced."""
    global DATASETS  # a new mapping: whoever is reading the old one reads on
    DATASETS = _in_order([*(entry for name, entry in DATASETS.items() if name != dataset.name), dataset])


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
        Preset(
            name="cifar10-net",
            title="CIFAR-10, a small net",
            question="How far does LeNet's structure get on photographs?",
            description="The tutorial's recipe: pixels normalised to -1..1, Adam, ten epochs.",
            base={
                "dataset": "cifar10",
                "model": "cifar-net",
                "epochs": 10,
                "batch_size": 64,
                "normalization": "half",
                "optimizer": {"name": "adam", "lr": 0.001},
            },
            grid={"seed": list(SEEDS)},
            published=(Published({"model": "cifar-net"}, {"test/accuracy": 0.64}),),
            source="The tutorial whose recipe this is.",
        ),
        Preset(
            name="cifar10-vgg",
            title="CIFAR-10, VGG",
            question="How much further does a deep net get?",
            description="The tutorial's recipe: VGG-11 with batch norm, random crops and flips, Adam, ten epochs. "
            "Without a GPU it takes a quarter of an hour or more.",
            base={
                "dataset": "cifar10",
                "model": {"name": "vgg", "channels": "vgg11"},
                "epochs": 10,
                "batch_size": 128,
                "crop_padding": 4,
                "flip": "horizontal",
                "optimizer": {"name": "adam", "lr": 0.001},
            },
            grid={"seed": [1]},
            published=(Published({"model": "vgg"}, {"test/accuracy": 0.8457}),),
            source="The tutorial whose recipe this is.",
        ),
    )
}
