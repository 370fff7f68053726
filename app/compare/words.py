"""The answer in words: careful sentences, made of the facts (`app.compare.facts`) and of nothing else. Pure, no I/O.

A claim is an interval and its side; the mean is second, and beside it in how many seeds it was so. What chance could
have made is never claimed; where the figures can't tell, the sentences say so, and what would.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.compare.facts import Alone, Changes, Contrast, Dropouts, Facts, Nothing, Ranking, Rankings
from app.compare.groups import Group
from app.compare.judged import Judged, turned
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
    condition: Callable[[str, Any], str]
    """Under a knob's value: `with pixels in order`."""


@dataclass(frozen=True)
class Row:
    """One line of the table beside the answer. Figures are over the seeds that the difference uses."""

    name: str
    group: int
    """Place of the first configuration, or the only one."""
    first: Summary | None
    second: Summary | None
    """None where configurations are compared with the best: `first` then says it all."""
    contrast: Contrast | None
    """Second minus first, or this one minus the best; None for the best itself."""


@dataclass(frozen=True)
class Line:
    """One contrast of the family, as it is called and decided in a table."""

    title: str
    contrast: Contrast


@dataclass(frozen=True)
class Verdict:
    """The sentences, and the tables that bear them out."""

    sentences: list[str] = field(default_factory=list)
    note: str = ""
    """Which intervals these are, and what does not matter."""
    knob: str | None = None
    """The knob whose change is judged; None where configurations are compared with the best."""
    heads: tuple[str, ...] = ()
    """Headings of the figures' columns."""
    rows: list[Row] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def verdict(facts: Facts, words: Words) -> Verdict:
    """What the facts answer, in words: who dropped out, who learned nothing and who never got there comes first."""
    before = [*_dropouts(facts, words), *_untrained(facts, words), *_reached(facts, words)]
    answer = facts.answer
    if isinstance(answer, Nothing):
        return Verdict([*before, *_pending(facts), *_nothing(answer, facts.measure)])
    if isinstance(answer, Alone):
        said, note = _alone(facts.groups[0], facts.measure, words)
        return Verdict([*before, *_pending(facts), said], note)
    if isinstance(answer, Changes):
        return _Change(facts, answer, words).verdict([*before, *_pending(facts)])
    return _best(facts, answer, words, [*before, *_pending(facts)])


# What a reader must know first


def _pending(facts: Facts) -> list[str]:
    if facts.plan.state != "running":
        return []
    runs = "the run has" if facts.plan.runs == 1 else f"all {facts.plan.runs} runs have"
    return [f"Verdict when {runs} ended: {facts.plan.to_go} to go."]


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
    of = _of_runs(count, one.runs)
    rest = "".join(f", {number} {ended}" for number, ended in others)
    head = f"{_upper(of)} of {words.name(facts.groups[one.group])} {how}{rest}"
    if len(one.trained) == 1:
        return f"{head}; the one that trained reached {facts.measure.figure(one.trained[0])}."
    return f"{head}; {len(one.trained)} trained." if one.trained else f"{head}."


def _of_runs(count: int, of: int) -> str:
    if count < of:
        return f"{count} of {of} runs"
    return {1: "the one run", 2: "both runs"}.get(of, f"all {of} runs")


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


def _untrained(facts: Facts, words: Words) -> list[str]:
    """`All 3 runs of learning rate 1 learned nothing: no better than always giving the most frequent class.`"""
    if not facts.untrained or facts.measure.is_time:
        return []
    told = [
        f"{_of_runs(one.untrained, one.done)} of {words.name(facts.groups[one.group])}"
        for one in facts.untrained[:MOST_DROPOUTS]
    ]
    more = len(facts.untrained) - len(told)
    rest = f", and some of {more} more configurations," if more else ""
    return [
        f"{_upper(', '.join(told))}{rest} learned nothing: no better than always giving the most frequent class. "
        "A lower learning rate, or more epochs, usually helps."
    ]


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


