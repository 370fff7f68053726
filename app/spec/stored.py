"""Specs as they were stored, read with today's defaults and compared as what they say: a new knob is no migration."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.spec import knobs
from trainer import catalog, paths
from trainer.entries import Knob


def filled(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A stored spec with the defaults of the knobs that it was stored without.

    Of a model or an optimiser that is in no catalogue (any more) the knobs are as they were.
    """
    whole = _with_defaults(spec, catalog.TRAINING.values())
    for head in paths.OBJECTS:
        there = whole.get(head)
        if isinstance(there, Mapping) and (entry := knobs.named(head).get(str(there.get("name")))):
            whole[head] = _with_defaults(there, entry.knobs)
    return whole


def _with_defaults(given: Mapping[str, Any], of: Iterable[Knob]) -> dict[str, Any]:
    return {**given, **{knob.name: knob.default for knob in of if knob.name not in given}}


def flat(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A stored spec's knobs by path, with today's defaults."""
    return paths.flat(filled(spec))


def configuration(spec: Mapping[str, Any]) -> str:
    """What all runs of one configuration have in common and no others: all knobs but seed and device, as a hash.

    Knobs at their default are left out, so that it stays the same when a knob is added.
    """
    said = {path: value for path, value in flat(spec).items() if path not in paths.NOT_CONFIGURATION}
    names = {head: said.get(head) for head in paths.OBJECTS}
    kept = {path: value for path, value in said.items() if not _is_default(path, value, names)}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def _is_default(path: str, value: Any, names: Mapping[str, Any]) -> bool:
    head, knob = paths.split(path)
    if not knob:
        return path in catalog.TRAINING and value == catalog.TRAINING[path].default
    default = knobs.defaults(path)
    return names.get(head) in default and value == default[names[head]]
