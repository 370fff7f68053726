"""python -m app.jobs.worker RUN_ID: train one run in this process.

The dispatcher starts it, in a process session of its own, with the server's settings in its environment.
"""

import contextlib
import io
import os
import platform
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.jobs import causes
from app.jobs.forkserver import FLAG, serve
from app.jobs.recorder import Recorder
from app.settings import Settings
from app.spec import stored
from app.store import artifacts, predictions, runs, series
from app.store.engine import open_database, reading
from app.store.errors import Conflict, StoreError, Superseded
from app.store.runs import Claim, Start
from app.store.series import Point
from app.store.tables import Status
from trainer import metrics
from trainer.prepared import Places, register_folders
from trainer.spec import RunSpec, parse

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray
    from torch import nn

    from trainer.loaded import LoadedData
    from trainer.loop import State

CHECKPOINT_SECONDS = 30.0


def main(run_id: int) -> int:
    """Exit code: 0 when the run's end is recorded, whatever it is; NOT_ITS_RUN when the run is not this worker's;
    NOT_RECORDED when the end could not be recorded, NOT_EVEN_LOGGED when the disk was full then."""
    settings = Settings()
    engine = open_database(settings.database)
    try:
        return _main(settings, engine, run_id)
    finally:
        engine.dispose()


def _main(settings: Settings, engine: Engine, run_id: int) -> int:
    _keep_files_to_itself()
    with reading(engine) as session:
        run = runs.get(session, run_id)
    if run.status != Status.STARTING:
        log(f"run {run_id} is {run.status}: it is not waiting for a worker")
        return causes.NOT_ITS_RUN
    register_folders(Places(settings.datasets_dir, settings.prepared_dir))
    try:
        work(settings, engine, Claim(run_id, run.attempt, run.device or "cpu", run.files), parse(run.spec))
    except (Superseded, Conflict) as error:
        log(f"leaving: {error}")
        return causes.NOT_ITS_RUN
    except Exception as error:
        traceback.print_exc()
        cause = causes.of_exception(error, stored.filled(run.spec))
        try:
            runs.end(engine, run_id, run.attempt, Status.FAILED, cause)
        except (StoreError, SQLAlchemyError) as unrecorded:
            log(f"the end could not be recorded: {causes.of_exception(unrecorded, stored.filled(run.spec))}")
            log(f"{causes.FAILED}{cause}")
            return causes.NOT_EVEN_LOGGED if cause == causes.DISK_FULL else causes.NOT_RECORDED
        log(f"{causes.FAILED}{cause}")
    return 0


def work(settings: Settings, engine: Engine, claim: Claim, spec: RunSpec) -> None:
    """Train, record, keep checkpoints and the final weights."""
    run_id, attempt, files = claim.run_id, claim.attempt, claim.files
    log(f"run {run_id}, attempt {attempt}, process {os.getpid()}")
    import torch  # seconds: only here, so that all else of the worker can be imported without it

    from trainer import devices, loop
    from trainer.loaded import LoadedData
    from trainer.prepared import load

    device = devices.choose(claim.device)
    if device.type == "cpu":
        _stand_back(settings.nice)
    before = _first_environment(engine, run_id)
    spec = devices.settle(spec, device, before.get("precision"))
    threads = devices.make_repeatable(spec, before.get("threads"))
    arrays = load(spec.dataset, Places(settings.datasets_dir, settings.prepared_dir))
    folder = artifacts.checkpoints(settings, files)
    state = _newest_state(engine, run_id, folder, lambda: loop.start(spec, device))
    data = LoadedData(spec, arrays, device)
    start = Start(state.step, state.epochs_tested * spec.steps_per_epoch, state.measured.before)
    environment = _environment(torch.__version__, devices.described(device), claim.device, threads, spec.precision)
    yields = metrics.of_training(epochs=spec.epochs, validation=spec.validation)
    runs.begin(engine, run_id, attempt, environment, start, yields)
    log(
        f"training on {device}, {spec.precision}, {threads} thread(s), from step {state.step:,} to {spec.steps_total:,}"
    )
    recorder = Recorder(engine, run_id, attempt, start)
    with recorder.beating():
        _train(settings, files, spec, data, arrays[3], state, recorder)


