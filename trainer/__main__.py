"""python -m trainer --model cnn --dataset digits --pixel-order shuffled

python -m trainer --model vgg --dataset cifar10 --optimizer adam --set crop_padding=4 --set flip=horizontal
python -m trainer devices --json      which devices there are
python -m trainer prepare mnist       read (and, where absent, download) a data set into plain arrays
"""

import contextlib
import dataclasses
import json
import os
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import platformdirs
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trainer import catalog, hardware
from trainer.data import folder as image_folder
from trainer.entries import DataError
from trainer.paths import put
from trainer.prepared import Places, ensure_prepared, load, register_folders, save
from trainer.spec import RunSpec, SpecError, parse

LEAST_URGENT = 19  # of nice(1): whatever else wants the processor has it

cli = typer.Typer(add_completion=False, help="Train one net in this terminal.", pretty_exceptions_enable=False)


def _home() -> Path:
    return Path(os.environ.get("RUNYARD_HOME") or platformdirs.user_data_path("runyard"))


def _places(datasets: Path | None, prepared: Path | None) -> Places:
    chosen = datasets or os.environ.get("RUNYARD_DATASETS") or _home() / "datasets"
    return Places(Path(chosen), prepared or _home() / "prepared")


Datasets = Annotated[Path | None, typer.Option(help="Directory of the data sets, in torchvision's layout.")]
Prepared = Annotated[Path | None, typer.Option(help="Directory of the prepared arrays.")]


@cli.callback(invoke_without_command=True)
def train_here(
    context: typer.Context,
    model: Annotated[str, typer.Option(help=" or ".join(catalog.MODELS))] = "cnn",
    dataset: Annotated[str, typer.Option(help=" or ".join(catalog.DATASETS))] = "digits",
    pixel_order: Annotated[str, typer.Option(help="original or shuffled")] = "original",
    permutation_seed: int | None = None,
    seed: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    optimizer: Annotated[str, typer.Option(help=" or ".join(catalog.OPTIMIZERS))] = "sgd",
    lr: float | None = None,
    knobs: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KNOB=VALUE", help="Any other, as model.n_hidden=16 or flip=horizontal"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")] = "auto",
    datasets: Datasets = None,
    prepared: Prepared = None,
) -> None:
    """Train one net in this terminal, with a progress bar."""
    if context.invoked_subcommand:
        return
    given: dict[str, Any] = {
        "dataset": dataset,
        "pixel_order": pixel_order,
        "permutation_seed": permutation_seed,
        "seed": seed,
        "epochs": epochs,
        "batch_size": batch_size,
        "device": device,
        "model": {"name": model},
        "optimizer": _without_none(name=optimizer, lr=lr),
    }
    for knob in knobs or []:
        path, _, text = knob.partition("=")
        value: Any = text
        with contextlib.suppress(ValueError):
            value = float(text)
        put(given, path, value)
    places = _places(datasets, prepared)
    try:
        register_folders(places)
        if image_folder.is_name(dataset):  # only once it was read it is known what it holds
            ensure_prepared(dataset, places)
        _train(parse(_without_none(**given)), places)
    except (SpecError, DataError, ValueError, ArithmeticError) as error:
        sys.exit(f"python -m trainer: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")


def _without_none(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _train(spec: RunSpec, places: Places) -> None:
    from trainer import devices, loop
    from trainer.loaded import LoadedData

    device = devices.choose(spec.device)
    spec = devices.settle(spec, device)
    threads = devices.make_repeatable(spec)
    arrays = load(spec.dataset, places)
    state = loop.start(spec, device)
    machine = f"{device}, {spec.precision}, {threads} thread(s)"
    print(f"{spec.model.name} on {spec.dataset}, {spec.parameters:,} parameters, {machine}")
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]}"),
    )
    results: dict[str, float] = {}
    with bar:
        task = bar.add_task("training", total=spec.steps_total, loss="")
        for measured in loop.train(spec, LoadedData(spec, arrays, device), state):
            if measured is None:
                continue
            results[measured.name] = measured.value
            if measured.name == "train/loss":
                bar.update(task, completed=measured.step, loss=f"{measured.value:.4f}")
            elif measured.name == "test/accuracy":
                epoch = measured.step // spec.steps_per_epoch
                bar.print(f"epoch {epoch}: test loss {results['test/loss']:.4f}, accuracy {measured.value:.2%}")


