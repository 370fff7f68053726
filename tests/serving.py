"""A real server for tests: `runyard serve` in a process of its own, on a free port, with a home of its own."""

import contextlib
import math
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from app.store import runs, series
from app.store.engine import open_database, reading, writer, writing
from app.store.series import Point
from app.store.tables import Run
from tests.template import Command, template

ROOT = Path(__file__).parents[1]
WAIT_SECONDS = 200.0
T = TypeVar("T")


def until(look: Callable[[], T], what: str, seconds: float = WAIT_SECONDS) -> T:
    """Await a condition; AssertionError with what was awaited when it doesn't come.

    The longer it takes the less often it looks: to look takes of the processor that what is awaited needs.
    """
    began, pause = time.monotonic(), 0.02
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < began + seconds, f"not within {seconds:g} s: {what}"
        time.sleep(pause)
        pause = min(pause * 1.2, 0.3)


def lasting_port() -> int:
    """A free port for a server that comes back on it: none that the system gives to others meanwhile."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port between 20,000 and 32,000 is free")


@dataclass
class Server:
    """One server process and its home; `restart()` starts another one on the same home."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: Command | subprocess.Popen[str] | None = None
    cold: bool = False
    """Started as a user does, not forked by a process that has imported it: for variables that work from the start."""
    url: str = ""
    said: list[str] = field(default_factory=list)
    """What it printed before its address."""
    _client: tuple[str, httpx.Client] | None = None
    """For `call`, with the address it is for."""

    def start(self) -> None:
        variables = {
            "RUNYARD_HOME": str(self.home),
            "RUNYARD_PORT": "0",
            "RUNYARD_CPU_SLOTS": "1",
            "RUNYARD_MEASURE": "0",
            **self.environment,
        }
        with (self.home / "server.err").open("a") as errors:
            environment = {**os.environ, **variables}
            if self.cold:
                words = [sys.executable, "-m", "app.cli", "serve"]
                self.process = subprocess.Popen(
                    words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
                )
            else:
                self.process = template(variables.get("PYTHONPATH", "")).start(["serve"], environment, errors)
        assert self.process.stdout is not None
        self.said = []
        while not (line := self.process.stdout.readline()).startswith("Runyard is at "):
            assert line, (self.home / "server.err").read_text()
            self.said.append(line.rstrip())
        self.url = line.split()[-1]

    def kill(self) -> None:
        """As a power cut would: its workers live on."""
        self._hang_up()
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def restart(self) -> None:
        self.kill()
        self.start()

    def api(self) -> httpx.Client:
        # verify=False: to load the certificate authorities, which plain HTTP never asks, takes 24 ms of the processor.
        # A connection is given up before the server would end it (after 5 s), perhaps while it is asked.
        kept = httpx.Limits(keepalive_expiry=2)
        return httpx.Client(base_url=f"{self.url}/api/v1", timeout=30, verify=False, limits=kept)

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client[1].close()
            self._client = None

    def call(self, method: str, path: str, **more: Any) -> Any:
        """The answer's JSON; AssertionError unless it is a success."""
        if self._client is None or self._client[0] != self.url:
            self._hang_up()
            self._client = self.url, self.api()
        answer = self._client[1].request(method, path, **more)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def launch(self, **spec: Any) -> int:
        run: int = self.call("POST", "/runs", json={"spec": spec})["id"]
        return run

    def run(self, run_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/runs/{run_id}")
        return found

    def files(self, run_id: int) -> Path:
        """The directory of a run's files, whether it is there or not."""
        engine = open_database(self.home / "runyard.db")
        with reading(engine) as session:
            name = session.get_one(Run, run_id).files
        engine.dispose()
        return self.home / "artifacts" / name

    def measure_beside(self, run_id: int) -> int:
        """Put a point into two series that no training yields, as somebody beside it would: one a second, on and on,
        and one a step, which is no number. The points that the first has then."""
        engine = open_database(self.home / "runyard.db")
        with writing(engine) as session:
            found = runs.summaries(session, [run_id]).get(run_id, {})
            number = (found["system/x"].last_step or 0) + 1 if "system/x" in found else 1
            step = session.get_one(Run, run_id).steps_done
            points = [Point("system/x", number, 0.5 * number, 40.0 + number)]
            if step > ((found["odd/NaN"].last_step or 0) if "odd/NaN" in found else 0):
                points.append(Point("odd/NaN", step, 0.5, math.nan))
            series.append(session, run_id, points)
        engine.dispose()
        return number

    def wait_for(self, run_id: int, *statuses: str, steps: int = 0, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """Until the run is in one of these states and at that step."""

        def look() -> dict[str, Any] | None:
            run = self.run(run_id)
            if run["status"] in statuses and run["steps_done"] >= steps:
                return run
            assert run["status"] in (*statuses, "queued", "starting", "running"), (run["status"], run["cause"])
            return None

        found = until(look, f"run {run_id} is {' or '.join(statuses)}", seconds)
        assert found is not None
        return found

    def workers(self) -> dict[int, psutil.Process]:
        """Run id to its worker process, of this home."""
        found = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ValueError, IndexError):
                words = " ".join(process.cmdline()).split()
                ours = "app.jobs.worker" in words and process.environ().get("RUNYARD_HOME") == str(self.home)
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found[int(words[words.index("app.jobs.worker") + 1])] = process
        return found

    def freeze(self, run_id: int, *, writing: bool = False) -> psutil.Process:
        """Stop a run's worker as SIGSTOP does, outside of a write, which would keep all others out, or in one."""
        worker = self.workers()[run_id]

        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            worker.suspend()
            until(lambda: worker.status() == psutil.STATUS_STOPPED, "the worker is stopped", 10)
            if (writer(self.home / "runyard.db") == worker.pid) == writing:
                return worker
            worker.resume()
            assert time.monotonic() < deadline, "the worker is never stopped where it should be"
            time.sleep(0.003)

    def close(self) -> None:
        """End the server and every worker that it left."""
        self._hang_up()
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
        for worker in self.workers().values():
            with contextlib.suppress(psutil.Error):
                worker.kill()


@contextlib.contextmanager
def serving(home: Path, prepared: Path, *, cold: bool = False, **environment: str) -> Iterator[Server]:
    """A server whose data sets are prepared already; ended with its workers, whatever happens."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "prepared").exists():
        (home / "prepared").symlink_to(prepared)
    server = Server(home, environment, cold=cold)
    try:
        server.start()
        yield server
    finally:
        server.close()
