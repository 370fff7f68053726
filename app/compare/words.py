"""The answer in words: careful sentences, made of the facts (`app.compare.facts`) and of nothing else. Pure, no I/O.

What chance could have made is never claimed; where the figures can't tell, the sentences say so, and what would.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.compare import sequence
from app.compare.facts import Alone, Changes, Dropouts, Facts, Nothing, Ranking
from app.compare.groups import Group
from app.compare.judged import ALPHA, Judged, turned
from app.compare.measure import Measure
from app.compare.statistics import Summary, summary

MOST_ROWS = 6
MOST_DROPOUTS = 3


@dataclass(frozen=True)
class Words:
    """How things are called: by the titles of the catalogue."""

    name: Callable[[Group], str]
    """A configuration: `CNN, shuffled`."""
    subject: Callable[[Group, str], str]
    """What a knob is changed of, in a sentence: `the CNN`; empty where nothing else varies."""
    change: Callable[[str, Any, Any], str]
    """A knob going from one value to another: `shuffling the pixels`."""
    value: Callable[[str, Any], str]
    """A knob's value: `shuffled`."""


@dataclass(frozen=True)
class Row:
    """One line of the table beside the answer."""

    name: str
    group: Group
    """The first configuration, or the only one."""
    first: Summary | None
    second: Summary | None
    """None where configurations are compared with the best: `first` then says it all."""
    judged: Judged | None
    """Second minus first, or this one minus the best; None for the best itself and where no run has finished."""


@dataclass(frozen=True)
class Verdict:
    """The sentences, and the table that bears them out."""

    sentences: list[str] = field(default_factory=list)
    note: str = ""
    """Which interval it is, and for how many comparisons it was corrected."""
    knob: str | None = None
    """The knob whose change is judged; None where configurations are compared with the best."""
    heads: tuple[str, ...] = ()
    """Headings of the figures' columns."""
    rows: list[Row] = field(default_factory=list)


def verdict(facts: Facts, words: Words) -> Verdict:
    """What the facts answer, in words: who dropped out comes first."""
    answered = _answered(facts, words)
    return replace(answered, sentences=[*_dropouts(facts, words), *_reached(facts, words), *answered.sentences])


def _answered(facts: Facts, words: Words) -> Verdict:
    if isinstance(facts.answer, Nothing):
        return _nothing(facts.answer, facts.measure)
    if isinstance(facts.answer, Alone):
        return _alone(facts.groups[0], facts.measure, words)
    if isinstance(facts.answer, Changes):
        return _change(facts, facts.answer, words)
    return _best(facts, facts.answer, words)


def _dropouts(facts: Facts, words: Words) -> list[str]:
    """`4 of 5 runs of learning rate 0.3 failed (loss became NaN, steps 112 to 340); the one that trained reached …`"""
    said = [_dropped(one, facts, words) for one in facts.dropouts[:MOST_DROPOUTS]]
    more = len(facts.dropouts) - len(said)
    if more:
        which = "1 more configuration" if more == 1 else f"{more} more configurations"
        said.append(f"Of {which}, runs did not end with a result either.")
    return said


def _dropped(one: Dropouts, facts: Facts, words: Words) -> str:
    stopped = len(one.stopped)
    ends = [
        (len(one.failed), f"failed{_why(one.causes)}"),
        (len(one.lost), "vanished"),
        (stopped, "was stopped" if stopped == 1 else "were stopped"),
    ]
    (count, how), *others = [end for end in ends if end[0]]
    of = "the one run" if one.runs == 1 else f"all {count} runs" if count == one.runs else f"{count} of {one.runs} runs"
    rest = "".join(f", {number} {ended}" for number, ended in others)
    head = f"{_upper(of)} of {words.name(facts.groups[one.group])} {how}{rest}"
    if len(one.trained) == 1:
        return f"{head}; the one that trained reached {facts.measure.figure(one.trained[0])}."
    return f"{head}; {len(one.trained)} trained." if one.trained else f"{head}."