def _nothing(answer: Nothing, measure: Measure) -> list[str]:
    said: dict[str, list[str]] = {
        "no runs": [],
        "none has finished": ["No run has finished yet."],
        "no value": [] if measure.is_until else [f"No finished run has a {measure.title} yet."],
        "not judged": [f"Nothing is judged: whether more or less {measure.title} is better was not said."],
    }
    return said[answer.why]


def _alone(group: Group, measure: Measure, words: Words) -> tuple[str, str]:
    found = summary(list(group.sample.values()), within=measure.bounds)
    figure = f"{_upper(words.name(group))}: {measure.title} {measure.figure(found.mean)}"
    if found.low is None or found.high is None:
        return f"{figure}, of one run.", "One run says nothing of how much the next one will differ."
    between = f"{measure.figure(found.low)} to {measure.figure(found.high)}"
    return f"{figure}, mean of {found.n} seeds.", f"95% interval of the mean: {between}."


# A contrast


@dataclass(frozen=True)
class _Said:
    """The figures of a contrast as texts; `lower`: its value is below 0, and sizes are of the loss."""

    low: str
    high: str
    mean: str
    unit: str
    lower: bool

    @property
    def range(self) -> str:
        return f"{self.low} to {self.high}{self.unit}"

    @property
    def between(self) -> str:
        return f"between {self.low} and {self.high}{self.unit}"


def _figures(judged: Judged, measure: Measure, *, signed: bool = False) -> _Said:
    """Of one with an interval. Sizes, if all of the interval lies on one side of 0 and no sign is wanted."""
    assert judged.low is not None
    assert judged.high is not None
    one_sided = judged.is_one_sided
    of = turned(judged) if one_sided and judged.high < 0 and not signed else judged
    assert of.low is not None
    assert of.high is not None
    low, high, mean = measure.alike((of.low, of.high, of.value), signed=signed or not one_sided)
    return _Said(low, high, mean, f" {measure.unit}" if measure.unit else "", judged.value < 0)


def _counts(contrast: Contrast, measure: Measure) -> str:
    """`worse in 5 of 5 seeds`; of runs that are not paired how many there are."""
    judged = contrast.judged
    assert judged is not None
    if judged.matched != "seed":
        sizes = [len(side.values) for side in contrast.sides]
        return f"{sizes[0]} runs each" if len(set(sizes)) == 1 else f"{' and '.join(map(str, sizes))} runs"
    below = judged.value < 0
    agree = judged.below if below else judged.above
    word = ("worse" if below == measure.greater_is_better else "better") if contrast.kind != "interaction" else "so"
    return f"{word} in {agree} of {_seeds(judged.n)}"


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def _in_brackets(contrast: Contrast, measure: Measure, mean: str) -> str:
    """` (mean 14.3; worse in 5 of 5 seeds)`, or who lies far off where a mean would say nothing."""
    judged = contrast.judged
    assert judged is not None
    far, rest = judged.outlier, ""
    if far is not None:
        (off,) = measure.alike((far.value,), signed=True)
        rest = f"; {'one run' if far.seed is None else f'seed {far.seed}'} lies far off, {off}"
    return f" ({judged.centre} {mean}; {_counts(contrast, measure)}{rest})"


def _unfit(contrast: Contrast, measure: Measure) -> str:
    """Why no difference is claimed of values that none fits."""
    judged = contrast.judged
    assert judged is not None
    unit = f" {measure.unit}" if measure.unit else ""
    if judged.deviation == 0:
        (value,) = measure.alike((judged.value,), signed=True)
        which = "both seeds" if judged.n == 2 else f"all {judged.n} seeds"
        return f"the same difference in {which}, {value}{unit}: there is no spread to judge chance by"
    if judged.outlier is None or judged.centre == "none":
        return f"no single difference fits the {_seeds(judged.n)}: they contradict each other, so none is claimed"
    far = judged.outlier
    others = sorted(value for value in judged.by_seed if value != far.value)
    off, *ends = measure.alike((far.value, *others[:1], *others[-1:]), signed=True)
    who = "one run" if far.seed is None else f"seed {far.seed}"
    told = f"{len(others)} of {_seeds(judged.n)} say {' to '.join(ends)}{unit}; " if others else ""
    return f"{told}{who} lies far off ({off}{unit}), so no average is claimed"


