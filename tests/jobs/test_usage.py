"""What workers use is sampled by their processes, numbered on, and recorded for those that train."""

import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from app.jobs.usage import Sampler, Working
from app.store import experiments, runs, series
from app.store.engine import open_database, reading, writing
from app.store.runs import Claim, Start
from app.store.series import Point
from trainer.metrics import CORES, GPU, GPU_MEMORY, MACHINE, MEMORY, POWER, TEMPERATURE

CARD = {"name": "cuda:0", "title": "A card", "memory": 80 * 10**9, "uuid": "GPU-1"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(tmp_path / "runyard.db")
    yield opened
    opened.dispose()


@pytest.fixture
def busy() -> Iterator[int]:
    """A process that takes all of a core."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process.pid
        process.kill()


def begun(engine: Engine, count: int, device: str = "cpu") -> list[Claim]:
    """Runs that train."""
    body = experiments.ExperimentSpec(name="x", base={"model": "fc"}, grid={"seed": list(range(1, count + 1))})
    claims = []
    for row in experiments.create(engine, body)[1]:
        with writing(engine) as session:
            claims.append(runs.claim(session, row, device))
        runs.begin(engine, claims[-1].run_id, claims[-1].attempt, {}, Start())
    return claims


def recorded(engine: Engine, run_id: int, name: str) -> list[tuple[int, float]]:
    with reading(engine) as session:
        points = series.read(session, run_id, name)
    return list(zip(points.steps.tolist(), points.values.tolist(), strict=True))


def sampled(engine: Engine, working: list[Working], times: int, devices: Any = ()) -> None:
    sampler = Sampler(engine, lambda: working, lambda: devices)
    for _ in range(times):
        sampler.sample()
        sum(range(2_000_000))  # some time goes by


def test_samples_are_numbered_and_go_on_under_another_server(engine: Engine, busy: int) -> None:
    (claim,) = begun(engine, 1)
    with writing(engine) as session:
        runs.progress(session, claim.run_id, claim.attempt, 10, 2.5)
    sampled(engine, [Working(claim, busy)], 4)
    sampled(engine, [Working(claim, busy)], 3)  # the first reading of each is what the next ones are measured from
    cores = recorded(engine, claim.run_id, CORES.name)
    assert [number for number, _ in cores] == [1, 2, 3, 4, 5]
    assert all(0.05 < value < 1.5 for _, value in cores)
    assert all(2 < value < 1000 for _, value in recorded(engine, claim.run_id, MEMORY.name)), "MB of a bare Python"
    with reading(engine) as session:
        assert set(series.read(session, claim.run_id, CORES.name).times) == {2.5}, "seconds of training"
        assert series.declared(session, [claim.run_id])[claim.run_id]["system/gpu"] == GPU


def test_only_what_trains_on_this_machine_is_sampled(engine: Engine, busy: int) -> None:
    ended, superseded, elsewhere, gone, trains = begun(engine, 5)
    with writing(engine) as session:
        runs.move(session, ended.run_id, runs.Status.SUCCEEDED, attempt=ended.attempt)
    old = Claim(superseded.run_id, superseded.attempt - 1, superseded.device, superseded.files)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    pids = {ended: busy, old: busy, elsewhere: None, gone: child.pid, trains: busy}
    sampled(engine, [Working(claim, pid) for claim, pid in pids.items()], 3)
    there = [bool(recorded(engine, claim.run_id, MEMORY.name)) for claim in pids]
    assert there == [False, False, False, False, True]


class Trouble(Exception):
    pass


def nvml(processes: list[Any]) -> types.ModuleType:
    """NVIDIA's library, as it answers for one card that doesn't know its temperature."""
    fake: Any = types.ModuleType("pynvml")
    fake.NVMLError, fake.NVML_TEMPERATURE_GPU = Trouble, 0
    fake.nvmlInit = lambda: None
    fake.nvmlDeviceGetHandleByUUID = {"GPU-1": "card"}.__getitem__
    fake.nvmlDeviceGetUtilizationRates = lambda card: types.SimpleNamespace(gpu={"card": 31}[card])
    fake.nvmlDeviceGetComputeRunningProcesses = lambda card: {"card": processes}[card]
    fake.nvmlDeviceGetPowerUsage = lambda card: {"card": 212_400}[card]

    def temperature(card: str, _: int) -> int:
        raise Trouble(card)

    fake.nvmlDeviceGetTemperature = temperature
    return fake


@pytest.mark.parametrize("sees_processes", [True, False])
def test_of_a_gpu_it_is_what_its_driver_tells(
    engine: Engine, busy: int, monkeypatch: pytest.MonkeyPatch, sees_processes: bool
) -> None:
    used = [(busy, 4 * 10**9), (os.getpid(), 10**9)] if sees_processes else [(1, None)]
    processes = [types.SimpleNamespace(pid=pid, usedGpuMemory=memory) for pid, memory in used]
    monkeypatch.setitem(sys.modules, "pynvml", nvml(processes))
    (claim,) = begun(engine, 1, "cuda:0")
    sampled(engine, [Working(claim, busy)], 2, [CARD])
    last = {metric.name: recorded(engine, claim.run_id, metric.name) for metric in MACHINE}
    assert last[GPU.name] == [(1, 0.31)]
    assert last[POWER.name] == [(1, 212.4)]
    assert last[GPU_MEMORY.name] == ([(1, 4000.0)] if sees_processes else [])
    assert last[TEMPERATURE.name] == []


def test_the_end_of_a_run_leaves_them_as_they_are(engine: Engine, busy: int) -> None:
    (claim,) = begun(engine, 1)
    sampled(engine, [Working(claim, busy)], 4)
    with writing(engine) as session:
        series.append(session, claim.run_id, [Point("train/loss", step, 0.1, 1 / step) for step in (1, 2)])
        series.settle(session, claim.run_id, kept_step=1)
    with reading(engine) as session:
        summaries = runs.summaries(session, [claim.run_id])[claim.run_id]
    assert (summaries["train/loss"].final, summaries[MEMORY.name].final) == (1.0, None)
    with writing(engine) as session:
        assert series.cut(session, claim.run_id, 0, 0) == 0
    assert len(recorded(engine, claim.run_id, MEMORY.name)) == 3
