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


Cost = frozenset[tuple[str, Any]]
"""The knobs that a step's cost depends on."""
Rates = Mapping[tuple[str, Cost], float]
"""Kind of device and cost to seconds a step."""


def rates(past: Iterable[Past]) -> Rates:
    """The median of the runs that are alike in all that a step's cost depends on."""
    found: dict[tuple[str, Cost], list[float]] = {}
    for one in past:
        if one.steps:
            found.setdefault((_kind(one.device), cost(one.knobs)), []).append(one.seconds / one.steps)
    return {alike: statistics.median(each) for alike, each in found.items()}


def seconds_a_step(knobs: Mapping[str, Any], device: str, known: Rates) -> float | None:
    """None where no run was like it. `device`: cpu, cuda or cuda:N; GPUs of one machine are taken to be alike."""
    return known.get((_kind(device), cost(knobs)))


def cost(knobs: Mapping[str, Any]) -> Cost:
    """Of knobs by path, what a step's cost depends on."""
    return frozenset((path, value) for path, value in knobs.items() if path not in FREE)


def _kind(device: str) -> str:
    return device.partition(":")[0]