def figures_of(contrast: Contrast, measure: Measure) -> tuple[str, str]:
    """Value and interval as a table has them: `−14.3`, `−19.4 to −9.2`; empty where there is none."""
    judged = contrast.judged
    if judged is None or judged.centre == "none":
        return "", ""
    if judged.low is None or judged.high is None:
        return measure.alike((judged.value,), signed=True)[0], ""
    low, high, value = measure.alike((judged.low, judged.high, judged.value), signed=True)
    return value, f"{low} to {high}"


def word_of(contrast: Contrast) -> str:
    """The decision in a word or two, as a table has it."""
    if contrast.decision == "no difference":
        return "too small to matter"
    if contrast.decision == "too few":
        return f"needs {contrast.least} seeds"
    said = {
        "none": "no result",
        "equal": "the same",
        "untrained": "neither learned",
        "unreached": "not all got there",
        "unfit": "one far off" if contrast.judged and contrast.judged.outlier else "no fit",
    }
    return said.get(contrast.decision, contrast.decision)


# A knob that is changed


@dataclass(frozen=True)
class _Change:
    facts: Facts
    answer: Changes
    words: Words

    @property
    def measure(self) -> Measure:
        return self.facts.measure

    def verdict(self, before: list[str]) -> Verdict:
        answer, words = self.answer, self.words
        contrasts = [answer.contrasts[at] for at in answer.order]
        changes = [_sentence(self.of_change(one, again=at > 0)) for at, one in enumerate(contrasts)]
        leads = [_sentence(self.leads())] if any(one.judged is not None for one in answer.across) else []
        more = self.of_between(contrasts)
        sentences = [*leads, *changes, *more] if self.is_same_leader() else [*changes, *more, *leads]
        heads = tuple(words.value(answer.knob, value) for value in answer.values)
        rows = [self.row(one) for one in contrasts]
        return Verdict(
            [*before, *sentences, *_what_would(self.facts)],
            _note(self.facts),
            answer.knob,
            heads,
            rows,
            self.lines(contrasts),
        )

    def subject(self, contrast: Contrast) -> str:
        return self.words.subject(self.facts.groups[contrast.sides[0].group], self.answer.knob)

    def row(self, contrast: Contrast) -> Row:
        group = contrast.sides[0].group
        name = self.subject(contrast).removeprefix("the ") or self.words.name(self.facts.groups[group])
        first, second = _means(contrast)
        return Row(name, group, first, second, contrast)

    def lines(self, contrasts: Sequence[Contrast]) -> list[Line]:
        """`Shuffling the pixels, CNN`, `CNN against FC net, with pixels in order`."""
        answer, words = self.answer, self.words
        change = _upper(words.change(answer.knob, *answer.values))
        lines = [
            Line(f"{change}{', ' if self.subject(one) else ''}{self.subject(one).removeprefix('the ')}", one)
            for one in contrasts
        ]
        for value, one in zip(answer.values, answer.across, strict=False):
            first, second = self.sides(one)
            lines.append(Line(f"{_upper(second)} against {first}, {words.condition(answer.knob, value)}", one))
        if answer.between is not None:
            first, second = self.sides(answer.across[0])
            lines.append(Line(f"{change}: {second} more than {first}", answer.between))
        return lines

    def sides(self, contrast: Contrast) -> tuple[str, str]:
        """The two configurations of one that goes across, without articles."""
        first, second = (
            self.words.subject(self.facts.groups[side.group], self.answer.knob).removeprefix("the ")
            for side in contrast.sides
        )
        return first, second

    # Sentences

    def of_change(self, contrast: Contrast, *, again: bool) -> str:
        """`shuffling the pixels cost the CNN between 9.2 and 19.4 points (mean 14.3; worse in 5 of 5 seeds)`."""
        measure, judged = self.measure, contrast.judged
        subject, change = self.subject(contrast), self.words.change(self.answer.knob, *self.answer.values)
        if subject.startswith("on "):  # a data set
            subject, change = "", f"{change} {subject}"
        of = f" of {subject}" if subject else ""
        to, for_ = (f" to {subject}", f" for {subject}") if subject else ("", "")
        decision = contrast.decision
        if decision in ("pending", "too few", "none"):
            return self.plainly(contrast)
        if decision == "equal" and judged is not None:
            return (
                f"{change} changed nothing{for_}: exactly the same {measure.title} in {judged.n} of {_seeds(judged.n)}"
            )
        if decision == "untrained":
            return f"{subject or change} can't be judged: nothing was learned either way"
        if decision == "unreached" or judged is None:
            return f"{subject or change} can't be judged by how soon: not all runs got there"
        if decision == "unfit":
            return f"what {change} does{to} is open: {_unfit(contrast, measure)}"
        said = _figures(judged, measure)
        brackets = _in_brackets(contrast, measure, said.mean)
        if decision == "open":
            which = f"the {measure.title}{of}" if not (subject and again) else subject
            head = f"whether {change} changes {which}, {_seeds_or_runs(judged)} can't tell"
            return f"{head}: anything from {said.range} fits{brackets}"
        if decision == "no difference" and not judged.is_one_sided:
            return f"{change} made no difference that matters{to}: {said.range}{brackets}"
        if measure.is_fraction:
            verb = "cost" if said.lower else "brought"
            size = f"{verb}{' ' + subject if subject else ''} {said.between}{'' if subject else ' of ' + measure.title}"
        else:
            size = f"{'lowered' if said.lower else 'raised'} the {measure.title}{of} by {said.range}"
        return f"{change} {size}{_weight(contrast)}{brackets}"

    def plainly(self, contrast: Contrast) -> str:
        """Both figures, and no word of what they mean: `the CNN has 94.32% with pixels in order and 80.97% …`."""
        measure, words, knob = self.measure, self.words, self.answer.knob
        subject = self.subject(contrast)
        place = f" {subject}" if subject.startswith("on ") else ""
        subject = "" if place else subject
        pairs = [
            (self.facts.groups[side.group], _summary(side.values), words.condition(knob, value))
            for side, value in zip(contrast.sides, self.answer.values, strict=True)
        ]
        if contrast.decision == "none":
            missing = " and ".join(condition for group, _, condition in pairs if not group.sample)
            never = any(group.done and not group.sample for group, _, _ in pairs)
            what = subject or f"{words.change(knob, *self.answer.values)}{place}"
            return f"{what} can't be judged: {'no run got there' if never else 'no run trained'} {missing}"
        subject = subject or f"{measure.title}{place}"
        if not any(found for _, found, _ in pairs):
            return f"{subject}: no run has finished yet"
        told = " and ".join(
            f"{measure.figure(found.mean) if found else 'no finished run'} {condition}" for _, found, condition in pairs
        )
        verb = "has" if self.subject(contrast) and not place else "is"
        n, launched = contrast.judged.n if contrast.judged else 0, contrast.launched
        if contrast.decision == "pending":
            return f"{subject} {verb} {told} so far ({n} of {_seeds(launched)})"
        if contrast.judged is None:
            return f"{subject} {verb} {told} so far"
        if n == 1 and contrast.judged.matched == "seed":
            return f"with this one seed {subject} {verb} {told}"
        return f"{subject} {verb} {told} ({_seeds_or_runs(contrast.judged)})"

    def is_same_leader(self) -> bool:
        """One configuration is ahead at both values of the knob: that is the answer to which is better."""
        judged = [one.judged for one in self.answer.across]
        values = [one.value for one in judged if one is not None]
        return len(values) == 2 and values[0] * values[1] > 0

    def leads(self) -> str:
        """`with pixels in order the CNN is ahead of the FC net by 5.7 to 12.2 points (…); with pixels shuffled …`."""
        clauses = [
            f"{self.words.condition(self.answer.knob, value)} {self.lead(one, one.judged)}"
            for value, one in zip(self.answer.values, self.answer.across, strict=True)
            if one.judged is not None
        ]
        return "; ".join(clauses)

    def lead(self, contrast: Contrast, judged: Judged) -> str:
        """Who is ahead, and by how much, of two configurations at one value of the knob."""
        measure, decision = self.measure, contrast.decision
        first, second = (self.words.subject(self.facts.groups[side.group], self.answer.knob) for side in contrast.sides)
        is_second = (judged.value > 0) == measure.greater_is_better
        winner, other = (second, first) if is_second else (first, second)
        ahead = f"{winner} is ahead of {other} by"
        if not measure.is_fraction:
            ahead = f"{winner} has the {'higher' if measure.greater_is_better else 'lower'} {measure.title}, by"
        if not judged.value and decision != "equal":
            return f"{first} and {second} have the same mean ({_seeds_or_runs(judged)})"
        if decision in ("pending", "too few"):
            (size,) = measure.alike((abs(judged.value),), signed=False)
            unit = f" {measure.unit}" if measure.unit else ""
            is_final = contrast.mode == "fixed"
            return f"{ahead} {size}{unit}{'' if is_final else ' so far'} ({_seeds_or_runs(judged)})"
        if decision == "equal":
            return f"{first} and {second} have exactly the same {measure.title} in {judged.n} of {_seeds(judged.n)}"
        if decision == "untrained":
            return f"neither {first} nor {second} learned anything"
        if decision == "unreached":
            return f"{first} and {second} can't be compared by how soon: not all runs got there"
        if decision == "unfit":
            return f"no lead is claimed of {first} or {second}: {_unfit(contrast, measure)}"
        lead = turned(judged) if judged.value < 0 else judged
        said = _figures(lead, measure)
        brackets = _in_brackets(contrast, measure, said.mean).replace("worse in", "in").replace("better in", "in")
        if lead.low is not None and lead.low > 0:
            return f"{ahead} {said.range}{_weight(contrast)}{brackets}"
        if decision == "no difference":
            return f"no difference between {first} and {second} matters: {ahead} {said.range}{brackets}"
        return f"{ahead} {said.range}, which may be chance{brackets}"

    def of_between(self, contrasts: Sequence[Contrast]) -> list[str]:
        """How much more the first of the contrasts changes than the second, or that it can't be told."""
        between = self.answer.between
        if between is None or between.judged is None or len(contrasts) != 2:
            return []
        large, small = contrasts
        first, second = self.subject(large), self.subject(small)
        judged = between.judged if self.answer.order[0] == 1 else turned(between.judged)  # the larger minus the smaller
        if between.decision == "open":
            return [f"Whether {first} changes more than {second}, {_seeds_or_runs(judged)} can't tell."]
        if between.decision == "equal":
            return [f"{_upper(first)} and {second} change by exactly the same."]
        if between.decision == "no difference":
            said = _figures(judged, self.measure, signed=True)
            return [f"{_upper(first)} and {second} change alike: no difference that matters, {said.range}."]
        if between.decision not in ("clear", "small"):
            return []
        said, measure = _figures(judged, self.measure), self.measure
        loses = measure.is_fraction and said.lower and large.judged is not None and large.judged.value < 0
        is_shown = [one.decision in ("clear", "small") for one in contrasts]
        if loses and self.answer.knob == "pixel_order" and is_shown == [True, False]:
            rest = _at_most(small.judged, measure)
            return [f"{_upper(first)} depends on where pixels are; {second} shows {rest}."]
        brackets = f" (mean {said.mean})"
        if loses:
            return [f"{_upper(first)} loses {said.range} more than {second}{_weight(between)}{brackets}."]
        side = "lower" if said.lower else "higher"
        return [f"The change of {first} is {said.range} {side} than that of {second}{_weight(between)}{brackets}."]


