"""What is known of compared runs: one frozen tree, made once, which every sentence, table and JSON renders.

Codes and numbers; sentences are made of them in `app.compare.words`. Pure, no I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from app.compare import race, scale, sequence
from app.compare.groups import Group
from app.compare.judged import Judged, Mode
from app.compare.measure import Measure

BLOCK = "dataset"
"""Never a treatment: figures on different data sets are not compared."""
LEAST_FOR_PAIRING = 5
MATTERS_OF_FRACTION = 0.01
MATTERS_OF_OTHERS = 0.05
"""A share of the first side's mean."""

Kind = Literal["change", "interaction", "pair", "trend"]
Decision = Literal[
    "pending",
    "too few",
    "equal",
    "none",
    "untrained",
    "unreached",
    "unfit",
    "no difference",
    "clear",
    "small",
    "open",
    "may be best",
    "ruled out",
]
"""Tested in this order: the plan is not over; too few seeds for an interval; the same in every seed; a side of which
nobody is left; no side learned anything; some runs never got as far as is asked; values that no single difference fits;
and by the interval (`app.compare.judged.Finding`). Of one among several, compared with the best of them, the last two:
whether it may be the best."""
DECIDED: tuple[Decision, ...] = ("no difference", "clear", "small", "open")
"""Decisions that an interval goes with."""
Reason = Literal["behind", "behind another", "untrained", "failing", "no value"]
"""Why one can't be the best: by its interval against the highest, or against another (`Contrast.behind`); it learned
nothing; two or more of its runs failed; none that finished has what is compared."""
Why = Literal["not ended", "failed", "lost", "stopped", "paused", "no value", "same seed again"]


@dataclass(frozen=True)
class Plan:
    """Whether the number of runs was fixed beforehand."""

    state: Literal["running", "over", "watched"]
    """Fixed, and not all have ended for good; fixed, and over; or looked at while it can grow."""
    runs: int = 0
    """Planned, where it is fixed."""
    to_go: int = 0
    """Of those, not ended for good."""
    draws: int = 0
    """Configurations drawn at random, where it is a search."""
    finds_best: bool = False
    """It is asked which one is the best: those that are ruled out run no more."""


WATCHED = Plan("watched")
OVER = Plan("over")


@dataclass(frozen=True)
class Step:
    """A knob going from one value to another."""

    knob: str
    first: Any
    second: Any


@dataclass(frozen=True)
class Side:
    """One configuration's part in a contrast."""

    group: int
    """Place among the groups."""
    weight: float
    values: tuple[tuple[int, float], ...]
    """(seed, value), over the seeds that the contrast uses."""


@dataclass(frozen=True)
class LeftOut:
    """A run that counts for nothing, and why."""

    run: int
    group: int
    why: Why


@dataclass(frozen=True)
class Dropouts:
    """The runs of a configuration that ended for good without a result, and were not launched again with one."""

    group: int
    runs: int
    """Of the configuration, one a seed."""
    failed: tuple[int, ...]
    lost: tuple[int, ...]
    stopped: tuple[int, ...]
    causes: tuple[str, ...]
    """Of those that failed, in their order."""
    trained: tuple[float, ...]
    """What the others gave."""


@dataclass(frozen=True)
class Reached:
    """How many of a configuration's finished runs got as far as is asked, one a seed."""

    group: int
    reached: int
    done: int
    every: int | None
    """Training steps from one look to the next, where that is a test's; None: the series is of every step."""


@dataclass(frozen=True)
class Untrained:
    """How many of a configuration's finished runs learned nothing, one a seed."""

    group: int
    untrained: int
    done: int


@dataclass(frozen=True)
class Contrast:
    """The weighted sum of configurations' values, and what is decided of it."""

    kind: Kind
    steps: tuple[Step, ...]
    """The knobs that are changed in it; of a pair none."""
    sides: tuple[Side, ...]
    judged: Judged | None
    """None where no run, or no set of runs, counts yet."""
    mode: Mode
    family: int
    """How many contrasts are decided together."""
    launched: int
    """Seeds that were launched on every side; where they don't match, runs of the side with the fewest."""
    decision: Decision
    more: int | None = None
    """Of one that is open: about so many more seeds would settle a difference as large as the one seen."""
    reason: Reason | None = None
    """Of one that is ruled out."""
    behind: int | None = None
    """Place of another that it is behind."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Those used by every side, in the order launched; empty where seeds don't match."""
        matched = self.judged is not None and self.judged.matched == "seed"
        return tuple(seed for seed, _ in self.sides[0].values) if matched else ()

    @property
    def seeds_of_both(self) -> set[int]:
        """Those that every side has a value of, whether they are used or not."""
        return set.intersection(*({seed for seed, _ in side.values} for side in self.sides))

    @property
    def pairing(self) -> float | None:
        """How many times as many seeds it would take without pairing, by these: the variance of a difference of unlike
        seeds over that of a seed's own difference. None: not paired by seed, or too few seeds to say."""
        judged = self.judged
        if judged is None or judged.matched != "seed" or judged.n < LEAST_FOR_PAIRING or not judged.deviation:
            return None
        apart = sum(side.weight**2 * float(np.var([value for _, value in side.values], ddof=1)) for side in self.sides)
        return apart / judged.deviation**2

    @property
    def least(self) -> int:
        """With fewer seeds there is no interval."""
        return self.looks_from if self.mode == "watched" else 2

    @property
    def looks_from(self) -> int:
        """With fewer seeds there is no interval that may be watched."""
        return sequence.least(bound=sequence.BOUND * (self.family if self.mode == "watched" else 1))


