"""Models and data sets of other people's packages: entry points `runyard.models` and `runyard.datasets`.

An entry point names a `trainer.entries.Model` or `Dataset`. One that can't be used is left out and told of on the
System page; it harms nothing else. docs/plugins.md has an example.
"""

import re
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from trainer.entries import Dataset, Model

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Plugin:
    """One entry point, and what became of it."""

    kind: str
    """`model` or `data set`."""
    name: str
    package: str
    version: str
    error: str | None = None
    """Why it is left out; None: it can be chosen."""
    warning: str | None = None
    """What its author should mend; it can be chosen all the same."""


def models(taken: Collection[str]) -> tuple[list[Model], list[Plugin]]:
    """The models that can be used, and what became of each entry point; `taken` are names that are not free."""
    return _load("runyard.models", "model", _check_model, taken)


def datasets(taken: Collection[str]) -> tuple[list[Dataset], list[Plugin]]:
    """As `models`."""
    return _load("runyard.datasets", "data set", _check_dataset, taken)


def _load(
    group: str, kind: str, check: Callable[[Any, Collection[str]], None], taken: Collection[str]
) -> tuple[list[Any], list[Plugin]]:
    found: list[Any] = []
    told: list[Plugin] = []
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        error, had_torch = None, "torch" in sys.modules
        try:
            entry = point.load()
            check(entry, [*taken, *(one.name for one in found)])
            found.append(entry)
        except (Exception, SystemExit) as failure:  # whatever a stranger's module does when it is imported
            error = f"{type(failure).__name__}: {(str(failure).strip().splitlines() or [''])[-1]}".rstrip(": ")
        slow = "torch" in sys.modules and not had_torch
        warning = "it imports torch when it is loaded: import it inside of build, so that the server stays small"
        told.append(_told(point, kind, error, warning if slow else None))
    return found, told


def _told(point: EntryPoint, kind: str, error: str | None, warning: str | None) -> Plugin:
    package = point.dist.name if point.dist else "?"
    return Plugin(kind, point.name, package, point.dist.version if point.dist else "?", error, warning)


def _check_name(entry: Any, expected: type[Any], taken: Collection[str]) -> None:
    if not isinstance(entry, Model | Dataset) or not isinstance(entry, expected):
        raise TypeError(f"it is a {type(entry).__name__}: make it a trainer.entries.{expected.__name__}")
    if not NAME.fullmatch(entry.name):
        raise ValueError(f"its name is {entry.name!r}: choose small letters, digits and dashes")
    if entry.name in taken:
        raise ValueError(f"its name is {entry.name!r}: there is such a one already, choose another")


def _check_model(entry: Any, taken: Collection[str]) -> None:
    _check_name(entry, Model, taken)
    knobs = {knob.name: knob.check(knob.default) for knob in entry.knobs}
    if not entry.shapes:
        raise ValueError("it takes no images: give it shapes, such as trainer.entries.SMALL_IMAGES")
    for shape in entry.shapes:
        count = entry.parameters(knobs, shape, 10)
        if not isinstance(count, int) or count < 0:
            raise TypeError(f"its parameters for {shape} are {count!r}: give a whole number")


def _check_dataset(entry: Any, taken: Collection[str]) -> None:
    _check_name(entry, Dataset, taken)
    if len(entry.shape) != 3 or len(entry.mean) != entry.shape[0] or len(entry.std) != entry.shape[0]:
        raise ValueError("give its shape as (channels, height, width), its mean and std with a value a channel")
    if len(entry.classes) < 2 or entry.train_size < 1 or entry.test_size < 1:
        raise ValueError("it needs two classes, training images and test images")
