"""What a run uses of the machine, from its series `system/…`: figures, and one sentence."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field
from sqlmodel import Session

from app.store import runs, series
from app.store.tables import ACTIVE, Run
from app.web.schemas import MetricOut
from trainer import catalog
from trainer.metrics import CORES, GPU, GPU_MEMORY, MACHINE, MEMORY, POWER

LATELY = 30
"""Samples, which is a minute: what a run that trains is said to use."""
WAITING_GPU, BUSY_CORE, WAITING_THREADS = 0.5, 0.85, 0.7
"""Shares: below the first a GPU waits, above the second a core is what it waits for; below the third a run's threads
are kept waiting themselves."""


class UsedOut(BaseModel):
    """One of the machine's figures, in its metric's unit."""

    metric: MetricOut
    mean: float
    highest: float
    last: float


class UsageOut(BaseModel):
    """What a run uses, or used."""

    samples: int = Field(description="One every two seconds, from the fourth second on; 0 of a run that was shorter.")
    sentence: str | None = Field(description="null without a sample.")
    of: Literal["start", "minute", "run"] = Field(
        description="Since when the sentence holds: since the run began, in the last minute, or over all of it."
    )
    items: dict[str, UsedOut] = Field(description="By the name of the series, of all samples.")


def usage(session: Session, run: Run) -> UsageOut:
    run_id = run.id or 0
    found = {metric: series.read(session, run_id, metric.name).values for metric in MACHINE}
    found = {metric: values for metric, values in found.items() if len(values)}
    if CORES not in found or MEMORY not in found:
        return UsageOut(samples=0, sentence=None, of="run", items={})
    samples, is_active = len(found[MEMORY]), run.status in ACTIVE
    since = -LATELY if is_active else 0
    means = {metric.name: float(np.mean(values[since:])) for metric, values in found.items()}
    ran = [attempt.environment for attempt in runs.attempts(session, [run_id]).get(run_id, []) if attempt.environment]
    threads = ran[-1]["threads"] if ran else catalog.threads(run.spec["model"]["name"], run.parameters)
    return UsageOut(
        samples=samples,
        of="run" if not is_active else "start" if samples < LATELY else "minute",
        sentence=sentence(means, threads, is_on_gpu=(run.device or "cpu") != "cpu"),
        items={
            metric.name: UsedOut(metric=MetricOut.of(metric), mean=values.mean(), highest=values.max(), last=values[-1])
            for metric, values in found.items()
        },
    )


def sentence(means: Mapping[str, float], threads: int, is_on_gpu: bool) -> str:
    """What a run uses, and what it waits for where that can be told.

    `means`: of each metric by its name; `threads`: as many as its net is given on a CPU.
    """
    cores = means[CORES.name]
    parts = []
    if GPU.name in means:
        waits = means[GPU.name] < WAITING_GPU and cores > BUSY_CORE
        parts.append(f"GPU {means[GPU.name]:.0%} busy{': it waits for the CPU' if waits else ''}")
    if is_on_gpu:
        parts.append(f"{cores:.1f} CPU cores")
    else:
        waits = cores < WAITING_THREADS * threads
        busy = f"{cores:.1f} of {threads} {'CPU core' if threads == 1 else 'CPU cores'} busy"
        parts.append(f"{busy}{': the disk or other programs keep it waiting' if waits else ''}")
    parts.append(f"{_size(means[MEMORY.name])} of memory")
    if GPU_MEMORY.name in means:
        parts[-1] += f" and {_size(means[GPU_MEMORY.name])} on the GPU"
    if POWER.name in means:
        parts.append(f"{means[POWER.name]:.0f} W")
    return ", ".join(parts)


def _size(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
