"""Training images that are held out: which they are, and that what is chosen is chosen by them."""

import numpy as np
import pytest
import torch

from tests.trainer.test_loop import run
from trainer import devices, loop
from trainer.loaded import LoadedData, held_out
from trainer.prepared import Places, load
from trainer.spec import SpecError, parse

CPU = torch.device("cpu")


def test_of_each_class_its_share_is_held_out_and_the_rest_is_trained_on(places: Places) -> None:
    spec, arrays = parse({"validation": 1000}), load("digits", places)
    out = held_out(spec, arrays[1])
    assert len(out) == len(set(out)) == 1000
    shares = np.bincount(arrays[1][out]) / np.bincount(arrays[1])
    assert shares == pytest.approx(np.full(10, 1000 / len(arrays[1])), abs=0.002)
    data = LoadedData(spec, arrays, CPU)
    assert len(data.labels) == len(arrays[1]) - 1000 == spec.train_size
    assert len(data.labels_of("validation")) == 1000
    together = sorted([*map(bytes, data.images.numpy()), *map(bytes, np.asarray(arrays[0])[out])])
    assert together == sorted(map(bytes, np.asarray(arrays[0]))), "each image is in one of both"
    assert not np.array_equal(out, held_out(parse({"validation": 1000, "validation_seed": 2}), arrays[1]))
    assert np.array_equal(out, held_out(parse({"validation": 1000, "seed": 7, "batch_size": 9}), arrays[1]))


def test_more_than_there_are_can_not_be_held_out() -> None:
    with pytest.raises(SpecError, match="validation is 7185: digits has 7,185 training images; hold out fewer"):
        parse({"validation": 7185})


def test_steps_and_series_are_those_of_the_images_that_are_left(places: Places) -> None:
    measured, state = run(places, epochs=2, batch_size=500, validation=1200)
    assert state.step == 2 * 12  # 5,985 images: eleven batches of 500 and one of 485
    by_name = {name: [m.step for m in measured if m.name == name] for name in {m.name for m in measured}}
    assert by_name["validation/accuracy"] == by_name["validation/loss"] == by_name["test/accuracy"] == [12, 24]
    plain, _ = run(places, epochs=1, batch_size=500)
    assert not any(m.name.startswith("validation/") for m in plain)


def test_the_best_epoch_is_that_of_the_validation_images_alone(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test figures that say the opposite choose nothing."""
    claimed = {"validation": iter([0.3, 0.6, 0.5, 0.4, 0.2]), "test": iter([0.1, 0.2, 0.3, 0.4, 0.9])}
    real = loop.evaluate

    def evaluated(spec: object, model: object, data: object, part: str = "test") -> object:
        for found in real(spec, model, data, part):  # type: ignore[arg-type]
            yield (
                found
                if found is None
                else type(found)(found.loss, next(claimed[part]), found.predicted, found.confidence)
            )

    monkeypatch.setattr(loop, "evaluate", evaluated)
    _, state = run(places, epochs=5, batch_size=1000, validation=1000, keep="best", early_stopping=2)
    assert (state.best_epoch, state.best_accuracy) == (2, 0.6)
    assert state.epochs_tested == 4, "two epochs without a better one"


def test_a_training_goes_on_to_the_same_bits_from_within_either_test(places: Places) -> None:
    spec, arrays = parse({"validation": 2500, "epochs": 2, "batch_size": 1000, "keep": "best"}), load("digits", places)
    devices.make_repeatable(spec, threads=1)
    data = LoadedData(spec, arrays, CPU)
    whole = loop.start(spec, CPU)
    measured = [(m.name, m.step, m.value) for m in loop.train(spec, data, whole) if m]
    pauses = 0
    state = loop.start(spec, CPU)
    for one in loop.train(spec, data, state):
        pauses += one is None
        if pauses == 5 + 2:  # five steps, then within the validation of the first epoch
            break
    assert (state.step, state.epochs_tested) == (5, 0)
    rest = [(m.name, m.step, m.value) for m in loop.train(spec, data, state) if m]
    assert rest == [one for one in measured if one[1] > 5 or not one[0].startswith(("train/", "early/"))]
    assert state.best_epoch == whole.best_epoch
    assert all(map(torch.equal, state.model.state_dict().values(), whole.model.state_dict().values()))