def _weight(contrast: Contrast) -> str:
    """Whether what is shown is large enough to matter."""
    return {"small": ", which may be too small to matter", "no difference": ": real, and too small to matter"}.get(
        contrast.decision, ""
    )


def _seeds_or_runs(judged: Judged) -> str:
    return _seeds(judged.n) if judged.matched == "seed" else f"{judged.n} runs each" if judged.n > 1 else "one run each"


def _means(contrast: Contrast) -> tuple[Summary | None, Summary | None]:
    """Of both sides, over the seeds that the contrast uses; none where no average is claimed."""
    if contrast.judged is not None and contrast.judged.centre != "mean":
        return None, None
    first, second = (_summary(side.values) for side in contrast.sides)
    return first, second


def _summary(values: Sequence[tuple[int, float]]) -> Summary | None:
    return summary([value for _, value in values]) if values else None


def _at_most(judged: Judged | None, measure: Measure) -> str:
    """What a dependence that is not shown may still be: `none larger than 1.0 points`."""
    if judged is None or judged.low is None or judged.high is None:
        return "none that can be told"
    (most,) = measure.alike((max(-judged.low, judged.high),), signed=False)
    return f"none larger than {most}{' ' + measure.unit if measure.unit else ''}"


# The best


def _best(facts: Facts, answer: Rankings, words: Words, before: list[str]) -> Verdict:
    sentences = [sentence for block in answer.blocks for sentence in _of_block(block, facts, words)]
    if len(answer.blocks) > 1:
        sentences.append("Figures on different data sets are not compared.")
    if answer.waiting and facts.plan.state != "running":
        which = "One configuration has" if answer.waiting == 1 else f"{answer.waiting} configurations have"
        sentences.append(f"{which} no finished run yet.")
    rows, lines = [], []
    for block in answer.blocks:
        for place in block.order:
            contrast = block.against.get(place)
            own = _summary(list(facts.groups[place].sample.items())) if contrast is None else _means(contrast)[1]
            name = _upper(words.name(facts.groups[place]))
            rows.append(Row(name, place, own, None, contrast))
            if contrast is not None:
                best = words.name(facts.groups[block.order[0]])
                lines.append(Line(f"{name} against {best}", contrast))
    said = [*before, *sentences, *_what_would(facts)]
    return Verdict(said, _note(facts), None, (facts.measure.title,), rows[:MOST_ROWS], lines)


