"""`runyard demo`: launch the four-way experiment over the API, show its progress, print the comparison."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from app.settings import Settings
from app.store.experiments import ExperimentSpec
from app.web.server import Uvicorn
from trainer import catalog
from trainer.data.prepared import DataError, Places, ensure_prepared

POLL_SECONDS = 0.25


def run(uvicorn: Uvicorn, settings: Settings, dataset: str, *, again: bool, leave: bool) -> int:
    """Exit code: 0 when every run succeeded."""
    console = Console()
    preset = next((p for p in catalog.PRESETS.values() if p.name == f"{dataset}-fc-vs-cnn"), None)
    if preset is None:
        console.print(f"runyard: dataset is {dataset!r}: the demo runs on digits or mnist")
        return 2
    if uvicorn.is_shared:
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
        with httpx.Client(base_url=f"{base}/api/v1", timeout=30) as client:
            experiment = None if again else _finished(client, preset)
            if experiment is None:
                body = {"name": preset.title, "base": dict(preset.base), "grid": dict(preset.grid)}
                experiment = _checked(client.post("/experiments", json=body))
                _watch(client, experiment, console)
            compared = _checked(client.get("/compare", params={"experiment": experiment["id"]}))
        _print(compared, console)
        console.print(f"\nCompare: {base}/compare?experiment={experiment['id']}", highlight=False, soft_wrap=True)
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


def _checked(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _finished(client: httpx.Client, preset: catalog.Preset) -> dict[str, Any] | None:
    """The newest experiment made from this preset whose runs all succeeded."""
    for experiment in _checked(client.get("/experiments"))["items"]:
        done = experiment["counts"]["succeeded"] == len(experiment["run_ids"])
        if done and _specs(experiment["base"], experiment["grid"]) == _specs(preset.base, preset.grid):
            found: dict[str, Any] = experiment
            return found
    return None


def _specs(base: Mapping[str, Any], grid: Mapping[str, list[Any]]) -> set[str]:
    """What an experiment trains, however its body was written."""
    spec = ExperimentSpec(name="any", base=dict(base), grid=dict(grid))
    return {run.model_dump_json() for run in spec.expand()}


def _watch(client: httpx.Client, experiment: dict[str, Any], console: Console) -> None:
    """A bar a run, until all have ended."""
    with Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]:<20}"),
        console=console,
    ) as bars:
        tasks: dict[int, Any] = {}
        while True:
            page = _checked(client.get("/runs", params={"experiment": experiment["id"], "order": "asc", "limit": 500}))
            for run in page["items"]:
                if run["id"] not in tasks:
                    tasks[run["id"]] = bars.add_task(run["name"], total=run["steps_total"], said="")
                bars.update(tasks[run["id"]], completed=run["steps_done"], said=_said(run))
            if all(run["ended_at"] for run in page["items"]):
                return
            time.sleep(POLL_SECONDS)


def _said(run: dict[str, Any]) -> str:
    accuracy = run["summary"].get("test/accuracy")
    if run["status"] == "succeeded" and accuracy:
        return f"accuracy {accuracy['last']:.2%}"
    return str(run["status"])


def _print(compared: dict[str, Any], console: Console) -> None:
    """The comparison, whole at 80 columns, and the causes of runs that failed."""
    table = Table(
        title=compared["title"], title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for heading in ("Configuration", "Parameters", "Runs", "Accuracy, %", "Test loss", "Published"):
        table.add_column(heading, justify="left" if heading == "Configuration" else "right", no_wrap=True)
    for group in compared["groups"]:
        accuracy, loss = group["metrics"].get("test/accuracy"), group["metrics"].get("test/loss")
        published = accuracy and accuracy["published"]
        table.add_row(
            group["name"],
            f"{group['parameters']:,}",
            f"{group['n']}/{len(group['runs'])}",
            _with_deviation(accuracy, 100, 2) if accuracy else "–",
            _with_deviation(loss, 1, 3) if loss else "–",
            f"{published:.2%}" if published else "–",
        )
    console.print()
    console.print(table)
    console.print("Mean ± sample deviation over seeds. Published: the figure of the recipe's source.", highlight=False)
    for sentence in compared["answer"]["sentences"]:
        console.print(sentence, highlight=False)


def _with_deviation(figure: dict[str, Any], factor: float, digits: int) -> str:
    deviation = "" if figure["std"] is None else f" ± {figure['std'] * factor:.{digits}f}"
    return f"{figure['mean'] * factor:.{digits}f}{deviation}"