def _why(causes: Sequence[str]) -> str:
    """What several causes have in common: ` (loss became NaN, steps 112 to 340)`; empty where they have nothing."""
    found = [re.fullmatch(r"(.*?)(?: at step (\d+))?", cause.partition(":")[0]) for cause in causes]
    reasons = {one[1] for one in found if one}
    if len(reasons) > 1 and all(reason.startswith(("loss became", "test loss became")) for reason in reasons):
        reasons = {"loss became NaN or infinite"}
    if len(reasons) != 1 or not (reason := reasons.pop()):
        return ""
    steps = sorted(int(one[2]) for one in found if one and one[2])
    if not steps:
        return f" ({reason})"
    at = f"step {steps[0]:,}" if steps[0] == steps[-1] else f"steps {steps[0]:,} to {steps[-1]:,}"
    return f" ({reason}, {at})"


def _reached(facts: Facts, words: Words) -> list[str]:
    """`… was reached by 5 of 6 runs of the one, by none of 6 of the other (Fisher's exact test, p 0.015).`"""
    if not facts.reached:
        return []
    told = [
        f"{'none' if one.reached == 0 else one.reached} of {one.done} {_runs(one.done) if at == 0 else ''}of "
        f"{words.name(facts.groups[one.group])}"
        for at, one in enumerate(facts.reached[:MOST_ROWS])
    ]
    more = len(facts.reached) - len(told)
    rest = f", and by some of {more} more configurations" if more else ""
    exact = "" if facts.reached_p is None else f" (Fisher's exact test, p {facts.reached_p:.2g})"
    goal = facts.measure.title.partition(" to ")[2]
    return [f"{_upper(goal)} was reached by {', by '.join(told)}{rest}{exact}."]


def _runs(count: int) -> str:
    return "run " if count == 1 else "runs "


def _nothing(answer: Nothing, measure: Measure) -> Verdict:
    said = {
        "no runs": [],
        "none has finished": ["No run has finished yet."],
        "no value": [] if measure.is_until else [f"No finished run has a {measure.title} yet."],
        "not judged": [f"Nothing is judged: whether more or less {measure.title} is better was not said."],
    }
    return Verdict(said[answer.why])


def _alone(group: Group, measure: Measure, words: Words) -> Verdict:
    found = summary(list(group.sample.values()))
    if found.low is None or found.high is None:
        said = f"{words.name(group)}: {measure.title} {measure.figure(found.mean)}, of one run."
        note = "One run says nothing of how much the next one will differ."
    else:
        between = f"{measure.figure(found.low)} to {measure.figure(found.high)}"
        said = f"{words.name(group)}: {measure.title} {measure.figure(found.mean)}, mean of {found.n} seeds."
        note = f"95% interval of the mean: {between}."
    return Verdict([said], note)


# A knob that is changed


def _change(facts: Facts, answer: Changes, words: Words) -> Verdict:
    measure, knob, watched = facts.measure, answer.knob, facts.watched
    partners = [(facts.groups[first], facts.groups[second]) for first, second in answer.partners]
    judged = [contrast.judged if contrast else None for contrast in answer.contrasts]
    rows = [
        Row(
            words.subject(first, knob).removeprefix("the ") or words.name(first),
            first,
            _figures(first),
            _figures(second),
            one,
        )
        for (first, second), one in zip(partners, judged, strict=True)
    ]
    order = answer.order
    sentences = []
    for place, index in enumerate(order):
        sentences.append(_of_change(rows[index], knob, partners[index], measure, words, again=place > 0))
    joined = [_sentence(one) for one in sentences]
    between = answer.between.judged if answer.between else None
    if between is not None and between.low is not None:
        joined.append(_difference_of_changes(between, [rows[index] for index in order], order, knob, measure, words))
    if not any(one and one.clear for one in [*judged, between]):
        joined += _what_would(judged, measure, watched=watched)
    note = _note([one for one in [*judged, between] if one is not None], watched=watched)
    heads = tuple(words.value(knob, value) for value in answer.values)
    return Verdict(joined, note, knob, heads, [rows[index] for index in order])


def _figures(group: Group) -> Summary | None:
    return summary(list(group.sample.values())) if group.sample else None