def _train(
    settings: Settings,
    files: str,
    spec: RunSpec,
    data: "LoadedData",
    test_labels: "NDArray[int64]",
    state: "State",
    recorder: Recorder,
) -> None:
    """From where the state is to the end, or until it is to leave; `test_labels`: of the whole test set."""
    from trainer import checkpoint, loop

    folder = artifacts.checkpoints(settings, files)
    kept, tested = time.monotonic(), state.epochs_tested
    is_asked_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_asked_to_end.set())  # as when a container or the machine stops

    def keep() -> None:
        """Points up to the checkpoint's step are on the disk before the checkpoint is.

        Raises Diverged, and keeps none, when one of them is no number.
        """
        for measured in state.measured.flush():
            recorder.add(Point(*measured))
        recorder.flush()
        checkpoint.save(folder, state)
        recorder.checkpointed(state.step)

    try:
        for measured in loop.train(spec, data, state):
            if measured is not None:
                recorder.add(Point(*measured))
                _log_epoch(spec, measured)
                continue  # more of the same steps may follow: a checkpoint between them would lose it
            recorder.flush_if_due()
            goes_on = tested < state.epochs_tested < spec.epochs  # what ends now is done before a checkpoint is of use
            if goes_on or time.monotonic() - kept > CHECKPOINT_SECONDS:
                keep()
                kept, tested = time.monotonic(), state.epochs_tested
            if is_asked_to_end.is_set():
                keep()
                log(f"asked to end: a checkpoint of step {state.step:,} is kept")
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os.kill(os.getpid(), signal.SIGTERM)
            if recorder.requests.stop or recorder.requests.pause:
                recorder.is_leaving = True
                keep()
                _leave(recorder)
                return
    except (StoreError, SQLAlchemyError):
        raise
    except Exception:
        with contextlib.suppress(StoreError, SQLAlchemyError, ArithmeticError):
            recorder.flush()  # what was measured before is kept, whatever it was that failed
        raise
    judged = "validation" if spec.validation else "test"
    if state.step < spec.steps_total:
        log(f"no better {judged} accuracy for {spec.early_stopping} epoch(s): stopping early")
    if spec.keep == "best":
        log(f"keeping the weights of epoch {state.best_epoch}, {judged} accuracy {state.best_accuracy:.2%}")
    untrained = None
    for answers in loop.last_test(spec, data, state):
        recorder.flush_if_due()
        if answers is not None:
            kept_answers = predictions.Predictions(test_labels, answers.predicted, answers.confidence)
            _keep_predictions(artifacts.predictions(settings, files), kept_answers)
            untrained = kept_answers.is_untrained
    _keep_weights(artifacts.weights(settings, files), {k: v.cpu() for k, v in state.model.state_dict().items()})
    _keep_filters(artifacts.filters(settings, files), spec, state.model)
    kept_epoch = state.best_epoch if spec.keep == "best" else state.epochs_tested
    kept_step = min(kept_epoch * spec.steps_per_epoch, state.step)
    recorder.flush(Status.SUCCEEDED, kept_step=kept_step, untrained=untrained)
    shutil.rmtree(folder, ignore_errors=True)  # nothing goes on from a run that is done
    log(f"finished after {state.step:,} steps")


def _keep_files_to_itself() -> None:
    """Whatever a net or a data set starts as a program does not get the lock that tells that this process lives."""
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        with contextlib.suppress(OSError):
            if int(name) > sys.stderr.fileno():
                os.set_inheritable(int(name), False)


def _stand_back(nice: int) -> None:
    """Let the server, and whoever else uses this machine, go first."""
    os.nice(nice)
    with contextlib.suppress(OSError):  # Linux may share the processor out among sessions, and then looks only here
        Path("/proc/self/autogroup").write_text(str(nice))


