"""What runs use of the machine, sampled by the server as series `system/…` of each run.

The step of such a point is the number of the sample, from 1. Of a worker it is the process itself: what a plug-in
starts beside it is not counted. Of a GPU it is the card, whoever else uses it, but for the memory, which is the run's.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import psutil
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.store import runs, series
from app.store.engine import Writing, writing
from app.store.errors import StoreError
from app.store.runs import Claim
from app.store.series import Point
from trainer.metrics import CORES, GPU, GPU_MEMORY, MACHINE, MEMORY, POWER, TEMPERATURE, Metric

SAMPLE_SECONDS = 2.0
MB = 1e6

log = logging.getLogger("runyard.jobs")
Values = dict[str, float]
"""Name of a metric to what was read."""


class Working(NamedTuple):
    """A worker at work."""

    claim: Claim
    pid: int | None
    """None: it is not on this machine, and not sampled."""


class Sampler:
    """A thread in the server. `workers`: those at work; `devices`: as a launcher knows them."""

    def __init__(
        self,
        engine: Engine,
        workers: Callable[[], Iterable[Working]],
        devices: Callable[[], Sequence[Mapping[str, Any]] | None],
    ) -> None:
        self._engine, self._workers, self._devices = engine, workers, devices
        self._processes: dict[Working, Process] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="runyard-usage", daemon=True)
        self._said = ""

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            try:
                self.sample()
            except (StoreError, SQLAlchemyError):
                pass  # the dispatcher says what is wrong with the database
            except Exception as error:
                if repr(error) != self._said:
                    log.exception("what runs use could not be read; it is tried again")
                self._said = repr(error)

    def sample(self) -> None:
        """Read once what each worker uses, and record it of those that train."""
        working = [each for each in self._workers() if each.pid is not None]
        self._processes = {each: self._processes.get(each) or Process(each.pid or 0) for each in working}
        uuids = {device["name"]: device.get("uuid") for device in self._devices() or []}
        found: dict[Claim, Values] = {}
        for each, process in self._processes.items():
            with contextlib.suppress(psutil.Error):  # it has just gone
                if own := process.read():
                    uuid = uuids.get(each.claim.device)
                    found[each.claim] = own | (of_gpu(uuid, each.pid or 0) if uuid else {})
        if found:
            with writing(self._engine) as session:
                training = runs.training(session, [claim.run_id for claim in found])
                for claim, values in found.items():
                    if training.get(claim.run_id, (None,))[0] == claim.attempt:
                        _record(session, claim.run_id, training[claim.run_id][1], values)


def _record(session: Writing, run_id: int, seconds: float, values: Values) -> None:
    number = series.last_step(session, run_id, MEMORY.name) + 1
    if number == 1:
        series.declare(session, run_id, MACHINE)
    series.append(session, run_id, [Point(name, number, seconds, value) for name, value in values.items()])


class Process:
    """A worker's process."""

    def __init__(self, pid: int) -> None:
        self._process: psutil.Process | None = None
        with contextlib.suppress(psutil.Error):
            self._process = psutil.Process(pid)
        self._before: tuple[float, float] | None = None

    def read(self) -> Values:
        """Cores since the last reading, memory now; empty at the first one. Raises psutil.Error when it is gone."""
        if self._process is None:
            return {}
        with self._process.oneshot():
            times, memory = self._process.cpu_times(), self._process.memory_info()
        now, used = time.monotonic(), times.user + times.system
        before, self._before = self._before, (now, used)
        if before is None:
            return {}
        return {CORES.name: (used - before[1]) / (now - before[0]), MEMORY.name: memory.rss / MB}


def of_gpu(uuid: str, pid: int) -> Values:
    """What NVML says of a card, and of a process on it; what it does not say is left out."""
    import pynvml

    found: Values = {}
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        card = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        readings: list[tuple[Metric, Callable[[], float | None]]] = [
            (GPU, lambda: pynvml.nvmlDeviceGetUtilizationRates(card).gpu / 100),
            (GPU_MEMORY, lambda: _memory(pynvml.nvmlDeviceGetComputeRunningProcesses(card), pid)),
            (POWER, lambda: pynvml.nvmlDeviceGetPowerUsage(card) / 1000),
            (TEMPERATURE, lambda: pynvml.nvmlDeviceGetTemperature(card, pynvml.NVML_TEMPERATURE_GPU)),
        ]
        for metric, read in readings:
            with contextlib.suppress(pynvml.NVMLError):
                value = read()
                if value is not None:
                    found[metric.name] = float(value)
    return found


def _memory(processes: Iterable[Any], pid: int) -> float | None:
    """Of a process, in MB; None: it is not told, as to a container that has process ids of its own."""
    used = [each.usedGpuMemory for each in processes if each.pid == pid]
    return used[0] / MB if used and used[0] else None
