"""Thirty faults at random over six running experiments: every series is that of an undisturbed run, bit for bit."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.store.tables import ENDED
from tests.acceptance.test_lives import assert_undisturbed, trained
from tests.serving import Server, serving, until
from trainer.data.prepared import Places

FAULTS = 30
SEED = int(os.environ.get("RUNYARD_TEST_SEED", "1"))
CNN = {"model": "cnn", "dataset": "digits", "epochs": 7}
FC = {"model": "fc", "dataset": "digits", "epochs": 130}
SPECS: list[dict[str, Any]] = [
    CNN,
    {**CNN, "pixel_order": "shuffled", "optimizer": {"lr": 0.05}},
    {**CNN, "seed": 3, "batch_size": 48},
    FC,
    {**FC, "pixel_order": "shuffled", "optimizer": {"lr": 0.05}},
    {**FC, "seed": 3, "optimizer": {"momentum": 0.9}},
]


class Chaos:
    """Six runs and what is done to them."""

    def __init__(self, server: Server, run_ids: list[int], seed: int) -> None:
        self.server, self.run_ids, self.random = server, run_ids, random.Random(seed)
        self.frozen: list[psutil.Process] = []
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
        """One fault, on a run that has moved on since the one before; '' when all runs are over."""
        self.thaw()
        (fault,) = self.random.choices(list(self.faults), list(self.faults.values()))
        wanted = self.random.randint(5, 30)
        kills = fault in (self.kill_worker, self.kill_both, self.damage_checkpoint)
        start = {run_id: self.server.run(run_id)["steps_done"] for run_id in self.run_ids}

        def target() -> int:
            """A run that made `wanted` steps; to be killed, with a new checkpoint since its last kill; -1: none."""
            found = [self.server.run(run_id) for run_id in self.random.sample(self.run_ids, len(self.run_ids))]
            for run in found:
                moved = run["steps_done"] - start[run["id"]] >= wanted
                fresh = not kills or (run["checkpoint_step"] or 0) > self.killed_at.get(run["id"], 0)
                if run["status"] == "running" and moved and fresh:
                    return int(run["id"])
            return -1 if all(run["status"] == "succeeded" for run in found) else 0

        run_id = until(target, "a run moves on")
        if run_id < 0:
            return ""
        if kills:
            self.killed_at[run_id] = self.server.run(run_id)["checkpoint_step"] or 0
        with contextlib.suppress(psutil.NoSuchProcess):
            fault(run_id)
        return f"{fault.__name__} {run_id}"

    def thaw(self) -> None:
        while self.frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.frozen.pop().resume()

    def worker(self, run_id: int) -> psutil.Process:
        found = self.server.workers().get(run_id)
        if found is None:  # it has just finished
            raise psutil.NoSuchProcess(0)
        return found

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
            if client.post(f"/runs/{run_id}/{verb}").status_code == 409:  # it has just finished
                return
            until(lambda: self.server.run(run_id)["status"] in ENDED, f"run {run_id} leaves")
            if self.server.run(run_id)["status"] != "succeeded":
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
        newest = sorted(self.server.home.glob(f"artifacts/run-{run_id}/checkpoints/checkpoint-*.pt"))[-1]
        content = bytearray(newest.read_bytes())
        content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
        newest.write_bytes(content)
        worker.kill()


@pytest.mark.timeout(240)
def test_thirty_random_faults_leave_no_trace(places: Places, tmp_path: Path) -> None:
    print(f"RUNYARD_TEST_SEED={SEED}")
    with serving(tmp_path / "home", places.prepared, RUNYARD_CPU_SLOTS="6") as server:
        bodies = [{"name": f"experiment {at}", "base": spec} for at, spec in enumerate(SPECS)]
        run_ids = [server.call("POST", "/experiments", json=body)["run_ids"][0] for body in bodies]
        chaos = Chaos(server, run_ids, SEED)
        struck, began = [], time.monotonic()
        for number in range(FAULTS):
            struck.append(chaos.strike())
            print(f"{time.monotonic() - began:5.1f} s, fault {number + 1}: {struck[-1]}")
        chaos.thaw()
        print(
            {run_id: (r := server.run(run_id))["status"] and (r["steps_done"], r["steps_total"]) for run_id in run_ids}
        )
        assert all(struck), "the runs were over before the last fault: give them more epochs"
        for run_id, spec in zip(run_ids, SPECS, strict=True):
            assert_undisturbed(server, run_id, {"it": trained(places, spec)}, "it")
        counts = server.call("GET", "/system")["counts"]
        assert counts == {**dict.fromkeys(counts, 0), "succeeded": 6}
        assert server.workers() == {}
