"""Runs grouped by configuration: all knobs but the seed equal. Pure functions, no I/O."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from app.compare.statistics import Sample, Summary, summary
from trainer.metrics import Metric, assumed
from trainer.paths import NOT_CONFIGURATION

GONE = ("failed", "lost", "stopped")
"""States of a run that has ended for good without a result."""


@dataclass(frozen=True)
class Member:
    """A run as comparing sees it."""

    run: int
    status: str
    """Of the run; `resuming` where it will go on by itself."""
    configuration: str
    """The same for all runs of one configuration, and for no others."""
    knobs: Mapping[str, Any]
    """Knob path to value."""
    last: Mapping[str, float]
    """Name of a series to its last value, where that is a number."""
    best: Mapping[str, float]
    """Name of a series to its best value, where something of it is better."""
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    """Name to what the run says of the series."""
    value: float | None = None
    """What is compared (`app.compare.measure`); None where the run has none."""
    cause: str | None = None
    """Why it ended, where it did not succeed."""
    seen: bool = False
    """Its configuration and seed had succeeded elsewhere before its experiment was made: the result was known."""
    steps_a_test: int | None = None
    """Training steps from one test to the next."""
    untrained: bool = False
    """It learned nothing: it is no better than the most frequent class."""

    @property
    def seed(self) -> int:
        return int(self.knobs["seed"])

    @property
    def done(self) -> bool:
        return self.status == "succeeded"

    @property
    def has_ended(self) -> bool:
        """For good: it will not go on by itself or by a click on Resume."""
        return self.done or self.status in GONE


@dataclass(frozen=True)
class Figure:
    """One metric over a configuration's finished runs, a run a seed."""

    summary: Summary
    best: float | None
    """The best value that any of them had at any time; None where nothing is better."""
    values: tuple[tuple[int, float], ...]
    """(run, last value)."""


@dataclass(frozen=True)
class Group:
    """The runs of one configuration."""

    knobs: Mapping[str, Any]
    members: tuple[Member, ...]
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return sum(member.done for member in self.members)

    @property
    def seeds_done(self) -> int:
        """How many of its seeds have a run that succeeded."""
        return len({member.seed for member in self.members if member.done})

    @property
    def waits(self) -> bool:
        """It has no result, and may get one: some run has not ended for good."""
        return not self.sample and any(not member.has_ended for member in self.members)

    @cached_property
    def by_seed(self) -> dict[int, Member]:
        """The run that counts of each seed, in the order launched: the first that succeeded, as the same seed again
        gives the same result and says nothing new; else the last."""
        counted: dict[int, Member] = {}
        for member in self.members:
            if member.seed not in counted or not counted[member.seed].done:
                counted[member.seed] = member
        return dict(sorted(counted.items(), key=lambda item: item[1].run))

    @cached_property
    def sample(self) -> Sample:
        """What is compared, seed to value, in the order launched."""
        return {seed: member.value for seed, member in self.by_seed.items() if member.done and member.value is not None}

    @property
    def is_untrained(self) -> bool:
        """Most of its finished runs learned nothing."""
        done = [member for member in self.by_seed.values() if member.done]
        return bool(done) and 2 * sum(member.untrained for member in done) > len(done)


def grouped(members: Sequence[Member]) -> list[Group]:
    """Configurations in the order first seen. Figures are of runs that succeeded."""
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(member.configuration, []).append(member)
    made = [Group(_kept(part[0].knobs), tuple(part)) for part in found.values()]
    return [replace(group, figures=_figures(group)) for group in made]


def _kept(knobs: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in knobs.items() if path not in NOT_CONFIGURATION}


def _figures(group: Group) -> dict[str, Figure]:
    done = [member for member in group.by_seed.values() if member.done]
    metrics = sorted({metric for member in done for metric in member.last})
    return {metric: _figure(metric, [member for member in done if metric in member.last]) for metric in metrics}


def _figure(metric: str, members: Sequence[Member]) -> Figure:
    bests = [member.best[metric] for member in members if metric in member.best]
    better: Callable[..., float] = max if _declared(members, metric).better == "more" else min
    return Figure(
        summary=summary(
            [member.last[metric] for member in members],
            within=(0.0, 1.0) if _declared(members, metric).unit == "fraction" else (-math.inf, math.inf),
        ),
        best=better(bests) if bests else None,
        values=tuple((member.run, member.last[metric]) for member in members),
    )


def _declared(members: Sequence[Member], name: str) -> Metric:
    return members[-1].metrics.get(name) or assumed(name)


def differing(compared: Sequence[Member | Group]) -> dict[str, list[Any]]:
    """Knob path to its values, in the order first seen, for every knob that is not the same in all of them.

    A knob that only some models have (`model.n_hidden`) differs only if those models have several values of it.
    """
    values: dict[str, list[Any]] = {}
    for one in compared:
        for path, value in one.knobs.items():
            known = values.setdefault(path, [])
            if value not in known:
                known.append(value)
    return {path: found for path, found in values.items() if len(found) > 1}


def facets(differences: Mapping[str, Sequence[Any]]) -> tuple[str | None, str | None]:
    """The knobs for rows and columns of panels: model and pixel order where they vary, else what varies most."""
    candidates = [path for path in differences if path not in NOT_CONFIGURATION]
    preferred = [path for path in ("model", "pixel_order") if path in candidates]
    others = sorted((path for path in candidates if path not in preferred), key=lambda path: -len(differences[path]))
    chosen = [*preferred, *others][:2]
    if chosen == ["pixel_order"] or (len(chosen) == 2 and chosen[0] == "pixel_order"):
        chosen = [*chosen[1:], "pixel_order"]
    if len(chosen) == 1:
        return (None, chosen[0])
    return (chosen[0], chosen[1]) if chosen else (None, None)
