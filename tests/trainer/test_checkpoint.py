import dataclasses
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
import torch

from trainer import catalog, checkpoint, devices, loop
from trainer.entries import Dataset
from trainer.loaded import LoadedData
from trainer.metrics import KNOWN
from trainer.prepared import Places, load
from trainer.spec import RunSpec, parse

CPU = torch.device("cpu")


def prepared(places: Places, **given: Any) -> tuple[RunSpec, LoadedData]:
    spec = parse(given)
    devices.make_repeatable(spec, threads=1)  # several wait for each other where other tests run
    images, labels, test_images, test_labels = load("digits", places)
    train, test = catalog.DATASETS["digits"].train_size, catalog.DATASETS["digits"].test_size
    return spec, LoadedData(spec, (images[:train], labels[:train], test_images[:test], test_labels[:test]), CPU)


def weights(state: loop.State) -> list[torch.Tensor]:
    return list(state.model.state_dict().values())


RECIPES: dict[str, dict[str, Any]] = {
    "fc": {"model": "fc", "validation": 200, "keep": "best"},
    "cnn": {"model": "cnn", "optimizer": {"name": "rmsprop", "momentum": 0.9}},
    # Batch norm, Adam, augmentation, half precision, shuffled pixels: all that a state could forget
    "vgg": {
        "model": "vgg",
        "batch_size": 25,
        "optimizer": "adam",
        "precision": "bfloat16",
        "crop_padding": 4,
        "flip": "horizontal",
        "pixel_order": "shuffled",
    },
    "recipe": {
        "model": "cnn",
        "optimizer": "adamw",
        "schedule": "one-cycle",
        "label_smoothing": 0.1,
        "gradient_clip": 1.0,
        "cutout": 8,
        "keep": "best",
        "early_stopping": 2,
    },
}


Whole = tuple[Dataset, RunSpec, LoadedData, list[torch.Tensor], list[tuple[str, int, float]]]


@pytest.fixture(scope="module", params=RECIPES)
def whole(request: pytest.FixtureRequest, places: Places) -> Whole:
    """A training that nothing came between: on what, its spec, its data, its last weights, and all that it yielded."""
    train, test = (75, 50) if request.param == "vgg" else (1000, 200)  # a part of the digits is enough work
    few = dataclasses.replace(catalog.DATASETS["digits"], train_size=train, test_size=test)
    with pytest.MonkeyPatch.context() as changed:
        changed.setitem(catalog.DATASETS, "digits", few)
        spec, data = prepared(places, **{"epochs": 3, "batch_size": 200, **RECIPES[request.param]})
        state = loop.start(spec, CPU)
        yielded = [(m.name, m.step, m.value) for m in loop.train(spec, data, state) if m]
    return few, spec, data, weights(state), yielded


@pytest.mark.parametrize("at", ["middle of an epoch", "end of an epoch", "in the test"])
def test_training_goes_on_from_a_checkpoint_to_the_same_bits(
    whole: Whole, tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, spec, data, last, expected = whole
    monkeypatch.setitem(catalog.DATASETS, "digits", few)
    devices.make_repeatable(spec, threads=1)
    state, seen, tests = loop.start(spec, CPU), [], 0
    for measured in loop.train(spec, data, state):
        if measured:
            seen.append((measured.name, measured.step, measured.value))
            continue
        tests += state.step == spec.steps_per_epoch  # the first is that of the epoch's last batch
        if at == "middle of an epoch" and state.step == spec.steps_per_epoch + 2:
            break
        if at == "end of an epoch" and state.epochs_tested == 1:
            break
        if at == "in the test" and tests == 2:
            break
    checkpoint.save(tmp_path, state)

    resumed = loop.start(spec, CPU)
    checkpoint.load(checkpoint.stored(tmp_path)[0], resumed)
    torch.manual_seed(99)
    rest = [(m.name, m.step, m.value) for m in loop.train(spec, data, resumed) if m]
    tested = resumed.epochs_tested and state.epochs_tested * spec.steps_per_epoch
    kept = [m for m in seen if m[1] <= (state.step if KNOWN[m[0]].per in ("step", "part") else tested)]
    assert kept + rest == expected
    assert all(torch.equal(a, b) for a, b in zip(last, weights(resumed), strict=True))
    assert resumed.measured.seconds > state.measured.before


@pytest.mark.parametrize("damage", ["a flipped byte", "cut short", "empty"])
def test_a_damaged_checkpoint_is_refused_and_changes_nothing(places: Places, tmp_path: Path, damage: str) -> None:
    spec, _ = prepared(places)
    path = checkpoint.save(tmp_path, loop.start(spec, CPU))
    content = bytearray(path.read_bytes())
    if damage == "a flipped byte":
        content[-100] ^= 1
    else:
        del content[0 if damage == "empty" else len(content) // 2 :]
    path.write_bytes(content)
    state = loop.start(spec, CPU)
    before = [w.clone() for w in weights(state)]
    with pytest.raises(checkpoint.Damaged, match=path.name):
        checkpoint.load(path, state)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(state), strict=True))


@pytest.mark.mend("B8")
@pytest.mark.parametrize("what", ["no dictionary", "another net", "another optimizer", "a step less"])
def test_a_whole_checkpoint_that_does_not_fit_is_refused(places: Places, tmp_path: Path, what: str) -> None:
    spec, _ = prepared(places)
    path = checkpoint.save(tmp_path, loop.start(spec, CPU))
    kept: Any = torch.load(io.BytesIO(path.read_bytes().partition(b"\n")[2]), weights_only=True)
    if what == "no dictionary":
        kept = [1, 2]
    elif what == "another net":
        kept["model"] = {"layer": torch.zeros(3)}
    elif what == "another optimizer":
        kept["optimizer"]["param_groups"] = []
    else:
        del kept["step"]
    content = io.BytesIO()
    torch.save(kept, content)
    path.write_bytes(hashlib.sha256(content.getvalue()).hexdigest().encode() + b"\n" + content.getvalue())
    with pytest.raises(checkpoint.Damaged, match=f"{path.name} does not fit this version"):
        checkpoint.load(path, loop.start(spec, CPU))


@pytest.mark.mend("B8")
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["Python", "GPU", "CPU"],
)
def test_a_checkpoint_is_not_blamed_for_lack_of_memory(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    spec, _ = prepared(places)
    path = checkpoint.save(tmp_path, loop.start(spec, CPU))

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(type(error)):
        checkpoint.load(path, loop.start(spec, CPU))


def test_the_two_newest_checkpoints_are_kept(places: Places, tmp_path: Path) -> None:
    spec, data = prepared(places, batch_size=500)
    state = loop.start(spec, CPU)
    for _ in loop.train(spec, data, state):
        checkpoint.save(tmp_path, state)
    assert [checkpoint.step_of(path) for path in checkpoint.stored(tmp_path)] == [15, 14]
