"""Thirty faults at random over six running experiments: every series is that of an undisturbed run, bit for bit."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from app.store.tables import ENDED
from tests.acceptance.test_line import raw
from tests.serving import Server, serving, until
from trainer import checkpoint, devices, loop
from trainer.loaded import LoadedData
from trainer.metrics import KNOWN
from trainer.prepared import Places, load
from trainer.spec import RunSpec, parse

CPU = torch.device("cpu")
FAULTS = 30
SEED = int(os.environ.get("RUNYARD_TEST_SEED", "1"))
# More epochs than are ever reached: the runs are stopped after the last fault. Three experiments of each spec, so that
# two undisturbed trainings are enough to compare all six with.
CNN = {"model": "cnn", "dataset": "digits", "epochs": 1000, "pixel_order": "shuffled", "optimizer": {"lr": 0.05}}
FC = {"model": "fc", "dataset": "digits", "epochs": 10_000, "batch_size": 640, "optimizer": {"momentum": 0.9}}
SPECS: list[dict[str, Any]] = [CNN, CNN, CNN, FC, FC, FC]


class Chaos:
    """Six runs and what is done to them."""

    def __init__(self, server: Server, run_ids: list[int], seed: int) -> None:
        self.server, self.run_ids, self.random = server, run_ids, random.Random(seed)
        self.frozen: list[psutil.Process] = []
        self.beside: dict[int, int] = {}  # run to the points that were put into it from beside
        self.killed_at: dict[int, int] = {}  # run to its checkpoint when it was last killed
        self.faults: dict[Callable[[int], None], int] = {  # fault to how often, since a server takes long to come back
            self.kill_worker: 4,
            self.freeze_worker: 4,
            self.pause_and_resume: 4,
            self.stop_and_resume: 4,
            self.damage_checkpoint: 4,
            self.kill_server: 1,
            self.kill_both: 1,
            self.end_server: 1,
        }

    def strike(self) -> str:
        """One fault, on a run that has moved on since the one before."""
        self.thaw()
        (fault,) = self.random.choices(list(self.faults), list(self.faults.values()))
        wanted = self.random.randint(5, 30)
        kills = fault in (self.kill_worker, self.kill_both, self.damage_checkpoint)
        start = {run_id: self.server.run(run_id)["steps_done"] for run_id in self.run_ids}

        def target() -> int:
            """A run that made `wanted` steps; to be killed, with a new checkpoint since its last kill; 0: not yet."""
            found = [self.server.run(run_id) for run_id in self.random.sample(self.run_ids, len(self.run_ids))]
            for run in found:
                moved = run["steps_done"] - start[run["id"]] >= wanted
                fresh = not kills or (run["checkpoint_step"] or 0) > self.killed_at.get(run["id"], 0)
                if run["status"] == "running" and moved and fresh:
                    return int(run["id"])
            return 0

        run_id = until(target, "a run moves on")
        if kills:
            self.killed_at[run_id] = self.server.run(run_id)["checkpoint_step"] or 0
        self.beside[run_id] = self.server.measure_beside(run_id)
        fault(run_id)
        return f"{fault.__name__} {run_id}"

    def thaw(self) -> None:
        while self.frozen:
            self.frozen.pop().resume()

    def worker(self, run_id: int) -> psutil.Process:
        return self.server.workers()[run_id]

    def kill_worker(self, run_id: int) -> None:
        self.worker(run_id).kill()

    def freeze_worker(self, run_id: int) -> None:
        process = self.worker(run_id)
        process.suspend()
        self.frozen.append(process)

    def pause_and_resume(self, run_id: int) -> None:
        self._ask_and_resume(run_id, "pause")

    def stop_and_resume(self, run_id: int) -> None:
        self._ask_and_resume(run_id, "stop")

    def _ask_and_resume(self, run_id: int, verb: str) -> None:
        with self.server.api() as client:
            assert client.post(f"/runs/{run_id}/{verb}").is_success
            until(lambda: self.server.run(run_id)["status"] in ENDED, f"run {run_id} leaves")
            assert client.post(f"/runs/{run_id}/resume").is_success

    def kill_server(self, _: int) -> None:
        self.server.restart()

    def end_server(self, _: int) -> None:
        assert self.server.process is not None
        self.server.process.send_signal(signal.SIGTERM)
        self.server.process.wait(15)
        self.server.restart()

    def kill_both(self, run_id: int) -> None:
        worker = self.worker(run_id)
        self.server.kill()
        worker.kill()
        self.server.start()

    def damage_checkpoint(self, run_id: int) -> None:
        worker = self.worker(run_id)
        worker.suspend()
        newest = sorted(self.server.files(run_id).glob("checkpoints/checkpoint-*.pt"))[-1]
        content = bytearray(newest.read_bytes())
        content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
        newest.write_bytes(content)
        worker.kill()


@dataclass
class Undisturbed:
    """A training in this process, and the weights after the steps of interest."""

    measured: list[loop.Measurement]
    weights: dict[int, dict[str, torch.Tensor]]


def trained(places: Places, spec: RunSpec, steps: set[int]) -> Undisturbed:
    """Train until the epoch of the last of these steps is tested."""
    devices.make_repeatable(spec)
    state, found = loop.start(spec, CPU), Undisturbed([], {})
    for measured in loop.train(spec, LoadedData(spec, load(spec.dataset, places), CPU), state):
        found.measured += [measured] if measured else []
        if state.step in steps - found.weights.keys():
            found.weights[state.step] = {name: values.clone() for name, values in state.model.state_dict().items()}
        if state.epochs_tested * spec.steps_per_epoch >= max(steps):
            break
    return found


def assert_its_beginning(server: Server, run: dict[str, Any], undisturbed: Undisturbed) -> None:
    """Each recorded point and the weights of the last checkpoint are those of the undisturbed training."""
    spec, steps = parse(run["spec"]), run["steps_done"]
    recorded = {name: raw(server, run["id"], name) for name in KNOWN}
    for name, points in recorded.items():
        assert points == [(m.step, m.value) for m in undisturbed.measured if m.name == name][: len(points)]
    assert len(recorded["train/loss"]) == len(recorded["train/gradient_norm"]) == steps
    epochs = steps // spec.steps_per_epoch
    assert epochs - 1 <= len(recorded["test/loss"]) <= epochs  # it may have been stopped between an epoch and its test
    kept = loop.start(spec, CPU)
    checkpoint.load(checkpoint.stored(server.files(run["id"]) / "checkpoints")[0], kept)
    assert kept.step == steps
    assert all(
        torch.equal(values, undisturbed.weights[steps][name]) for name, values in kept.model.state_dict().items()
    )


@pytest.mark.timeout(240)
def test_thirty_random_faults_leave_no_trace(places: Places, tmp_path: Path) -> None:
    print(f"RUNYARD_TEST_SEED={SEED}")
    with serving(tmp_path / "home", places.prepared, RUNYARD_CPU_SLOTS="6") as server:
        bodies = [{"name": f"experiment {at}", "base": spec} for at, spec in enumerate(SPECS)]
        run_ids = [server.call("POST", "/experiments", json=body)["run_ids"][0] for body in bodies]
        chaos = Chaos(server, run_ids, SEED)
        began = time.monotonic()
        for number in range(FAULTS):
            struck = chaos.strike()
            print(f"{time.monotonic() - began:5.1f} s, fault {number + 1}: {struck}")
        chaos.thaw()
        for run_id in run_ids:
            at = server.run(run_id)["steps_done"]
            until(lambda run_id=run_id, at=at: server.run(run_id)["steps_done"] > at, f"run {run_id} goes on")
            server.call("POST", f"/runs/{run_id}/stop")
            server.wait_for(run_id, "stopped")
        counts = server.call("GET", "/system")["counts"]
        assert counts == {**dict.fromkeys(counts, 0), "stopped": 6}
        until(lambda: server.workers() == {}, "the workers are gone")
        stopped = [server.run(run_id) for run_id in run_ids]
        for given in (CNN, FC):
            spec = parse(given)
            of_spec = [run for run in stopped if run["spec"] == spec.to_json()]
            assert len(of_spec) == 3
            undisturbed = trained(places, spec, {run["steps_done"] for run in of_spec})
            for run in of_spec:
                assert_its_beginning(server, run, undisturbed)
                beside = chaos.beside.get(run["id"], 0)
                assert [step for step, _ in raw(server, run["id"], "system/x")] == list(range(1, beside + 1))
                assert all(step <= run["steps_done"] for step, _ in raw(server, run["id"], "odd/NaN"))
