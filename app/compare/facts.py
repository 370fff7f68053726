"""What is known of compared runs: one frozen tree, made once, which every sentence, table and JSON renders.

Codes and numbers; sentences are made of them in `app.compare.words`. Pure, no I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from app.compare import design, statistics
from app.compare.design import Step
from app.compare.groups import GONE, Group, Member, differing
from app.compare.judged import Judged, correct, judge, turned
from app.compare.measure import Measure
from trainer.paths import split

MOST_SUBJECTS = 4
"""Of more configurations a change is not judged one by one."""

Kind = Literal["change", "interaction", "pair", "main effect"]
Decision = Literal["clear", "open", "untested"]
"""More than chance; not shown to be; too few seeds for an interval."""
Why = Literal["not ended", "failed", "lost", "stopped", "paused", "no value", "same seed again"]


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


@dataclass(frozen=True)
class Contrast:
    """The weighted sum of configurations' values, judged."""

    kind: Kind
    steps: tuple[Step, ...]
    """The knobs that are changed in it; of a pair none."""
    sides: tuple[Side, ...]
    judged: Judged
    watched: bool
    decision: Decision
    above: int
    """Seeds in which it was over 0; none are counted where seeds don't match."""
    below: int

    @property
    def seeds(self) -> tuple[int, ...]:
        """Those used by every side; empty where seeds don't match."""
        used = [{seed for seed, _ in side.values} for side in self.sides]
        return tuple(sorted(set.intersection(*used))) if used and self.judged.matched == "seed" else ()


@dataclass(frozen=True)
class Nothing:
    """There is no answer."""

    why: Literal["no runs", "none has finished", "no value", "not judged"]


@dataclass(frozen=True)
class Alone:
    """One configuration, compared with nothing."""


@dataclass(frozen=True)
class Changes:
    """A knob of two values, changed for each of some configurations."""

    knob: str
    values: tuple[Any, Any]
    partners: tuple[tuple[int, int], ...]
    """Places of what is changed: before and after."""
    contrasts: tuple[Contrast | None, ...]
    """Of each, after minus before; None where one has no finished run."""
    between: Contrast | None
    """Of two: the second's change minus the first's."""
    order: tuple[int, ...]
    """Places among the partners, the largest change that is clear first."""


@dataclass(frozen=True)
class Ranking:
    """Configurations compared with the best."""

    order: tuple[int, ...]
    """Places of those that have finished runs, the best first."""
    against: Mapping[int, Contrast]
    """Place to this one minus the best."""
    comparisons: int
    """How many the correction is for: all pairs, since the best was chosen by its looks."""
    waiting: int
    """Configurations without a finished run that may get one."""


Answer = Nothing | Alone | Changes | Ranking


