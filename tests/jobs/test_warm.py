"""Idle workers: ready before they are needed, replaceable, and gone with their server."""

from pathlib import Path

import psutil
import pytest

from tests.acceptance.test_line import raw
from tests.serving import Server, serving, until
from trainer.data.prepared import Places

SPEC = {"model": "cnn", "dataset": "digits", "batch_size": 200}


def idle(server: Server) -> list[psutil.Process]:
    """The workers of this server that wait for a run."""
    assert server.process is not None
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if "--warm" in child.cmdline()]


def test_the_cold_path_gives_the_same_series(
    places: Places, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    until(lambda: idle(server), "a worker is ready")
    warm = server.launch(**SPEC)
    server.wait_for(warm, "succeeded")
    with serving(tmp_path_factory.mktemp("cold") / "home", places.prepared, RUNYARD_WARM_WORKERS="0") as cold_server:
        cold = cold_server.launch(**SPEC)
        cold_server.wait_for(cold, "succeeded")
        assert idle(cold_server) == []
        assert raw(cold_server, cold) == raw(server, warm)


def test_a_worker_that_took_a_run_is_listed_as_that_runs_and_replaced(server: Server) -> None:
    (waiting,) = until(lambda: idle(server), "a worker is ready")
    run_id = server.launch(**{**SPEC, "epochs": 500})
    server.wait_for(run_id, "running", steps=1)
    assert server.workers()[run_id].pid == waiting.pid
    until(lambda: idle(server), "the next one is ready")
    server.call("POST", f"/runs/{run_id}/stop")
    server.wait_for(run_id, "stopped")


def test_an_idle_worker_that_was_killed_costs_no_run(server: Server) -> None:
    for process in until(lambda: idle(server), "a worker is ready"):
        process.kill()
    server.wait_for(server.launch(**SPEC), "succeeded")


@pytest.mark.parametrize("end", ["kill", "close"])
def test_idle_workers_leave_with_their_server(places: Places, tmp_path: Path, end: str) -> None:
    with serving(tmp_path / "home", places.prepared) as own:
        waiting = until(lambda: idle(own), "a worker is ready")
        getattr(own, end)()
    assert psutil.wait_procs(waiting, timeout=20)[1] == []
