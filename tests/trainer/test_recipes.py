"""Schedules, label smoothing, clipping, cutout, early stopping, kept weights: as PyTorch's, or as the papers say."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import lr_scheduler

from trainer import catalog, devices, forward, loop
from trainer.loaded import Augmented, LoadedData, cutouts
from trainer.prepared import Places, load
from trainer.schedule import factor
from trainer.spec import RunSpec, SpecError, parse

CPU = torch.device("cpu")
STEPS = 113  # of an epoch of digits in batches of 64


def spec_of(**given: Any) -> RunSpec:
    return parse({"dataset": "digits", **given})


def rates(spec: RunSpec) -> list[float]:
    return [factor(spec, step) for step in range(1, spec.steps_total + 1)]


def of_torch(steps: int, make: Any) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def warmed(optimizer: torch.optim.Optimizer, warm: int, after: Any) -> Any:
    rising = lr_scheduler.LinearLR(optimizer, start_factor=1 / (warm + 1), total_iters=warm)
    return lr_scheduler.SequentialLR(optimizer, [rising, after], milestones=[warm])


@pytest.mark.parametrize(
    ("given", "theirs"),
    [
        ({"schedule": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, 3 * STEPS)),
        (
            {"schedule": "step", "decay_epochs": 2, "decay_factor": 0.5},
            lambda o: lr_scheduler.StepLR(o, 2 * STEPS, 0.5),
        ),
        (
            {"schedule": "one-cycle"},
            lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=3 * STEPS, cycle_momentum=False),
        ),
        (
            {"schedule": "one-cycle", "warmup_epochs": 1},
            lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=3 * STEPS, pct_start=1 / 3, cycle_momentum=False),
        ),
    ],
    ids=["cosine", "step", "one-cycle", "one-cycle with its rise"],
)
def test_a_schedule_is_that_of_torch(given: dict[str, Any], theirs: Any) -> None:
    ours = rates(spec_of(epochs=3, **given))
    assert ours == pytest.approx(of_torch(3 * STEPS, theirs), abs=1e-9)


@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_warm_up_rises_evenly_to_the_rate_and_the_cosine_takes_the_rest() -> None:
    ours = rates(spec_of(epochs=2, schedule="cosine", warmup_epochs=0.5))
    warm = round(STEPS / 2)
    assert ours[:warm] == pytest.approx([(at + 1) / (warm + 1) for at in range(warm)])
    rest = 2 * STEPS - warm
    assert ours[warm:] == pytest.approx([(1 + math.cos(math.pi * at / rest)) / 2 for at in range(rest)])
    assert max(ours) == ours[warm] == 1
    assert rates(spec_of(warmup_epochs=1))[:2] == pytest.approx([1 / (STEPS + 1), 2 / (STEPS + 1)])


@pytest.mark.parametrize("epochs", [1, 2])
def test_the_shortest_runs_have_a_rate(epochs: int) -> None:
    for schedule in ("cosine", "one-cycle", "step"):
        found = rates(spec_of(epochs=epochs, batch_size=65_536, schedule=schedule, warmup_epochs=0.2))
        assert len(found) == epochs
        assert all(0 <= rate <= 1 for rate in found)


def test_label_smoothing_is_that_of_torch_for_both_kinds_of_net() -> None:
    given, labels = torch.randn(20, 10, generator=torch.Generator().manual_seed(1)), torch.arange(20) % 10
    expected = functional.cross_entropy(given, labels, label_smoothing=0.1)
    logits = forward.loss(spec_of(model="cifar-net"), given, labels, smoothing=0.1)
    log_probabilities = forward.loss(spec_of(model="fc"), given.log_softmax(1), labels, smoothing=0.1)
    assert torch.allclose(logits, expected)
    assert torch.allclose(log_probabilities, expected)
    plain = forward.loss(spec_of(model="fc"), given.log_softmax(1), labels)
    assert torch.allclose(plain, functional.cross_entropy(given, labels))


def trained(places: Places, stop_after: int = 10**9, **given: Any) -> tuple[list[loop.Measurement], loop.State]:
    spec = spec_of(**given)
    devices.make_repeatable(spec, threads=1)
    state = loop.start(spec, CPU)
    data = LoadedData(spec, load(spec.dataset, places), CPU)
    found = []
    for measured in loop.train(spec, data, state):
        if measured:
            found.append(measured)
        if state.step >= stop_after:
            break
    return found, state


def test_the_optimiser_is_given_the_schedules_rate_and_a_clipped_gradient(places: Places) -> None:
    spec = {"schedule": "cosine", "optimizer": {"name": "sgd", "lr": 0.5, "momentum": 0}, "gradient_clip": 0.01}
    _, state = trained(places, stop_after=40, **spec)
    assert state.optimizer.param_groups[0]["lr"] == 0.5 * factor(spec_of(**spec), 40)
    norm = torch.linalg.vector_norm(
        torch.cat([one.grad.flatten() for one in state.model.parameters() if one.grad is not None])
    )
    assert norm == pytest.approx(0.01, rel=1e-3)


def test_nesterov_and_weight_decay_reach_torch_and_nesterov_needs_a_momentum() -> None:
    state = loop.start(spec_of(optimizer={"name": "sgd", "nesterov": "on", "momentum": 0.9, "weight_decay": 0.1}), CPU)
    group = state.optimizer.param_groups[0]
    assert (group["nesterov"], group["weight_decay"], group["momentum"]) == (True, 0.1, 0.9)
    assert isinstance(loop.start(spec_of(optimizer="adamw"), CPU).optimizer, torch.optim.AdamW)
    rmsprop = loop.start(spec_of(optimizer={"name": "rmsprop", "alpha": 0.9}), CPU).optimizer
    assert (type(rmsprop), rmsprop.param_groups[0]["alpha"]) == (torch.optim.RMSprop, 0.9)
    with pytest.raises(SpecError, match=r"optimizer.nesterov is 'on' with momentum 0: give it a momentum"):
        spec_of(optimizer={"name": "sgd", "nesterov": "on", "momentum": 0})


def test_a_run_ends_early_when_nothing_gets_better_and_keeps_the_best_weights(places: Places) -> None:
    # a rate that falls to nearly nothing: from the second epoch on nothing changes
    given = {"model": "fc", "epochs": 9, "schedule": "step", "decay_epochs": 1, "decay_factor": 1e-9}
    found, state = trained(places, **given, early_stopping=2, keep="best", optimizer={"name": "sgd", "lr": 0.05})
    accuracies = [one.value for one in found if one.name == "test/accuracy"]
    assert accuracies == [accuracies[0]] * 3
    assert (state.epochs_tested, state.best_epoch) == (3, 1)
    spec = spec_of(**given, early_stopping=2, keep="best")
    data = LoadedData(spec, load("digits", places), CPU)
    (said,) = [one for one in loop.last_test(spec, data, state) if one is not None]
    assert said.accuracy == state.best_accuracy == accuracies[0]
    assert state.best_weights is not None
    kept = state.model.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in state.best_weights.items())


def test_a_cutout_paints_a_square_in_the_mean_colour_and_leaves_crops_as_they_are() -> None:
    images = torch.full((200, 1, 28, 28), 255, dtype=torch.uint8)
    spec, indices = spec_of(cutout=8), torch.arange(200)
    given = Augmented(spec, 1, 200, CPU)(images, indices)
    rows, columns = cutouts(spec, 1, 200)
    colour = round(255 * catalog.DATASETS["digits"].mean[0])
    for image, row, column in zip(given, rows, columns, strict=True):
        expected = np.full((28, 28), 255)
        expected[max(0, row - 4) : row + 4, max(0, column - 4) : column + 4] = colour
        assert np.array_equal(image[0].numpy(), expected)
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) > 150
    cropped = {"crop_padding": 4, "flip": "horizontal"}
    ramp = torch.arange(200 * 784).reshape(200, 1, 28, 28).remainder(251).byte()
    both, crops = (Augmented(spec_of(**cropped, cutout=cut), 1, 200, CPU)(ramp, indices) for cut in (8, 0))
    assert (both != crops).float().mean() < 0.09  # an eighth of a side, squared, and no more


@pytest.mark.parametrize(
    ("wanted", "has", "before", "settled"),
    [
        ("float32", True, None, "float32"),
        ("auto", True, None, "bfloat16"),
        ("auto", False, None, "float32"),
        ("auto", False, "bfloat16", "bfloat16"),  # a run goes on as it began
    ],
)
def test_auto_is_the_precision_that_the_device_computes_in(
    monkeypatch: pytest.MonkeyPatch, wanted: str, has: bool, before: str | None, settled: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "amx_bf16": has, "cpu_name": "any"})
    assert devices.settle(spec_of(precision=wanted), CPU, before).precision == settled
