"""A step that was captured as one graph gives the bits of one whose kernels were started one by one."""

from typing import Any

import pytest
import torch

from tests.gpu.training import losses, noise, spec_for, steps
from trainer import captured, catalog
from trainer.entries import Shape

GRAY, COLOUR = (1, 28, 28), (3, 32, 32)

RECIPES: dict[str, tuple[Shape, dict[str, Any]]] = {
    "fc": (GRAY, {"model": "fc"}),
    "cnn-shuffled-nesterov": (
        GRAY,
        {"model": "cnn", "pixel_order": "shuffled", "optimizer": {"name": "sgd", "momentum": 0.9, "nesterov": "on"}},
    ),
    "cnn-decay-clipped": (
        GRAY,
        {"model": "cnn", "gradient_clip": 0.5, "optimizer": {"name": "adamw", "lr": 0.001}},
    ),
    "cifar-net-adam": (COLOUR, {"model": "cifar-net", "optimizer": {"name": "adam", "lr": 0.001}}),
    "cifar-net-rmsprop": (COLOUR, {"model": "cifar-net", "optimizer": {"name": "rmsprop", "momentum": 0.5}}),
    "cifar-net-float16": (COLOUR, {"model": "cifar-net", "precision": "float16"}),
    "vgg-augmented": (
        COLOUR,
        {
            "model": {"name": "vgg", "channels": "vgg11"},
            "crop_padding": 4,
            "flip": "horizontal",
            "cutout": 8,
            "precision": "bfloat16",
            "optimizer": {"name": "adam", "lr": 0.001},
        },
    ),
    "resnet-one-cycle": (
        COLOUR,
        {
            "model": {"name": "resnet", "depth": "resnet18"},
            "crop_padding": 4,
            "pixel_order": "shuffled",
            "label_smoothing": 0.1,
            "schedule": "one-cycle",
            "precision": "bfloat16",
            "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": "on", "weight_decay": 0.0005},
        },
    ),
    "alexnet-dropout": (catalog.MODELS["alexnet"].shapes[0], {"model": "alexnet"}),
}
FEW = ("fc", "cifar-net-rmsprop")


@pytest.mark.parametrize(
    "recipe", [pytest.param(name, marks=[pytest.mark.few] if name in FEW else []) for name in RECIPES]
)
def test_a_captured_step_gives_the_same_bits(
    device: torch.device, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    shape, given = RECIPES[recipe]
    if (device.type, given.get("precision")) == ("cpu", "float16"):
        pytest.skip("float16 needs a GPU")
    dataset, arrays = noise(shape)
    batch_size = 60 if len(arrays[1]) == 512 else 10  # the last batch of an epoch is a short one
    spec = spec_for(dataset, shape, **given, batch_size=batch_size)
    count = steps(device, 3 * spec.steps_per_epoch + 2)
    replays = []
    replay = captured.CapturedStep.__call__
    monkeypatch.setattr(captured.CapturedStep, "__call__", lambda self, at: replays.append(1) or replay(self, at))
    ours, state = losses(spec, arrays, device, count)
    if captured.can_capture(spec, device):
        assert len(replays) == count - captured.EAGER_STEPS - 3  # the short ones
    else:
        assert not replays
    monkeypatch.setattr(captured, "can_capture", lambda *_: False)
    theirs, plain = losses(spec, arrays, device, count)
    assert ours == theirs
    assert all(map(torch.equal, state.model.state_dict().values(), plain.model.state_dict().values()))
    if recipe != "alexnet-dropout":  # both would draw from the one sequence of random numbers
        losses(spec, arrays, device, count, state)  # goes on, and without a graph now
        losses(spec, arrays, device, count, plain)
        assert all(map(torch.equal, state.model.state_dict().values(), plain.model.state_dict().values()))
