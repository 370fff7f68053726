"""What the catalogue says of a knob path: which knob it is, its default, what it is called."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainer import catalog, paths
from trainer.entries import Knob
from trainer.spec import RunSpec

ENTRIES: Mapping[str, str] = {"model": "Model", "dataset": "Data", "optimizer": "Optimiser", "device": "Device"}
"""Paths that name something else than a knob, with their titles."""


def of_path(path: str) -> list[Knob]:
    """The knobs that a path may mean: a model's knob may be several models', with several defaults."""
    head, knob = paths.split(path)
    if not knob:
        return [catalog.TRAINING[head]] if head in catalog.TRAINING else []
    return [one for entry in named(head).values() for one in entry.knobs if one.name == knob]


def named(head: str) -> Mapping[str, Any]:
    """The entries that have knobs under a head: models or optimisers by name; none for any other."""
    found: dict[str, Mapping[str, Any]] = {"model": catalog.MODELS, "optimizer": catalog.OPTIMIZERS}
    return found.get(head, {})


def every() -> Iterator[str]:
    """All paths of knobs, training's first, each once."""
    yield from catalog.TRAINING
    for head in paths.OBJECTS:
        yield from dict.fromkeys(paths.join(head, one.name) for entry in named(head).values() for one in entry.knobs)


def is_path(path: str) -> bool:
    """True: a spec has such a field or knob."""
    return path in RunSpec.model_fields or (bool(paths.split(path)[1]) and bool(of_path(path)))


def numeric(path: str) -> Knob | None:
    """The knob of numbers that a path names; None: there is none."""
    return next((knob for knob in of_path(path) if knob.kind != "choice"), None)


def defaults(path: str) -> dict[str, Any]:
    """Of a model's or optimiser's knob: name of the entry to its default there."""
    head, knob = paths.split(path)
    return {name: one.default for name, entry in named(head).items() for one in entry.knobs if one.name == knob}


def with_defaults(flat: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """Knob path to value, of a spec whose wanted knobs are at the defaults that its model and optimiser give them."""
    found = dict(flat)
    for path in wanted:
        head, knob = paths.split(path)
        default = defaults(path).get(flat[head]) if knob else getattr(catalog.TRAINING.get(path), "default", None)
        if default is not None:
            found[path] = default
    return found


def title(path: str) -> str:
    """`optimizer.lr` to `Learning rate`; its last word where no catalogue has it (any more)."""
    known = of_path(path)
    return ENTRIES.get(path) or (known[-1].title if known else paths.leaf(path))
