"""Whatever a checkpoint must hold is in it: a training that went on from one has the bits of an undisturbed one."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from app.jobs import worker
from app.settings import Settings
from app.store import runs, series
from app.store.engine import open_database, reading, writing
from app.store.runs import Requests
from tests.gpu.training import losses, noise, resumed, spec_for, steps
from trainer import devices, loop
from trainer.loaded import LoadedData
from trainer.prepared import Places, load
from trainer.spec import parse

FEW = pytest.mark.few
ADAM = {"name": "adam", "lr": 0.001}
AUGMENTED = {"crop_padding": 2, "flip": "horizontal", "cutout": 6}
SGD = {"name": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": "on"}
KINDS = {
    "CNN with SGD, shuffled": {"model": "cnn", "optimizer": SGD, "pixel_order": "shuffled"},
    "VGG with Adam and batch norm, augmented": {"model": "vgg", "optimizer": ADAM, **AUGMENTED},
    "ResNet with a schedule in bfloat16": {
        "model": "resnet",
        "optimizer": SGD,
        "schedule": "one-cycle",
        "precision": "bfloat16",
        "label_smoothing": 0.1,
        "gradient_clip": 1.0,
    },
    "AlexNet with dropout": {"model": "alexnet", "optimizer": ADAM},
    "GoogLeNet in float16 with its scaler": {"model": "googlenet", "optimizer": ADAM, "precision": "float16"},
}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=FEW if "CNN" in kind else ()) for kind in KINDS])
def test_a_resumed_training_has_the_bits_of_an_undisturbed_one(device: torch.device, tmp_path: Path, kind: str) -> None:
    if device.type == "cpu" and KINDS[kind].get("precision") == "float16":
        pytest.skip("float16 needs a GPU")
    shape = (3, 32, 32)
    dataset, arrays = noise(shape)
    spec = spec_for(dataset, shape, **KINDS[kind])
    whole, rest = steps(device, 40), steps(device, 40) // 2  # 16 steps an epoch: the checkpoint lies within one
    _, undisturbed = losses(spec, arrays, device, whole)
    state = resumed(spec, arrays, device, whole - rest, rest, tmp_path)
    there, here = undisturbed.model.state_dict(), state.model.state_dict()
    assert state.step == undisturbed.step == whole
    assert [name for name in there if not torch.equal(there[name], here[name])] == []


DIVERGING: dict[str, Any] = {
    "model": {"name": "fc", "n_hidden": 512},
    "dataset": "digits",
    "optimizer": {"lr": 100, "momentum": 0.99},
}


@pytest.fixture
def diverged(device: torch.device, places: Places) -> loop.Diverged:
    """What a training of DIVERGING ends in: on a GPU its losses come off in blocks, long after that step."""
    spec = parse(DIVERGING)
    devices.make_repeatable(spec)
    with pytest.raises(loop.Diverged) as caught:
        for _ in loop.train(spec, LoadedData(spec, load("digits", places), device), loop.start(spec, device)):
            pass
    assert 1 < caught.value.step < spec.steps_per_epoch
    return caught.value


@pytest.mark.few
@pytest.mark.parametrize("what", ["nothing", "a checkpoint", "a stop", "a pause"])
def test_a_loss_that_is_no_number_ends_a_run_whatever_falls_into_its_block(
    device: torch.device,
    places: Places,
    diverged: loop.Diverged,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    settings = Settings(home=tmp_path, datasets=places.datasets, nice=0)  # it is this very process that works
    (tmp_path / "prepared").symlink_to(places.prepared)
    engine = open_database(settings.database)
    with writing(engine) as session:
        runs.add(session, parse({**DIVERGING, "device": str(device)}), "diverging")
    with writing(engine) as session:
        claim = runs.claim(session, runs.get(session, 1), str(device))

    class Interrupted(worker.Recorder):
        """Is asked in the very step that diverges, while its loss is still on the device."""

        def flush_if_due(self) -> None:
            if what in ("a stop", "a pause") and interrupted():
                self.requests = Requests(stop=what == "a stop", pause=what == "a pause")

    states: list[loop.State] = []
    start = loop.start
    monkeypatch.setattr(loop, "start", lambda *asked: states.append(start(*asked)) or states[-1])
    monkeypatch.setattr(worker, "Recorder", Interrupted)
    if what == "a checkpoint":
        monkeypatch.setattr(worker, "CHECKPOINT_SECONDS", 0.0)

    def interrupted() -> bool:
        return states[-1].step >= diverged.step

    with pytest.raises(loop.Diverged) as caught:
        worker.work(settings, engine, claim, parse(DIVERGING))
    assert caught.value.step == diverged.step
    with reading(engine) as session:
        kept = series.read(session, 1, "train/loss")
        run = runs.get(session, 1)
    assert kept.steps.tolist() == list(range(1, diverged.step))
    assert all(map(math.isfinite, kept.values))
    assert run.status == "running", "its end is for the caller to record"
    assert (run.checkpoint_step or 0) < diverged.step
    engine.dispose()