def _leave(recorder: Recorder) -> None:
    if recorder.requests.stop:
        recorder.flush(Status.STOPPED, runs.STOPPED_BY_USER)
    else:
        recorder.flush(Status.PAUSED, runs.PAUSED_BY_USER)
    log(f"{runs.STOPPED_BY_USER if recorder.requests.stop else runs.PAUSED_BY_USER} after step {recorder.steps_done:,}")


def _newest_state(engine: Engine, run_id: int, folder: Path, fresh: Callable[[], "State"]) -> "State":
    """The state of the newest checkpoint that is whole and not beyond what was recorded, else a fresh one."""
    from trainer import checkpoint

    with reading(engine) as session:
        recorded = series.last_step(session, run_id, "train/loss")
    for path in checkpoint.stored(folder):
        state = fresh()
        try:
            if checkpoint.step_of(path) > recorded:
                raise checkpoint.Damaged(f"{path.name} is beyond the last recorded step, {recorded:,}")
            checkpoint.load(path, state)
        except (checkpoint.Damaged, OSError) as error:
            log(f"{error}: going on from the checkpoint before it, or from the start")
            path.unlink(missing_ok=True)
            continue
        log(f"resumed from {path.name}")
        return state
    return fresh()


def _first_environment(engine: Engine, run_id: int) -> dict[str, Any]:
    """Of the run's first attempt: another number of threads, or precision, would give other last bits. Else empty."""
    with reading(engine) as session:
        before = [one.environment for one in runs.attempts(session, [run_id]).get(run_id, []) if one.environment]
    return dict(before[0]) if before else {}


def _environment(
    torch_version: str, device: Mapping[str, str], device_name: str, threads: int, precision: str
) -> dict[str, Any]:
    return {
        "runyard": version("runyard"),
        "torch": torch_version,
        "python": platform.python_version(),
        "device": device_name,
        **device,
        "threads": threads,
        "precision": precision,
        "host": platform.node(),
    }


def _log_epoch(spec: RunSpec, measured: Any) -> None:
    metric = metrics.KNOWN[measured.name]
    if metric.per == "test":
        value = f"{measured.value:.2%}" if metric.unit == "fraction" else f"{measured.value:.4f}"
        log(f"epoch {measured.step // spec.steps_per_epoch} of {spec.epochs}: {metric.in_a_sentence} {value}")


def _keep_predictions(path: Path, answers: predictions.Predictions) -> None:
    with artifacts.beside(path) as part:
        predictions.save(part, answers)


def _keep_filters(path: Path, spec: RunSpec, model: "nn.Module") -> None:
    """The weights of the first layer as images, for who has no torch."""
    import numpy as np

    from trainer.filters import first_layer

    found = first_layer(spec, model)
    if found is not None:
        _keep(path, lambda file: np.save(file, found))


def _keep_weights(path: Path, state_dict: dict[str, Any]) -> None:
    import torch

    _keep(path, lambda file: torch.save(state_dict, file))


def _keep(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Raises OSError when the disk is full: torch and NumPy, which write past Python, would not say that it is."""
    content = io.BytesIO()
    write(content)
    with artifacts.beside(path) as part:
        part.write_bytes(content.getbuffer())


class Log(io.RawIOBase):
    """A file that drops what a full disk has no room for: no run fails because its log has no room."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            os.write(self._descriptor, data)
        return len(data)


def _forgiving(descriptor: int) -> IO[str]:
    return io.TextIOWrapper(
        io.BufferedWriter(Log(descriptor)), encoding="utf-8", errors="backslashreplace", line_buffering=True
    )


def log(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


if __name__ == "__main__":
    wanted = serve(int(sys.argv[2])) if sys.argv[1] == FLAG else int(sys.argv[1])
    sys.stdout, sys.stderr = _forgiving(1), _forgiving(2)
    code = 0 if wanted is None else main(wanted)
    # All is written: to take torch apart, object by object, would take half as long again as a short run
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