@dataclass(frozen=True)
class Nothing:
    """There is no answer."""

    why: Literal["no runs", "none has finished", "none trained", "no value", "not judged"]


@dataclass(frozen=True)
class Alone:
    """One configuration, compared with nothing."""


@dataclass(frozen=True)
class Changes:
    """A knob of two values, changed for each of some configurations; of two of them, also these compared at each value
    of the knob, and how much more the second changes."""

    knob: str
    values: tuple[Any, Any]
    contrasts: tuple[Contrast, ...]
    """Of each configuration, after minus before."""
    across: tuple[Contrast, ...]
    """Of two configurations, the second minus the first, before and after; else empty."""
    between: Contrast | None
    """Of two: the second's change minus the first's."""
    order: tuple[int, ...]
    """Places among the contrasts, the largest change first, those that are decided before the others."""

    @property
    def family(self) -> tuple[Contrast, ...]:
        """All that is claimed."""
        between = () if self.between is None else (self.between,)
        return (*(self.contrasts[at] for at in self.order), *self.across, *between)


@dataclass(frozen=True)
class Ranking:
    """Configurations of one data set, compared with the best of them."""

    order: tuple[int, ...]
    """Places of those that have finished runs, the best first."""
    against: Mapping[int, Contrast]
    """Place to this one minus the best."""
    is_set: bool = False
    """It is decided which may be the best (`app.compare.best`); else each pair is judged as any other."""

    knob: str | None = None
    """The one knob in which they differ, where its values are numbers."""
    trend: Contrast | None = None
    """How much a straight line through those that trained goes up, from the first to the last in the knob's order."""
    end: scale.End | None = None
    """At which end of all values the best one stands; None: within."""
    lacking: tuple[scale.Number, ...] = ()
    """Values of the knob that nobody tried: past that end, or between the best one and its neighbours."""

    end_of_race: race.End = "open"
    """While watched: one is left; or all that are left lie within the smallest difference that matters of each
    other."""

    def of(self, decision: Decision) -> tuple[int, ...]:
        """Places with that decision, the best first."""
        return tuple(
            place for place in self.order if place in self.against and self.against[place].decision == decision
        )


@dataclass(frozen=True)
class Rankings:
    """The best, of each data set: figures on different data sets are not compared."""

    blocks: tuple[Ranking, ...]
    waiting: int
    """Configurations without a finished run that may get one."""

    @property
    def family(self) -> tuple[Contrast, ...]:
        return tuple(block.against[place] for block in self.blocks for place in block.order if place in block.against)


Answer = Nothing | Alone | Changes | Rankings


@dataclass(frozen=True)
class Facts:
    """All that is known."""

    measure: Measure
    plan: Plan
    smallest: float
    """d, the smallest difference that matters, in the unit of the measure."""
    groups: tuple[Group, ...]
    varied: Mapping[str, list[Any]]
    """Knob to its values, of those in which the groups differ."""
    answer: Answer
    left_out: tuple[LeftOut, ...] = ()
    dropouts: tuple[Dropouts, ...] = ()
    untrained: tuple[Untrained, ...] = ()
    reached: tuple[Reached, ...] = ()
    """Of a measure that is the time until a value, where some never got there: that is then the result."""
    reached_p: float | None = None
    """Of two configurations: Fisher's exact test that both get there equally often, two-sided."""

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """One family: all that is claimed, decided together."""
        return self.answer.family if isinstance(self.answer, Changes | Rankings) else ()

    @property
    def is_watched(self) -> bool:
        """Intervals hold however often one looks."""
        return self.plan.state == "watched" or any(one.mode == "watched" for one in self.contrasts)


def usually_matters(measure: Measure, first: Sequence[float]) -> float:
    """The smallest difference that matters where nobody said: 1 point of a fraction, else 5% of the first mean."""
    if measure.is_fraction:
        return MATTERS_OF_FRACTION
    return MATTERS_OF_OTHERS * abs(sum(first) / len(first)) if first else 0.0
