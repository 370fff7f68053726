"""python -m app.jobs.worker RUN_ID: train one run in this process.

The dispatcher starts it, in a process session of its own, with the server's settings in its environment.
"""

import os
import platform
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.jobs import causes
from app.jobs.recorder import Recorder
from app.settings import Settings
from app.store import artifacts, runs
from app.store.engine import open_database, reading
from app.store.errors import Conflict, Superseded
from app.store.series import Point
from app.store.tables import Status
from trainer.data.prepared import Places
from trainer.spec import RunSpec, parse


def main(run_id: int) -> int:
    """Exit code: 0 when the run's end is recorded, whatever it is; 3 when the run is not this worker's."""
    settings = Settings()
    engine = open_database(settings.database)
    with reading(engine) as session:
        run = runs.get(session, run_id)
    if run.status != Status.STARTING:
        log(f"run {run_id} is {run.status}: it is not waiting for a worker")
        return 3
    try:
        work(settings, engine, run_id, run.attempt, parse(run.spec), run.device or "cpu")
    except (Superseded, Conflict) as error:
        log(f"leaving: {error}")
        return 3
    except Exception as error:
        traceback.print_exc()
        cause = causes.of_exception(error, run.spec)
        log(f"failed: {cause}")
        runs.end(engine, run_id, run.attempt, Status.FAILED, cause)
    return 0


def work(settings: Settings, engine: Engine, run_id: int, attempt: int, spec: RunSpec, device_name: str) -> None:
    """Train, record, keep the weights."""
    log(f"run {run_id}, attempt {attempt}, process {os.getpid()}")
    import torch  # seconds: only here, so that all else of the worker can be imported without it

    from trainer import devices, loop
    from trainer.data.loaded import LoadedData
    from trainer.data.prepared import load

    device = devices.choose(device_name)
    threads = devices.make_repeatable(spec.parameters)
    arrays = load(spec.dataset, Places(settings.datasets_dir, settings.prepared_dir))
    state = loop.start(spec, device)
    data = LoadedData(spec, arrays, device)
    runs.begin(engine, run_id, attempt, _environment(torch.__version__, devices, device_name, threads))
    log(f"training on {device}, {threads} thread(s), {spec.steps_total:,} steps")
    recorder = Recorder(engine, run_id, attempt)
    try:
        for measured in loop.train(spec, data, state):
            if measured is not None:
                recorder.add(Point(*measured))
                _log_epoch(spec, measured)
            recorder.flush_if_due()
            if recorder.stop_requested:
                recorder.flush(Status.STOPPED, runs.STOPPED_BY_USER)
                log(f"stopped by user after step {state.step:,}")
                return
    except ArithmeticError:
        recorder.flush()  # what was measured before the loss was no number is kept
        raise
    _keep(artifacts.weights(settings, run_id), {k: v.cpu() for k, v in state.model.state_dict().items()})
    recorder.flush(Status.SUCCEEDED)
    log(f"finished after {state.step:,} steps")


def _environment(torch_version: str, devices: Any, device_name: str, threads: int) -> dict[str, Any]:
    titles = {device["name"]: device["title"] for device in devices.available()}
    return {
        "torch": torch_version,
        "python": platform.python_version(),
        "device": device_name,
        "device_title": titles.get(device_name, device_name),
        "threads": threads,
        "host": platform.node(),
    }


def _log_epoch(spec: RunSpec, measured: Any) -> None:
    if measured.name == "test/accuracy":
        log(f"epoch {measured.step // spec.steps_per_epoch} of {spec.epochs}: test accuracy {measured.value:.2%}")
    elif measured.name == "test/loss":
        log(f"epoch {measured.step // spec.steps_per_epoch} of {spec.epochs}: test loss {measured.value:.4f}")


def _keep(path: Path, state_dict: dict[str, Any]) -> None:
    """Write the weights beside their place and rename them into it."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    torch.save(state_dict, beside)
    beside.rename(path)


def log(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
