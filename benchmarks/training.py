"""python -m benchmarks.training mnist vgg --datasets DIR: Runyard's worker against the tutorial's script.

    mnist       an epoch of FC and CNN, first loss cold and warm, the experiment of 20 runs
    net         an epoch of the CIFAR net
    vgg         an epoch of the script, then the preset cifar10-vgg in full with its accuracy; on a CPU an epoch
    accuracy    the preset cifar10-95, one seed after the other for as long as there is time

On the first GPU, or on --device. DIR is in torchvision's layout. Begins nothing new after --budget seconds, stops what
then still trains and says how far it got; goes on after a failure. The table comes last, in Markdown, for
docs/benchmarks.md; the exit code is 1 when something failed. `--device cpu --small` shows that it works: digits, one
epoch, one of each.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks import alone, script
from benchmarks.launch import launches
from benchmarks.report import Report, Table, spread
from tests.acceptance.test_line import rows
from tests.serving import Server, serving, until
from trainer.prepared import Places, ensure_prepared
from trainer.presets import PRESETS

RECIPES = {preset.name: preset for preset in PRESETS}
SMALL = {"dataset": "digits", "epochs": 1, "normalization": "dataset"}
SHARED_SLOTS = 4
MOST_SEEDS = 5
COLUMNS = ("what", "Runyard", "the loop alone", "script", "script / Runyard", "n")


class OutOfTime(Exception):
    """The budget is used up."""


@dataclass
class Bench:
    """What is measured on, and how much of it. `times`: of an epoch, and of first losses."""

    report: Report
    places: Places
    home: Path
    device: str = "cpu"
    small: bool = False
    times: int = 3
    budget: float = float("inf")
    environment: dict[str, Any] = field(default_factory=dict)
    """Of the first run: card, driver and versions."""
    homes: int = 0
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.table: Table = self.report.table("Training", *COLUMNS)

    @property
    def left(self) -> float:
        """Seconds until the budget is used up."""
        return self.budget - (time.monotonic() - self.began)

    def attempt(self, name: str, measure: Callable[[], object]) -> None:
        """Measure if there is time, and go on whatever happens."""

        def in_time() -> None:
            if self.left <= 0:
                raise OutOfTime(f"not begun, the budget of {self.budget:g} s was used up")
            measure()

        self.report.attempt(name, in_time)

    @contextmanager
    def server(self, **settings: str) -> Iterator[Server]:
        """With an empty home, ready to launch."""
        self.homes += 1
        known = {"RUNYARD_DATASETS": str(self.places.datasets), **settings}
        with serving(self.home / str(self.homes), self.places.prepared, **known) as server:
            await_idle(server)
            yield server

    def recipe(self, preset: str, **changed: Any) -> dict[str, Any]:
        return {**RECIPES[preset].base, **changed, **(SMALL if self.small else {}), "device": self.device}

    def trained(self, server: Server, recipe: dict[str, Any]) -> dict[str, Any]:
        """A run, to its end or as far as the budget allows. Raises RuntimeError with its cause when it failed."""
        run_id = server.launch(**recipe)
        while (run := server.run(run_id))["ended_at"] is None:
            if self.left <= 0 and run["status"] == "running" and not run["stop_requested"]:
                server.call("POST", f"/runs/{run_id}/stop")
            time.sleep(0.5)  # whoever asks often takes a part of the processor
        if run["status"] not in ("succeeded", "stopped"):
            raise RuntimeError(run["cause"])
        self.environment = self.environment or run["attempts"][0]["environment"]
        return run

    def entitle(self) -> None:
        """Say what it ran on."""
        ran, names = self.environment, {"torch": "torch", "cuda": "CUDA", "cudnn": "cuDNN", "driver": "driver"}
        versions = [f"{title} {ran[key]}" for key, title in names.items() if ran.get(key)]
        cores = [] if self.device == "cpu" else [f"{os.cpu_count()} cores"]  # which its title has
        where = [ran.get("device_title", self.device), *cores, *versions, f"Python {platform.python_version()}"]
        self.table.title = f"Training on {', '.join(where)}; medians of n"


def await_idle(server: Server) -> None:
    """At its start a server reads what lies in the directory of data sets, and finds out its devices."""
    until(lambda: not any(each["preparing"] for each in server.call("GET", "/datasets")["items"]), "it is idle")
    until(lambda: server.call("GET", "/system")["devices"], "the devices are known")


def steps_a_second(server: Server, run_id: int) -> float:
    """Of the first epoch, between its first loss and its last: no start, no test."""
    points = [(int(row["step"]), float(row["time"])) for row in rows(server, run_id, "train/loss")]
    epoch = server.run(run_id)["steps_per_epoch"]
    (first, began), (last, ended) = points[0], points[min(epoch, len(points)) - 1]
    return (last - first) / (ended - began)


def epochs(bench: Bench, preset: str, **changed: Any) -> float:
    """An epoch with its test, script and Runyard in turn; the script's median seconds."""
    recipe = bench.recipe(preset, **{**changed, "epochs": 1})
    ours, by_script = [], []
    with bench.server() as server:
        run = bench.trained(server, recipe)  # warm: the files of the data set, the card's clock
        for _ in range(bench.times):
            by_script.append(script.epoch(recipe, bench.places, torch.device(bench.device))[0])
            run = bench.trained(server, recipe)
            ours.append(run["seconds"])
        rate = steps_a_second(server, run["id"])
    by_loop = alone.epochs(recipe, bench.places, bench.device, bench.times)
    theirs = statistics.median(by_script)
    bench.table.add(
        f"{model_of(recipe)}, {recipe['dataset']}, an epoch and its test",
        f"{spread(ours, '{:.2f} s'.format)}, {rate:,.0f} steps/s",
        f"{statistics.median(by_loop):.2f} s",
        f"{theirs:.2f} s",
        f"{theirs / statistics.median(ours):.1f}",
        str(bench.times),
    )
    return theirs


