"""What a net is made of, from a forward pass: its layers in the order they compute, their outputs, their work."""

from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from trainer import catalog, compiler
from trainer.entries import Knobs, Layer, Shape


def trace(model: str, knobs: Knobs, shape: Shape, classes: int) -> list[Layer]:
    """The layers that compute something, for one image of `shape` (channels, height, width).

    On PyTorch's meta device: shapes and operations are real, no number is computed. Multiply-adds are half of what
    PyTorch's FLOP counter counts, which is convolutions and matrix products.
    """
    compiler.put_off()
    with torch.device("meta"):
        net = catalog.MODELS[model].build(shape, classes, **knobs).eval()
        image = torch.empty(1, *shape)
    found: list[Layer] = []
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        for path, part in net.named_modules():
            if not list(part.children()):
                _watch(path, part, counter, found)
        net(image)
    return found


def _watch(path: str, part: nn.Module, counter: FlopCounterMode, found: list[Layer]) -> None:
    before = 0

    def begins(*_: Any) -> None:
        nonlocal before
        before = counter.get_total_flops()

    def ends(_: nn.Module, __: Any, output: torch.Tensor) -> None:
        found.append(
            Layer(
                path=path,
                title=_title(part),
                output=tuple(output.shape[1:]),
                parameters=sum(each.numel() for each in part.parameters() if each.requires_grad),
                multiply_adds=(counter.get_total_flops() - before) // 2,
            )
        )

    part.register_forward_pre_hook(begins)
    part.register_forward_hook(ends)


def _title(part: nn.Module) -> str:
    """`conv 3 × 3, 64 → 128`, `linear, 512 → 10`, `batch norm`"""
    match part:
        case nn.Conv2d():
            stride = f", stride {part.stride[0]}" if part.stride[0] > 1 else ""
            return f"conv {_size(part.kernel_size)}, {part.in_channels} → {part.out_channels}{stride}"
        case nn.Linear():
            return f"linear, {part.in_features} → {part.out_features}"
        case nn.BatchNorm2d():
            return "batch norm"
        case nn.MaxPool2d():
            return f"max pool {_size(part.kernel_size)}"
        case nn.AvgPool2d():
            return f"average pool {_size(part.kernel_size)}"
        case nn.AdaptiveAvgPool2d():
            return f"average pool to {_size(part.output_size)}"
        case nn.LocalResponseNorm():
            return "local response norm"
        case nn.Dropout():
            return f"dropout {part.p:g}"
        case nn.ZeroPad2d():
            return f"padding {part.padding[0]}"
        case nn.Flatten():
            return "flatten"
        case nn.LogSoftmax():
            return "log-softmax"
        case _:
            return type(part).__name__


def _size(size: Any) -> str:
    return " × ".join(str(side) for side in (size if isinstance(size, tuple) else (size, size)))
