"""The answer as an instrument has it: a headline, a line for each change, who is ahead, each made to fit. Pure.

The same facts as in the sentences (`app.compare.words`), in fewer words.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.compare.facts import Changes, Contrast, Facts
from app.compare.judged import Judged, turned
from app.compare.measure import Measure
from app.compare.phrases import figures, seeds, seeds_or_runs, sentence
from app.compare.verdict import Words

LONGEST_HEADLINE = 98
"""Letters that fit the line of a page of usual width."""


class Line(NamedTuple):
    """What is said of one change: what leads, and what stands under it."""

    lead: str
    under: str


def of_change(contrast: Contrast, measure: Measure, second: str) -> Line:
    """`9.2 to 19.4 points worse shuffled`, `mean 14.3; worse in 5 of 5 seeds`; `second` is `shuffled`."""
    judged, decision = contrast.judged, contrast.decision
    if judged is None:
        waits = decision in ("pending", "too few")
        return Line("no pair of runs has ended yet" if waits else "nobody is left to compare", "")
    if decision == "pending":
        return _pending(contrast, judged, measure, second)
    count = seeds_or_runs(judged)
    if decision == "too few":
        least = f"an interval takes at least {contrast.least} seeds"
        return Line(f"{_size(judged.value, measure)} {_side(judged.value)} {second}, in {count}", least)
    plain = {
        "equal": Line(f"exactly the same in {judged.n} of {seeds(judged.n)}", "nothing was changed by it"),
        "none": Line("nobody is left to compare", ""),
        "untrained": Line("nothing was learned either way", "there is nothing to compare"),
        "unreached": Line("not all runs got there", "how soon they did can't be compared"),
        "unfit": Line("no single difference fits all seeds", "they contradict each other, so none is claimed"),
    }
    if decision in plain:
        return plain[decision]
    said = figures(judged, measure)
    told = f"{judged.centre} {said.mean}; {_agreeing(judged, measure)}"
    if decision == "open":
        more = f"; about {contrast.more} more would" if contrast.more else ""
        return Line(f"open: from {said.range}", f"{count} can't tell{more}")
    if decision == "no difference" and not judged.is_one_sided:
        return Line(f"no difference that matters: {said.range}", told)
    lead = f"{said.range} {_verdict(judged.value, measure)} {second}"
    worth = {"small": "may be too small to matter", "no difference": "too small to matter"}.get(decision)
    return Line(lead, f"{worth}; {_agreeing(judged, measure)}" if worth else told)


def _pending(contrast: Contrast, judged: Judged, measure: Measure, second: str) -> Line:
    """Plain numbers, and what may be looked at."""
    lead = f"{_size(judged.value, measure)} {_side(judged.value)} {second} so far"
    agree = judged.below if judged.value < 0 else judged.above
    same = (
        f"{_side(judged.value)} in {agree} of {seeds(judged.n)}" if judged.matched == "seed" else seeds_or_runs(judged)
    )
    look = judged.looks[-1] if judged.looks else None
    if look is None or look.low is None or look.high is None:
        return Line(lead, f"safe to look at from seed {contrast.looks_from} on; {same}")
    ends = (look.low, look.high)
    if look.high < 0:
        ends = (-look.high, -look.low)
    low, high = measure.alike(ends, signed=look.low < 0 < look.high)
    side = "" if look.low < 0 < look.high else f" {_side(look.low)}"
    return Line(lead, f"safe to look at: {low} to {high}{side}; {same}")


def _size(value: float, measure: Measure) -> str:
    (size,) = measure.alike((abs(value),), signed=False)
    return f"{size} {measure.unit}" if measure.unit else size


def _side(value: float) -> str:
    return "lower" if value < 0 else "higher"


def _verdict(value: float, measure: Measure) -> str:
    """Of an accuracy, or a loss, which side is worse; of anything else which side it is."""
    if measure.better is None:
        return _side(value)
    return "worse" if (value < 0) == measure.greater_is_better else "better"


def _agreeing(judged: Judged, measure: Measure) -> str:
    if judged.matched != "seed":
        return seeds_or_runs(judged)
    agree = judged.below if judged.value < 0 else judged.above
    return f"{_verdict(judged.value, measure)} in {agree} of {seeds(judged.n)}"


def headline(main: str, others: Sequence[str]) -> str:
    """The main clause with as many of the others as fit the line."""
    told = main
    for other in others:
        longer = f"{told}{';' if told == main else ','} {other}"
        if len(longer) > LONGEST_HEADLINE:
            break
        told = longer
    return sentence(told)


def clause(contrast: Contrast, subject: str, measure: Measure) -> str:
    """Of a further change: `its effect on the FC net is small`; empty where there is nothing to say of it."""
    is_place = subject.startswith("on ")  # a data set
    for_, on = (subject, subject) if is_place else (f"for {subject}", f"on {subject}")
    judged = contrast.judged
    if judged is None:
        return ""
    if contrast.decision == "small":
        return f"its effect {on} is small"
    if contrast.decision == "clear" and measure.is_fraction:
        size = figures(judged, measure).between
        verb = "cost" if judged.value < 0 else "brought"
        return f"{subject} it {verb} {size}" if is_place else f"it {verb} {subject} {size}"
    if contrast.decision == "clear":
        return f"{for_} it is {_side(judged.value)} by {figures(judged, measure).range}"
    return {
        "no difference": f"{for_} it makes no difference that matters",
        "open": f"{for_} it is open",
        "equal": f"{for_} it changes nothing",
        "untrained": f"nothing was learned {on}" if is_place else f"{subject} learned nothing",
    }.get(contrast.decision, "")


def compared(facts: Facts, answer: Changes, words: Words) -> str:
    """`With pixels in order the CNN is ahead by 5.7 to 12.2 points, with pixels shuffled the FC net by 1.7 to 11.4.`"""
    measure = facts.measure
    judged = [
        (words.condition(answer.knob, value), one, one.judged)
        for value, one in zip(answer.values, answer.across, strict=False)
        if one.judged is not None
    ]
    counts = {seeds_or_runs(of) for _, one, of in judged if one.decision in ("pending", "too few")}
    told: list[str] = []
    for condition, one, of in judged:
        sides = [words.subject(facts.groups[side.group], answer.knob) for side in one.sides]
        again = any(" by " in clause for clause in told)
        told.append(f"{condition} {_lead(one, of, measure, sides, again=again, counted=len(counts) > 1)}")
    if not told:
        return ""
    return sentence(", ".join(told) + (f" ({counts.pop()})" if len(counts) == 1 else ""))


def _lead(
    contrast: Contrast, judged: Judged, measure: Measure, sides: Sequence[str], *, again: bool, counted: bool
) -> str:
    """`again`: after another that was said to be ahead; `counted`: of how many seeds it is."""
    winner = sides[1] if (judged.value > 0) == measure.greater_is_better else sides[0]
    better = "higher" if measure.greater_is_better else "lower"
    is_ahead = "is ahead" if measure.is_fraction else f"has the {better} {measure.title},"
    ahead = f"{winner} by" if again else f"{winner} {is_ahead} by"
    if contrast.decision in ("pending", "too few"):
        return f"{ahead} {_size(judged.value, measure)}{f' ({seeds_or_runs(judged)})' if counted else ''}"
    lead = turned(judged) if judged.value < 0 else judged
    if lead.low is not None and lead.low > 0:
        return f"{ahead} {figures(lead, measure).range}"
    return {
        "open": f"{sides[0]} or {sides[1]} may be ahead",
        "no difference": "no difference matters",
        "equal": "both are exactly the same",
        "untrained": "neither learned anything",
    }.get(contrast.decision, "neither can be said to be ahead")


def sureness(contrasts: Sequence[Contrast]) -> str:
    """Which intervals these are: `95% for all 5 together, paired by seed`."""
    judged = [one for one in contrasts if one.judged is not None]
    if not judged:
        return ""
    matched = {one.judged.matched for one in judged if one.judged}
    how = "paired by seed" if matched == {"seed"} else "paired in order" if "order" in matched else "seeds don't match"
    if any(one.decision == "pending" for one in judged):
        return "dashed: 95% each, however often you look"
    family = judged[0].family
    watched = ", however often you look" if judged[0].mode == "watched" else ""
    return f"95% {f'for all {family} together' if family > 1 else 'sure'}{watched}; {how}"
