"""Adaptive average pooling that repeats itself to the last bit on a GPU."""

import torch
from torch import Tensor, nn
from torch.nn import functional

Sides = tuple[int, int]


class AdaptiveAveragePool(nn.AdaptiveAvgPool2d):
    """`nn.AdaptiveAvgPool2d` with the same results, but for the rounding where sides don't divide.

    On CUDA the gradient of PyTorch's own adds up in no fixed order, and deterministic mode refuses it. Here maps that
    have the size already pass as they are, sides that divide are pooled in equal windows, and any other pooling is two
    matrix products: all of these repeat.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (…, H, W) to maps of the module's output size."""
        before: Sides = (maps.shape[-2], maps.shape[-1])
        after = self._sides(before)
        if before == after:
            return maps
        if before[0] % after[0] == 0 and before[1] % after[1] == 0:
            return functional.avg_pool2d(maps, (before[0] // after[0], before[1] // after[1]))
        rows, columns = (averaging(a, b, like=maps) for a, b in zip(before, after, strict=True))
        return torch.matmul(torch.matmul(rows, maps), columns.mT)

    def _sides(self, before: Sides) -> Sides:
        wanted = self.output_size
        height, width = wanted if isinstance(wanted, tuple) else (wanted, wanted)
        return (before[0] if height is None else height, before[1] if width is None else width)


def averaging(before: int, after: int, like: Tensor) -> Tensor:
    """The matrix (after, before) that averages the windows of an adaptive pooling.

    Window i reaches from ⌊i·before/after⌋ up to ⌈(i+1)·before/after⌉, as PyTorch has it.
    """
    window = torch.arange(after, device=like.device)[:, None]
    first, end = window * before // after, -(-(window + 1) * before // after)
    place = torch.arange(before, device=like.device)
    return ((place >= first) & (place < end)).to(like.dtype) / (end - first).to(like.dtype)


def make_repeatable(model: nn.Module) -> None:
    """Let the net's adaptive average poolings, whoever built them, be of this kind."""
    for layer in model.modules():
        if type(layer) is nn.AdaptiveAvgPool2d:
            layer.__class__ = AdaptiveAveragePool
