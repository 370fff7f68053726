"""The small net that the tutorial trains on CIFAR-10: LeNet-5's structure with ReLU and max-pool."""

from typing import TYPE_CHECKING

from trainer.entries import SMALL_IMAGES, Knobs, Model, Shape
from trainer.models.cnn import after_convolutions

if TYPE_CHECKING:
    from torch import nn


def parameters(_: Knobs, shape: Shape, classes: int) -> int:
    channels, height, width = shape
    flat = 16 * after_convolutions(height) * after_convolutions(width)
    return (25 * channels + 1) * 6 + (25 * 6 + 1) * 16 + (flat + 1) * 120 + 121 * 84 + 85 * classes


def build(shape: Shape, classes: int) -> "nn.Module":
    """Gives logits, shape (batch, classes)."""
    from torch import nn

    channels, height, width = shape
    return nn.Sequential(
        # The same bits as ReLU before max-pool, of a quarter of the pixels
        *(nn.Conv2d(channels, 6, kernel_size=5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(6, 16, kernel_size=5), nn.MaxPool2d(2), nn.ReLU()),
        nn.Flatten(),
        nn.Linear(16 * after_convolutions(height) * after_convolutions(width), 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, classes),
    )


MODEL = Model(
    name="cifar-net",
    title="CIFAR net",
    description="LeNet-5's structure: 5×5 convolutions of 6 and 16 maps, each with ReLU and 2×2 max-pool, "
    "then 120 and 84 units.",
    citation="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998",
    shapes=SMALL_IMAGES,
    parameters=parameters,
    build=build,
    rank=3,
    threads=2,
)