def _of_block(block: Ranking, facts: Facts, words: Words) -> list[str]:
    """`CNN has the highest test accuracy: 95.02%, mean of 5 seeds. It is better than FC by 7.4 to 9.2 points (…).`"""
    measure, top = facts.measure, block.order[0]
    if facts.reached:
        return []  # who got there is the result: the quickest of those that did is not
    contrasts = [block.against[place] for place in block.order[1:]]
    names = [words.name(facts.groups[place]) for place in block.order]
    if contrasts and all(one.decision == "untrained" for one in contrasts):
        return []
    found = summary(list(facts.groups[top].sample.values()))
    of = "one run" if found.n == 1 else f"mean of {found.n} seeds"
    so_far = " so far" if facts.plan.state == "running" else ""
    if not contrasts:
        return [f"{_upper(names[0])}{so_far}: {measure.title} {measure.figure(found.mean)}, {of}."]
    lead = "the highest" if measure.greater_is_better else "the lowest"
    sentences = [f"{_upper(names[0])} has {lead} {measure.title}{so_far}: {measure.figure(found.mean)}, {of}."]
    named = list(zip(names[1:], contrasts, strict=True))
    better = [(name, one) for name, one in named if one.decision in ("clear", "small") and _is_behind(one, measure)]
    if better:
        name, nearest = better[0]
        assert nearest.judged is not None
        said = _figures(nearest.judged, measure)
        others = f", and than {_count(len(better) - 1)} more" if len(better) > 1 else ""
        by = f"{said.range}{_weight(nearest)}{_in_brackets(_flipped(nearest), measure, said.mean)}"
        sentences.append(f"It is better than {name} by {by}{others}.")
    small = [name for name, one in named if one.decision in ("no difference", "equal")]
    if small:
        sentences.append(f"Between it and {_either(small, 'and')} there is no difference that matters.")
    unfit = [(name, one) for name, one in named if one.decision == "unfit"]
    sentences += [f"Against {name}: {_unfit(one, measure)}." for name, one in unfit[:2]]
    rest = [name for name, one in named if one.decision == "open"]
    if rest:
        sentences.append(f"Whether it is better than {_either(rest, 'or')}, these seeds can't tell.")
    return sentences


