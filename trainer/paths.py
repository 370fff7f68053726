"""The grammar of knob paths: `epochs`, `model`, `model.n_hidden`, `optimizer.lr`.

A path is one word, or the name of an object and a knob of it. The two objects are `model` and `optimizer`: each has a
`name`, which the path without a knob means, and the knobs that belong to that name. The one place that knows this.
"""

from collections.abc import Iterable, Mapping
from typing import Any

OBJECTS = ("model", "optimizer")
"""Fields of a spec that are a name with knobs of its own."""
NOT_CONFIGURATION = ("seed", "device")
"""Knobs that don't make a configuration another one."""


def split(path: str) -> tuple[str, str]:
    """`optimizer.lr` to (`optimizer`, `lr`); of a path of one word the knob is empty."""
    head, _, knob = path.partition(".")
    return head, knob


def join(head: str, knob: str) -> str:
    return f"{head}.{knob}"


def leaf(path: str) -> str:
    """The last word: `optimizer.lr` to `lr`."""
    head, knob = split(path)
    return knob or head


def in_order(paths: Iterable[str]) -> list[str]:
    """`model` before `model.n_hidden`, whatever order they come in; else as they come."""
    return sorted(paths, key=lambda path: bool(split(path)[1]))


def put(spec: dict[str, Any], path: str, value: object) -> None:
    """Set a knob of a spec that need not be whole: an object may be there, be its name alone, or be absent.

    Leaves alone what can't have knobs, which validation then names.
    """
    head, knob = split(path)
    if not knob:
        spec[head] = value
        return
    there = spec.get(head, {})
    named = {"name": there} if isinstance(there, str) else there
    spec[head] = {**named, knob: value} if isinstance(named, Mapping) else there


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Paths and their values as a spec; an object may be there as one."""
    spec: dict[str, Any] = {}
    for path in in_order(values):
        put(spec, path, values[path])
    return spec


def flat(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec's knobs by path, objects by name: `{"model": "fc", "model.n_hidden": 8, …}`."""
    paths: dict[str, Any] = {}
    for key, value in spec.items():
        if isinstance(value, Mapping):
            paths[key] = value.get("name")
            paths |= {join(key, knob): setting for knob, setting in value.items() if knob != "name"}
        else:
            paths[key] = value
    return paths
