"""Whatever dies: the series and the weights of a run are those of an undisturbed one, bit for bit."""

import io
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from app.jobs.causes import BLOCKED
from tests.acceptance.test_line import raw
from tests.serving import Server, serving, until
from trainer import devices, loop
from trainer.loaded import LoadedData
from trainer.metrics import KNOWN
from trainer.prepared import Places, load
from trainer.spec import parse

SPECS = {
    "fc": {"model": "fc", "dataset": "digits", "epochs": 20, "optimizer": {"lr": 0.05}, "validation": 1000},
    "cnn": {"model": "cnn", "dataset": "digits", "epochs": 3, "pixel_order": "shuffled", "optimizer": {"lr": 0.05}},
}
Undisturbed = tuple[list[loop.Measurement], dict[str, torch.Tensor]]
"""What a training yields, and its final weights."""


def trained(places: Places, given: dict[str, Any]) -> Undisturbed:
    """An undisturbed training in this process."""
    spec, device = parse(given), torch.device("cpu")
    devices.make_repeatable(spec)
    state = loop.start(spec, device)
    data = LoadedData(spec, load(spec.dataset, places), device)
    measured = [m for m in loop.train(spec, data, state) if m]
    return measured, state.model.state_dict()


@pytest.fixture(scope="module")
def undisturbed(places: Places) -> dict[str, Undisturbed]:
    """Model name to what an undisturbed training of its spec gives."""
    return {name: trained(places, given) for name, given in SPECS.items()}


def assert_undisturbed(server: Server, run_id: int, undisturbed: Any, model: str) -> dict[str, Any]:
    run = server.wait_for(run_id, "succeeded", "failed", "lost", "paused")
    run = until(lambda: (r := server.run(run_id))["status"] == "succeeded" and r, f"run {run_id} succeeds")
    measured, weights = undisturbed[model]
    for name in KNOWN:
        assert raw(server, run_id, name) == [(m.step, m.value) for m in measured if m.name == name]
    with server.api() as client:
        kept = torch.load(io.BytesIO(client.get(f"/runs/{run_id}/weights").content), weights_only=True)
    assert all(torch.equal(kept[key], weights[key]) for key in weights)
    accuracies = [m.value for m in measured if m.name == "test/accuracy"]
    summary = run["summary"]["test/accuracy"]
    assert (summary["last"], summary["best"]) == (accuracies[-1], max(accuracies))
    return run


@pytest.mark.parametrize("model", SPECS)
def test_a_killed_worker_resumes_without_losing_or_repeating_a_step(
    server: Server, undisturbed: Any, model: str
) -> None:
    run_id = server.launch(**SPECS[model])
    server.wait_for(run_id, "running", steps=130)  # beyond the first checkpoint
    server.workers()[run_id].send_signal(signal.SIGKILL)
    failed = server.wait_for(run_id, "failed", seconds=5)
    assert failed["cause"] == "killed by signal 9 (the system may be out of memory)"
    until(lambda: server.run(run_id)["status"] in ("running", "succeeded"), "it goes on by itself", 15)
    run = assert_undisturbed(server, run_id, undisturbed, model)
    assert [attempt["n"] for attempt in run["attempts"]] == [1, 2]
    assert run["attempts"][0]["cause"] == failed["cause"]
    assert run["attempts"][1]["from_step"] > 0


@pytest.mark.parametrize("model", SPECS)
def test_pause_and_resume_leave_no_trace(server: Server, undisturbed: Any, model: str) -> None:
    run_id = server.launch(**SPECS[model])
    server.wait_for(run_id, "running", steps=150)
    server.call("POST", f"/runs/{run_id}/pause")
    paused = server.wait_for(run_id, "paused", seconds=5)
    assert (paused["cause"], paused["checkpoint_step"]) == ("paused by user", paused["steps_done"])
    server.measure_beside(run_id)
    server.call("POST", f"/runs/{run_id}/resume")
    run = assert_undisturbed(server, run_id, undisturbed, model)
    assert run["attempts"][1]["from_step"] == paused["steps_done"]
    assert raw(server, run_id, "system/x") == [(1, 41.0)]
    assert [step for step, _ in raw(server, run_id, "odd/NaN")] == [paused["steps_done"]]
    assert (run["summary"]["odd/NaN"]["last"], run["metrics"]["odd/NaN"]["better"]) == (None, None)


def test_a_worker_outlives_its_server_and_is_adopted(own_server: Server, undisturbed: Any) -> None:
    run_id = own_server.launch(**SPECS["cnn"])
    own_server.wait_for(run_id, "running", steps=100)
    worker = own_server.freeze(run_id)  # else it may be done before the server is back
    own_server.restart()
    assert own_server.run(run_id)["status"] == "running"
    assert own_server.workers()[run_id].pid == worker.pid
    worker.resume()
    run = assert_undisturbed(own_server, run_id, undisturbed, "cnn")
    assert len(run["attempts"]) == 1


