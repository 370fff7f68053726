"""The fully connected net of the tutorial."""

import math
from typing import TYPE_CHECKING

from trainer.entries import LARGE_IMAGES, SMALL_IMAGES, Knob, Knobs, Model, Shape

if TYPE_CHECKING:
    from torch import nn


def parameters(knobs: Knobs, shape: Shape, classes: int) -> int:
    hidden, inputs = knobs["n_hidden"], math.prod(shape)
    return int((inputs + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * classes)


def build(shape: Shape, classes: int, n_hidden: int) -> "nn.Module":
    """FC2Layer: gives log-probabilities, shape (batch, classes)."""
    from torch import nn

    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(math.prod(shape), n_hidden),
        nn.ReLU(),
        nn.Linear(n_hidden, n_hidden),
        nn.ReLU(),
        nn.Linear(n_hidden, classes),
        nn.LogSoftmax(dim=1),
    )


MODEL = Model(
    name="fc",
    title="FC",
    description="Fully connected net with two hidden layers of equal width and ReLU. "
    "It sees the image as a plain list of pixels, in whatever order.",
    citation="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998",
    shapes=SMALL_IMAGES + LARGE_IMAGES,
    parameters=parameters,
    build=build,
    knobs=(Knob("n_hidden", "Hidden units", "int", 8, "Units in each hidden layer", 1, 4096),),
    rank=1,
    log_probabilities=True,
    channels_last=False,
    threads=1,
)
