"""Faults at random over running experiments, and the oracle that tells whether they left a trace."""

import contextlib
import io
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from app.jobs import causes
from app.store.tables import ENDED
from tests.acceptance.test_line import raw
from tests.serving import Server, until
from tests.template import template
from trainer import checkpoint, devices, loop
from trainer.loaded import LoadedData
from trainer.metrics import KNOWN
from trainer.prepared import Places, load
from trainer.spec import RunSpec, parse

CPU = torch.device("cpu")
# More epochs than are ever reached: these runs are stopped after the last fault. Three experiments of each spec, so
# that two undisturbed trainings are enough to compare all six with.
CNN = {"model": "cnn", "dataset": "digits", "epochs": 1000, "pixel_order": "shuffled", "optimizer": {"lr": 0.05}}
FC = {"model": "fc", "dataset": "digits", "epochs": 10_000, "batch_size": 640, "optimizer": {"momentum": 0.9}}
ENDLESS: list[dict[str, Any]] = [CNN, CNN, CNN, FC, FC, FC]
SHORT: list[dict[str, Any]] = [  # these come to their end between the faults, or in one
    {"model": "fc", "dataset": "digits", "epochs": 1, "batch_size": 640},
    {"model": "fc", "dataset": "digits", "epochs": 30, "batch_size": 200, "keep": "best", "validation": 1500},
    {"model": "cnn", "dataset": "digits", "epochs": 1, "batch_size": 100},
]
FAKETIME = "libfaketimeMT.so.1"
OFFSETS = (-86_400, -3_600, -60, 0, 60, 3_600, 86_400)
PARENT = """
import dataclasses, os, select
from trainer.models.fc import MODEL

def build(shape, classes, n_hidden):
    if os.fork() == 0:
        import setproctitle
        setproctitle.setproctitle("left behind by a net")
        select.select([], [], [], 600)
        os._exit(0)
    return MODEL.build(shape, classes, n_hidden=n_hidden)

ENTRY = dataclasses.replace(MODEL, name="parent", build=build)
"""
"""The FC net under another name; a process that it starts has its worker's files and does not end with it."""


def site_with_a_parent(site: Path) -> Path:
    """A directory for PYTHONPATH with the plug-in `parent`."""
    info = site / "parent-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "runyard_parent.py").write_text(PARENT)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: parent\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[runyard.models]\nparent = runyard_parent:ENTRY\n")
    return site


class Missing(Exception):
    """What some faults need is not there; str() says what and why."""


class Disk:
    """A small ext4 in a file, mounted; a power cut leaves of it what lay in that file."""

    def __init__(self, root: Path, megabytes: int = 256) -> None:
        self.image, self.place = root / "disk.img", root / "disk"
        self.place.mkdir()
        with self.image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        self._command("mkfs.ext4", "-q", "-F", "-m", "0", str(self.image))
        self._mount()

    def _mount(self) -> None:
        self._command("mount", "-o", "loop", str(self.image), str(self.place))

    def _command(self, *words: str) -> None:
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        except OSError as error:
            raise Missing(f"a file system of its own: {error}") from None
        if done.returncode:
            raise Missing(f"a file system of its own: {words[0]}: {done.stderr.strip()}")

    def unmount(self) -> None:
        until(lambda: subprocess.run(["umount", self.place], capture_output=True).returncode == 0, "it is unmounted")

    def copy(self) -> Path:
        """What a power cut would leave at this moment: nothing that was only meant to be written."""
        copied = self.image.with_suffix(".cut")
        shutil.copyfile(self.image, copied)
        return copied

    def become(self, copied: Path) -> None:
        self.unmount()
        copied.replace(self.image)
        self._mount()

    def fill(self, leave: int) -> Path:
        """Take all space but so many bytes."""
        filler = self.place / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            found = os.statvfs(self.place)
            os.posix_fallocate(file.fileno(), 0, max(4096, found.f_bavail * found.f_frsize - leave))
            while not leave:
                file.seek(0, 2)
                file.write(b"x" * 512)
        return filler


