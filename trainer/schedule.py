"""The learning rate over the steps of a run, as a multiple of the optimiser's. A function of the step alone, so that a
resumed run goes on with the same; no torch."""

import math

from trainer.spec import RunSpec

START, END = 25.0, 1e4
"""One-cycle: it begins at 1/START of the highest rate and ends at 1/END of that (Smith, Topin: Super-convergence, 2017;
the values are PyTorch's)."""
RISE = 0.3  # share of the steps of a one-cycle in which the rate rises, unless warm-up says how long


def factor(spec: RunSpec, step: int) -> float:
    """For the update number `step`, from 1. Warm-up is linear; then the schedule, `cosine` over the steps left."""
    done, total = step - 1, spec.steps_total
    warm: int = min(round(spec.warmup_epochs * spec.steps_per_epoch), total)
    if spec.schedule == "one-cycle":
        return _one_cycle(done, total, warm / total if warm else RISE)
    if done < warm:
        return (done + 1) / (warm + 1)
    if spec.schedule == "cosine":
        return (1 + math.cos(math.pi * (done - warm) / max(1, total - warm))) / 2
    if spec.schedule == "step":
        return float(spec.decay_factor ** (done // (spec.decay_epochs * spec.steps_per_epoch)))
    return 1.0


def _one_cycle(done: int, total: int, rise: float) -> float:
    highest = max(rise * total - 1, 1e-9)  # the step of the highest rate
    if done <= highest:
        return _between(1 / START, 1, done / highest)
    return _between(1, 1 / START / END, (done - highest) / max(total - 1 - highest, 1e-9))


def _between(first: float, last: float, share: float) -> float:
    return last + (first - last) / 2 * (1 + math.cos(math.pi * share))
