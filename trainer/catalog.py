"""What can be trained: knobs, models, data sets and presets, described without importing torch.

The form, the REST API, the command line and the validation of a RunSpec all read from here. Every file of
`trainer.models` and `trainer.data` brings its own entries, and so do other people's packages (`trainer.plugins`).
"""

import dataclasses
import importlib
import os
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from trainer import data, models, plugins
from trainer.data import folder
from trainer.entries import Dataset, Knob, Model, Optimizer, Preset
from trainer.presets import PRESETS as _PRESETS

SEED_MAX = 2**31 - 1
SMALL = 200_000
"""Parameters; a net above gains from all threads, whatever its entry says."""

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
            "cutout",
            "Cutout",
            "int",
            0,
            "Side of a square that is painted over in the mean colour, anywhere in each training image; 0: none",
            0,
            224,
        ),
        Knob(
            "schedule",
            "Schedule",
            "choice",
            "constant",
            "How the learning rate goes on: the same, down in steps, down along a cosine, or up and down once",
            choices=("constant", "step", "cosine", "one-cycle"),
        ),
        Knob(
            "warmup_epochs", "Warm-up", "float", 0.0, "Epochs in which the learning rate rises to its value", 0, 10_000
        ),
        Knob("decay_epochs", "Step every", "int", 30, "Epochs between the steps of the schedule step", 1, 10_000),
        Knob(
            "decay_factor", "Step factor", "float", 0.1, "What the rate is multiplied by at each step", 0, 1, above=True
        ),
        Knob(
            "label_smoothing", "Label smoothing", "float", 0.0, "Share of the label given to all classes alike", 0, 0.9
        ),
        Knob(
            "gradient_clip", "Gradient clipping", "float", 0.0, "Longest gradient, as its norm; 0: not clipped", 0, 1e6
        ),
        Knob(
            "validation",
            "Validation images",
            "int",
            0,
            "Training images held out, of each class its share, by which the best epoch is chosen; 0: none, and the "
            "test images choose it",
            0,
            10_000_000,
        ),
        Knob("validation_seed", "Validation seed", "int", 1, "Which training images are held out", 0, SEED_MAX),
        Knob(
            "early_stopping",
            "Early stopping",
            "int",
            0,
            "Epochs without a better accuracy, on the validation images or else the test images, after which a run "
            "ends; 0: it runs through",
            0,
            10_000,
        ),
        Knob(
            "keep",
            "Weights kept",
            "choice",
            "last",
            "last: after the last epoch; best: of the epoch with the best validation accuracy, or, without validation "
            "images, the best test accuracy, which then flatters",
            choices=("last", "best"),
        ),
        Knob(
            "precision",
            "Precision",
            "choice",
            "float32",
            "bfloat16 and float16: the net computes in half precision where that is safe; float16 needs a GPU; "
            "auto: bfloat16 where the device computes in it, else float32",
            choices=("float32", "bfloat16", "float16", "auto"),
        ),
    )
}

WEIGHT_DECAY = "How strongly weights are pulled towards 0"
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
                Knob("nesterov", "Nesterov", "choice", "off", "Look ahead along the momentum", choices=("off", "on")),
                Knob("weight_decay", "Weight decay", "float", 0.0, WEIGHT_DECAY, 0, 10),
            ),
        ),
        Optimizer(
            "adam",
            "Adam",
            "Steps of each weight scaled by its gradients so far (Kingma, Ba: Adam, 2014)",
            (
                Knob("lr", "Learning rate", "float", 0.001, "Largest usual step of a weight", 0, 1000, above=True),
                Knob("weight_decay", "Weight decay", "float", 0.0, WEIGHT_DECAY, 0, 10),
            ),
        ),
        Optimizer(
            "adamw",
            "AdamW",
            "Adam with the weight decay apart from the gradient (Loshchilov, Hutter: Decoupled weight decay, 2017)",
            (
                Knob("lr", "Learning rate", "float", 0.001, "Largest usual step of a weight", 0, 1000, above=True),
                Knob("weight_decay", "Weight decay", "float", 0.01, WEIGHT_DECAY, 0, 10),
            ),
        ),
        Optimizer(
            "rmsprop",
            "RMSprop",
            "Steps of each weight divided by the size of its recent gradients (Tieleman, Hinton: lecture 6.5, 2012)",
            (
                Knob("lr", "Learning rate", "float", 0.001, "Largest usual step of a weight", 0, 1000, above=True),
                Knob("alpha", "Alpha", "float", 0.99, "Share of the old gradients' size that is kept", 0, 0.9999),
                Knob("momentum", "Momentum", "float", 0.0, "Share of the last step that is kept", 0, 0.9999),
                Knob("weight_decay", "Weight decay", "float", 0.0, WEIGHT_DECAY, 0, 10),
            ),
        ),
    )
}


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def _in_order(entries: list[Any]) -> dict[str, Any]:
    return {entry.name: entry for entry in sorted(entries, key=lambda entry: (entry.rank, entry.name))}


_OUR_MODELS: list[Model] = [dataclasses.replace(module.MODEL, static=True) for module in _modules(models)]
_OUR_DATASETS: list[Dataset] = [entry for module in _modules(data) for entry in module.DATASETS]
_THEIR_MODELS, _told_models = plugins.models([model.name for model in _OUR_MODELS])
_THEIR_DATASETS, _told_datasets = plugins.datasets([dataset.name for dataset in _OUR_DATASETS])
MODELS: dict[str, Model] = _in_order(_OUR_MODELS + _THEIR_MODELS)
DATASETS: dict[str, Dataset] = _in_order(_OUR_DATASETS + _THEIR_DATASETS)
PLUGINS: list[plugins.Plugin] = _told_models + _told_datasets


def add_dataset(dataset: Dataset) -> None:
    """Add an entry that was not known from the start; one of the same name is replaced."""
    global DATASETS  # a new mapping: whoever is reading the old one reads on
    DATASETS = _in_order([*(entry for name, entry in DATASETS.items() if name != dataset.name), dataset])


def canonical(dataset: str) -> str:
    """A data set's name as specs have it: of a folder of images with the version, the newest where none is given."""
    return dataset if dataset in DATASETS else folder.canonical(dataset, DATASETS)


PRESETS: dict[str, Preset] = {preset.name: preset for preset in _PRESETS}


def threads(model: str, parameters: int) -> int:
    """On how many threads a net trains on a CPU of this machine; all, where its plug-in is gone. What else runs makes
    no difference: on another number of threads convolutions give other last bits."""
    cores = os.cpu_count() or 1
    entry = MODELS.get(model)
    most = entry.threads if entry and parameters < SMALL else None
    return min(most or cores, cores)