def _of_change(row: Row, knob: str, pair: tuple[Group, Group], measure: Measure, words: Words, *, again: bool) -> str:
    """`shuffling the pixels cost the CNN 12.1 points (95% interval 11.4 to 12.8, 5 seeds)`."""
    first, second = pair
    subject = words.subject(first, knob)
    change = words.change(knob, first.knobs[knob], second.knobs[knob])
    if row.judged is None:
        missing = [words.value(knob, group.knobs[knob]) for group in pair if not group.sample]
        never = any(group.done and not group.sample for group in pair)
        waits = any(group.waits and not group.done for group in pair)
        why = "no run got there" if never else "has no finished run yet" if waits else "no run trained"
        yet = why if waits and not never else f"can't be judged: {why}"
        return f"{subject or change} {yet} ({' and '.join(missing)})"
    judged = row.judged
    if judged.clear:
        lost = judged.value < 0
        size = f"{measure.amount(judged.value)}{'' if subject or not measure.is_fraction else ' of ' + measure.title}"
        between = _between(judged, measure, turned=lost, again=again)
        if measure.is_fraction:
            return f"{change} {'cost' if lost else 'brought'} {subject + ' ' if subject else ''}{size} ({between})"
        of = f" of {subject}" if subject else ""
        return f"{change} {'lowered' if lost else 'raised'} the {measure.title}{of} by {size} ({between})"
    value = f"{measure.number(judged.value)}{' points' if measure.is_fraction else ''}"
    between = _between(judged, measure, turned=False, again=again)
    if judged.value == 0 and judged.deviation in (0.0, None):
        same = "exactly the same " + measure.title
        return f"{subject + ' had' if subject else change + ' gave'} {same} ({_seeds(judged)})"
    if subject and again:
        return f"{subject} changed by {value} ({between})"
    by = f" of {subject}" if subject else ""
    return f"{change} changed the {measure.title}{by} by {value} ({between})"


def _between(judged: Judged, measure: Measure, *, turned: bool, again: bool = False) -> str:
    """`95% interval 11.4 to 12.8, 5 seeds`; turned: of the loss, not of the change."""
    if judged.low is None or judged.high is None:
        return _seeds(judged)
    low, high = (-judged.high, -judged.low) if turned else (judged.low, judged.high)

    def said(value: float) -> str:
        return measure.number(value).removeprefix("+") if turned or value >= 0 else measure.number(value)

    return f"{'95% interval ' if not (judged.looks or again) else ''}{said(low)} to {said(high)}, {_seeds(judged)}"


def _seeds(judged: Judged) -> str:
    if judged.n == 0:
        return "no seed in common"
    count = "1 seed" if judged.n == 1 else f"{judged.n} seeds"
    return f"{count} so far" if judged.looks else count


def _difference_of_changes(
    between: Judged, rows: Sequence[Row], order: Sequence[int], knob: str, measure: Measure, words: Words
) -> str:
    """How much more the first of the rows changes than the second, or that it can't be told. `between`: the second
    configuration's change minus the first's."""
    large, small = rows
    names = words.subject(large.group, knob), words.subject(small.group, knob)
    if not between.clear:
        if large.judged and not large.judged.clear:
            return f"Nor is it shown that {names[0]} and {names[1]} differ in that."
        return f"Whether {names[0]} changes more than {names[1]}, {_seeds(between)} can't tell."
    more = between if order[0] == 1 else turned(between)  # the larger change minus the smaller
    is_less = more.value < 0
    of_size = turned(more) if is_less else more
    lost = large.judged if measure.is_fraction and is_less and large.judged and large.judged.value < 0 else None
    if lost and lost.clear and knob == "pixel_order" and not (small.judged and small.judged.clear):
        return f"{_upper(names[0])} depends on where pixels are; {names[1]} shows {_at_most(small.judged, measure)}."
    ends = ""
    if of_size.low is not None and of_size.high is not None:
        low, high = (measure.number(end).removeprefix("+") for end in (of_size.low, of_size.high))
        ends = f" ({low} to {high})"
    size = measure.amount(more.value)
    if lost:
        return f"{_upper(names[0])} loses {size} more than {names[1]}{ends}."
    return f"The change of {names[0]} is {size} {'lower' if is_less else 'higher'} than that of {names[1]}{ends}."


def _at_most(judged: Judged | None, measure: Measure) -> str:
    """What a dependence that is not shown may still be: `none larger than 1.0 points`."""
    if judged is None or judged.low is None or judged.high is None:
        return "none that can be told"
    return f"none larger than {measure.amount(max(-judged.low, judged.high))}"


