"""Names that people read, made of the catalogue's titles: of configurations, knobs and values."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer import catalog

_KNOBS = {
    **{knob.name: knob for knob in catalog.TRAINING.values()},
    **{f"model.{knob.name}": knob for model in catalog.MODELS.values() for knob in model.knobs},
    **{f"optimizer.{knob.name}": knob for optimizer in catalog.OPTIMIZERS.values() for knob in optimizer.knobs},
}
_OTHERS = {"model": "Model", "dataset": "Data", "optimizer": "Optimiser", "device": "Device"}


_SAID = ("epochs", "batch_size", "pixel_order", "lr", "momentum")
"""Knobs that are named whatever their value is."""


def is_quiet(path: str, value: Any) -> bool:
    """True for a knob of the recipe that is at its default: not worth a word."""
    knob = _KNOBS.get(path)
    return knob is not None and not path.startswith("model.") and knob.name not in _SAID and value == knob.default


def knob_title(path: str) -> str:
    """`optimizer.lr` -> `Learning rate`."""
    return _OTHERS.get(path) or _KNOBS[path].title


def value_title(path: str, value: Any) -> str:
    """`model`, `fc` -> `FC`; numbers as they are written in the field."""
    if path == "model":
        return catalog.MODELS[value].title
    if path == "dataset":
        return catalog.DATASETS[value].title
    if path == "optimizer":
        return catalog.OPTIMIZERS[value].title
    return f"{value:,}" if isinstance(value, int) and "seed" not in path else f"{value}"


def configuration_title(knobs: Mapping[str, Any], varied: Sequence[str]) -> str:
    """`CNN, shuffled, learning rate 0.1`: model and pixel order, and whatever else varies but the seed."""
    words = [value_title("model", knobs["model"]), knobs["pixel_order"]]
    for path in varied:
        if path in ("model", "pixel_order", "seed", "device") or path not in knobs:
            continue
        words.append(
            value_title(path, knobs[path])
            if path == "dataset"
            else f"{knob_title(path).lower()} {value_title(path, knobs[path])}"
        )
    return ", ".join(words)
