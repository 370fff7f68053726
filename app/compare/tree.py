"""The tree of facts is made of configurations that ran, or run. Pure, no I/O."""

from collections.abc import Sequence

from app.compare.candidates import rankings
from app.compare.facts import (
    BLOCK,
    Alone,
    Answer,
    Changes,
    Contrast,
    Facts,
    LeftOut,
    Nothing,
    Plan,
    Reached,
    Step,
    Why,
    usually_matters,
)
from app.compare.family import Family, dropouts, untrained
from app.compare.groups import Group, differing
from app.compare.measure import Measure
from trainer.paths import split

MOST_SUBJECTS = 4
"""Of more configurations a change is not judged one by one."""


def make(groups: Sequence[Group], measure: Measure, plan: Plan, smallest: float | None = None) -> Facts:
    """The tree, of configurations that ran, or run. `smallest`: d; None: what matters where nobody said."""
    varied = differing(groups)
    left_out = tuple(one for place, group in enumerate(groups) for one in _left_out(place, group))
    dropped = tuple(one for place, group in enumerate(groups) if (one := dropouts(place, group)) is not None)
    learned = tuple(untrained(place, group) for place, group in enumerate(groups))
    first = next((list(group.sample.values()) for group in groups if group.sample), [])
    matters = usually_matters(measure, first) if smallest is None else smallest
    is_judged = measure.better is not None
    reached = _reached(groups, measure) if is_judged and measure.is_until else ()
    family = Family(groups, measure, plan, matters)
    return Facts(
        measure,
        plan,
        matters,
        tuple(groups),
        varied,
        _answer(family) if is_judged else Nothing("not judged"),
        left_out,
        dropped,
        tuple(one for one in learned if one.untrained),
        reached,
        _reached_alike(*reached) if len(reached) == 2 else None,
    )


def _answer(family: Family) -> Answer:
    """By the one knob of two values that is changed for each of them, else by which is best."""
    groups = family.groups
    if not groups:
        return Nothing("no runs")
    if not any(group.sample for group in groups):
        if any(group.done for group in groups):
            return Nothing("no value")
        return Nothing("none has finished" if any(group.waits for group in groups) else "none trained")
    if len(groups) == 1:
        return Alone()
    knob = None if family.plan.finds_best else _changed(groups)
    return rankings(family) if knob is None else _changes(family, knob)


def _reached(groups: Sequence[Group], measure: Measure) -> tuple[Reached, ...]:
    """Empty where all that finished got there."""
    found = tuple(
        Reached(place, len(one.sample), one.seeds_done, one.members[0].steps_a_test if measure.is_of_tests else None)
        for place, one in enumerate(groups)
        if one.seeds_done
    )
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


# A knob that is changed


def _changed(groups: Sequence[Group]) -> str | None:
    """The knob of two values whose change is the question; pixel order before all others, the model last."""
    varied = differing(groups)
    two = [knob for knob, values in varied.items() if knob != BLOCK and len(values) == 2 and _partners(groups, knob)]
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


def _changes(family: Family, knob: str) -> Changes:
    groups = family.groups
    partners = _partners(groups, knob)
    first, second = partners[0]
    step = Step(knob, groups[first].knobs[knob], groups[second].knobs[knob])
    crossed = len(partners) == 2 and groups[partners[0][0]].knobs.get(BLOCK) == groups[partners[1][0]].knobs.get(BLOCK)
    of = len(partners) + (3 if crossed else 0)
    contrasts = tuple(family.contrast("change", (step,), (-1, 1), pair, of) for pair in partners)
    across: tuple[Contrast, ...] = ()
    between = None
    if crossed:
        (first, second), (third, fourth) = partners
        across = tuple(family.contrast("pair", (), (-1, 1), pair, of) for pair in ((first, third), (second, fourth)))
        between = family.contrast("interaction", (step,), (1, -1, -1, 1), (first, second, third, fourth), of)
    order = sorted(range(len(partners)), key=lambda at: _weight(contrasts[at]), reverse=True)
    return Changes(knob, (step.first, step.second), contrasts, across, between, tuple(order))


def _weight(contrast: Contrast) -> tuple[bool, float]:
    if contrast.judged is None:
        return False, -1.0
    return contrast.decision in ("clear", "small"), abs(contrast.judged.value)
