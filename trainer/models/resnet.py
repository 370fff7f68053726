"""ResNet: torchvision's; with the paper's CIFAR stem for small images."""

from typing import TYPE_CHECKING

from trainer.entries import LARGE_IMAGES, LARGE_SIDE, SMALL_IMAGES, Knob, Knobs, Model, Shape

if TYPE_CHECKING:
    from torch import nn

DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}
"""Blocks of each of the four stages."""
BOTTLENECK = 4  # a block of ResNet-50 ends in so many times the maps of its middle


def _convolution(side: int, before: int, after: int) -> int:
    return side * side * before * after + 2 * after  # no bias, but batch norm


def parameters(knobs: Knobs, shape: Shape, classes: int) -> int:
    channels, height, _ = shape
    total, before = _convolution(7 if height == LARGE_SIDE else 3, channels, 64), 64
    bottleneck = knobs["depth"] == "resnet50"
    for stage, blocks in enumerate(DEPTHS[knobs["depth"]]):
        width = 64 * 2**stage
        after = width * (BOTTLENECK if bottleneck else 1)
        for block in range(blocks):
            if bottleneck:
                total += _convolution(1, before, width) + _convolution(3, width, width) + _convolution(1, width, after)
            else:
                total += _convolution(3, before, width) + _convolution(3, width, width)
            if block == 0 and (stage > 0 or before != after):
                total += _convolution(1, before, after)  # the short cut has to change its size as well
            before = after
    return total + (before + 1) * classes


def build(shape: Shape, classes: int, depth: str) -> "nn.Module":
    """Gives logits, shape (batch, classes)."""
    from torch import nn
    from torchvision.models import resnet

    channels, height, _ = shape
    block = resnet.Bottleneck if depth == "resnet50" else resnet.BasicBlock
    net: nn.Module = resnet.ResNet(block, list(DEPTHS[depth]), num_classes=classes)
    if height != LARGE_SIDE:
        net.conv1 = nn.Conv2d(channels, 64, kernel_size=3, padding=1, bias=False)
        net.maxpool = nn.Identity()
    elif channels != 3:
        net.conv1 = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return net


MODEL = Model(
    name="resnet",
    title="ResNet",
    description="Blocks of convolutions with batch norm, each with a short cut around it, so that deep nets learn. "
    "Adapted to small images: a first convolution of 3×3 without stride and no max-pool, as the paper does on CIFAR.",
    citation="He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2015",
    shapes=SMALL_IMAGES + LARGE_IMAGES,
    parameters=parameters,
    build=build,
    knobs=(Knob("depth", "Depth", "choice", "resnet18", "How many layers", choices=tuple(DEPTHS)),),
    rank=11,
)
