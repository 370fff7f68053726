"""Workers that are stopped, killed, left behind: real processes, each end with its cause."""

import os
import shutil
import signal
import sqlite3
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from tests.acceptance.test_line import raw
from tests.serving import Server, serving, until
from trainer.prepared import Places

LONG = {"model": "cnn", "dataset": "digits", "epochs": 500}


def test_a_killed_worker_leaves_a_failed_run_that_says_why_and_keeps_its_points(server: Server) -> None:
    run_id = server.launch(**LONG)
    server.wait_for(run_id, "running", steps=50)
    server.workers()[run_id].send_signal(signal.SIGKILL)
    run = server.wait_for(run_id, "failed", seconds=5)
    assert run["cause"] == "killed by signal 9 (the system may be out of memory)"
    assert run["attempts"][0]["cause"] == run["cause"]
    assert [step for step, _ in raw(server, run_id)] == list(range(1, run["steps_done"] + 1))
    assert run["steps_done"] >= 50
    assert run["retry_at"] is not None  # it would go on by itself
    server.call("POST", f"/runs/{run_id}/stop")
    assert server.run(run_id)["retry_at"] is None


def test_stop_ends_a_running_run_and_keeps_what_was_recorded(server: Server) -> None:
    run_id = server.launch(**LONG)
    server.wait_for(run_id, "running", steps=20)
    server.call("POST", f"/runs/{run_id}/stop")
    run = server.wait_for(run_id, "stopped", seconds=5)
    assert run["cause"] == "stopped by user"
    assert [step for step, _ in raw(server, run_id)] == list(range(1, run["steps_done"] + 1))
    until(lambda: run_id not in server.workers(), "the worker is gone")


def test_a_run_that_is_starting_or_queued_is_stopped_too(places: Places, tmp_path: Path) -> None:
    # a cold worker is "starting" for seconds; a forked one for too short a time to be met there for sure
    with serving(tmp_path / "home", places.prepared, RUNYARD_PRELOAD="0") as cold:
        starting, waiting = cold.launch(**LONG), cold.launch(**LONG)
        cold.wait_for(starting, "starting")
        cold.call("POST", f"/runs/{waiting}/stop")
        assert cold.run(waiting)["status"] == "stopped"
        cold.call("POST", f"/runs/{starting}/stop")
        assert cold.wait_for(starting, "stopped", seconds=5)["cause"] == "stopped by user"


def test_an_experiment_is_stopped_as_a_whole(server: Server) -> None:
    body = {"name": "long", "base": LONG, "grid": {"seed": [1, 2, 3]}}
    made = server.call("POST", "/experiments", json=body)
    server.wait_for(made["run_ids"][0], "running", steps=1)
    assert server.call("POST", f"/experiments/{made['id']}/stop")["run_ids"] == made["run_ids"]
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "stopped", seconds=5)
    assert server.call("POST", f"/experiments/{made['id']}/stop")["run_ids"] == []


def test_a_loss_that_is_no_number_fails_the_run_at_its_step(server: Server) -> None:
    run_id = server.launch(model={"name": "fc", "n_hidden": 512}, optimizer={"lr": 100, "momentum": 0.99})
    run = server.wait_for(run_id, "failed")
    assert run["cause"].startswith("loss became ")
    step = int(run["cause"].split("step ")[1].split(":")[0])
    assert [found for found, _ in raw(server, run_id)] == list(range(1, step))
    assert "choose a lower learning rate than 100" in run["cause"]


def test_the_worker_of_a_run_is_the_leader_of_a_session_of_its_own_and_writes_a_log(server: Server) -> None:
    run_id = server.launch(**LONG)
    server.wait_for(run_id, "running", steps=1)
    worker = server.workers()[run_id]
    assert os.getsid(worker.pid) == worker.pid
    assert worker.nice() == min(psutil.Process().nice() + 10, 19), "the server goes first"
    server.call("POST", f"/runs/{run_id}/stop")
    server.wait_for(run_id, "stopped")
    with server.api() as client:
        log = client.get(f"/runs/{run_id}/log").text
    assert f"run {run_id}, attempt 1" in log
    assert "stopped by user after step" in log