@dataclass(frozen=True)
class Facts:
    """All that is known."""

    measure: Measure
    watched: bool
    """The number of runs was not fixed beforehand, or not all have ended: intervals hold however often one looks."""
    groups: tuple[Group, ...]
    varied: Mapping[str, list[Any]]
    """Knob to its values, of those in which the groups differ."""
    answer: Answer
    pairs: tuple[Contrast, ...] = ()
    main: tuple[Contrast, ...] = ()
    interactions: tuple[Contrast, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    dropouts: tuple[Dropouts, ...] = ()
    reached: tuple[Reached, ...] = ()
    """Of a measure that is the time until a value, where some never got there: that is then the result."""
    reached_p: float | None = None
    """Of two configurations: Fisher's exact test that both get there equally often, two-sided."""


def make(groups: Sequence[Group], measure: Measure, *, watched: bool) -> Facts:
    """The tree, of configurations that ran, or run."""
    kept, varied = tuple(groups), differing(groups)
    left_out = tuple(one for place, group in enumerate(groups) for one in _left_out(place, group))
    dropouts = tuple(one for place, group in enumerate(groups) if (one := _dropouts(place, group)) is not None)
    if measure.better is None:
        return Facts(measure, watched, kept, varied, Nothing("not judged"), left_out=left_out, dropouts=dropouts)
    pairs = tuple(
        _contrast("pair", (), (-1, 1), (pair.first, pair.second), groups, pair.judged, watched)
        for pair in design.pairs(groups, greater=measure.greater_is_better, watched=watched)
    )
    main, interactions = (
        tuple(_of_effect(effect, groups, watched) for effect in effects)
        for effects in design.effects(groups, watched=watched)
    )
    answer = _answer(groups, pairs, measure, watched)
    reached = _reached(groups) if measure.is_until else ()
    p = _reached_alike(*reached) if len(reached) == 2 else None
    return Facts(measure, watched, kept, varied, answer, pairs, main, interactions, left_out, dropouts, reached, p)


def _answer(groups: Sequence[Group], pairs: Sequence[Contrast], measure: Measure, watched: bool) -> Answer:
    """By the one knob of two values that is changed for each of them, else by which is best."""
    if not groups:
        return Nothing("no runs")
    if not any(group.sample for group in groups):
        return Nothing("no value" if any(group.done for group in groups) else "none has finished")
    if len(groups) == 1:
        return Alone()
    knob = _changed(groups)
    return _ranking(groups, pairs, measure) if knob is None else _changes(groups, knob, watched)


def _reached(groups: Sequence[Group]) -> tuple[Reached, ...]:
    """Empty where all that finished got there."""
    found = tuple(Reached(place, len(one.sample), one.seeds_done) for place, one in enumerate(groups) if one.seeds_done)
    return found if any(one.reached < one.done for one in found) else ()


def _reached_alike(first: Reached, second: Reached) -> float:
    from scipy.stats import fisher_exact  # half a second: only where it is asked for

    table = [[one.reached, one.done - one.reached] for one in (first, second)]
    return float(fisher_exact(table).pvalue)


def _left_out(place: int, group: Group) -> list[LeftOut]:
    seen: set[int] = set()
    found = []
    for member in group.members:
        why: Why | None = None
        if not member.done:
            ended: dict[str, Why] = {"failed": "failed", "lost": "lost", "stopped": "stopped", "paused": "paused"}
            why = ended.get(member.status, "not ended")
        elif member.seed in seen:
            why = "same seed again"
        elif member.value is None:
            why = "no value"
        if member.done:
            seen.add(member.seed)
        if why is not None:
            found.append(LeftOut(member.run, place, why))
    return found


def _dropouts(place: int, group: Group) -> Dropouts | None:
    done = {member.seed for member in group.members if member.done}
    gone: dict[str, dict[int, Member]] = {status: {} for status in GONE}
    for member in group.members:
        if member.status in gone and member.seed not in done:
            for of_status in gone.values():
                of_status.pop(member.seed, None)  # its last try counts
            gone[member.status][member.seed] = member
    if not any(gone.values()):
        return None
    failed, lost, stopped = (tuple(one.run for one in of_status.values()) for of_status in gone.values())
    causes = tuple(one.cause or "" for one in gone["failed"].values())
    runs = len({member.seed for member in group.members})
    return Dropouts(place, runs, failed, lost, stopped, causes, tuple(group.sample.values()))


# A knob that is changed


def _changed(groups: Sequence[Group]) -> str | None:
    """The knob of two values whose change is the question; pixel order before all others, the model last."""
    varied = differing(groups)
    two = [knob for knob, values in varied.items() if len(values) == 2 and _partners(groups, knob)]
    two = [knob for knob in two if len(_partners(groups, knob)) <= MOST_SUBJECTS]
    two.sort(key=lambda knob: (knob != "pixel_order", knob == "model", split(knob)[0] == "model"))
    alone = len(varied) == 1 or (two and len(groups) == 2 * len(_partners(groups, two[0])))
    return two[0] if two and alone else None


def _partners(groups: Sequence[Group], knob: str) -> list[tuple[int, int]]:
    """Places of configurations that differ in that knob alone, and in knobs that only one of them has."""
    values = differing(groups).get(knob, [])
    varied = [path for path in differing(groups) if path != knob]
    if knob == "pixel_order":  # a seed of the permutation means something where pixels are shuffled alone
        varied = [path for path in varied if path != "permutation_seed"]
    found: dict[str, dict[str, int]] = {}
    for place, group in enumerate(groups):
        if knob not in group.knobs:
            return []
        rest = str([(path, group.knobs.get(path)) for path in varied])
        found.setdefault(rest, {}).setdefault(str(group.knobs[knob]), place)
    both = [(pair.get(str(values[0])), pair.get(str(values[1]))) for pair in found.values()] if len(values) == 2 else []
    return [(first, second) for first, second in both if first is not None and second is not None]


def _changes(groups: Sequence[Group], knob: str, watched: bool) -> Changes:
    partners = _partners(groups, knob)
    first, second = partners[0]
    step = Step(knob, groups[first].knobs[knob], groups[second].knobs[knob])
    asked: list[tuple[Kind, tuple[float, ...], tuple[int, ...]]] = [("change", (-1, 1), pair) for pair in partners]
    if len(partners) == 2:
        asked.append(("interaction", (1, -1, -1, 1), (*partners[0], *partners[1])))
    family = correct([judge(weights, [groups[at] for at in places], watched=watched) for _, weights, places in asked])
    contrasts = [
        _contrast(kind, (step,), weights, places, groups, judged, watched) if judged else None
        for (kind, weights, places), judged in zip(asked, family, strict=True)
    ]
    each = contrasts[: len(partners)]
    order = sorted(range(len(partners)), key=lambda at: _weight(each[at]), reverse=True)
    between = contrasts[2] if len(partners) == 2 else None
    return Changes(knob, (step.first, step.second), tuple(partners), tuple(each), between, tuple(order))


def _weight(contrast: Contrast | None) -> tuple[bool, float]:
    if contrast is None:
        return False, -1.0
    return contrast.decision == "clear", abs(contrast.judged.value)


# The best


def _ranking(groups: Sequence[Group], pairs: Sequence[Contrast], measure: Measure) -> Ranking:
    greater = measure.greater_is_better
    top = design.best(groups, greater=greater)
    assert top is not None
    against = {}
    for pair in pairs:
        first, second = (side.group for side in pair.sides)
        if top == first:
            against[second] = pair
        elif top == second:
            against[first] = _turned(pair)
    means = {
        place: sum(group.sample.values()) / len(group.sample) for place, group in enumerate(groups) if group.sample
    }
    order = tuple(sorted(means, key=lambda place: -means[place] if greater else means[place]))
    return Ranking(order, against, len(means) * (len(means) - 1) // 2, sum(group.waits for group in groups))


def _turned(contrast: Contrast) -> Contrast:
    """The same the other way round."""
    sides = tuple(replace(side, weight=-side.weight) for side in contrast.sides)
    above, below = contrast.below, contrast.above
    return replace(contrast, sides=sides, judged=turned(contrast.judged), above=above, below=below)


# A contrast


def _of_effect(effect: design.Effect, groups: Sequence[Group], watched: bool) -> Contrast:
    kind: Kind = "main effect" if len(effect.steps) == 1 else "interaction"
    weights, places = zip(*effect.parts, strict=True)
    return _contrast(kind, effect.steps, weights, places, groups, effect.judged, watched)


def _contrast(
    kind: Kind,
    steps: tuple[Step, ...],
    weights: Sequence[float],
    places: Sequence[int],
    groups: Sequence[Group],
    judged: Judged,
    watched: bool,
) -> Contrast:
    samples = [groups[place].sample for place in places]
    by_seed = statistics.seed_by_seed(weights, samples) if judged.matched == "seed" else {}
    sides = tuple(
        Side(
            place,
            float(weight),
            tuple((seed, value) for seed, value in sample.items() if not by_seed or seed in by_seed),
        )
        for place, weight, sample in zip(places, weights, samples, strict=True)
    )
    decision: Decision = "untested" if judged.p is None else "clear" if judged.clear else "open"
    above, below = (sum(sign * value > 0 for value in by_seed.values()) for sign in (1, -1))
    return Contrast(kind, steps, sides, judged, watched, decision, above, below)
