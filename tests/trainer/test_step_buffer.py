"""Losses that come off in blocks, as on a GPU: none is lost, and one that is no number is met at its step."""

import math
from collections.abc import Iterable

import pytest
import torch

from trainer.loop import BLOCK, Diverged, Measurement, StepBuffer

CPU = torch.device("cpu")


def steps(measured: Iterable[Measurement]) -> list[int]:
    return [one.step for one in measured if one.name == "train/loss"]


def add(losses: StepBuffer, first: int, last: int, **values: float) -> list[int]:
    """Losses of these steps, `step_7=nan` for another value of one; the steps that came off meanwhile."""
    came = []
    for step in range(first, last + 1):
        losses.add(step, torch.tensor([values.get(f"step_{step}", 1.0), math.nan]))
        came += steps(losses.ready())
    return came


@pytest.fixture
def losses() -> StepBuffer:
    found = StepBuffer(CPU, in_blocks=True)
    found._sent_at = math.inf  # blocks fill up: they are not sent by the clock
    return found


def test_a_loss_comes_off_once_in_order_and_a_block_late(losses: StepBuffer) -> None:
    came = add(losses, 1, 2 * BLOCK)
    assert came == list(range(1, BLOCK + 1)), "the first block, when the second is sent"
    assert steps(losses.flush()) == list(range(BLOCK + 1, 2 * BLOCK + 1))
    assert steps(losses.flush()) == []


def test_on_a_cpu_a_loss_is_there_at_once() -> None:
    losses = StepBuffer(CPU)
    for step in (1, 2):
        losses.add(step, torch.tensor([1.0, 2.0]))
        assert steps(losses.ready()) == [step]


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("sent", [0, 10], ids=["still gathering", "on its way"])
def test_a_flush_gives_what_came_before_a_loss_that_is_no_number(losses: StepBuffer, value: float, sent: int) -> None:
    add(losses, 1, 5 + sent, step_4=value)
    if sent:
        losses._send()
    came = []
    with pytest.raises(Diverged) as caught:
        came.extend(losses.flush())
    assert (steps(came), caught.value.step) == ([1, 2, 3], 4)


def test_a_block_that_is_exchanged_is_looked_at_too(losses: StepBuffer) -> None:
    with pytest.raises(Diverged, match="loss became NaN at step 7"):
        add(losses, 1, 2 * BLOCK, step_7=math.nan)
