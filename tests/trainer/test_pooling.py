"""Adaptive average pooling in a form that repeats on every device: the results are PyTorch's."""

import pytest
import torch
from torch import nn

from trainer import loop, pooling
from trainer.spec import parse


@pytest.mark.parametrize(
    ("before", "wanted"),
    [((6, 6), 6), ((8, 8), 4), ((8, 6), (2, 3)), ((7, 7), 1), ((7, 5), 3), ((3, 4), 7), ((5, 9), (None, 2))],
    ids=["as it is", "halves", "two sides", "to one pixel", "overlapping", "enlarged", "one side"],
)
def test_values_and_gradients_are_those_of_pytorch(before: tuple[int, int], wanted: object) -> None:
    theirs, ours = nn.AdaptiveAvgPool2d(wanted), nn.AdaptiveAvgPool2d(wanted)  # type: ignore[arg-type]
    pooling.make_repeatable(ours)
    assert type(ours) is pooling.AdaptiveAveragePool
    found = []
    for layer in (theirs, ours):
        maps = torch.randn(2, 3, *before, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        maps.requires_grad_()
        given = layer(maps)
        torch.autograd.backward((given**2).sum())
        found.append((given, maps.grad))
    for first, second in zip(*found, strict=True):
        assert first.shape == second.shape
        assert torch.allclose(first, second, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("model", ["alexnet", "zfnet", "vgg", "googlenet", "resnet"])
def test_no_net_keeps_a_pooling_that_a_gpu_refuses(model: str) -> None:
    net = loop.build(parse({"model": model, "dataset": "cifar10"}))
    assert all(type(layer) is not nn.AdaptiveAvgPool2d for layer in net.modules())