# The best


def _best(facts: Facts, answer: Ranking, words: Words) -> Verdict:
    groups, measure, watched = facts.groups, facts.measure, facts.watched
    by_place = {place: contrast.judged for place, contrast in answer.against.items()}
    means = {index: summary(list(groups[index].sample.values())) for index in answer.order}
    top, greater = answer.order[0], measure.greater_is_better
    rows = [
        Row(words.name(groups[index]), groups[index], means[index], None, by_place.get(index)) for index in answer.order
    ]
    of = "one run" if means[top].n == 1 else f"mean of {means[top].n} seeds"
    lead = "had the highest" if greater else "had the lowest"
    sentences = [f"{_upper(rows[0].name)} {lead} {measure.title}: {measure.figure(means[top].mean)}, {of}."]
    clear = [row for row in rows[1:] if row.judged and row.judged.clear]
    open_ = [row for row in rows[1:] if not (row.judged and row.judged.clear)]
    if clear:
        nearest = clear[0]
        assert nearest.judged
        between = _between(nearest.judged, measure, turned=nearest.judged.value < 0)
        others = f", and {_count(len(clear) - 1)} more" if len(clear) > 1 else ""
        by = f"{measure.amount(nearest.judged.value)} ({between})"
        sentences.append(f"It is better than {nearest.name} by {by}{others}.")
    if open_:
        named = " or ".join(row.name for row in open_[:2]) if len(open_) <= 2 else f"{_count(len(open_))} others"
        tested = [row.judged for row in open_ if row.judged and row.judged.p is not None]
        if tested:
            sentences.append(f"Whether it is better than {named}, these seeds can't tell.")
            sentences += _what_would(tested[:1], measure, watched=watched)
        else:
            sentences += _what_would([row.judged for row in open_], measure, watched=watched)
    if answer.waiting:
        which = "One configuration has" if answer.waiting == 1 else f"{answer.waiting} configurations have"
        sentences.append(f"{which} no finished run yet.")
    judged = [row.judged for row in rows if row.judged]
    note = _note(judged, watched=watched, comparisons=answer.comparisons)
    return Verdict(sentences, note, None, (measure.title,), rows[:MOST_ROWS])


# What they share


def _what_would(judged: Sequence[Judged | None], measure: Measure, *, watched: bool) -> list[str]:
    """What would tell, where the figures can't."""
    there = [one for one in judged if one is not None]
    least = sequence.least() if watched else 2
    if there and all(one.p is None or one.n < least for one in there):
        if watched:
            return [f"An interval that holds while one watches needs at least {least} seeds of each."]
        return [f"Another seed may say the opposite: an interval takes at least {least} seeds of each."]
    unclear = [one for one in there if not one.clear and one.n >= least and one.value]
    if not unclear:
        return []
    one = max(unclear, key=lambda one: abs(one.value))
    if one.more is None:
        settled = one.p is not None and one.p <= ALPHA  # but for the correction
        return [] if settled else [f"A difference of {measure.amount(one.value)} would take very many seeds to settle."]
    more = "1 more seed" if one.more == 1 else f"{one.more} more seeds"
    return [f"About {more} would settle a difference of {measure.amount(one.value)}."]


def _note(judged: Sequence[Judged], *, watched: bool, comparisons: int | None = None) -> str:
    tested = comparisons or sum(one.p is not None for one in judged)
    if not any(one.p is not None for one in judged):
        return ""
    matched = {one.matched for one in judged}
    how = (
        "paired by seed"
        if matched == {"seed"}
        else "paired in order of arrival, as seeds don't match"
        if "arrival" in matched
        else "seeds don't match: Welch's t"
    )
    holm = f"; {tested} comparisons, corrected by Holm" if tested > 1 else ""
    kind = "Intervals valid while watched" if watched else "95% intervals for a number of seeds fixed beforehand"
    return f"{kind}, {how}{holm}."


def _sentence(text: str) -> str:
    return f"{_upper(text)}."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _count(number: int) -> str:
    return {1: "one", 2: "two", 3: "three", 4: "four"}.get(number, str(number))
