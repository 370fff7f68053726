"""python -m benchmarks.launch: from a launch over the API to the first recorded batch, with a fork server and without.

On digits, 10 launches each, medians, and their ratio; and how long the server takes to listen, against importing its
frameworks alone. Run it on an otherwise idle machine.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.serving import Server, serving, until
from trainer.prepared import Places, ensure_prepared

LAUNCHES = 10
LONGEST_SECONDS = 60.0
SPEC = {"dataset": "digits", "model": "fc", "epochs": 200}
FRAMEWORKS = "import fastapi, sqlmodel, jinja2, uvicorn"


def first_batch(server: Server, device: str) -> float:
    """Seconds from sending the launch to seeing the first batch recorded."""
    with server.api() as client:
        began = time.perf_counter()
        run_id = client.post("/runs", json={"spec": {**SPEC, "device": device}}).json()["id"]
        while client.get(f"/runs/{run_id}").json()["steps_done"] == 0:
            assert time.perf_counter() < began + LONGEST_SECONDS, "no first batch"
            time.sleep(0.005)
        took = time.perf_counter() - began
        client.post(f"/runs/{run_id}/stop")
        until(lambda: client.get(f"/runs/{run_id}").json()["ended_at"], "the run is stopped")
    return took


def launches(
    home: Path, prepared: Path, preload: bool, times: int = LAUNCHES, pause: float = 4.0, device: str = "cpu"
) -> list[float]:
    """Seconds of each; `pause`: seconds before each, as a person between two clicks."""
    found = []
    with serving(home, prepared, RUNYARD_PRELOAD=str(preload)) as server:
        until(lambda: server.call("GET", "/system")["devices"], "the devices are known")
        time.sleep(4)  # the fork server imports PyTorch
        for _ in range(times):
            time.sleep(pause)
            found.append(first_batch(server, device))
    return found


def timed(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True)
    return time.perf_counter() - began


def server_start(home: Path) -> float:
    """Seconds until a server on a home that is there listens."""
    time.sleep(5)  # what the last one started has left by then
    variables = {**os.environ, "RUNYARD_HOME": str(home), "RUNYARD_PORT": "0"}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve"], env=variables, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        while not (line := server.stdout.readline()).startswith("Runyard is at "):
            assert line, "the server ended"
        took = time.perf_counter() - began
        server.terminate()
    return took


def main() -> None:
    with tempfile.TemporaryDirectory() as root:
        places = Places(Path(root) / "datasets", Path(root) / "prepared")
        ensure_prepared("digits", places)
        medians = {}
        for name, preload in (("forked", True), ("cold", False)):
            took = launches(Path(root) / name, places.prepared, preload)
            medians[name] = statistics.median(took)
            print(
                f"launch to first batch, {name:<6} median {medians[name]:.2f} s, {min(took):.2f} to {max(took):.2f} s"
            )
        starts = statistics.median(server_start(Path(root) / "forked") for _ in range(5))
        imports = statistics.median(timed("-c", FRAMEWORKS) for _ in range(5))
    print(f"forked / cold {medians['forked'] / medians['cold']:.2f}")
    print(f"server start {starts:.2f} s, frameworks alone {imports:.2f} s, ratio {starts / imports:.2f}")
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, n = {LAUNCHES}")


if __name__ == "__main__":
    main()
