"""The sentences of a knob that is changed: what it does to each configuration, and who is ahead. Pure, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.compare import lines
from app.compare.facts import Changes, Contrast, Facts
from app.compare.judged import Judged, turned
from app.compare.measure import Measure
from app.compare.phrases import (
    at_most,
    figures,
    in_brackets,
    means,
    seeds,
    seeds_or_runs,
    sentence,
    summary_of,
    unfit,
    upper,
    weight,
)
from app.compare.verdict import Line, Row, Verdict, Words


@dataclass(frozen=True)
class ChangeWords:
    facts: Facts
    answer: Changes
    words: Words

    @property
    def measure(self) -> Measure:
        return self.facts.measure

    def verdict(self) -> Verdict:
        answer, words = self.answer, self.words
        contrasts = [answer.contrasts[at] for at in answer.order]
        changes = [sentence(self.of_change(one, again=at > 0)) for at, one in enumerate(contrasts)]
        leads = [sentence(self.leads())] if any(one.judged is not None for one in answer.across) else []
        more = self.of_between(contrasts)
        sentences = [*leads, *changes, *more] if self.is_same_leader() else [*changes, *more, *leads]
        heads = tuple(self.under(value) for value in answer.values)
        rows = [self.row(one) for one in contrasts]
        return Verdict(
            sentences,
            "",
            answer.knob,
            heads,
            rows,
            self.lines(contrasts),
            title=self.title(contrasts),
            compared=lines.compared(self.facts, answer, words),
        )

    def title(self, contrasts: Sequence[Contrast]) -> str:
        """The largest change, and as many of the others as fit."""
        first, *others = contrasts
        clauses = [lines.clause(one, self.subject(one), self.measure) for one in others]
        return lines.headline(self.of_change(first, again=False, brief=True), [one for one in clauses if one])

    def subject(self, contrast: Contrast) -> str:
        return self.words.subject(self.facts.groups[contrast.sides[0].group], self.answer.knob)

    def row(self, contrast: Contrast) -> Row:
        group = contrast.sides[0].group
        name = self.subject(contrast).removeprefix("the ") or self.words.name(self.facts.groups[group])
        first, second = means(contrast)
        line = lines.of_change(contrast, self.measure, self.under(self.answer.values[1]))
        return Row(name, group, first, second, contrast, lead=line.lead, under=line.under)

    def under(self, value: Any) -> str:
        """Under a value of the knob, in a word where there is one: `shuffled`, `at learning rate 0.1`."""
        return self.words.condition(self.answer.knob, value).removeprefix("with pixels ")

    def lines(self, contrasts: Sequence[Contrast]) -> list[Line]:
        """`Shuffling the pixels, CNN`, `CNN against FC net, in order`."""
        answer, words = self.answer, self.words
        change = upper(words.change(answer.knob, *answer.values))
        lines = [
            Line(f"{change}{', ' if self.subject(one) else ''}{self.subject(one).removeprefix('the ')}", one)
            for one in contrasts
        ]
        for value, one in zip(answer.values, answer.across, strict=False):
            first, second = self.sides(one)
            lines.append(Line(f"{upper(second)} against {first}, {self.under(value)}", one))
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

    def of_change(self, contrast: Contrast, *, again: bool, brief: bool = False) -> str:
        """`shuffling the pixels cost the CNN between 9.2 and 19.4 points (mean 14.3; worse in 5 of 5 seeds)`; in brief
        without what is in brackets, and without an interval that claims nothing."""
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
                f"{change} changed nothing{for_}: exactly the same {measure.title} in {judged.n} of {seeds(judged.n)}"
            )
        if decision == "untrained":
            return f"{subject or change} can't be judged: nothing was learned either way"
        if decision == "unreached" or judged is None:
            return f"{subject or change} can't be judged by how soon: not all runs got there"
        if decision == "unfit":
            return f"what {change} does{to} is open: {unfit(contrast, measure)}"
        said = figures(judged, measure)
        brackets = "" if brief else in_brackets(contrast, measure, said.mean)
        if decision == "open":
            which = f"the {measure.title}{of}" if not (subject and (again or brief)) else subject
            head = f"whether {change} changes {which}, {seeds_or_runs(judged)} can't tell"
            if brief:
                return head
            return f"{head}: anything from {said.range} fits{brackets}"
        if decision == "no difference" and not judged.is_one_sided:
            return f"{change} made no difference that matters{to}: {said.range}{brackets}"
        if measure.is_fraction:
            verb = "cost" if said.lower else "brought"
            size = f"{verb}{' ' + subject if subject else ''} {said.between}{'' if subject else ' of ' + measure.title}"
        else:
            size = f"{'lowered' if said.lower else 'raised'} the {measure.title}{of} by {said.range}"
        return f"{change} {size}{weight(contrast)}{brackets}"

    def plainly(self, contrast: Contrast) -> str:
        """Both figures, and no word of what they mean: `the CNN has 94.32% with pixels in order and 80.97% …`."""
        measure, words, knob = self.measure, self.words, self.answer.knob
        subject = self.subject(contrast)
        place = f" {subject}" if subject.startswith("on ") else ""
        subject = "" if place else subject
        pairs = [
            (self.facts.groups[side.group], summary_of(side.values), words.condition(knob, value))
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
            return f"{subject} {verb} {told} so far ({n} of {seeds(launched)})"
        if contrast.judged is None:
            return f"{subject} {verb} {told} so far"
        if n == 1 and contrast.judged.matched == "seed":
            return f"with this one seed {subject} {verb} {told}"
        return f"{subject} {verb} {told} ({seeds_or_runs(contrast.judged)})"

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
            return f"{first} and {second} have the same mean ({seeds_or_runs(judged)})"
        if decision in ("pending", "too few"):
            (size,) = measure.alike((abs(judged.value),), signed=False)
            unit = f" {measure.unit}" if measure.unit else ""
            is_final = contrast.mode == "fixed"
            return f"{ahead} {size}{unit}{'' if is_final else ' so far'} ({seeds_or_runs(judged)})"
        if decision == "equal":
            return f"{first} and {second} have exactly the same {measure.title} in {judged.n} of {seeds(judged.n)}"
        if decision == "untrained":
            return f"neither {first} nor {second} learned anything"
        if decision == "unreached":
            return f"{first} and {second} can't be compared by how soon: not all runs got there"
        if decision == "unfit":
            return f"no lead is claimed of {first} or {second}: {unfit(contrast, measure)}"
        lead = turned(judged) if judged.value < 0 else judged
        said = figures(lead, measure)
        brackets = in_brackets(contrast, measure, said.mean).replace("worse in", "in").replace("better in", "in")
        if lead.low is not None and lead.low > 0:
            return f"{ahead} {said.range}{weight(contrast)}{brackets}"
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
            return [f"Whether {first} changes more than {second}, {seeds_or_runs(judged)} can't tell."]
        if between.decision == "equal":
            return [f"{upper(first)} and {second} change by exactly the same."]
        if between.decision == "no difference":
            said = figures(judged, self.measure, signed=True)
            return [f"{upper(first)} and {second} change alike: no difference that matters, {said.range}."]
        if between.decision not in ("clear", "small"):
            return []
        said, measure = figures(judged, self.measure), self.measure
        loses = measure.is_fraction and said.lower and large.judged is not None and large.judged.value < 0
        is_shown = [one.decision in ("clear", "small") for one in contrasts]
        if loses and self.answer.knob == "pixel_order" and is_shown == [True, False]:
            rest = at_most(small.judged, measure)
            return [f"{upper(first)} depends on where pixels are; {second} shows {rest}."]
        brackets = f" (mean {said.mean})"
        if loses:
            return [f"{upper(first)} loses {said.range} more than {second}{weight(between)}{brackets}."]
        side = "lower" if said.lower else "higher"
        return [f"The change of {first} is {said.range} {side} than that of {second}{weight(between)}{brackets}."]