@cli.command()
def devices(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the devices of this machine, best first."""
    found = [hardware.cpu()]
    if hardware.may_have_gpu():
        from trainer.devices import available

        found = available()
    print(json.dumps(found) if as_json else "\n".join(f"{device['name']:8} {device['title']}" for device in found))


@cli.command(hidden=True)
def layers(asked: str) -> None:
    """Print a net's layers as JSON, for trainer.layers; `asked` is JSON as well."""
    hardware.bound_memory()
    from trainer.trace import trace

    wanted = json.loads(asked)
    found = trace(wanted["model"], wanted["knobs"], tuple(wanted["shape"]), wanted["classes"])
    print(json.dumps([dataclasses.asdict(layer) for layer in found]))


@cli.command(hidden=True)
def pace(asked: str, device: Annotated[str, typer.Option()] = "cpu") -> None:
    """Print how long a step takes of each of some specs, as a line of JSON each; `asked`: the specs, as JSON."""
    os.nice(LEAST_URGENT)
    hardware.bound_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    from trainer.devices import make_repeatable
    from trainer.loop import Diverged
    from trainer.pace import seconds_a_step

    for at, body in enumerate(json.loads(asked)):
        spec = parse(body)
        make_repeatable(spec)
        with contextlib.suppress(Diverged, torch.OutOfMemoryError):
            print(json.dumps({"at": at, "seconds_a_step": seconds_a_step(spec, torch.device(device))}), flush=True)


def _end_with_parent() -> None:
    """Leave at once when whoever started this is gone: its end of the pipe is then closed."""
    while os.read(0, 1024):  # the file itself: Python's own reader would be locked at the end of this process
        pass
    os._exit(1)


@cli.command()
def prepare(
    name: str,
    datasets: Datasets = None,
    prepared: Prepared = None,
    ends_with_parent: Annotated[bool, typer.Option("--ends-with-parent", hidden=True)] = False,
) -> None:
    """Read a data set, downloading it where absent, and write it as plain arrays; folder:NAME is a folder of images."""
    if ends_with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    memory = hardware.bound_memory()
    places = _places(datasets, prepared)
    register_folders(places)
    name = catalog.canonical(name)
    try:
        if name in catalog.DATASETS:
            arrays = catalog.DATASETS[name].prepare(catalog.DATASETS[name], places.datasets)
        elif name.startswith(image_folder.PREFIX):
            if image_folder.is_name(name) and name != (following := image_folder.following(name, catalog.DATASETS)):
                raise DataError(
                    f"{name} is no version of {image_folder.stem(name)}: the next to be read is {following}"
                )
            dataset, arrays = image_folder.read(name, places.datasets)
            catalog.add_dataset(dataset)
            for note in dataset.notes:
                print(note)
        else:
            sys.exit(f"data set is {name!r}: choose {' or '.join(catalog.DATASETS)} or folder:NAME")
        save(name, places, arrays)
    except MemoryError:
        gib = f"{memory / 2**30:.1f} GiB"
        print(
            f"{name} takes more than {gib} of memory, half of what was free: choose fewer or smaller images", flush=True
        )
        sys.exit(1)
    except DataError as error:
        print(error, flush=True)  # the last line is what a worker that waits for this shows as its cause
        sys.exit(1)
    print(f"{name} is prepared in {places.folder(name)}")


if __name__ == "__main__":
    cli()