def test_the_worker_settles_what_precision_auto_stands_for(server: Server) -> None:
    run = server.wait_for(server.launch(model="fc", batch_size=5000, precision="auto"), "succeeded")
    (attempt,) = run["attempts"]
    assert run["spec"]["precision"] == "auto"
    assert attempt["environment"]["precision"] in ("bfloat16", "float32")
    assert attempt["environment"]["runyard"] == version("runyard")
    with server.api() as client:
        assert (
            f"training on cpu, {attempt['environment']['precision']}, 1 thread(s)"
            in client.get(f"/runs/{run['id']}/log").text
        )


def test_slots_are_not_exceeded_and_the_queue_is_in_order(server: Server) -> None:
    made = server.call("POST", "/experiments", json={"name": "queue", "base": LONG, "grid": {"seed": [1, 2, 3]}})
    first, second, third = made["run_ids"]
    server.wait_for(first, "running", steps=1)
    assert [server.run(run)["status"] for run in (second, third)] == ["queued", "queued"]
    (device,) = server.call("GET", "/system")["devices"]
    assert (device["name"], device["slots"], device["used"]) == ("cpu", 1, 1)
    server.call("POST", f"/runs/{first}/stop")
    server.wait_for(second, "running", steps=1)
    assert server.run(third)["status"] == "queued"
    server.call("POST", f"/experiments/{made['id']}/stop")
    server.wait_for(second, "stopped")


def test_deleting_runs_while_others_run_and_wait_disturbs_nothing(server: Server) -> None:
    made = server.call("POST", "/experiments", json={"name": "delete", "base": LONG, "grid": {"seed": [1, 2, 3]}})
    running, deleted, waiting = made["run_ids"]
    server.wait_for(running, "running", steps=1)
    with server.api() as client:
        assert client.delete(f"/runs/{running}").status_code == 409
    server.call("DELETE", f"/runs/{deleted}")
    fresh = server.launch(dataset="digits", model="fc")
    assert fresh > waiting
    assert server.run(fresh)["summary"] == {}
    assert raw(server, fresh) == []
    server.call("POST", f"/runs/{running}/stop")
    server.wait_for(waiting, "running", steps=1)
    server.call("POST", f"/runs/{waiting}/stop")
    server.wait_for(fresh, "succeeded")
    with server.api() as client:
        assert client.get(f"/runs/{deleted}").status_code == 404


def test_a_device_that_is_not_there_is_refused_with_the_list_of_those_that_are(server: Server) -> None:
    until(lambda: server.call("GET", "/system")["devices"], "the devices are known")
    with server.api() as client:
        answer = client.post("/runs", json={"spec": {"device": "cuda:7"}})
    assert answer.status_code == 422
    assert "device is 'cuda:7': there is no such device here; choose auto or cpu" in answer.json()["detail"]


def test_a_worker_that_died_while_no_server_watched_has_lost_its_run(own_server: Server) -> None:
    running, waiting = own_server.launch(**LONG), own_server.launch(dataset="digits", model="fc")
    own_server.wait_for(running, "running", steps=20)
    worker = own_server.workers()[running]
    own_server.kill()
    worker.kill()
    psutil.wait_procs([worker], timeout=10)
    own_server.start()
    run = own_server.wait_for(running, "lost")
    assert run["cause"] == "its worker vanished while no server watched: it was killed, or the machine restarted"
    assert [step for step, _ in raw(own_server, running)] == list(range(1, run["steps_done"] + 1))
    own_server.call("POST", f"/runs/{running}/stop")  # let it stay lost
    own_server.wait_for(waiting, "succeeded")