def faketime() -> Path:
    """The library that lets a process have a clock of its own. Raises Missing."""
    for root in ("/usr/lib", "/usr/lib64", "/usr/local/lib"):
        for found in sorted(Path(root).glob(f"*/faketime/{FAKETIME}")) + sorted(
            Path(root).glob(f"faketime/{FAKETIME}")
        ):
            return found
    raise Missing("a clock of its own: libfaketime is not installed (Debian's package faketime has it)")


@dataclass
class Undisturbed:
    """A training in this process, and the weights after the steps of interest."""

    measured: list[loop.Measurement]
    weights: dict[int, dict[str, torch.Tensor]]


def trained(places: Places, spec: RunSpec, steps: set[int]) -> Undisturbed:
    """Train until the epoch of the last of these steps is tested; the weights that a run keeps have step 0."""
    devices.make_repeatable(spec)
    state, found = loop.start(spec, CPU), Undisturbed([], {})
    data = LoadedData(spec, load(spec.dataset, places), CPU)
    for measured in loop.train(spec, data, state):
        found.measured += [measured] if measured else []
        if state.step in steps - found.weights.keys():
            found.weights[state.step] = copied(state)
        if steps and state.epochs_tested * spec.steps_per_epoch >= max(steps):
            return found
    for _ in loop.last_test(spec, data, state):
        pass
    found.weights[0] = copied(state)
    return found


def copied(state: loop.State) -> dict[str, torch.Tensor]:
    return {name: values.clone() for name, values in state.model.state_dict().items()}


