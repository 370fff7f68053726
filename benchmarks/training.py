"""python -m benchmarks.gpu mnist vgg --datasets DIR: the tutorial's script against Runyard's worker on one GPU.

    mnist       an epoch of FC and CNN, first loss cold and warm, the experiment of 20 runs
    vgg, net    an epoch of the script, then the presets cifar10-vgg and cifar10-net with their accuracy
    accuracy    the preset cifar10-95, one seed after the other for as long as there is time

DIR is in torchvision's layout. Begins nothing new after --budget seconds, stops what then still trains and says how far
it got; goes on after a failure. The table comes last, in Markdown, for docs/benchmarks.md; the exit code is 1 when
something failed. `--device cpu --small` shows that it works: digits, one epoch, one of each.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks import script
from benchmarks.dataloader import await_idle
from benchmarks.launch import launches
from tests.acceptance.test_line import rows
from tests.serving import Server, serving, until
from trainer.prepared import Places, ensure_prepared
from trainer.presets import PRESETS

RECIPES = {preset.name: preset for preset in PRESETS}
SMALL = {"dataset": "digits", "epochs": 1, "normalization": "dataset"}
SHARED_SLOTS = 4
MOST_SEEDS = 5


class OutOfTime(Exception):
    """The budget is used up."""


@dataclass
class Measured:
    """One line of the table."""

    what: str
    runyard: str
    script: str = ""
    ratio: str = ""
    n: int = 1


@dataclass
class Bench:
    """What is measured on, and what was found."""

    device: str
    places: Places
    small: bool
    budget: float
    home: Path
    began: float = field(default_factory=time.monotonic)
    rows: list[Measured] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    """Of the first run: card, driver and versions."""
    homes: int = 0

    @property
    def left(self) -> float:
        """Seconds until the budget is used up."""
        return self.budget - (time.monotonic() - self.began)

    def say(self, *measured: str, n: int = 1) -> None:
        """Note a line, and print it at once: a later one may never come."""
        row = Measured(*measured, n=n)
        self.rows.append(row)
        print(
            f"{time.monotonic() - self.began:6.1f} s  {' | '.join(filter(None, [row.what, *measured[1:]]))}", flush=True
        )

    def attempt(self, name: str, measure: Callable[[], None]) -> None:
        """Measure, and go on whatever happens."""
        try:
            if self.left <= 0:
                raise OutOfTime(f"not begun, the budget of {self.budget:g} s was used up")
            measure()
        except Exception as error:
            traceback.print_exc()
            self.failures.append(f"{name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")

    @contextmanager
    def server(self, **settings: str) -> Iterator[Server]:
        """With an empty home, ready to launch."""
        self.homes += 1
        known = {"RUNYARD_DATASETS": str(self.places.datasets), **settings}
        with serving(self.home / str(self.homes), self.places.prepared, **known) as server:
            await_idle(server)
            until(lambda: server.call("GET", "/system")["devices"], "the devices are known")
            yield server

    def recipe(self, preset: str, **changed: Any) -> dict[str, Any]:
        return {**RECIPES[preset].base, **changed, **(SMALL if self.small else {}), "device": self.device}

    def trained(self, server: Server, recipe: dict[str, Any]) -> dict[str, Any]:
        """A run, to its end or as far as the budget allows. Raises RuntimeError with its cause when it failed."""
        run_id = server.launch(**recipe)
        while (run := server.run(run_id))["ended_at"] is None:
            if self.left <= 0 and run["status"] == "running" and not run["stop_requested"]:
                server.call("POST", f"/runs/{run_id}/stop")
            time.sleep(0.2)
        if run["status"] not in ("succeeded", "stopped"):
            raise RuntimeError(run["cause"])
        self.environment = self.environment or run["attempts"][0]["environment"]
        return run


def steps_a_second(server: Server, run_id: int) -> float:
    """Of the first epoch, between its first loss and its last: no start, no test."""
    points = [(int(row["step"]), float(row["time"])) for row in rows(server, run_id, "train/loss")]
    epoch = server.run(run_id)["steps_per_epoch"]
    (first, began), (last, ended) = points[0], points[min(epoch, len(points)) - 1]
    return (last - first) / (ended - began)


def epochs(bench: Bench, preset: str, models: tuple[str, ...], times: int) -> dict[str, float]:
    """An epoch with its test, script and Runyard; the script's median seconds by model."""
    found = {}
    for model in models:
        recipe = bench.recipe(preset, model=model, epochs=1)
        by_script = [script.epoch(recipe, bench.places, torch.device(bench.device))[0] for _ in range(times)]
        with bench.server() as server:
            bench.trained(server, recipe)  # warm: the files of the data set, the card's clock
            runs = [bench.trained(server, recipe) for _ in range(times)]
            rate = steps_a_second(server, runs[-1]["id"])
        theirs, ours = statistics.median(by_script), statistics.median(run["seconds"] for run in runs)
        what = f"{model}, {recipe['dataset']}, an epoch and its test"
        bench.say(what, f"{ours:.2f} s, {rate:,.1f} steps/s", f"{theirs:.2f} s", f"{ours / theirs:.2f}", n=times)
        found[model] = theirs
    return found


def mnist(bench: Bench) -> None:
    times = 1 if bench.small else 3
    by_script: dict[str, float] = {}
    bench.attempt("epochs", lambda: by_script.update(epochs(bench, "mnist-fc-vs-cnn", ("fc", "cnn"), times)))
    bench.attempt("first loss", lambda: first_loss(bench))
    for slots in (1, (os.cpu_count() or 1) if bench.device == "cpu" else SHARED_SLOTS):
        bench.attempt("20 runs", lambda slots=slots: twenty(bench, slots, by_script))


