"""VGG with batch norm: the convolutions of the paper, and one linear layer where the images are small."""

from typing import TYPE_CHECKING, Any, cast

from trainer.entries import LARGE_IMAGES, LARGE_SIDE, SMALL_IMAGES, Knob, Knobs, Model, Shape

if TYPE_CHECKING:
    from torch import nn

POOL = 0
VARIANTS = {
    "vgg11": (64, POOL, 128, POOL, 256, 256, POOL, 512, 512, POOL, 512, 512, POOL),
    "vgg13": (64, 64, POOL, 128, 128, POOL, 256, 256, POOL, 512, 512, POOL, 512, 512, POOL),
    "vgg16": (64, 64, POOL, 128, 128, POOL, 256, 256, 256, POOL, 512, 512, 512, POOL, 512, 512, 512, POOL),
    "vgg19": (
        *(64, 64, POOL, 128, 128, POOL, 256, 256, 256, 256, POOL),
        *(512, 512, 512, 512, POOL, 512, 512, 512, 512, POOL),
    ),
}
"""Maps of each 3×3 convolution, and where the image is halved."""


def parameters(knobs: Knobs, shape: Shape, classes: int) -> int:
    total, before = 0, shape[0]
    for maps in VARIANTS[knobs["channels"]]:
        if maps != POOL:
            total += (9 * before + 1) * maps + 2 * maps  # the convolution and its batch norm
            before = maps
    if shape[1] == LARGE_SIDE:
        return total + (before * 7 * 7 + 1) * 4096 + 4097 * 4096 + 4097 * classes
    return total + (before + 1) * classes


def build(shape: Shape, classes: int, channels: str) -> "nn.Module":
    """Gives logits, shape (batch, classes)."""
    from torch import nn

    before, height, _ = shape
    if height == LARGE_SIDE:
        return _large(before, classes, channels)
    layers: list[nn.Module] = [nn.ZeroPad2d((32 - height) // 2)] if height < 32 else []
    for maps in VARIANTS[channels]:
        if maps == POOL:
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(before, maps, kernel_size=3, padding=1), nn.BatchNorm2d(maps), nn.ReLU(inplace=True)]
            before = maps
    if height > 32:
        layers.append(nn.AdaptiveAvgPool2d(1))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before, classes))


def _large(before: int, classes: int, channels: str) -> "nn.Module":
    """torchvision's, as the paper has it."""
    from torch import nn
    from torchvision.models import vgg

    cfg: list[str | int] = ["M" if maps == POOL else maps for maps in VARIANTS[channels]]
    net: Any = vgg.VGG(vgg.make_layers(cfg, batch_norm=True), num_classes=classes)
    if before != 3:
        net.features[0] = nn.Conv2d(before, 64, kernel_size=3, padding=1)
    return cast("nn.Module", net)


MODEL = Model(
    name="vgg",
    title="VGG",
    description="Deep stack of 3×3 convolutions, each with batch norm and ReLU, halved five times. "
    "Adapted to small images: one linear layer in place of three; 28×28 is padded to 32×32, "
    "64×64 is averaged at the end. At 224×224 it is the paper's with batch norm.",
    citation="Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, 2014",
    shapes=SMALL_IMAGES + LARGE_IMAGES,
    parameters=parameters,
    build=build,
    knobs=(Knob("channels", "Channels", "choice", "vgg11", "Which list of convolutions", choices=tuple(VARIANTS)),),
    rank=10,
)