def model_of(recipe: dict[str, Any]) -> str:
    model = recipe["model"]
    return str(model["name"] if isinstance(model, dict) else model)


def mnist(bench: Bench) -> None:
    by_script: dict[str, float] = {}

    def epoch(model: str) -> None:
        by_script[model] = epochs(bench, "mnist-fc-vs-cnn", model=model)

    for model in ("fc", "cnn"):
        bench.attempt(f"epochs of {model}", lambda model=model: epoch(model))
    bench.attempt("first loss", lambda: first_loss(bench))
    for slots in (1, (os.cpu_count() or 1) if bench.device == "cpu" else SHARED_SLOTS):
        bench.attempt("20 runs", lambda slots=slots: twenty(bench, slots, by_script))


def first_loss(bench: Bench) -> None:
    """From the launch over the API to the first recorded loss."""
    times = 1 if bench.small else bench.times + 2
    for name, preload in (("warm", True), ("cold", False)):
        took = launches(bench.home / name, bench.places.prepared, preload, times, pause=1.0, device=bench.device)
        words = spread(took, "{:.2f} s".format)
        bench.table.add(f"launch to the first recorded loss, {name}", words, "", "", "", str(times))


def twenty(bench: Bench, slots: int, by_script: dict[str, float]) -> None:
    """FC and CNN, in order and shuffled, five seeds each: from the launch to the last end."""
    preset = RECIPES["mnist-fc-vs-cnn"]
    body = {"name": "twenty", "base": bench.recipe(preset.name), "grid": preset.grid}
    with bench.server(RUNYARD_GPU_SLOTS=str(slots), RUNYARD_CPU_SLOTS=str(slots)) as server:
        time.sleep(4)  # the fork server imports PyTorch
        began = time.perf_counter()
        runs = server.call("POST", "/experiments", json=body)["run_ids"]
        until(lambda: all(server.run(run)["ended_at"] for run in runs), "all have ended", max(min(bench.left, 3600), 1))
        took = time.perf_counter() - began
        bad = [run for run in runs if server.run(run)["status"] != "succeeded"]
        if bad:
            raise RuntimeError(f"{len(bad)} of {len(runs)} runs: {server.run(bad[0])['cause']}")
    what = f"FC and CNN, in order and shuffled, 5 seeds: 20 runs, launch to the last end, {slots} at a time"
    theirs = 10 * sum(by_script.values()) if len(by_script) == 2 else 0.0
    figures = (f"{theirs:.0f} s (20 times its epoch)", f"{theirs / took:.1f}") if theirs else ("", "")
    bench.table.add(what, f"{took:.1f} s", "", *figures, "1")


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
    bench.table.add(
        f"`{name}`, {precision}, seed {recipe.get('seed', 1)}: {how_far}, accuracy {accuracy:.2%}",
        f"{run['seconds']:.1f} s, {ours:.2f} s an epoch, {rate:,.1f} steps/s",
        "",
        *((f"{theirs:.2f} s an epoch", f"{theirs / ours:.1f}") if theirs else ("", "")),
        "1",
    )


def net(bench: Bench) -> None:
    bench.attempt("cifar-net", lambda: epochs(bench, "cifar10-net"))


def vgg(bench: Bench) -> None:
    """On a CPU, where it takes an hour, an epoch."""
    if bench.device == "cpu":
        bench.times = 1
        bench.attempt("vgg", lambda: epochs(bench, "cifar10-vgg"))
    else:
        bench.attempt("cifar10-vgg", lambda: preset(bench, "cifar10-vgg", True))


def accuracy(bench: Bench) -> None:
    for seed in range(1, MOST_SEEDS + 1):
        began = time.monotonic()
        bench.attempt("cifar10-95", lambda seed=seed: preset(bench, "cifar10-95", False, seed=seed))
        if bench.small or bench.left < time.monotonic() - began:  # another one would not end in time
            return


PARTS: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "mnist": ("mnist", mnist),
    "net": ("cifar10", net),
    "vgg": ("cifar10", vgg),
    "accuracy": ("cifar10", accuracy),
}
"""Name to its data set and what it measures."""


def measure(bench: Bench, part: str) -> None:
    dataset, of_part = PARTS[part]
    ensure_prepared("digits" if bench.small else dataset, bench.places)
    of_part(bench)
    bench.entitle()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=list(PARTS))
    parser.add_argument("--datasets", type=Path, required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--budget", type=float, default=600.0)
    parser.add_argument("--times", type=int, default=3, help="of each epoch; its median is told")
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        places = Places(asked.datasets.absolute(), Path(root) / "prepared")
        times = 1 if asked.small else asked.times
        bench = Bench(Report(), places, Path(root), asked.device, asked.small, times, asked.budget)
        for part in asked.parts:
            bench.report.attempt(part, lambda part=part: measure(bench, part))
    bench.report.end()


if __name__ == "__main__":
    main()
