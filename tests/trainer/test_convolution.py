"""Convolutions of small maps as a matrix product are those of PyTorch."""

import pytest
import torch
from torch import nn

from trainer import loop
from trainer.convolution import SIDE, Convolution, quicken
from trainer.spec import parse


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (4, 3), (SIDE, SIDE), (SIDE + 1, SIDE)], ids=str)
def test_values_and_gradients_are_those_of_pytorch(size: tuple[int, int], precision: str) -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    theirs = nn.Conv2d(5, 7, kernel_size=3, padding=1, bias=precision == "float32")
    ours = nn.Conv2d(5, 7, kernel_size=3, padding=1, bias=precision == "float32")
    ours.load_state_dict(theirs.state_dict())
    quicken(ours)
    assert type(ours) is Convolution
    wanted = torch.randn(3, 7, *size)
    found = []
    for layer in (theirs, ours):
        images = torch.randn(3, 5, *size, generator=torch.Generator().manual_seed(2))
        images = images.to(memory_format=torch.channels_last).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            given = layer(images)
        torch.autograd.backward(((given.float() - wanted) ** 2).sum())
        found.append([given.float(), images.grad, *(one.grad for one in layer.parameters())])
    tolerance = 1e-4 if precision == "float32" else 0.1
    for first, second in zip(*found, strict=True):
        assert first is not None
        assert second is not None
        assert torch.allclose(first, second, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("model", ["vgg", "resnet"])
def test_a_net_that_torchvision_built_has_them_and_its_weights_keep_their_names(model: str) -> None:
    net = loop.build(parse({"model": model, "dataset": "cifar10"}))
    assert any(type(layer) is Convolution for layer in net.modules())
    other = loop.build(parse({"model": model, "dataset": "cifar10", "seed": 2}))
    assert net.state_dict().keys() == other.state_dict().keys()
    strided = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d) and layer.stride != (1, 1)]
    assert all(type(layer) is nn.Conv2d for layer in strided)
