"""The fork server: workers that begin at once, its own death, and its leaving with the server."""

import contextlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app.jobs.launchers import WORKER_VARIABLES, AdoptedProcess, is_held
from app.jobs.plan import VANISHED
from app.jobs.worker import _keep_files_to_itself
from tests.acceptance.test_line import raw
from tests.serving import Server, serving, until
from trainer.prepared import Places

SPEC = {"model": "cnn", "dataset": "digits", "batch_size": 200}
LONG = {**SPEC, "epochs": 500}


def fork_servers(server: Server) -> list[psutil.Process]:
    assert server.process is not None
    found = []
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if "--fork" in child.cmdline():
                found.append(child)
    return found


def only_one(server: Server) -> psutil.Process:
    """The fork server, which is there at the latest when a run was."""
    server.wait_for(server.launch(**SPEC), "succeeded")
    (found,) = fork_servers(server)
    return found


def other_than(server: Server, process: psutil.Process) -> psutil.Process:
    (other,) = until(lambda: [found for found in fork_servers(server) if found != process], "another one is made")
    return other


def test_the_cold_path_gives_the_same_series(
    places: Places, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    forked = server.launch(**SPEC)
    server.wait_for(forked, "succeeded")
    with serving(tmp_path_factory.mktemp("cold") / "home", places.prepared, RUNYARD_PRELOAD="0") as cold_server:
        cold = cold_server.launch(**SPEC)
        cold_server.wait_for(cold, "succeeded")
        assert fork_servers(cold_server) == []
        assert raw(cold_server, cold) == raw(server, forked)


def test_a_worker_is_listed_as_its_runs_and_leads_a_session_of_its_own(server: Server) -> None:
    parent = only_one(server)
    run_id = server.launch(**LONG)
    server.wait_for(run_id, "running", steps=1)
    worker = server.workers()[run_id]
    assert worker.ppid() == parent.pid
    assert os.getsid(worker.pid) == worker.pid
    server.call("POST", f"/runs/{run_id}/stop")
    server.wait_for(run_id, "stopped")
    until(lambda: parent.children() == [], "the fork server has taken leave of it")


def test_a_fork_server_that_is_killed_costs_no_run_and_is_replaced(server: Server) -> None:
    killed = only_one(server)
    run_id = server.launch(**LONG)
    server.wait_for(run_id, "running", steps=1)
    killed.kill()
    (other,) = until(
        lambda: [found for found in fork_servers(server) if found.pid != killed.pid], "another one is made"
    )
    at = server.run(run_id)["steps_done"]
    server.wait_for(run_id, "running", steps=at + 50)  # its worker has not noticed
    server.call("POST", f"/runs/{run_id}/stop")
    server.wait_for(run_id, "stopped")
    again = server.launch(**LONG)
    server.wait_for(again, "running", steps=1)
    assert server.workers()[again].ppid() == other.pid
    server.call("POST", f"/runs/{again}/stop")


def test_a_fork_server_that_is_frozen_costs_no_run(server: Server) -> None:
    frozen = only_one(server)
    frozen.suspend()
    server.wait_for(server.launch(**SPEC), "succeeded")
    other_than(server, frozen)


@pytest.mark.parametrize("end", ["kill", "close"])
def test_it_leaves_with_its_server(places: Places, tmp_path: Path, end: str) -> None:
    with serving(tmp_path / "home", places.prepared) as own:
        found = until(lambda: fork_servers(own), "it is started")
        getattr(own, end)()
    assert psutil.wait_procs(found, timeout=20)[1] == []


@pytest.mark.mend("B5")
def test_a_worker_that_is_gone_is_gone_though_its_child_holds_its_lock(tmp_path: Path) -> None:
    """The child was forked, so that it has the lock as well; it goes with the worker."""
    lock = tmp_path / "run-1-1.lock"
    script = (
        "import fcntl, os, sys, time\n"
        f"held = open({str(lock)!r}, 'w')\n"
        "fcntl.flock(held, fcntl.LOCK_EX)\n"
        "child = os.fork()\n"
        "print(child, flush=True) if child else None\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, text=True) as worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        adopted = AdoptedProcess(worker.pid, lock)
        assert adopted.poll() is None
        worker.kill()
        worker.wait(30)
        assert is_held(lock), "by the child"
        assert adopted.poll() is VANISHED
        until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie", "the child is gone")
        until(lambda: not is_held(lock), "and its lock with it")


@pytest.mark.mend("B5")
def test_what_a_worker_starts_as_a_program_does_not_get_its_lock(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        _keep_files_to_itself()
        assert not os.get_inheritable(held.fileno())


TAKES_AND_FREES = """
import ctypes, resource
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
def step():
    for size in (2**20, 2**23, 2**24):
        taken = ctypes.c_void_p(libc.malloc(ctypes.c_size_t(size)))
        ctypes.memset(taken, 1, size)
        libc.free(taken)
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the variables are the GNU C library's")
def test_a_worker_takes_again_what_a_step_has_freed() -> None:
    def page_faults(variables: dict[str, str]) -> int:
        bare = {name: value for name, value in os.environ.items() if name not in WORKER_VARIABLES}
        command = [sys.executable, "-c", TAKES_AND_FREES]
        return int(subprocess.run(command, env=bare | variables, capture_output=True, text=True, check=True).stdout)

    assert page_faults(WORKER_VARIABLES) * 10 < page_faults({})
