"""`runyard demo`: launch the four-way experiment over the API, show its progress, print the comparison."""

import threading
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from app.client import Client, Experiment
from app.commands import print_comparison, progress
from app.settings import Settings
from app.spec.experiment import ExperimentSpec
from app.spec.plan import Plan
from app.web.server import Uvicorn
from trainer import catalog
from trainer.entries import DataError
from trainer.prepared import Places, ensure_prepared
from trainer.spec import RunSpec


def run(uvicorn: Uvicorn, settings: Settings, dataset: str, *, seeds: int, again: bool, leave: bool) -> int:
    """Exit code: 0 when every run succeeded."""
    console = Console()
    preset = next((p for p in catalog.PRESETS.values() if p.name == f"{dataset}-fc-vs-cnn"), None)
    if preset is None:
        console.print(f"runyard: dataset is {dataset!r}: the demo runs on digits or mnist")
        return 2
    if uvicorn.asks_everybody:
        console.print("runyard: the demo is for this machine alone: leave out --host, or serve with runyard serve")
        return 2
    try:
        _have(dataset, Places(settings.datasets_dir, settings.prepared_dir), console)
    except DataError as error:
        console.print(f"runyard: {error}", soft_wrap=True, highlight=False)
        return 1
    ready = threading.Event()
    uvicorn.on_ready = ready.set
    serving = threading.Thread(target=uvicorn.run_here, name="runyard-server", daemon=True)
    serving.start()
    base = uvicorn.address
    while not ready.wait(0.1):
        if not serving.is_alive():
            console.print("runyard: the server could not start; its words are above")
            return 1
    console.print(f"Runyard is at {base}", highlight=False)
    try:
        with Client(base) as client:
            grid = {**preset.grid, "seed": list(range(1, seeds + 1))}
            experiment = None if again else _finished(client, preset.base, grid)
            if experiment is None:
                experiment = client.launch_experiment(preset.title, preset.base, grid)
                progress(client, experiment.run_ids, console)
            compared = client.compare(experiment=experiment.id)
        console.print()
        print_comparison(compared, console)
        console.print(f"\nCompare: {base}/compare?experiment={experiment.id}", highlight=False, soft_wrap=True)
        if not leave:
            console.print("Serving until Ctrl-C")
            while serving.is_alive():
                serving.join(1)
    except KeyboardInterrupt:
        console.print("\nstopped; runs that are at work go on, and the next start finds them")
        return 0
    finally:
        uvicorn.should_exit = True
        serving.join()
    done = sum(group["n"] for group in compared["groups"])
    return 0 if done == compared["runs"] else 1


def _have(dataset: str, places: Places, console: Console) -> None:
    """Have the data set on disk before anything is launched; downloads show their own progress bar."""
    if not places.is_prepared(dataset):
        if not places.is_on_disk(dataset):
            console.print(f"downloading {dataset}, {catalog.DATASETS[dataset].download_mb} MB", highlight=False)
        ensure_prepared(dataset, places)


def _finished(client: Client, base: Mapping[str, Any], grid: Mapping[str, list[Any]]) -> Experiment | None:
    """The newest experiment of these runs, all of which have succeeded."""
    for experiment in client.experiments():
        done = experiment.counts["succeeded"] == len(experiment.run_ids) > 0
        if done and _specs(experiment.base, experiment.grid) == _specs(base, grid):
            return experiment
    return None


def _specs(base: Mapping[str, Any], grid: Mapping[str, list[Any]]) -> frozenset[RunSpec]:
    """What an experiment trains, however its body was written."""
    return frozenset(Plan.of(ExperimentSpec(name="any", base=dict(base), grid=dict(grid))).specs)
