"""The convolutional net of the tutorial."""

from typing import TYPE_CHECKING

from trainer.entries import SMALL_IMAGES, Knob, Knobs, Model, Shape

if TYPE_CHECKING:
    from torch import nn


def parameters(knobs: Knobs, shape: Shape, classes: int) -> int:
    maps, (channels, height, width) = knobs["n_features"], shape
    flat = maps * after_convolutions(height) * after_convolutions(width)
    return int((25 * channels + 1) * maps + (25 * maps + 1) * maps + (flat + 1) * 50 + 51 * classes)


def after_convolutions(side: int) -> int:
    """Pixels left of a side after two rounds of 5x5 convolution without padding and 2x2 max-pool."""
    return ((side - 4) // 2 - 4) // 2


def build(shape: Shape, classes: int, n_features: int) -> "nn.Module":
    """CNN: gives log-probabilities, shape (batch, classes)."""
    from torch import nn

    channels, height, width = shape
    return nn.Sequential(  # the same bits as ReLU before max-pool, of a quarter of the pixels
        nn.Conv2d(channels, n_features, kernel_size=5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(n_features, n_features, kernel_size=5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(n_features * after_convolutions(height) * after_convolutions(width), 50),
        nn.ReLU(),
        nn.Linear(50, classes),
        nn.LogSoftmax(dim=1),
    )


MODEL = Model(
    name="cnn",
    title="CNN",
    description="Convolutional net: two 5×5 convolutions, each with ReLU and 2×2 max-pool, then 50 units. "
    "It relies on neighbouring pixels belonging together.",
    citation="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998",
    shapes=SMALL_IMAGES,
    parameters=parameters,
    build=build,
    knobs=(Knob("n_features", "Feature maps", "int", 6, "Feature maps of each convolution", 1, 512),),
    rank=2,
    log_probabilities=True,
    threads=1,
)