def is_same(weights: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return weights.keys() == other.keys() and all(torch.equal(values, other[name]) for name, values in weights.items())


class Chaos:
    """Six endless runs, short ones beside them, and what is done to all of them.

    `disk`, `clock`: what the home lies on and the file that tells its processes the time, or why they are missing.
    """

    def __init__(
        self, server: Server, seed: int, disk: Disk | Missing | None = None, clock: Path | Missing | None = None
    ) -> None:
        self.server, self.random = server, random.Random(seed)
        self.disk, self.clock = disk, clock
        self.endless: list[int] = []
        self.short: dict[int, dict[str, Any]] = {}  # id to spec
        self.frozen: list[psutil.Process] = []
        self.beside: dict[int, int] = {}  # run to the points that were put into it from beside
        self.killed_at: dict[int, int] = {}  # run to its checkpoint when it was last killed
        self.ran: dict[str, int] = {}  # fault to how often it ran
        self.skipped: dict[str, str] = {}  # fault to why it did not

    def launch(self, specs: list[dict[str, Any]]) -> None:
        for at, spec in enumerate(specs):
            body = {"name": f"experiment {at}", "base": spec}
            self.endless += self.server.call("POST", "/experiments", json=body)["run_ids"]

    def launch_short(self) -> int:
        spec = {**self.random.choice(SHORT), "seed": self.random.randrange(2**31)}
        run_id = self.server.launch(**spec)
        self.short[run_id] = spec
        return run_id

    def waiting(self) -> int:
        """Short runs that were launched and have not begun: more than a few keep the later ones waiting for long."""
        return sum(self.server.run(run_id)["status"] == "queued" for run_id in self.short)

    # Faults, each of them on a run that has moved on

    def plan(self, faults: Mapping[str, int], least: int) -> list[str]:
        """Each fault so often, in a random order, and again until there are so many; what is missing is left out."""
        needs = {"fill_disk": self.disk, "cut_power": self.disk, "step_clock": self.clock}
        there = {}
        for name, count in faults.items():
            if isinstance(missing := needs.get(name), Missing):
                self.skipped[name] = f"it needs {missing}"
            else:
                there[name] = count
        planned: list[str] = []
        while len(planned) < least:
            planned += self.random.sample(list(there), counts=list(there.values()), k=sum(there.values()))
        return planned

    def strike(self, name: str) -> str:
        """That fault, on a run that has moved on since the one before; what was done."""
        self.thaw()
        wanted = self.random.randint(5, 30)
        kills = name not in ("freeze_worker", "pause_and_resume", "stop_and_resume", "kill_server", "end_server")
        start = {run_id: self.server.run(run_id)["steps_done"] for run_id in self.endless}

        def target() -> int:
            """A run that made `wanted` steps; to be killed, with a new checkpoint since its last kill; 0: not yet."""
            found = [self.server.run(run_id) for run_id in self.random.sample(self.endless, len(self.endless))]
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
        try:
            said = getattr(self, name)(run_id)
        except Missing as missing:
            self.skipped[name] = f"it needs {missing}"
            return f"{name}: skipped, {self.skipped[name]}"
        self.ran[name] = self.ran.get(name, 0) + 1
        return f"{name} {run_id}{f' ({said})' if said else ''}"

    def thaw(self) -> None:
        while self.frozen:
            with contextlib.suppress(psutil.NoSuchProcess):  # it was caught in a write, and ended for that
                self.frozen.pop().resume()

    def worker(self, run_id: int) -> psutil.Process:
        return until(lambda: self.server.workers().get(run_id), f"run {run_id} has a worker")

    def kill_worker(self, run_id: int) -> None:
        """Where it has started a process, that lives on, with all of its files open."""
        self.worker(run_id).kill()

    def end_worker(self, run_id: int) -> None:
        self.worker(run_id).terminate()

    def freeze_worker(self, run_id: int) -> None:
        process = self.worker(run_id)
        process.suspend()
        self.frozen.append(process)

    def freeze_in_a_write(self, run_id: int) -> None:
        """Then it keeps all others out, until the server ends it."""
        process = self.server.freeze(run_id, writing=True)
        until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "it is ended")

    def pause_and_resume(self, run_id: int) -> None:
        self._ask_and_resume(run_id, "pause")

    def stop_and_resume(self, run_id: int) -> None:
        self._ask_and_resume(run_id, "stop")

    def _ask_and_resume(self, run_id: int, verb: str) -> None:
        self._ask_and_wait(run_id, verb)
        self.server.call("POST", f"/runs/{run_id}/resume")

    def _ask_and_wait(self, run_id: int, verb: str) -> None:
        self.server.call("POST", f"/runs/{run_id}/{verb}")
        until(lambda: self.server.run(run_id)["status"] in ENDED, f"run {run_id} leaves")

    def delete_and_restore(self, run_id: int) -> None:
        self._ask_and_wait(run_id, "stop")
        self.server.call("DELETE", f"/runs/{run_id}")
        self.server.call("POST", f"/runs/{run_id}/restore")
        self.server.call("POST", f"/runs/{run_id}/resume")

    def kill_server(self, _: int) -> None:
        self.server.restart()

    def end_server(self, _: int) -> None:
        self._end_server()
        self.server.restart()

    def _end_server(self) -> None:
        assert self.server.process is not None
        self.server.process.send_signal(signal.SIGTERM)
        self.server.process.wait(15)

    def kill_both(self, run_id: int) -> None:
        worker = self.worker(run_id)
        self.server.kill()
        worker.kill()
        self.server.start()

    def kill_fork_server(self, _: int) -> None:
        for process in self._everyone():
            if "--fork" in _words(process):
                process.kill()

    def stop_container(self, _: int) -> None:
        """All processes are told to end, as by `docker stop`; none of them has crashed."""
        workers = [worker for worker in self.server.workers().values() if worker.is_running()]
        for process in workers:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        self._end_server()
        psutil.wait_procs(workers, 30)
        self.end_what_is_left()
        self.server.restart()

    def damage_checkpoint(self, run_id: int) -> str:
        worker = self.worker(run_id)
        worker.suspend()
        newest = sorted(self.server.files(run_id).glob("checkpoints/checkpoint-*.pt"))[-1]
        content, at = bytearray(newest.read_bytes()), 0
        how = self.random.choice(["a bit", "cut short", "empty"])
        if how == "a bit":
            at = self.random.randrange(len(content))
            content[at] ^= 1 << self.random.randrange(8)
        else:
            del content[0 if how == "empty" else self.random.randrange(len(content)) :]
        newest.write_bytes(content)
        worker.kill()
        return how

    def refuse_logs(self, run_id: int) -> str:
        """Nothing can be launched meanwhile: for a reason that is not the runs', so that they wait."""
        logs, seen = self.server.home / "logs", self._said("could not be launched now")
        _close(logs, to_be_closed=True)
        try:
            self.worker(run_id).kill()
            until(lambda: self._said("could not be launched now") > seen, "a launch waits")
            until(lambda: self._waits(self.server.run(run_id)), "the run waits, too")
        finally:
            _close(logs, to_be_closed=False)
        return "waited"

    def _waits(self, run: dict[str, Any]) -> bool:
        assert run["status"] not in ("failed", "lost") or run["retry_at"], run["cause"]
        return bool(run["status"] in ("queued", "starting"))

    def _said(self, words: str) -> int:
        return (self.server.home / "server.err").read_text().count(words)

    def fill_disk(self, _: int) -> str:
        """Until somebody meets it, or a while has passed; then there is space again."""
        assert isinstance(self.disk, Disk)
        leave = self.random.choice([0, 0, 4096, 20_000, 60_000, 150_000, 400_000])
        filler = self.disk.fill(leave)
        began, met = time.monotonic(), 0
        while not met and time.monotonic() < began + 5:
            time.sleep(0.2)
            met = sum(self.server.run(run_id)["status"] in ("failed", "lost") for run_id in self.all())
        filler.unlink()
        self.recover(causes.DISK_FULL, causes.DATABASE.partition("{")[0])
        return f"{leave:,} bytes left, {met} met it"

    def cut_power(self, _: int) -> str:
        """All processes are gone, and what was not on the disk: they go on with what was."""
        assert isinstance(self.disk, Disk)
        assert self.server.process is not None
        for run_id in self.server.workers():
            with contextlib.suppress(psutil.Error, KeyError):  # it has just ended
                self.server.freeze(run_id)
        self.launch_short()  # it was acknowledged, and no worker's write takes it to the disk
        everyone = [psutil.Process(self.server.process.pid), *self._everyone()]
        for process in everyone:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        for process in everyone:
            with contextlib.suppress(psutil.Error):
                until(lambda p=process: p.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE), "it is still", 10)
        left = self.disk.copy()
        self.server.kill()
        self.end_what_is_left()
        self.disk.become(left)
        self.server.start()
        self.recover(causes.VANISHED)
        return "on what was on the disk"

    def step_clock(self, run_id: int) -> str:
        """The machine's clock is put forward or back; a run that crashes then does not wait for it."""
        assert isinstance(self.clock, Path)
        offset = self.random.choice(OFFSETS)
        self.clock.write_text(f"{offset:+d}\n")
        self.worker(run_id).kill()
        until(lambda: self.server.run(run_id)["status"] == "running", "it goes on by itself", 60)
        return f"{offset:+,} s"

    def put_back(self, _: int) -> str:
        """A backup that was taken meanwhile is put back, whole or its database alone; ids are given again."""
        copy = self.server.home.parent / "backup"
        shutil.rmtree(copy, ignore_errors=True)
        self._runyard("backup", str(copy))
        known = max(self.all())
        later = [self.launch_short() for _ in range(3)]
        until(lambda: self.server.run(later[0])["status"] == "succeeded", "a run that the backup does not know ends")
        self.server.kill()
        self.end_what_is_left()
        alone = self.random.random() < 0.5
        for path in self.server.home.iterdir():
            if path.name.startswith("runyard.db"):
                path.unlink()
            elif path.is_dir() and not path.is_symlink() and not alone:
                shutil.rmtree(path)
        if alone:
            shutil.copy(copy / "runyard.db", self.server.home)
            os.sync()  # by hand, as who copies it has to
        else:
            self._runyard("backup", str(copy), "--restore")
        shutil.rmtree(copy)
        self.server.start()
        self.short = {run_id: spec for run_id, spec in self.short.items() if run_id <= known}
        again = [self.launch_short() for _ in range(3)]
        assert again == later
        self.recover(causes.VANISHED)
        self.killed_at = {}
        self.beside = {run_id: len(self.steps_beside(run_id, "system/x")) for run_id in self.endless}
        return "its database alone" if alone else "all of it"

    def _runyard(self, *arguments: str) -> None:
        done = template().run([*arguments], {**os.environ, "RUNYARD_HOME": str(self.server.home)})
        assert done.returncode == 0, (done.stdout, done.stderr)

    def all(self) -> list[int]:
        return [*self.endless, *self.short]

    def recover(self, *expected: str) -> None:
        """Whatever has ended, for one of these causes, and does not go on by itself is resumed; until all go on."""

        def all_go_on() -> bool:
            workers, they_do = self.server.workers(), True
            for run_id in self.all():
                run = self.server.run(run_id)
                if run["status"] in ("failed", "lost") and run["retry_at"] is None:
                    assert run["cause"].startswith(expected), (run_id, run["cause"], self._log(run_id))
                    self.server.call("POST", f"/runs/{run_id}/resume")
                they_do &= run["status"] in ("queued", "succeeded") or run_id in workers or bool(run["retry_at"])
            return they_do

        until(all_go_on, "all runs go on")

    def _everyone(self) -> list[psutil.Process]:
        """All processes of this home but the server."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("RUNYARD_HOME") == str(self.server.home):
                    found.append(process)
        server = self.server.process.pid if self.server.process else 0
        return [process for process in found if process.pid != server]

    def end_what_is_left(self) -> None:
        """All processes of this home but the server."""
        everyone = self._everyone()
        for process in everyone:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(everyone, 10)

    # Whether it left a trace

    def finish(self, places: Places) -> None:
        """Let the short runs end, stop the endless ones, and compare all of them with undisturbed trainings."""
        self.thaw()
        for run_id in self.short:
            until(lambda run_id=run_id: self._succeeded(run_id), f"run {run_id} succeeds")
        for run_id in self.endless:
            at = self.server.run(run_id)["steps_done"]
            until(lambda run_id=run_id, at=at: self.server.run(run_id)["steps_done"] > at, f"run {run_id} goes on")
            self.server.call("POST", f"/runs/{run_id}/stop")
            self.server.wait_for(run_id, "stopped")
        counts = self.server.call("GET", "/system")["counts"]
        ended = {"stopped": len(self.endless), "succeeded": len(self.short)}
        assert counts == {**dict.fromkeys(counts, 0), **{name: count for name, count in ended.items() if count}}
        until(lambda: self.server.workers() == {}, "the workers are gone")
        until(lambda: all("--fork" in one for one in map(_words, self._everyone())), "and what they started")
        stopped = {run_id: self.server.run(run_id) for run_id in self.endless}
        for spec in {repr(_plain(run["spec"])): _plain(run["spec"]) for run in stopped.values()}.values():
            of_spec = [run for run in stopped.values() if _plain(run["spec"]) == spec]
            undisturbed = trained(places, parse(spec), {run["steps_done"] for run in of_spec})
            for run in of_spec:
                self.assert_its_beginning(run, parse(spec), undisturbed)
                beside = self.beside.get(run["id"], 0)
                assert self.steps_beside(run["id"], "system/x") == list(range(1, beside + 1))
                assert all(step <= run["steps_done"] for step in self.steps_beside(run["id"], "odd/NaN"))
        for run_id, given in self.short.items():
            self.assert_its_own(run_id, parse(given), trained(places, parse(given), set()))

    def steps_beside(self, run_id: int, name: str) -> list[int]:
        """Of a series that was put beside the training's own; none where all of it was cut away, or none ever was."""
        there = name in self.server.run(run_id)["summary"]
        return [step for step, _ in raw(self.server, run_id, name)] if there else []

    def _succeeded(self, run_id: int) -> bool:
        run = self.server.run(run_id)
        ended_for_good = run["status"] in ENDED and run["status"] != "succeeded" and run["retry_at"] is None
        assert not ended_for_good, (run_id, run["status"], run["cause"], self._log(run_id))
        return bool(run["status"] == "succeeded")

    def _log(self, run_id: int) -> str:
        """Its end."""
        with self.server.api() as client:
            return client.get(f"/runs/{run_id}/log").text[-3000:]

    def assert_its_beginning(self, run: dict[str, Any], spec: RunSpec, undisturbed: Undisturbed) -> None:
        """Each recorded point and the weights of the last checkpoint are those of the undisturbed training."""
        steps = run["steps_done"]
        recorded = {name: raw(self.server, run["id"], name) for name in KNOWN}
        for name, points in recorded.items():
            assert points == [(m.step, m.value) for m in undisturbed.measured if m.name == name][: len(points)]
        assert len(recorded["train/loss"]) == len(recorded["train/gradient_norm"]) == steps
        epochs = steps // spec.steps_per_epoch
        assert (
            epochs - 1 <= len(recorded["test/loss"]) <= epochs
        )  # it may have been stopped between an epoch and its test
        kept = loop.start(spec, CPU)
        checkpoint.load(checkpoint.stored(self.server.files(run["id"]) / "checkpoints")[0], kept)
        assert kept.step == steps
        assert is_same(kept.model.state_dict(), undisturbed.weights[steps])

    def assert_its_own(self, run_id: int, spec: RunSpec, undisturbed: Undisturbed) -> None:
        """Series, weights, predictions and logs of a run that has succeeded are its own."""
        run = self.server.run(run_id)
        assert run["spec"] == spec.to_json()
        for name in KNOWN:
            expected = [(m.step, m.value) for m in undisturbed.measured if m.name == name]
            assert raw(self.server, run_id, name) == expected
        with self.server.api() as client:
            weights = torch.load(io.BytesIO(client.get(f"/runs/{run_id}/weights").content), weights_only=True)
            log = client.get(f"/runs/{run_id}/log").text
        assert is_same(weights, undisturbed.weights[0])
        kept = self.server.call("GET", f"/runs/{run_id}/predictions")
        assert kept["right"] == round(run["summary"]["test/accuracy"]["final"] * kept["n"])
        # a full disk or a power cut may have taken lines, and nothing else
        assert set(re.findall(r"^\S+ run (\d+), attempt ", log, re.MULTILINE)) <= {str(run_id)}


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec, with the net that starts a process as the one it is but for that."""
    return {**spec, "model": {**spec["model"], "name": spec["model"]["name"].replace("parent", "fc")}}


def _close(folder: Path, *, to_be_closed: bool) -> None:
    """Let nobody make a file there, or let them again. Raises Missing where that can't be had."""
    if os.geteuid():
        folder.chmod(0o500 if to_be_closed else 0o700)
        return
    done = subprocess.run(["chattr", "+i" if to_be_closed else "-i", str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"a directory that also root can't write to: {done.stderr.strip()}")


@contextlib.contextmanager
def small_disk(root: Path) -> Iterator[Disk | Missing]:
    """A disk of its own, or why there is none."""
    try:
        disk = Disk(root)
    except Missing as missing:
        yield missing
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk.place], check=False)
