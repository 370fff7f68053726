"""ZFNet: AlexNet with a finer first layer, written after the paper; with a small stem for small images."""

from typing import TYPE_CHECKING

from trainer.entries import LARGE_IMAGES, LARGE_SIDE, SMALL_IMAGES, Knob, Knobs, Model, Shape
from trainer.models.alexnet import end, end_parameters, small_side

if TYPE_CHECKING:
    from torch import nn


def parameters(_: Knobs, shape: Shape, classes: int) -> int:
    channels, height, _width = shape
    large = height == LARGE_SIDE
    first, second, side = (49, 25, 6) if large else (9, 9, small_side(height))
    convolutions = (first * channels + 1) * 96 + (second * 96 + 1) * 256 + (9 * 256 + 1) * 384
    convolutions += (9 * 384 + 1) * 384 + (9 * 384 + 1) * 256
    return convolutions + end_parameters(side, classes)


def build(shape: Shape, classes: int, dropout: float) -> "nn.Module":
    """Gives logits, shape (batch, classes)."""
    from torch import nn

    channels, height, _ = shape
    if height == LARGE_SIDE:
        side = 6
        stem = [
            *(nn.Conv2d(channels, 96, kernel_size=7, stride=2, padding=1), nn.ReLU(inplace=True)),
            nn.MaxPool2d(3, stride=2, padding=1),
            *(nn.Conv2d(96, 256, kernel_size=5, stride=2), nn.ReLU(inplace=True)),
            nn.MaxPool2d(3, stride=2, padding=1),
        ]
        last = nn.MaxPool2d(3, stride=2)
    else:
        side = small_side(height)
        stem = [
            *(nn.Conv2d(channels, 96, kernel_size=3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
            *(nn.Conv2d(96, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        ]
        last = nn.MaxPool2d(2)
    return nn.Sequential(
        *stem,
        *(nn.Conv2d(256, 384, kernel_size=3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 384, kernel_size=3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True), last),
        *end(side, classes, dropout),
    )


MODEL = Model(
    name="zfnet",
    title="ZFNet",
    description="AlexNet with a finer first layer (7×7, stride 2), found by looking at what its filters had learned. "
    "The paper's contrast normalisation is left out. Adapted to small images: 3×3 convolutions without stride, "
    "2×2 max-pool.",
    citation="Zeiler, Fergus: Visualizing and understanding convolutional networks, 2013",
    shapes=SMALL_IMAGES + LARGE_IMAGES,
    parameters=parameters,
    build=build,
    knobs=(Knob("dropout", "Dropout", "float", 0.5, "Share of the units left out in each step", 0, 0.95),),
    rank=21,
)
