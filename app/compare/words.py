"""The answer in words: careful sentences, made of the facts (`app.compare.facts`) and of nothing else. Pure, no I/O.

A claim is an interval and its side; the mean is second, and beside it in how many seeds it was so. What chance could
have made is never claimed; where the figures can't tell, the sentences say so, and what would.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from app.compare.changes import ChangeWords
from app.compare.facts import Alone, Changes, Contrast, Dropouts, Facts, Nothing
from app.compare.groups import Group
from app.compare.lines import sureness
from app.compare.measure import Measure
from app.compare.phrases import upper
from app.compare.rankings import rankings
from app.compare.statistics import summary
from app.compare.verdict import Verdict, Words

LEAST_WORTH = 1.2
"""Times as many seeds; pairing that is worth less gains little."""
MOST_NAMED = 6
MOST_DROPOUTS = 3


def verdict(facts: Facts, words: Words) -> Verdict:
    """What the facts answer, in words: who dropped out, who learned nothing and who never got there comes first."""
    gone = [*_dropouts(facts, words), *_untrained(facts, words)]
    before = [*gone, *_reached(facts, words), *_pending(facts)]
    answer = facts.answer
    if isinstance(answer, Nothing):
        sentences = [*before, *_nothing(answer, facts.measure)]
        return _titled(Verdict(sentences, headline=_headline(sentences, gone)), facts)
    if isinstance(answer, Alone):
        said, note = _alone(facts.groups[0], facts.measure, words)
        return _titled(Verdict([*before, said], note, headline=len(gone)), facts)
    made = (
        ChangeWords(facts, answer, words).verdict() if isinstance(answer, Changes) else rankings(facts, answer, words)
    )
    sentences = [*before, *made.sentences, *_what_would(facts)]
    whole = replace(made, sentences=sentences, note=_note(facts), headline=_headline(sentences, gone))
    return _titled(replace(whole, sureness=sureness(facts.contrasts)), facts)


def _titled(found: Verdict, facts: Facts) -> Verdict:
    """While a plan runs there is no other headline than that; where none was made, it is the sentence that answers."""
    if facts.plan.state == "running" or not found.title:
        said = found.sentences[found.headline] if found.sentences else ""
        return replace(found, title=said)
    return found


def _headline(sentences: Sequence[str], gone: Sequence[str]) -> int:
    """The first that is not of who dropped out; of the first where all are."""
    return len(gone) if len(sentences) > len(gone) else 0


# What a reader must know first


def _pending(facts: Facts) -> list[str]:
    if facts.plan.state != "running":
        return []
    runs = "the run has" if facts.plan.runs == 1 else f"all {facts.plan.runs} runs have"
    return [f"Verdict when {runs} ended: {facts.plan.to_go} to go."]


def _dropouts(facts: Facts, words: Words) -> list[str]:
    """`4 of 5 runs of learning rate 0.3 failed (loss became NaN, steps 112 to 340); the one that trained reached …`"""
    only_stopped = [one for one in facts.dropouts if not (one.failed or one.lost)]
    if len(only_stopped) < 2:
        only_stopped = []
    others = [one for one in facts.dropouts if one not in only_stopped]
    said = [_dropped(one, facts, words) for one in others[:MOST_DROPOUTS]]
    if more := len(others) - len(said):
        which = "1 more configuration" if more == 1 else f"{more} more configurations"
        said.append(f"Of {which}, runs did not end with a result either.")
    return said + _stopped(only_stopped, facts, words)


def _stopped(dropouts: Sequence[Dropouts], facts: Facts, words: Words) -> list[str]:
    """`Stopped: 1 of 4 runs of FC; 2 of 4 runs of CNN.`"""
    if not dropouts:
        return []
    told = [
        f"{_of_runs(len(one.stopped), one.runs)} of {words.name(facts.groups[one.group])}"
        for one in dropouts[:MOST_NAMED]
    ]
    if more := len(dropouts) - len(told):
        told.append(f"runs of {more} more configuration{'' if more == 1 else 's'}")
    return [f"Stopped: {'; '.join(told)}."]


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
    head = f"{upper(of)} of {words.name(facts.groups[one.group])} {how}{rest}"
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
    tried = any(knob.endswith(".lr") for knob in facts.varied)  # then the other rates say what helps
    way_out = "" if tried else " A lower learning rate, or more epochs, usually helps."
    others = "one more configuration" if more == 1 else f"{more} more configurations"
    rest = f", and some of {others}," if more else ""
    said = f"{upper(', '.join(told))}{rest} learned nothing: no better than always giving the most frequent class."
    return [said + way_out]


def _reached(facts: Facts, words: Words) -> list[str]:
    """`… was reached by 5 of 6 runs of the one, by none of 6 of the other (Fisher's exact test, p 0.015).`"""
    if not facts.reached:
        return []
    told = [
        f"{'none' if one.reached == 0 else one.reached} of {one.done} {_runs(one.done) if at == 0 else ''}of "
        f"{words.name(facts.groups[one.group])}"
        for at, one in enumerate(facts.reached[:MOST_NAMED])
    ]
    more = len(facts.reached) - len(told)
    rest = f", and by some of {more} more configurations" if more else ""
    notes = [] if facts.reached_p is None else [f"Fisher's exact test, p {facts.reached_p:.2g}"]
    every = {one.every for one in facts.reached}
    steps = every.pop() if len(every) == 1 else None
    if steps is not None:
        notes.append("tested after every step" if steps == 1 else f"tested every {steps:,} steps")
    goal = facts.measure.title.partition(" to ")[2]
    brackets = f" ({'; '.join(notes)})" if notes else ""
    return [f"{upper(goal)} was reached by {', by '.join(told)}{rest}{brackets}."]


def _runs(count: int) -> str:
    return "run " if count == 1 else "runs "


def _nothing(answer: Nothing, measure: Measure) -> list[str]:
    said: dict[str, list[str]] = {
        "no runs": [],
        "none has finished": ["No run has finished yet."],
        "none trained": [],  # who dropped out, and why, is said
        "no value": [] if measure.is_until else [f"No finished run has a {measure.title} yet."],
        "not judged": [f"Nothing is judged: whether more or less {measure.title} is better was not said."],
    }
    return said[answer.why]


def _alone(group: Group, measure: Measure, words: Words) -> tuple[str, str]:
    found = summary(list(group.sample.values()), within=measure.bounds)
    figure = f"{upper(words.name(group))}: {measure.title} {measure.figure(found.mean)}"
    if found.low is None or found.high is None:
        return f"{figure}, of one run.", "One run says nothing of how much the next one will differ."
    between = f"{measure.figure(found.low)} to {measure.figure(found.high)}"
    return f"{figure}, mean of {found.n} seeds.", f"95% interval of the mean: {between}."


# What would tell, and what was done


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


def _chosen_by_tests(facts: Facts) -> str:
    """`; chosen on the test images: too high, …`, where the epoch of a figure was, and no images were held out."""
    measure = facts.measure
    if not measure.metric.startswith("test/"):
        return ""

    def is_chosen(knobs: Mapping[str, Any]) -> bool:
        return measure.kind == "best" or knobs.get("keep") == "best" or bool(knobs.get("early_stopping"))

    if not any(is_chosen(group.knobs) and not group.knobs.get("validation") for group in facts.groups):
        return ""
    flatters = "too high" if measure.greater_is_better else "too low"
    return f"; epochs were chosen on the test images: figures are {flatters}, more so of long and noisy trainings"


def _pairing(contrasts: Sequence[Contrast]) -> str:
    """` (worth about 2.4 times as many seeds, by these)`; of several contrasts the middle one; nothing for little."""
    found = [one.pairing for one in contrasts if one.pairing is not None]
    worth = median(found) if found else 0.0
    return f" (worth about {worth:.1f} times as many seeds, by these)" if worth >= LEAST_WORTH else ""


def _note(facts: Facts) -> str:
    """Which intervals these are: `95% for all 5 together, paired by seed; under 1 point is too small to matter`."""
    judged = [one for one in facts.contrasts if one.judged is not None]
    if not judged:
        return ""
    matched = {one.judged.matched for one in judged if one.judged}
    how = (
        f"paired by seed{_pairing(judged)}"
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
    matters += _chosen_by_tests(facts)
    if facts.plan.state == "running":
        return f"Plain numbers until the last run has ended, {how}{matters}."
    modes = {one.mode for one in judged}
    kind = "Intervals hold however often one looks"
    if modes == {"fixed"} and any(one.decision in ("may be best", "ruled out") for one in judged):
        kind = "Intervals for one look at a number of seeds fixed beforehand"
        together = f"the best is among those that may be best in 95 of 100 such experiments ({family} comparisons)"
    elif modes == {"fixed"}:
        kind = "Intervals for one look at a number of seeds fixed beforehand"
    elif facts.plan.state == "over":
        kind = "Some runs repeat what had been seen before: their intervals hold however often one looks"
    return f"{kind}, {together}, {how}{matters}."
