"""Which steps are captured, and what of a step; what a graph does on a card is in tests/gpu/test_captured.py."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.gpu.training import losses, noise, spec_for
from trainer import captured, catalog
from trainer.spec import RunSpec, parse

CPU, CARD = torch.device("cpu"), torch.device("cuda:0")


@pytest.fixture(autouse=True)
def catalogue() -> Iterator[None]:
    """As it was, after a test that put a data set into it."""
    before = catalog.DATASETS
    yield
    catalog.DATASETS = before


class Repeated:
    """Stands in for a graph where there is no card: takes the step that it was given."""

    made: "list[Repeated]"

    def __init__(self, step: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer, *_: Any) -> None:
        self.step, self.weights = step, optimizer.param_groups[0]["params"][0]
        self.calls = self.restored = 0
        self.updates: set[bool] = set()
        self.made.append(self)

    def __call__(self, indices: Tensor) -> Tensor:
        before = self.weights.detach().clone()
        values = self.step(indices)
        self.updates.add(not torch.equal(before, self.weights))
        self.calls += 1
        return values

    def restore_gradients(self) -> None:
        self.restored += 1


@pytest.mark.parametrize(
    ("given", "updates"),
    [
        ({}, True),
        ({"optimizer": "adam"}, True),
        ({"optimizer": "rmsprop"}, False),
        ({"schedule": "cosine"}, False),
        ({"warmup_epochs": 1}, False),
    ],
)
def test_full_batches_are_captured_with_the_update_where_its_rate_stays(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], updates: bool
) -> None:
    dataset, arrays = noise((1, 28, 28))
    spec = spec_for(dataset, (1, 28, 28), model="fc", batch_size=100, **given)  # five full batches and one of 12
    plain, _ = losses(spec, arrays, CPU, 14)
    monkeypatch.setattr(captured, "can_capture", lambda *_: True)
    monkeypatch.setattr(captured, "CapturedStep", Repeated)
    Repeated.made = []
    assert losses(spec, arrays, CPU, 14)[0] == plain
    (graph,) = Repeated.made
    assert (graph.calls, graph.restored) == (14 - captured.EAGER_STEPS - 2, 2)
    assert graph.updates == {updates}


def test_what_is_not_the_same_kernels_each_time_is_not_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    def spec(**given: Any) -> RunSpec:
        return parse({"dataset": "digits", "model": "cnn", **given})

    assert captured.can_capture(spec(), CARD)
    assert captured.can_capture(spec(precision="bfloat16"), CARD)
    assert not captured.can_capture(spec(), CPU)
    assert not captured.can_capture(spec(precision="float16"), CARD)
    others = dataclasses.replace(catalog.MODELS["cnn"], static=False)  # as a package's own is, unless it says otherwise
    monkeypatch.setitem(catalog.MODELS, "cnn", others)
    assert not captured.can_capture(spec(), CARD)
