"""python -m benchmarks.alone DEVICE DATASETS PREPARED RECIPE TIMES: the loop alone, without a worker around it.

An epoch and its test, as a worker's process trains it; nothing is recorded, no checkpoint kept. Prints seconds of each
time as JSON; the first, which is not told, pays for what libraries make at their first use.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.jobs.launchers import WORKER_VARIABLES
from trainer.prepared import Places, load
from trainer.spec import parse


def epochs(recipe: Mapping[str, Any], places: Places, device: str, times: int) -> list[float]:
    """Seconds of each, in a process of its own, with the variables that a worker's has."""
    words = [device, str(places.datasets), str(places.prepared), json.dumps(dict(recipe)), str(times)]
    command = [sys.executable, "-m", "benchmarks.alone", *words]
    done = subprocess.run(command, env={**WORKER_VARIABLES, **os.environ}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    found: list[float] = json.loads(done.stdout)
    return found


def main(device_name: str, places: Places, recipe: dict[str, Any], times: int) -> list[float]:
    from trainer import devices, loop
    from trainer.loaded import LoadedData

    device = devices.choose(device_name)
    spec = devices.settle(parse({**recipe, "epochs": 1}), device)
    devices.make_repeatable(spec)
    took = []
    for _ in range(times + 1):
        began = time.perf_counter()
        data = LoadedData(spec, load(spec.dataset, places), device)
        for _ in loop.train(spec, data, loop.start(spec, device)):
            pass
        took.append(time.perf_counter() - began)
    return took[1:]


if __name__ == "__main__":
    places = Places(Path(sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps(main(sys.argv[1], places, json.loads(sys.argv[4]), int(sys.argv[5]))))
