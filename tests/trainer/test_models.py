"""Sizes of the nets, and that each takes the images that its entry says it takes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision.models
from torch import nn
from torch.nn import functional

from trainer import catalog, loop
from trainer.entries import Model, Shape
from trainer.spec import SpecError, parse
from trainer.trace import trace

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
        *({"name": "resnet", "depth": depth} for depth in ("resnet34", "resnet50")),
    ],
    ids=str,
)
@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_the_catalogue_counts_parameters_as_the_built_net_does(model: dict[str, Any], dataset: str) -> None:
    spec = parse({"model": model, "dataset": dataset})
    with torch.device("meta"):
        assert size(loop.build(spec)) == spec.parameters


@pytest.mark.parametrize(
    ("model", "knobs", "standard"),
    [
        ("alexnet", {}, torchvision.models.alexnet),
        ("vgg", {"channels": "vgg11"}, torchvision.models.vgg11_bn),
        ("vgg", {"channels": "vgg13"}, torchvision.models.vgg13_bn),
        ("vgg", {"channels": "vgg16"}, torchvision.models.vgg16_bn),
        ("vgg", {"channels": "vgg19"}, torchvision.models.vgg19_bn),
        ("googlenet", {}, lambda: torchvision.models.googlenet(aux_logits=False, init_weights=False)),
        ("resnet", {"depth": "resnet18"}, torchvision.models.resnet18),
        ("resnet", {"depth": "resnet34"}, torchvision.models.resnet34),
        ("resnet", {"depth": "resnet50"}, torchvision.models.resnet50),
    ],
)
def test_at_imagenets_size_a_net_is_torchvisions(
    model: str, knobs: dict[str, Any], standard: Callable[[], nn.Module]
) -> None:
    entry = catalog.MODELS[model]
    knobs = {knob.name: knob.default for knob in entry.knobs} | knobs
    with torch.device("meta"):
        expected, built = standard(), entry.build((3, 224, 224), 1000, **knobs)
    assert [tuple(one.shape) for one in built.parameters()] == [tuple(one.shape) for one in expected.parameters()]
    assert entry.parameters(knobs, (3, 224, 224), 1000) == size(expected)


def test_zfnet_has_the_papers_layers() -> None:
    """96 filters of 7×7 to 55×55, 256 of 5×5 to 13×13, 6×6 maps before 4096-4096-1000: the paper's figure 3."""
    found = trace("zfnet", {"dropout": 0.5}, (3, 224, 224), 1000)
    layers = [one for one in found if one.parameters or "pool" in one.title]
    assert [one.output for one in layers][:4] == [(96, 110, 110), (96, 55, 55), (256, 26, 26), (256, 13, 13)]
    assert [one.output for one in layers if "linear" in one.title] == [(4096,), (4096,), (1000,)]
    assert "linear, 9216 → 4096" in [one.title for one in layers]


@pytest.mark.parametrize(("model", "shape"), SHAPES, ids=lambda one: one.name if isinstance(one, Model) else str(one))
def test_a_net_takes_the_images_that_it_says_it_takes(model: Model, shape: Shape) -> None:
    knobs = {knob.name: knob.default for knob in model.knobs}
    torch.manual_seed(1)
    torch.set_num_threads(1)  # several wait for each other where other tests run
    net = model.build(shape, 7, **knobs)
    assert size(net) == model.parameters(knobs, shape, 7)
    given = net(torch.randn(2, *shape))
    assert given.shape == (2, 7)
    sums = given.exp().sum(dim=1)
    assert torch.allclose(sums, torch.ones(2), atol=1e-5) == model.log_probabilities
    functional.cross_entropy(given, torch.tensor([0, 6])).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_a_net_that_can_not_take_the_images_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    only_grey = dataclasses.replace(catalog.MODELS["cnn"], shapes=((1, 28, 28),))
    monkeypatch.setitem(catalog.MODELS, "cnn", only_grey)
    with pytest.raises(SpecError, match=r"model cnn can't take cifar10's images of shape \(3, 32, 32\)"):
        parse({"model": "cnn", "dataset": "cifar10"})


@pytest.mark.parametrize(("model", "dataset"), [("cnn", "mnist"), ("cifar-net", "cifar10")])
def test_relu_behind_the_pooling_gives_the_bits_that_it_gives_before_it(model: str, dataset: str) -> None:
    spec = parse({"model": model, "dataset": dataset})
    net = loop.build(spec)
    layers = list(net)  # type: ignore[call-overload]
    for at in [at for at, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]:
        layers[at : at + 2] = reversed(layers[at : at + 2])
    textbook = nn.Sequential(*layers)
    assert sum(isinstance(layer, nn.ReLU) for layer in layers) > 2
    assert [type(layer) for layer in textbook[:3]] == [nn.Conv2d, nn.ReLU, nn.MaxPool2d]
    images = torch.randn(64, *catalog.DATASETS[dataset].shape)
    gradients = []
    for each in (net, textbook):
        each.zero_grad()
        each(images).square().sum().backward()
        gradients.append([weights.grad.clone() for weights in each.parameters() if weights.grad is not None])
    assert torch.equal(net(images), textbook(images))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*gradients, strict=True))
