"""Every model, on every shape that it says it takes, in every precision: it trains, and repeats to the last bit."""

import math

import pytest
import torch

from tests.gpu.training import losses, noise, spec_for, steps
from trainer import catalog
from trainer.entries import Shape

EACH = [(model.name, shape) for model in catalog.MODELS.values() for shape in model.shapes]
FEW = [("fc", (1, 28, 28)), ("cnn", (1, 28, 28)), ("alexnet", (3, 64, 64))]
"""Quick ones, and one that pools adaptively."""


def case(model: str, shape: Shape, *more: str) -> object:
    marks = [pytest.mark.few] if (model, shape) in FEW else []
    return pytest.param(model, shape, *more, id="-".join([model, "x".join(map(str, shape)), *more]), marks=marks)


@pytest.mark.parametrize(
    ("model", "shape", "precision"),
    [case(*one, precision) for one in EACH for precision in ("float32", "bfloat16", "float16")],
)
def test_a_training_repeats_to_the_last_bit(device: torch.device, model: str, shape: Shape, precision: str) -> None:
    if (device.type, precision) == ("cpu", "float16"):
        pytest.skip("float16 needs a GPU")
    dataset, arrays = noise(shape)
    spec = spec_for(dataset, shape, model=model, precision=precision, optimizer={"name": "adam", "lr": 0.0003})
    first, _ = losses(spec, arrays, device, steps(device, 20))
    again, _ = losses(spec, arrays, device, steps(device, 20))
    assert len(first) == steps(device, 20)
    assert all(map(math.isfinite, first))
    assert first == again


@pytest.mark.parametrize(("model", "shape"), [case(*one) for one in EACH])
def test_the_first_loss_in_float32_is_that_of_the_cpu(device: torch.device, model: str, shape: Shape) -> None:
    dataset, arrays = noise(shape)
    drops = any(knob.name == "dropout" for knob in catalog.MODELS[model].knobs)  # other random numbers on a GPU
    spec = spec_for(dataset, shape, model={"name": model, **({"dropout": 0} if drops else {})})
    (here,), _ = losses(spec, arrays, device, 1)
    (there,), _ = losses(spec, arrays, torch.device("cpu"), 1)
    assert here == pytest.approx(there, abs=1e-4)
