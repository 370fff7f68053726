"""Sizes of the nets, and that each takes the images that its entry says it takes."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from trainer import catalog, loop
from trainer.entries import Model, Shape
from trainer.spec import SpecError, parse

SHAPES = [(model, shape) for model in catalog.MODELS.values() for shape in model.shapes]


def size(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(
    ("model", "dataset", "count"),
    [("fc", "mnist", 6442), ("cnn", "mnist", 6422), ("cifar-net", "cifar10", 62_006), ("vgg", "cifar10", 9_231_114)],
)
def test_the_tutorials_nets_have_the_tutorials_size(model: str, dataset: str, count: int) -> None:
    spec = parse({"model": model, "dataset": dataset})
    assert spec.parameters == count
    assert size(loop.build(spec)) == count


@pytest.mark.parametrize(
    "model",
    [
        {"name": "fc", "n_hidden": 1},
        {"name": "fc", "n_hidden": 300},
        {"name": "cnn", "n_features": 17},
        *({"name": "vgg", "channels": variant} for variant in ("vgg13", "vgg16", "vgg19")),
    ],
    ids=str,
)
@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_the_catalogue_counts_parameters_as_the_built_net_does(model: dict[str, Any], dataset: str) -> None:
    spec = parse({"model": model, "dataset": dataset})
    assert size(loop.build(spec)) == spec.parameters


@pytest.mark.parametrize(("model", "shape"), SHAPES, ids=lambda one: one.name if isinstance(one, Model) else str(one))
def test_a_net_takes_the_images_that_it_says_it_takes(model: Model, shape: Shape) -> None:
    knobs = {knob.name: knob.default for knob in model.knobs}
    torch.manual_seed(1)
    net = model.build(shape, 7, **knobs)
    assert size(net) == model.parameters(knobs, shape, 7)
    given = net(torch.randn(3, *shape))
    assert given.shape == (3, 7)
    sums = given.exp().sum(dim=1)
    assert torch.allclose(sums, torch.ones(3), atol=1e-5) == model.log_probabilities
    functional.cross_entropy(given, torch.tensor([0, 3, 6])).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_a_net_that_can_not_take_the_images_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    only_grey = dataclasses.replace(catalog.MODELS["cnn"], shapes=((1, 28, 28),))
    monkeypatch.setitem(catalog.MODELS, "cnn", only_grey)
    with pytest.raises(SpecError, match=r"model cnn can't take cifar10's images of shape \(3, 32, 32\)"):
        parse({"model": "cnn", "dataset": "cifar10"})
