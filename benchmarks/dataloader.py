"""python -m benchmarks.dataloader DATASETS: one epoch of a net through Runyard, against a script with a DataLoader.

The script is that of `benchmarks.script`. Runyard's epoch is a run's, from its first batch to its end: recording,
checkpoints, test and predictions included. CIFAR-10, both in one go; DATASETS is a directory in
torchvision's layout. Run it on an otherwise idle machine: it takes about ten minutes.
"""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.script import epoch
from tests.serving import Server, serving, until
from trainer.prepared import Places, ensure_prepared
from trainer.presets import PRESETS

RECIPES = {preset.name: preset for preset in PRESETS}
LIMITS = {"cifar10-net": 1 / 3, "cifar10-vgg": 1 / 2}


def await_idle(server: Server) -> None:
    """At its start a server reads what lies in the directory of data sets."""
    until(lambda: not any(one["preparing"] for one in server.call("GET", "/datasets")["items"]), "it is idle")


def of_runyard(home: Path, places: Places, recipe: dict[str, Any]) -> dict[str, Any]:
    """A run of one epoch."""
    with serving(home, places.prepared, RUNYARD_DATASETS=str(places.datasets)) as server:
        await_idle(server)
        run_id = server.launch(**{**recipe, "epochs": 1})
        while (run := server.run(run_id))["ended_at"] is None:
            time.sleep(3)  # whoever asks often takes a part of the processor
    assert run["status"] == "succeeded", run["cause"]
    return run


def main(datasets: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        places = Places(Path(datasets).absolute(), Path(root) / "prepared")
        ensure_prepared("cifar10", places)
        for name, limit in LIMITS.items():
            recipe = dict(RECIPES[name].base)
            script, accuracy = epoch(recipe, places, torch.device("cpu"))
            print(f"{name}: script {script:.1f} s, accuracy {accuracy:.2%}", flush=True)
            own = recipe.get("precision", "float32")
            for precision in (own, "bfloat16" if own == "float32" else "float32"):
                run = of_runyard(Path(root) / name / precision, places, {**recipe, "precision": precision})
                accuracy = run["summary"]["test/accuracy"]["last"]
                print(
                    f"{name}: Runyard, {run['attempts'][0]['environment']['precision']}"
                    f"{' (the preset)' if precision == own else ''} {run['seconds']:.1f} s, accuracy {accuracy:.2%}; "
                    f"ratio {run['seconds'] / script:.2f}, at most {limit:.2f}",
                    flush=True,
                )
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, n = 1")


if __name__ == "__main__":
    main(sys.argv[1])
