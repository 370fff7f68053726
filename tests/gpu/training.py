"""Trainings of a few steps in the test's own process, on random images of any shape."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer import catalog, checkpoint, devices, loop
from trainer.entries import LARGE_SIDE, Arrays, Shape
from trainer.loaded import LoadedData
from trainer.spec import RunSpec, parse

CLASSES = 10


def steps(device: torch.device, on_gpu: int) -> int:
    """So many on a GPU; three on a CPU, where a step of a large net takes a second."""
    return on_gpu if device.type == "cuda" else 3


def noise(shape: Shape) -> tuple[str, Arrays]:
    """A data set in the catalogue of this process, ten classes of noise, and its arrays."""
    large = shape[1] == LARGE_SIDE
    name, train, test = "noise-" + "x".join(map(str, shape)), 96 if large else 512, 16 if large else 64
    colour = (0.5,) * shape[0]
    sizes = {"train_size": train, "test_size": test}
    like = catalog.DATASETS["mnist"]
    catalog.add_dataset(
        dataclasses.replace(like, name=name, shape=shape, mean=colour, std=tuple(c / 2 for c in colour), **sizes)
    )
    random = np.random.default_rng(1)

    def part(size: int) -> tuple[Any, Any]:
        return random.integers(0, 256, (size, *shape), dtype=np.uint8), random.integers(0, CLASSES, size)

    return name, (*part(train), *part(test))


def spec_for(dataset: str, shape: Shape, **given: Any) -> RunSpec:
    """With few images a step where they are large."""
    return parse({"dataset": dataset, "batch_size": 4 if shape[1] == LARGE_SIDE else 32, "epochs": 9, **given})


def losses(
    spec: RunSpec, arrays: Arrays, device: torch.device, steps: int, state: loop.State | None = None
) -> tuple[list[float], loop.State]:
    """The training losses of so many steps, from the start or from a state, and the state after them."""
    devices.make_repeatable(spec, threads=1)  # as others want the cores too
    state = state or loop.start(spec, device)
    last, found = state.step + steps, []
    for measured in loop.train(spec, LoadedData(spec, arrays, device), state):
        if measured is not None and measured.name == "train/loss":
            found.append(measured.value)
        if state.step == last:
            break
    return found + [one.value for one in state.measured.flush() if one.name == "train/loss"], state


def resumed(spec: RunSpec, arrays: Arrays, device: torch.device, first: int, rest: int, folder: Path) -> loop.State:
    """A state that was kept in a file after `first` steps and loaded into a fresh one, trained for the `rest`."""
    _, state = losses(spec, arrays, device, first)
    kept = checkpoint.save(folder, state)  # before a fresh one seeds the random numbers anew
    fresh = loop.start(spec, device)
    checkpoint.load(kept, fresh)
    _, state = losses(spec, arrays, device, rest, fresh)
    return state