def _is_behind(contrast: Contrast, measure: Measure) -> bool:
    return contrast.judged is not None and (contrast.judged.value < 0) == measure.greater_is_better


def _flipped(contrast: Contrast) -> Contrast:
    """The best minus the other."""
    return replace(contrast, judged=turned(contrast.judged) if contrast.judged else None)


def _either(names: Sequence[str], word: str) -> str:
    return f" {word} ".join(names) if len(names) <= 2 else f"{_count(len(names))} others"


# What they share


def _what_would(facts: Facts) -> list[str]:
    """What would tell, where the figures can't."""
    contrasts = facts.contrasts
    few = [one for one in contrasts if one.decision == "too few" and one.judged is not None]
    if few and len(few) == sum(one.judged is not None for one in contrasts):
        least = few[0].least
        if few[0].mode == "watched":
            return [f"An interval that holds while one watches takes at least {least} seeds of each."]
        return [f"Another seed may say the opposite: an interval takes at least {least} seeds of each."]
    unclear = [
        one for one in contrasts if one.decision == "open" and one.more is not None and one.kind != "interaction"
    ]
    if not unclear:
        return []
    one = max(unclear, key=lambda one: abs(one.judged.value) if one.judged else 0.0)
    assert one.judged is not None
    more = "1 more seed" if one.more == 1 else f"{one.more} more seeds"
    return [f"About {more} would settle a difference of {facts.measure.amount(one.judged.value)}."]


