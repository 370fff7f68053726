"""AlexNet: torchvision's at 224×224, with a small stem for small images."""

from typing import TYPE_CHECKING, Any, cast

from trainer.entries import LARGE_IMAGES, LARGE_SIDE, SMALL_IMAGES, Knob, Knobs, Model, Shape

if TYPE_CHECKING:
    from torch import nn


def parameters(_: Knobs, shape: Shape, classes: int) -> int:
    channels, height, _width = shape
    first, side = (121, 6) if height == LARGE_SIDE else (25, small_side(height))
    convolutions = (first * channels + 1) * 64 + (25 * 64 + 1) * 192 + (9 * 192 + 1) * 384
    convolutions += (9 * 384 + 1) * 256 + (9 * 256 + 1) * 256
    return convolutions + end_parameters(side, classes)


def end_parameters(side: int, classes: int) -> int:
    """Of the three fully connected layers after 256 maps of side × side."""
    return (256 * side * side + 1) * 4096 + 4097 * 4096 + 4097 * classes


def end(side: int, classes: int, dropout: float) -> "list[nn.Module]":
    """What AlexNet and ZFNet end in: 256 maps of side × side, three fully connected layers."""
    from torch import nn

    return [
        *(nn.AdaptiveAvgPool2d(side), nn.Flatten()),
        *(nn.Dropout(dropout), nn.Linear(256 * side * side, 4096), nn.ReLU(inplace=True)),
        *(nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(inplace=True)),
        nn.Linear(4096, classes),
    ]


def small_side(height: int) -> int:
    """Of the maps before the linear layers, after three halvings."""
    return min(4, height // 8)


def build(shape: Shape, classes: int, dropout: float) -> "nn.Module":
    """Gives logits, shape (batch, classes)."""
    from torch import nn
    from torchvision.models import AlexNet

    channels, height, _ = shape
    if height == LARGE_SIDE:
        large: Any = AlexNet(num_classes=classes, dropout=dropout)
        if channels != 3:
            large.features[0] = nn.Conv2d(channels, 64, kernel_size=11, stride=4, padding=2)
        return cast("nn.Module", large)
    return nn.Sequential(
        *(nn.Conv2d(channels, 64, kernel_size=5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 192, kernel_size=5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(192, 384, kernel_size=3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(256, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *end(small_side(height), classes, dropout),
    )


MODEL = Model(
    name="alexnet",
    title="AlexNet",
    description="Five convolutions, three fully connected layers with dropout: the net that won ImageNet in 2012, in "
    "its form of 2014. Adapted to small images: a first convolution of 5×5 without stride, 2×2 max-pool, "
    "4×4 maps (3×3 of 28×28) before the fully connected layers.",
    citation="Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014",
    shapes=SMALL_IMAGES + LARGE_IMAGES,
    parameters=parameters,
    build=build,
    knobs=(Knob("dropout", "Dropout", "float", 0.5, "Share of the units left out in each step", 0, 0.95),),
    rank=20,
)
