"""A full disk, a directory that vanishes: a cause in words, and then the run goes on as if nothing had been."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acceptance.test_lives import SPECS, Undisturbed, assert_undisturbed, trained
from tests.serving import Server, serving, until
from trainer.checkpoint import KEPT
from trainer.entries import DataError
from trainer.prepared import Places, ensure_prepared

FULL = "the disk is full: free some space, then resume the run"
# One long epoch: no checkpoint before its end, so that it is recording that meets the full disk
RECORDING = {"model": "fc", "dataset": "digits", "epochs": 1, "batch_size": 2}
# Checkpoints of 1.4 MB, each epoch, where recording needs little: less than 1.1 MB, however slow the machine is
CHECKPOINTING = {"model": {"name": "fc", "n_hidden": 180}, "dataset": "digits", "epochs": 15}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path, leave: int) -> Path:
    """Take all space of the file system but `leave` bytes."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        file.write(b"x" * (free - leave))
        with contextlib.suppress(OSError):
            while not leave:
                file.write(b"x" * 512)
    return filler


def freeze_between_checkpoints(server: Server, run_id: int) -> psutil.Process:
    """One that is being written, or an old one about to go, would leave room for the next."""
    folder = server.files(run_id) / "checkpoints"

    def caught() -> psutil.Process | None:
        worker = server.freeze(run_id)
        if not list(folder.glob("*.part")) and len(list(folder.glob("*.pt"))) == KEPT:
            return worker
        worker.resume()
        return None

    found = until(caught, "the worker is stopped between two checkpoints")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("spec", "leave"), [(RECORDING, 0), (CHECKPOINTING, 1_100_000)], ids=["recording", "checkpointing"]
)
def test_a_full_disk_is_the_cause_and_nothing_is_lost(
    small_disk: Path, places: Places, spec: dict[str, Any], leave: int
) -> None:
    with serving(small_disk / "home", places.prepared, RUNYARD_PRELOAD="0") as server:
        run_id = server.launch(**spec)
        server.wait_for(run_id, "running", steps=50)
        worker = freeze_between_checkpoints(server, run_id) if leave else server.freeze(run_id)
        filler = fill(small_disk, leave)
        worker.resume()
        until(lambda: run_id not in server.workers(), "the worker has left")
        filler.unlink()
        failed = server.wait_for(run_id, "failed")
        assert failed["cause"] == FULL
        assert failed["retry_at"] is None
        with server.api() as client:
            assert ("checkpoint.py" in client.get(f"/runs/{run_id}/log").text) == bool(leave)
        assert not list(server.files(run_id).glob("checkpoints/*.part"))
        server.call("POST", f"/runs/{run_id}/resume")
        run = assert_undisturbed(server, run_id, {"it": trained(places, spec)}, "it")
        assert len(run["attempts"]) == 2


@pytest.mark.mend("B8")
@pytest.mark.parametrize("left", [0, 80_000, 250_000])
@pytest.mark.parametrize("home", ["new", "of a run that was at work"])
def test_a_server_on_a_full_disk_starts_or_says_so_in_a_line(
    small_disk: Path, places: Places, home: str, left: int
) -> None:
    if home != "new":
        with serving(small_disk / "home", places.prepared) as server:
            run_id = server.launch(**SPECS["cnn"])
            server.wait_for(run_id, "running", steps=10)
            worker = server.workers()[run_id]
            server.kill()
            worker.kill()
    fill(small_disk, left)
    environment = {**os.environ, "RUNYARD_HOME": str(small_disk / "home"), "RUNYARD_PRELOAD": "0"}
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as one:
        assert one.stdout is not None
        said = one.stdout.readline()
        one.send_signal(signal.SIGINT)
        rest = one.stdout.read()
    assert "Traceback" not in said + rest
    assert said.startswith("Runyard is at ") or ("full" in said and "free some space" in said and not rest)


@pytest.mark.mend("B8")
def test_a_data_set_that_does_not_fit_the_disk_is_refused_as_such(small_disk: Path) -> None:
    fill(small_disk, 2_000_000)
    with pytest.raises(DataError, match=r"digits can't be kept in .* \(the disk is full\): free some space"):
        ensure_prepared("digits", Places(small_disk / "datasets", small_disk / "prepared"))
    assert not [path for path in (small_disk / "prepared").iterdir() if path.is_dir()]


@pytest.fixture(scope="module")
def undisturbed(places: Places) -> dict[str, Undisturbed]:
    return {"cnn": trained(places, SPECS["cnn"])}


def test_a_data_directory_that_vanishes_is_said_and_all_goes_on_when_it_is_back(
    places: Places, tmp_path: Path, undisturbed: dict[str, Undisturbed]
) -> None:
    with serving(tmp_path / "home", places.prepared) as server:
        run_id = server.launch(**SPECS["cnn"])
        server.wait_for(run_id, "running", steps=130)
        worker = server.workers()[run_id]
        server.home.rename(tmp_path / "elsewhere")
        with server.api() as client:
            for path in ("/runs", "/system", f"/runs/{run_id}"):
                answer = client.get(path)
                assert answer.status_code == 503, answer.text
                assert (
                    "is gone, or is not the file that was opened: bring the directory back" in answer.json()["detail"]
                )
            assert client.post("/runs", json={"spec": {"dataset": "digits"}}).status_code == 503
            assert client.get(f"{server.url}/healthz").status_code == 503
        until(lambda: not worker.is_running() or worker.status() == "zombie", "the worker has left")
        assert not (tmp_path / "home").exists()  # nobody began a new database there
        (tmp_path / "elsewhere").rename(server.home)
        failed = server.wait_for(run_id, "failed")
        assert failed["cause"].startswith("the database could not be used: ")
        assert "bring the directory back" in failed["cause"]
        server.call("POST", f"/runs/{run_id}/resume")
        assert_undisturbed(server, run_id, undisturbed, "cnn")


def test_a_directory_that_was_replaced_is_not_written_to(own_server: Server) -> None:
    database = own_server.home / "runyard.db"
    for name in ("runyard.db", "runyard.db-wal", "runyard.db-shm"):
        (own_server.home / name).unlink()
    database.touch()
    with own_server.api() as client:
        assert client.get("/runs").status_code == 503
    assert database.stat().st_size == 0
