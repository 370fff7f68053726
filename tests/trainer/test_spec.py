import math
import subprocess
import sys
from typing import Any

import pytest

from trainer.paths import flat
from trainer.spec import SpecError, parse


def test_an_empty_spec_is_the_tutorials_cnn() -> None:
    spec = parse({})
    assert spec.to_json() == {
        "model": {"name": "cnn", "n_features": 6},
        "dataset": "digits",
        "pixel_order": "original",
        "permutation_seed": 1,
        "seed": 1,
        "epochs": 1,
        "batch_size": 64,
        "normalization": "dataset",
        "crop_padding": 0,
        "flip": "off",
        "cutout": 0,
        "schedule": "constant",
        "warmup_epochs": 0.0,
        "decay_epochs": 30,
        "decay_factor": 0.1,
        "label_smoothing": 0.0,
        "gradient_clip": 0.0,
        "validation": 0,
        "validation_seed": 1,
        "early_stopping": 0,
        "keep": "last",
        "precision": "float32",
        "optimizer": {"name": "sgd", "lr": 0.01, "momentum": 0.5, "nesterov": "off", "weight_decay": 0.0},
        "device": "auto",
    }
    assert parse(spec.to_json()) == spec


def test_one_mnist_epoch_has_938_steps() -> None:
    assert parse({"dataset": "mnist"}).steps_total == 938


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"model": "perceptron"}, "model", "model is 'perceptron': there is no such model; choose fc or cnn"),
        ({"model": {"name": "fc", "n_hidden": 0}}, "model.n_hidden", "from 1 to 4096"),
        ({"model": {"name": "fc", "n_features": 6}}, "model.n_features", "is not a knob of fc: it has n_hidden"),
        ({"model": 7}, "model", "give a name"),
        ({"dataset": "imagenet"}, "dataset", "choose digits or mnist or fashion-mnist"),
        ({"batch_size": 0}, "batch_size", "batch_size is 0: choose a whole number from 1 to 65536"),
        ({"batch_size": 1.5}, "batch_size", "whole number"),
        ({"batch_size": True}, "batch_size", "whole number"),
        ({"epochs": "ten"}, "epochs", "epochs is 'ten'"),
        ({"epochs": None}, "epochs", "epochs is None"),
        ({"optimizer": {"lr": math.nan}}, "optimizer.lr", "optimizer.lr is nan: choose a number over 0"),
        ({"optimizer": {"lr": 0}}, "optimizer.lr", "over 0"),
        ({"optimizer": {"momentum": 1.5}}, "optimizer.momentum", "optimizer.momentum is 1.5"),
        ({"pixel_order": "sorted"}, "pixel_order", "choose original or shuffled"),
        ({"device": "tpu"}, "device", "choose auto, cpu, cuda or cuda:N"),
        ({"colour": 1}, "colour", "colour is not a knob"),
        ([], "spec", "spec is []"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
def test_a_bad_value_is_named_with_its_way_out(given: Any, field: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(given)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert words in str(caught.value)


def test_every_bad_field_is_named_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        parse({"epochs": 0, "seed": -1, "model": "x"})
    assert {problem.field for problem in caught.value.problems} == {"epochs", "seed", "model"}


def test_flat_names_knobs_by_path() -> None:
    paths = flat(parse({"model": "fc"}).to_json())
    assert (paths["model"], paths["model.n_hidden"], paths["optimizer.lr"]) == ("fc", 8, 0.01)


def test_specs_need_no_torch() -> None:
    torch_free = "trainer.spec, trainer.catalog, trainer.permutation, trainer.prepared"
    code = f"import sys, {torch_free}; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