def first_loss(bench: Bench) -> None:
    """From the launch over the API to the first recorded loss."""
    times = 1 if bench.small else 5
    for name, preload in (("warm", True), ("cold", False)):
        took = launches(bench.home / name, bench.places.prepared, preload, times, pause=1.0, device=bench.device)
        spread = f"{statistics.median(took):.2f} s ({min(took):.2f} to {max(took):.2f})"
        bench.say(f"launch to the first recorded loss, {name}", spread, n=times)


def twenty(bench: Bench, slots: int, by_script: dict[str, float]) -> None:
    """FC and CNN, in order and shuffled, five seeds each: from the launch to the last end."""
    preset = RECIPES["mnist-fc-vs-cnn"]
    body = {"name": "twenty", "base": bench.recipe(preset.name), "grid": preset.grid}
    with bench.server(RUNYARD_GPU_SLOTS=str(slots), RUNYARD_CPU_SLOTS=str(slots)) as server:
        time.sleep(4)  # the fork server imports PyTorch
        began = time.perf_counter()
        runs = server.call("POST", "/experiments", json=body)["run_ids"]
        until(lambda: all(server.run(run)["ended_at"] for run in runs), "all have ended", max(bench.left, 1))
        took = time.perf_counter() - began
        bad = [run for run in runs if server.run(run)["status"] != "succeeded"]
        if bad:
            raise RuntimeError(f"{len(bad)} of {len(runs)} runs: {server.run(bad[0])['cause']}")
    theirs = 10 * sum(by_script.values()) if len(by_script) == 2 else 0.0
    words = (f"{theirs:.0f} s (20 times its epoch)", f"{took / theirs:.2f}") if theirs else ()
    bench.say(f"experiment of 20 runs, launch to the last end, {slots} slot(s)", f"{took:.1f} s", *words)


def preset(bench: Bench, name: str, with_script: bool, **changed: Any) -> None:
    """A preset in full: seconds an epoch and the accuracy it ends with."""
    recipe = bench.recipe(name, **changed)
    theirs = script.epoch(recipe, bench.places, torch.device(bench.device))[0] if with_script else None
    with bench.server() as server:
        run = bench.trained(server, recipe)
        rate = steps_a_second(server, run["id"])
    done = run["steps_done"] / run["steps_per_epoch"]
    ours = run["seconds"] / done
    accuracy = run["summary"]["test/accuracy"]["last"] if "test/accuracy" in run["summary"] else float("nan")
    precision = run["attempts"][0]["environment"]["precision"]
    how_far = f"{done:g} epochs" if run["status"] == "succeeded" else f"stopped after {done:.1f} of {recipe['epochs']}"
    bench.say(
        f"`{name}`, {precision}, seed {recipe.get('seed', 1)}: {how_far}, accuracy {accuracy:.2%}",
        f"{run['seconds']:.1f} s, {ours:.2f} s an epoch, {rate:,.1f} steps/s",
        *((f"{theirs:.2f} s an epoch", f"{ours / theirs:.2f}") if theirs else ()),
    )


def accuracy(bench: Bench) -> None:
    for seed in range(1, MOST_SEEDS + 1):
        began = time.monotonic()
        bench.attempt("cifar10-95", lambda seed=seed: preset(bench, "cifar10-95", False, seed=seed))
        if bench.small or bench.left < time.monotonic() - began:  # another one would not end in time
            return


PARTS: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "mnist": ("mnist", mnist),
    "vgg": ("cifar10", lambda bench: bench.attempt("cifar10-vgg", lambda: preset(bench, "cifar10-vgg", True))),
    "net": ("cifar10", lambda bench: bench.attempt("cifar10-net", lambda: preset(bench, "cifar10-net", True))),
    "accuracy": ("cifar10", accuracy),
}
"""Name to its data set and what it measures."""


def table(bench: Bench) -> str:
    """What was found, with what it was found on."""
    ran, names = bench.environment, {"torch": "torch", "cuda": "CUDA", "cudnn": "cuDNN", "driver": "driver"}
    versions = [f"{title} {ran[key]}" for key, title in names.items() if ran.get(key)]
    cores = [] if bench.device == "cpu" else [f"{os.cpu_count()} cores"]  # which its title has
    machine = [ran.get("device_title", bench.device), *cores, *versions, f"Python {platform.python_version()}"]
    lines = [
        f"{', '.join(machine)}; medians of n.",
        "",
        "| what | Runyard | script | ratio | n |",
        "| --- |" + " --- |" * 4,
    ]
    return "\n".join(
        [*lines, *(f"| {row.what} | {row.runyard} | {row.script} | {row.ratio} | {row.n} |" for row in bench.rows)]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=list(PARTS))
    parser.add_argument("--datasets", type=Path, required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--budget", type=float, default=600.0)
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        places = Places(asked.datasets.absolute(), Path(root) / "prepared")
        bench = Bench(asked.device, places, asked.small, asked.budget, Path(root))
        for name in asked.parts:
            dataset, measure = PARTS[name]

            def part(dataset: str = dataset, measure: Callable[[Bench], None] = measure) -> None:
                ensure_prepared("digits" if asked.small else dataset, places)
                measure(bench)

            bench.attempt(name, part)
    print(f"\n{table(bench)}")
    if bench.failures:
        print("\nnot measured:", *bench.failures, sep="\n  ")
        sys.exit(1)


if __name__ == "__main__":
    main()
