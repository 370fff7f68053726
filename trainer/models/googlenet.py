"""GoogLeNet: torchvision's, without the two auxiliary outputs; with a small stem for small images."""

from typing import TYPE_CHECKING

from trainer.entries import LARGE_IMAGES, LARGE_SIDE, SMALL_IMAGES, Knob, Knobs, Model, Shape

if TYPE_CHECKING:
    from torch import nn

INCEPTIONS = (
    (192, 64, 96, 128, 16, 32, 32),
    (256, 128, 128, 192, 32, 96, 64),
    (480, 192, 96, 208, 16, 48, 64),
    (512, 160, 112, 224, 24, 64, 64),
    (512, 128, 128, 256, 24, 64, 64),
    (512, 112, 144, 288, 32, 64, 64),
    (528, 256, 160, 320, 32, 128, 128),
    (832, 256, 160, 320, 32, 128, 128),
    (832, 384, 192, 384, 48, 128, 128),
)
"""Maps of each block: of its input; of the 1×1 branch; before and after each of the two 3×3 convolutions; after the
pooling. (torchvision has a 3×3 where the paper has a 5×5.)"""


def _convolution(side: int, before: int, after: int) -> int:
    return side * side * before * after + 2 * after  # no bias, but batch norm


def parameters(_: Knobs, shape: Shape, classes: int) -> int:
    channels, height, _width = shape
    total = _convolution(7 if height == LARGE_SIDE else 3, channels, 64)
    total += _convolution(1, 64, 64) + _convolution(3, 64, 192)
    for before, one, reduce3, three, reduce5, five, pool in INCEPTIONS:
        total += _convolution(1, before, one) + _convolution(1, before, pool)
        total += _convolution(1, before, reduce3) + _convolution(3, reduce3, three)
        total += _convolution(1, before, reduce5) + _convolution(3, reduce5, five)
    return total + 1025 * classes


def build(shape: Shape, classes: int, dropout: float) -> "nn.Module":
    """Gives logits, shape (batch, classes)."""
    from torch import nn
    from torchvision.models.googlenet import BasicConv2d, GoogLeNet

    channels, height, _ = shape
    net: nn.Module = GoogLeNet(num_classes=classes, aux_logits=False, init_weights=True, dropout=dropout)
    if height != LARGE_SIDE:
        net.conv1 = BasicConv2d(channels, 64, kernel_size=3, padding=1)
        net.maxpool1 = nn.Identity()
    elif channels != 3:
        net.conv1 = BasicConv2d(channels, 64, kernel_size=7, stride=2, padding=3)
    return net


MODEL = Model(
    name="googlenet",
    title="GoogLeNet",
    description="Nine Inception blocks, each of four branches side by side: few parameters, much work. Batch norm, "
    "without the paper's two auxiliary outputs. Adapted to small images: a first convolution of 3×3 without stride, "
    "one max-pool before the first block in place of two.",
    citation="Szegedy and others: Going deeper with convolutions, 2014",
    shapes=SMALL_IMAGES + LARGE_IMAGES,
    parameters=parameters,
    build=build,
    knobs=(Knob("dropout", "Dropout", "float", 0.2, "Share of the units left out in each step", 0, 0.95),),
    rank=22,
)
