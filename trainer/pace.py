"""How long a step takes on this machine: a few steps on images of noise, by the training loop itself."""

import time

import numpy as np
import numpy.typing as npt
import torch

from trainer import catalog, loop
from trainer.entries import Arrays
from trainer.loaded import LoadedData
from trainer.spec import RunSpec

STEPS = 20
WARM_STEPS = 2
"""Not counted: memory is found, kernels are chosen."""
LONGEST_SECONDS = 15.0
FORWARD_SHARE = 1 / 3
"""Of a step's time, that of passing the images through: where the test was not reached."""


def seconds_a_step(spec: RunSpec, device: torch.device) -> float:
    """Of one step and its share of the tests after each epoch. Ends after STEPS steps, or LONGEST_SECONDS."""
    spec = spec.model_copy(update={"epochs": 1, "validation": 0})
    dataset = catalog.DATASETS[spec.dataset]
    ratio = dataset.test_size / dataset.train_size
    data = LoadedData(spec, _noise(spec, STEPS * spec.batch_size, ratio), device)
    state = loop.start(spec, device)
    # of a CPU its own time: whatever else runs, and comes first, does not count
    threads = torch.get_num_threads()
    clock = time.perf_counter if device.type != "cpu" else lambda: time.process_time() / threads
    began = warm = stepped = clock()
    taken = 0
    for point in loop.train(spec, data, state):
        if point is not None or taken == state.step:  # a measurement, or a batch of the test
            continue
        taken, stepped = state.step, clock()
        if taken <= WARM_STEPS:
            warm = stepped
        elif stepped - began > LONGEST_SECONDS and taken < STEPS:
            return (stepped - warm) / (taken - WARM_STEPS) * (1 + FORWARD_SHARE * ratio)
    return (stepped - warm) / (STEPS - WARM_STEPS) + (clock() - stepped) / STEPS


def _noise(spec: RunSpec, size: int, ratio: float) -> Arrays:
    """Training images, uint8 (N, C, H, W), their labels, int64 (N,), and the same to test with."""
    dataset = catalog.DATASETS[spec.dataset]
    random = np.random.default_rng(0)

    def images(count: int) -> npt.NDArray[np.uint8]:
        return random.integers(0, 256, (count, *dataset.shape), dtype=np.uint8)

    def labels(count: int) -> npt.NDArray[np.int64]:
        return random.integers(0, len(dataset.classes), count)

    tests = max(1, round(size * ratio))
    return images(size), labels(size), images(tests), labels(tests)