def test_worker_and_server_killed_together_lose_nothing(own_server: Server, undisturbed: Any) -> None:
    run_id = own_server.launch(**SPECS["cnn"])
    own_server.wait_for(run_id, "running", steps=130)  # beyond the first checkpoint
    own_server.kill()
    own_server.workers()[run_id].kill()
    own_server.start()
    run = assert_undisturbed(own_server, run_id, undisturbed, "cnn")
    assert [attempt["n"] for attempt in run["attempts"]] == [1, 2]


def test_an_adopted_worker_obeys_a_stop(own_server: Server) -> None:
    run_id = own_server.launch(**{**SPECS["cnn"], "epochs": 500})
    own_server.wait_for(run_id, "running", steps=10)
    own_server.restart()
    own_server.call("POST", f"/runs/{run_id}/stop")
    own_server.wait_for(run_id, "stopped", seconds=5)


def test_a_silent_worker_is_shown_as_not_responding_and_goes_on_when_it_wakes(server: Server, undisturbed: Any) -> None:
    run_id = server.launch(**SPECS["cnn"])
    server.wait_for(run_id, "running", steps=100)
    worker = server.freeze(run_id)
    silent = until(lambda: (run := server.run(run_id))["responding"] is False and run, "shown as not responding", 20)
    assert silent["status"] == "running"
    worker.send_signal(signal.SIGCONT)
    until(lambda: server.run(run_id)["responding"], "shown as responding again")
    run = assert_undisturbed(server, run_id, undisturbed, "cnn")
    assert len(run["attempts"]) == 1


def test_a_worker_stopped_in_a_write_does_not_keep_the_others_out(server: Server, undisturbed: Any) -> None:
    run_id = server.launch(**SPECS["cnn"])
    server.wait_for(run_id, "running", steps=100)
    server.freeze(run_id, writing=True)
    other = server.launch(**SPECS["fc"])  # waits until it can be written
    assert_undisturbed(server, other, undisturbed, "fc")
    run = assert_undisturbed(server, run_id, undisturbed, "cnn")
    assert [attempt["cause"] for attempt in run["attempts"]] == [BLOCKED, None]


@pytest.mark.parametrize("damage", ["a flipped byte", "cut short"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(server: Server, undisturbed: Any, damage: str) -> None:
    run_id = server.launch(**SPECS["cnn"])
    server.wait_for(run_id, "running", steps=130)  # beyond the first checkpoint
    server.call("POST", f"/runs/{run_id}/pause")
    paused = server.wait_for(run_id, "paused")
    newest = sorted((server.files(run_id) / "checkpoints").glob("*.pt"))[-1]
    content = bytearray(newest.read_bytes())
    if damage == "cut short":
        del content[1000:]
    else:
        content[1000] ^= 1
    newest.write_bytes(content)
    server.call("POST", f"/runs/{run_id}/resume")
    run = assert_undisturbed(server, run_id, undisturbed, "cnn")
    assert 0 < run["attempts"][1]["from_step"] < paused["steps_done"]
    with server.api() as client:
        assert (
            "is damaged (its checksum differs): going on from the checkpoint before it"
            in client.get(f"/runs/{run_id}/log").text
        )


def test_a_run_that_keeps_crashing_without_progress_gives_up(server: Server) -> None:
    run_id = server.launch(**{**SPECS["cnn"], "epochs": 500})
    for attempt in range(1, 5):
        worker = until(lambda: server.workers().get(run_id), f"attempt {attempt} has a worker", 30)
        worker.kill()
        until(lambda n=attempt: server.run(run_id)["attempts"][n - 1]["ended_at"], "the end is recorded", 10)
    run = server.run(run_id)
    assert (run["status"], run["retry_at"], len(run["attempts"])) == ("failed", None, 4)


@pytest.mark.mend("B6")
@pytest.mark.parametrize("preload", ["0", "1"], ids=["cold", "forked"])
def test_a_worker_that_is_asked_to_end_keeps_a_checkpoint_and_has_not_crashed(
    places: Places, tmp_path: Path, preload: str
) -> None:
    """As when a container stops: all its processes are told to end, the server too."""
    with serving(tmp_path / "home", places.prepared, RUNYARD_PRELOAD=preload) as one:
        run_id = one.launch(model="fc", batch_size=20, epochs=40)
        one.wait_for(run_id, "running", steps=300)
        for _ in range(5):  # more often than a run may crash without progress
            worker = one.workers()[run_id]
            before = one.run(run_id)["steps_done"]
            worker.terminate()
            one.kill()
            worker.wait(60)
            one.start()
            later = until(lambda: _going_on(one, run_id), "it goes on by itself")
            assert later["attempts"][-1]["from_step"] >= before
        one.call("POST", f"/runs/{run_id}/stop")
        one.wait_for(run_id, "stopped")


def _going_on(server: Server, run_id: int) -> dict[str, Any] | None:
    run = server.run(run_id)
    assert run["status"] != "failed", run["cause"]
    at_work = run["status"] == "running" and run_id in server.workers()
    return run if at_work and run["steps_done"] > run["attempts"][-1]["from_step"] else None