def _note(facts: Facts) -> str:
    """Which intervals these are: `95% for all 5 together, paired by seed; under 1 point is too small to matter`."""
    judged = [one for one in facts.contrasts if one.judged is not None]
    if not judged:
        return ""
    matched = {one.judged.matched for one in judged if one.judged}
    how = (
        "paired by seed"
        if matched == {"seed"}
        else "paired in the order launched, as seeds don't match"
        if "order" in matched
        else "seeds don't match: Welch's t"
    )
    family = judged[0].family
    together = f"95% for all {family} comparisons together" if family > 1 else "95%"
    matters = (
        f"; a difference under {facts.measure.size(facts.smallest)} is too small to matter" if facts.smallest else ""
    )
    if facts.plan.state == "running":
        return f"Plain numbers until the last run has ended, {how}{matters}."
    modes = {one.mode for one in judged}
    kind = "Intervals hold however often one looks"
    if modes == {"fixed"}:
        kind = "Intervals for one look at a number of seeds fixed beforehand"
    elif facts.plan.state == "over":
        kind = "Some runs repeat what had been seen before: their intervals hold however often one looks"
    return f"{kind}, {together}, {how}{matters}."


def _sentence(text: str) -> str:
    return f"{_upper(text)}."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _count(number: int) -> str:
    return {1: "one", 2: "two", 3: "three", 4: "four"}.get(number, str(number))
