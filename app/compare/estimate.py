"""How long a run will take, from those that ran here before: pure functions."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FREE = ("seed", "permutation_seed", "pixel_order", "epochs", "device", "optimizer.lr", "optimizer.momentum")
"""Knobs that do not change what a step costs."""


@dataclass(frozen=True)
class Past:
    """A run that succeeded: what it trained, where, for how many steps and seconds."""

    knobs: Mapping[str, Any]
    device: str
    steps: int
    seconds: float


def seconds_a_step(knobs: Mapping[str, Any], device: str, past: Iterable[Past]) -> float | None:
    """Median over the runs alike in all that a step's cost depends on; None when there was none.

    `device`: cpu, cuda or cuda:N; GPUs of one machine are taken to be alike.
    """
    rates = [
        one.seconds / one.steps
        for one in past
        if one.steps and _kind(one.device) == _kind(device) and _cost(one.knobs) == _cost(knobs)
    ]
    return statistics.median(rates) if rates else None


def _kind(device: str) -> str:
    return device.partition(":")[0]


def _cost(knobs: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in knobs.items() if path not in FREE}
