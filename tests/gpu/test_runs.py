"""Runs on a GPU, launched by a real server and trained by real workers.

One test at a time: some look at the card's memory, or take it all.
"""

import contextlib
import io
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from tests.acceptance.test_line import raw
from tests.serving import Server, serving, until
from trainer import devices, loop
from trainer.loaded import LoadedData
from trainer.metrics import KNOWN
from trainer.prepared import Places, load
from trainer.spec import parse

SGD = {"name": "sgd", "lr": 0.05, "momentum": 0.5}
ADAM = {"name": "adam", "lr": 0.0003}
AUGMENTED = {"crop_padding": 2, "flip": "horizontal"}
KINDS: dict[str, tuple[int, dict[str, Any]]] = {
    "CNN with SGD": (240, {"model": "cnn", "optimizer": SGD, "pixel_order": "shuffled"}),
    "VGG with Adam and batch norm, augmented": (40, {"model": "vgg", "optimizer": ADAM, **AUGMENTED}),
    "ResNet in bfloat16": (24, {"model": "resnet", "optimizer": SGD, "precision": "bfloat16", "batch_size": 128}),
}
"""Epochs on a GPU, so that it takes some seconds, and the spec."""
ENDLESS = {"model": "cnn", "epochs": 9999}


@pytest.fixture(scope="module")
def server(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With two slots on each device."""
    home = tmp_path_factory.mktemp("gpu") / "home"
    with serving(home, places.prepared, RUNYARD_GPU_SLOTS="2", RUNYARD_CPU_SLOTS="2") as found:
        until(lambda: found.call("GET", "/system")["devices"], "the devices are known")
        yield found


def on(device: torch.device, kind: str) -> dict[str, Any]:
    """A spec of digits for the device; on a CPU with two epochs."""
    epochs, spec = KINDS[kind]
    return {"dataset": "digits", "epochs": epochs if device.type == "cuda" else 2, "device": str(device), **spec}


def undisturbed(given: dict[str, Any], places: Places, device: torch.device) -> tuple[list[Any], dict[str, Any]]:
    """The measurements of a training in this process, as (name, step, value), and its final weights."""
    spec = parse(given)
    devices.make_repeatable(spec)
    state = loop.start(spec, device)
    data = LoadedData(spec, load(spec.dataset, places), device)
    measured = [(one.name, one.step, one.value) for one in loop.train(spec, data, state) if one]
    return measured, {name: value.cpu() for name, value in state.model.state_dict().items()}


def assert_undisturbed(server: Server, run: int, given: dict[str, Any], places: Places, device: torch.device) -> None:
    until(lambda: server.run(run)["status"] == "succeeded", f"run {run} succeeds")
    measured, weights = undisturbed(given, places, device)
    for name in KNOWN:
        assert raw(server, run, name) == [(step, value) for one, step, value in measured if one == name]
    with server.api() as client:
        kept = torch.load(io.BytesIO(client.get(f"/runs/{run}/weights").content), weights_only=True)
    assert [name for name in weights if not torch.equal(kept[name], weights[name])] == []


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.few if "CNN" in kind else ()) for kind in KINDS])
def test_a_run_that_is_killed_and_paused_loses_and_repeats_nothing(
    server: Server, device: torch.device, places: Places, kind: str
) -> None:
    spec = on(device, kind)
    spec["epochs"] = max(spec["epochs"], 5)  # else it may be done before it is killed
    run = server.launch(**spec)
    worker = until(lambda: server.workers().get(run), "it has a worker")
    epoch = parse(spec).steps_per_epoch
    server.wait_for(run, "running", steps=epoch + 2)  # beyond a checkpoint
    worker.send_signal(signal.SIGKILL)
    server.wait_for(run, "failed")
    server.wait_for(run, "failed", "running", "succeeded", steps=epoch + 4)  # it goes on by itself
    until(lambda: server.run(run)["status"] == "running", "it goes on by itself")
    server.call("POST", f"/runs/{run}/pause")
    paused = server.wait_for(run, "paused")
    server.call("POST", f"/runs/{run}/resume")
    assert_undisturbed(server, run, spec, places, device)
    attempts = server.run(run)["attempts"]
    assert [attempt["cause"] and attempt["cause"][:6] for attempt in attempts] == ["killed", "paused", None]
    assert attempts[2]["from_step"] == paused["steps_done"] > attempts[1]["from_step"] > 0


def test_two_runs_at_once_on_one_device_do_not_disturb_each_other(
    server: Server, device: torch.device, places: Places
) -> None:
    specs = [on(device, "CNN with SGD") | {"seed": seed} for seed in (1, 2)]
    found = [server.launch(**spec) for spec in specs]
    for run in found:
        server.wait_for(run, "running", steps=1)
    assert {server.run(run)["device"] for run in found} == {str(device)}
    for run, spec in zip(found, specs, strict=True):
        assert_undisturbed(server, run, spec, places, device)


def test_a_run_on_the_device_stops_within_a_second(server: Server, device: torch.device) -> None:
    run = server.launch(**ENDLESS, device=str(device))
    server.wait_for(run, "running", steps=200)
    server.call("POST", f"/runs/{run}/stop")
    stopped = server.wait_for(run, "stopped", seconds=1 if device.type == "cuda" else 5)
    assert [step for step, _ in raw(server, run)] == list(range(1, stopped["steps_done"] + 1))


@pytest.mark.few
def test_lack_of_memory_is_told_with_the_batch_size_and_leaves_the_device_free(
    device: torch.device, places: Places, tmp_path: Path
) -> None:
    with serving(tmp_path / "home", places.prepared, RUNYARD_PRELOAD="0") as scarce, little_memory(device, scarce):
        before = free_memory(device)
        run = scarce.launch(model={"name": "cnn", "n_features": 512}, batch_size=7000, device=str(device))
        failed = scarce.wait_for(run, "failed")
        kind = "GPU memory" if device.type == "cuda" else "memory"
        assert failed["cause"] == f"out of {kind} at batch size 7000: choose a smaller one"
        until(lambda: run not in scarce.workers(), "its worker is gone")
        until(lambda: free_memory(device) >= before - 2**26, "the card is free again")
        small = scarce.launch(model="fc", device=str(device))
        scarce.wait_for(small, "succeeded")


@contextlib.contextmanager
def little_memory(device: torch.device, server: Server) -> Iterator[None]:
    """Of a card, leave 8 GiB to others; without one, let the server's workers have addresses for 10 GiB.

    A batch of 7,000 needs 8.3 GB for the maps of the first convolution alone.
    """
    if device.type == "cpu":
        assert server.process is not None
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (10 * 2**30, 10 * 2**30))
        yield
        return
    free, _ = torch.cuda.mem_get_info(device)
    held = torch.empty(max(0, free - 8 * 2**30), dtype=torch.uint8, device=device)
    yield
    del held
    torch.cuda.empty_cache()


def free_memory(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


@pytest.mark.few
def test_the_devices_are_listed_best_first_and_each_name_means_one(server: Server, device: torch.device) -> None:
    listed = server.call("GET", "/system")["devices"]
    assert listed[0]["name"] == str(device)
    assert listed[-1]["name"] == "cpu"
    assert all(one["slots"] == 2 for one in listed)
    for wanted in ("auto", device.type, str(device)):
        run = server.wait_for(server.launch(model="fc", device=wanted), "succeeded")
        assert run["device"] == str(device)
        environment = run["attempts"][0]["environment"]
        assert environment["device_title"] == listed[0]["title"]
        assert {"cuda", "cudnn", "driver"} <= environment.keys() or device.type == "cpu"
    there = " or ".join(["auto", *(one["name"] for one in listed)])
    with server.api() as client:
        refused = client.post("/runs", json={"spec": {"device": "cuda:77"}})
    assert refused.json()["detail"] == f"device is 'cuda:77': there is no such device here; choose {there}"


@pytest.mark.few
def test_without_slots_on_the_gpus_auto_means_the_cpu(device: torch.device, places: Places, tmp_path: Path) -> None:
    with serving(tmp_path / "home", places.prepared, RUNYARD_PRELOAD="0", RUNYARD_GPU_SLOTS="0") as without:
        run = without.wait_for(without.launch(model="fc"), "succeeded")
        assert run["device"] == "cpu"
        assert "cuda" not in run["attempts"][0]["environment"]
        with without.api() as client:
            refused = client.post("/runs", json={"spec": {"device": "cuda:0"}})
        why = "nothing runs there (0 slots)" if device.type == "cuda" else "there is no such device here"
        assert refused.json()["detail"] == f"device is 'cuda:0': {why}; choose auto or cpu"


@pytest.mark.few
def test_what_a_net_says_of_the_test_set_and_its_filters_come_off_the_device(
    server: Server, device: torch.device
) -> None:
    spec = {"model": "cnn", "pixel_order": "shuffled", "optimizer": SGD, "device": str(device)}
    run = server.wait_for(server.launch(**spec), "succeeded")
    found = server.call("GET", f"/runs/{run['id']}/predictions")
    accuracy = run["summary"]["test/accuracy"]["last"]
    assert found["right"] / found["n"] == np.trace(np.array(found["confusion"])) / 1800 == accuracy
    with server.api() as client:
        weights = torch.load(io.BytesIO(client.get(f"/runs/{run['id']}/weights").content), weights_only=True)
    filters = np.load(server.files(run["id"]) / "filters.npy")
    assert {value.device.type for value in weights.values()} == {"cpu"}
    kept = {one.tobytes() for one in weights["0.weight"].numpy()}
    assert {one.tobytes() for one in filters} == kept


@pytest.mark.few
def test_a_loss_that_is_no_number_fails_its_run_at_that_step(server: Server, device: torch.device) -> None:
    diverging = {"model": {"name": "fc", "n_hidden": 512}, "optimizer": {"lr": 100, "momentum": 0.99}}
    run = server.wait_for(server.launch(**diverging, device=str(device)), "failed")
    assert run["cause"].endswith(f" at step {run['steps_done'] + 1}: choose a lower learning rate than 100")
    assert [step for step, _ in raw(server, run["id"])] == list(range(1, run["steps_done"] + 1))


@pytest.mark.few
def test_neither_the_server_nor_the_fork_server_touches_a_gpu(server: Server, device: torch.device) -> None:
    run = server.launch(**ENDLESS, device=str(device))
    server.wait_for(run, "running", steps=1)
    assert server.process is not None
    parent = psutil.Process(server.process.pid)
    forking = [one for one in parent.children() if "--fork" in one.cmdline()]
    assert len(forking) == 1, "the fork server"
    assert [gpu_files(one.pid) for one in (parent, *forking)] == [[], []]
    assert bool(gpu_files(server.workers()[run].pid)) == (device.type == "cuda")
    server.call("POST", f"/runs/{run}/stop")
    server.wait_for(run, "stopped")


def gpu_files(pid: int) -> list[str]:
    """What a process has open of NVIDIA's driver: with a CUDA context it has some of it."""
    opened = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            opened.append(os.readlink(link))
    return [path for path in opened if path.startswith("/dev/nvidia")]


def test_a_run_goes_on_on_the_device_after_its_server_was_killed(
    server: Server, device: torch.device, places: Places
) -> None:
    spec = on(device, "CNN with SGD")
    run = server.launch(**spec)
    server.wait_for(run, "running", steps=20)
    server.restart()
    until(lambda: server.run(run)["status"] in ("running", "succeeded"), "it is adopted")
    assert_undisturbed(server, run, spec, places, device)
    assert len(server.run(run)["attempts"]) == 1


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="it takes two cards")
def test_a_run_on_the_second_card_leaves_the_first_alone(server: Server, places: Places) -> None:
    first, second = torch.device("cuda:0"), torch.device("cuda:1")
    before = free_memory(first)
    spec = on(second, "CNN with SGD")
    run = server.launch(**spec)
    server.wait_for(run, "running", steps=20)
    assert free_memory(first) == before
    assert_undisturbed(server, run, spec, places, second)
