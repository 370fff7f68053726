"""Which comparisons an experiment makes: by the knobs that vary among its configurations. Pure functions, no I/O."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.compare.groups import Group, differing
from app.compare.judged import Judged, correct, judge

MOST_PAIRED = 12
"""With more configurations, each is compared with the best alone."""
MOST_CROSSED = 64
"""With more configurations, main effects and interactions are not made."""


@dataclass(frozen=True)
class Step:
    """A knob going from one value to another."""

    knob: str
    first: Any
    second: Any


@dataclass(frozen=True)
class Pair:
    """Two configurations, second minus first."""

    first: int
    second: int
    """Places among the groups."""
    judged: Judged


@dataclass(frozen=True)
class Effect:
    """One step: the mean change over all values of the other knobs. Two steps: how much more the first changes when
    the second is made too, which is their interaction."""

    steps: tuple[Step, ...]
    parts: tuple[tuple[float, int], ...]
    """(weight, place among the groups) of each configuration in it."""
    judged: Judged


def crossed(groups: Sequence[Group], varied: Mapping[str, Sequence[Any]]) -> dict[tuple[Any, ...], Group] | None:
    """The groups by their values of the varied knobs, if every combination is there once; else None."""
    cells = {tuple(str(group.knobs.get(knob)) for knob in varied): group for group in groups}
    wanted = itertools.product(*([str(value) for value in values] for values in varied.values()))
    whole = len(cells) == len(groups) and all(cell in cells for cell in wanted)
    return cells if whole and len(cells) <= MOST_CROSSED else None


def best(groups: Sequence[Group], *, greater: bool) -> int | None:
    """Place of the group with the best mean; None where none has finished."""
    means = {
        index: sum(group.sample.values()) / len(group.sample) for index, group in enumerate(groups) if group.sample
    }
    return (max if greater else min)(means, key=lambda index: means[index]) if means else None


def pairs(groups: Sequence[Group], *, greater: bool, watched: bool) -> list[Pair]:
    """All pairs of configurations that have finished runs, those that differ in one knob first; each with the best
    alone where there are many. Corrected for their number, also for choosing the best by its looks."""
    places = [index for index, group in enumerate(groups) if group.sample]
    if len(places) > MOST_PAIRED:
        top = best(groups, greater=greater)
        chosen = [(top, index) for index in places if index != top and top is not None]
        comparisons = len(places) * (len(places) - 1) // 2
    else:
        chosen = sorted(
            itertools.combinations(places, 2), key=lambda pair: _apart(groups[pair[0]], groups[pair[1]]) > 1
        )
        comparisons = None
    judged = [judge((-1, 1), (groups[first], groups[second]), watched=watched) for first, second in chosen]
    return [
        Pair(first, second, one)
        for (first, second), one in zip(chosen, correct(judged, comparisons), strict=True)
        if one is not None
    ]


def _apart(first: Group, second: Group) -> int:
    """In how many knobs two configurations differ; knobs of one model alone are no difference of their own."""
    return sum(first.knobs[path] != second.knobs[path] for path in first.knobs.keys() & second.knobs.keys())


def effects(groups: Sequence[Group], *, watched: bool) -> tuple[list[Effect], list[Effect]]:
    """Main effects and interactions of all knobs, each value against the first; none unless at least two knobs vary and
    every combination is there."""
    varied = differing(groups)
    cells = crossed(groups, varied) if len(varied) >= 2 else None
    if cells is None:
        return [], []
    order, members = list(cells), list(cells.values())
    place = {knob: index for index, knob in enumerate(varied)}

    def sign(cell: tuple[Any, ...], step: Step) -> int:
        value = cell[place[step.knob]]
        return 1 if value == str(step.second) else -1 if value == str(step.first) else 0

    steps = {knob: [Step(knob, values[0], value) for value in values[1:]] for knob, values in varied.items()}
    main = [(step,) for of_one in steps.values() for step in of_one]
    two = [both for one, other in itertools.combinations(steps.values(), 2) for both in itertools.product(one, other)]
    made: list[tuple[Step, ...]] = [*main, *two]
    judged, parts = [], []
    at = {id(group): index for index, group in enumerate(groups)}
    for chosen in made:
        weights = [float(_product(sign(cell, step) for step in chosen)) for cell in order]
        # a mean over the values of all other knobs
        share = 2 ** len(chosen) / sum(map(abs, weights))
        used = [(weight * share, group) for weight, group in zip(weights, members, strict=True) if weight]
        judged.append(judge([weight for weight, _ in used], [group for _, group in used], watched=watched))
        parts.append(tuple((weight, at[id(group)]) for weight, group in used))
    found = [
        (Effect(chosen, of, one) if one else None) for chosen, of, one in zip(made, parts, correct(judged), strict=True)
    ]
    kept = [effect for effect in found if effect is not None]
    return [one for one in kept if len(one.steps) == 1], [one for one in kept if len(one.steps) == 2]


def _product(signs: Any) -> int:
    result = 1
    for sign in signs:
        result *= sign
    return result