@pytest.mark.parametrize("status", ["paused", "stopped"])
def test_a_queued_run_is_paused_at_once_and_resumed_later(server: Server, status: str) -> None:
    first, second = server.launch(**LONG), server.launch(dataset="digits", model="fc")
    server.wait_for(first, "running", steps=1)
    server.call("POST", f"/runs/{second}/{'pause' if status == 'paused' else 'stop'}")
    assert server.run(second)["status"] == status
    server.call("POST", f"/runs/{first}/stop")
    server.call("POST", f"/runs/{second}/resume")
    server.wait_for(second, "succeeded")


def test_what_can_not_be_paused_or_resumed_says_so(server: Server) -> None:
    done = server.launch(dataset="digits", model="fc", batch_size=5000)
    server.wait_for(done, "succeeded")
    with server.api() as client:
        for verb, words in {
            "pause": "only a run that is queued or at work can be paused",
            "resume": "only a run that is paused, failed, stopped or lost can be resumed",
        }.items():
            answer = client.post(f"/runs/{done}/{verb}")
            assert answer.status_code == 409
            assert words in answer.json()["detail"]


def test_a_worker_that_its_server_had_no_time_to_note_is_adopted(own_server: Server) -> None:
    run_id = own_server.launch(**LONG)
    own_server.wait_for(run_id, "running", steps=20)
    own_server.kill()
    with sqlite3.connect(own_server.home / "runyard.db") as database:
        database.execute("UPDATE attempt SET pid = NULL")
    database.close()
    own_server.start()
    (attempt,) = own_server.run(run_id)["attempts"]
    assert attempt["pid"] == own_server.workers()[run_id].pid
    own_server.call("POST", f"/runs/{run_id}/stop")
    own_server.wait_for(run_id, "stopped")


def test_a_server_that_is_told_to_end_ends_in_order(own_server: Server) -> None:
    assert own_server.process is not None
    own_server.process.send_signal(signal.SIGTERM)
    assert own_server.process.wait(15) == 0
    assert not own_server.home.joinpath("runyard.db-wal").exists()  # the database was closed


def test_a_second_server_on_the_same_home_is_refused(own_server: Server) -> None:
    second = Server(own_server.home)
    with pytest.raises(AssertionError, match=r"a server \(process \d+\) uses it already"):
        second.start()
    assert second.process is not None
    assert second.process.wait(10) == 1
    assert second.process.stdout is not None
    second.process.stdout.close()


def test_a_damaged_prepared_file_is_the_cause_of_a_failed_run(own_server: Server, tmp_path: Path) -> None:
    prepared = own_server.home / "prepared"
    copied = tmp_path / "copy"
    shutil.copytree(prepared / "digits-1", copied / "digits-1")
    prepared.unlink()
    prepared.symlink_to(copied)
    path = copied / "digits-1" / "train_images.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    run = own_server.wait_for(own_server.launch(dataset="digits"), "failed")
    assert "train_images.npy is damaged (its checksum differs)" in run["cause"]
    assert "delete the folder" in run["cause"]


def test_a_deleted_run_loses_its_files_when_it_can_no_longer_be_restored(places: Places, tmp_path: Path) -> None:
    with serving(tmp_path / "home", places.prepared, RUNYARD_PRELOAD="0") as own:
        run_id = own.launch(dataset="digits", model="fc", batch_size=5000)
        own.wait_for(run_id, "succeeded")
        own.call("DELETE", f"/runs/{run_id}")
        with sqlite3.connect(own.home / "runyard.db") as connection:
            connection.execute("UPDATE run SET deleted_at = '2020-01-01 00:00:00.000000'")
        connection.close()
        files = own.files(run_id)
        assert files.exists()
        own.restart()
        until(lambda: not files.exists(), "the files are gone")
        until(lambda: not list(own.home.glob(f"logs/{files.name}-*")), "the logs are gone")
        with own.api() as client:
            assert client.post(f"/runs/{run_id}/restore").status_code == 404
