"""The sentences of configurations compared with the best of them. Pure, no I/O."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from statistics import fmean

from app.compare.facts import BLOCK, DECIDED, Contrast, Facts, Ranking, Rankings
from app.compare.groups import Group
from app.compare.judged import turned
from app.compare.measure import Measure, parse
from app.compare.phrases import count_word, figures, in_brackets, means, summary_of, unfit, upper, weight, word_of
from app.compare.statistics import expected_best, summary
from app.compare.verdict import Line, Row, Verdict, Words

MOST_ROWS = 6
LEAST_DRAWS = 4
"""Of fewer there is nothing to say of a search."""


def rankings(facts: Facts, answer: Rankings, words: Words) -> Verdict:
    """Each data set's best, and what it is better than."""
    sentences = [sentence for block in answer.blocks for sentence in _of_block(block, facts, words)]
    if facts.plan.draws and len(answer.blocks) == 1 and facts.plan.state != "running":
        sentences += _winner(answer.blocks[0], facts)
    if len(answer.blocks) > 1:
        sentences.append("Figures on different data sets are not compared.")
    if answer.waiting and facts.plan.state != "running":
        which = "One configuration has" if answer.waiting == 1 else f"{answer.waiting} configurations have"
        sentences.append(f"{which} no finished run yet.")
    rows, lines = [], []
    for block in answer.blocks:
        places = _in_order(block.order, facts, block.knob)
        rows += [_row(block, place, facts, words) for place in places]
        for place in block.order[1:]:
            name, best = (words.name(facts.groups[one]) for one in (place, block.order[0]))
            lines.append(Line(f"{upper(name)} against {best}", block.against[place]))
    if not all(block.is_set for block in answer.blocks):
        return Verdict(sentences, "", None, (facts.measure.title,), rows[:MOST_ROWS], lines)
    scale = answer.blocks[0].knob if len(answer.blocks) == 1 else None
    if scale is not None:
        rows = [replace(row, value=words.value(scale, facts.groups[row.group].knobs[scale])) for row in rows]
    return Verdict(sentences, "", None, (facts.measure.title,), rows, lines, scale=scale)


def _winner(block: Ranking, facts: Facts) -> list[str]:
    """`The best of 40 draws was chosen by its looks: …, expect less. Of 20 the best is expected to have 68.9%.`"""
    measure, draws = facts.measure, len(block.order)
    if draws < LEAST_DRAWS:
        return []
    means = [fmean(facts.groups[place].sample.values()) for place in block.order]
    half = expected_best(means, draws // 2, greater_is_better=measure.greater_is_better)
    less = "less" if measure.greater_is_better else "more"
    return [
        f"The best of {draws} draws was chosen by its looks: run with other seeds, expect {less}. "
        f"Of {draws // 2} draws the best is expected to have {measure.figure(half)}."
    ]


def _row(block: Ranking, place: int, facts: Facts, words: Words) -> Row:
    contrast, group = block.against.get(place), facts.groups[place]
    name = upper(words.name(group))
    if contrast is not None:
        word = word_of(contrast)
        if contrast.behind is not None:
            name_of_other = _named([contrast.behind], block.knob, facts, words)
            word += f" by {'another' if ',' in name_of_other else name_of_other}"
        return Row(name, place, means(contrast)[1], None, contrast, word)
    own = summary_of(_used(block, facts) if block.is_set else list(group.sample.items()))
    word = f"best of {len(facts.groups)}"
    if block.is_set:
        word = "may be best" if block.of("may be best") else "the best" if block.of("ruled out") else "the highest"
    return Row(name, place, own, None, None, word)


# Those that may be the best

MOST_NAMED = 4


def _set(block: Ranking, facts: Facts, words: Words) -> list[str]:
    """`0.03 and 0.1 may be best; 0.01 and below are ruled out. 0.1 has the highest test accuracy: 96.85%, …`"""
    measure, top = facts.measure, block.order[0]
    left, out = (top, *block.of("may be best")), block.of("ruled out")
    knob = block.knob
    datasets = facts.varied.get(BLOCK, ())
    where = f"{words.value(BLOCK, facts.groups[top].knobs[BLOCK])}: " if datasets else ""
    decided = len(left) + len(out)
    sentences = []
    if decided == len(block.order) or out:
        rest = f"; {_out(out, block, facts, words)} ruled out" if out else ": these seeds rule none out"
        if len(left) == 1 and decided == len(block.order):
            where, said = "", f"{words.name(facts.groups[top])} is the best of {decided}"
        elif len(left) == decided > 1:
            said = f"any of the {decided} may be best"
        else:
            said = f"{_named(left, knob, facts, words)} may be best"
        sentences.append(f"{upper(where + said)}{rest}.")
    found = summary([value for _, value in _used(block, facts)])
    of = "one run" if found.n == 1 else f"mean of {found.n} seeds"
    lead = "the highest" if measure.greater_is_better else "the lowest"
    sentences.append(
        f"{upper(words.name(facts.groups[top]))} has {lead} {measure.title}: {measure.figure(found.mean)}, {of}."
    )
    sentences += _reported(facts.groups[top], measure)
    if len(left) > 1:
        sentences.append(_at_most(block, facts))
    sentences += _trend(block, facts, words)
    strange = [place for place in block.order[1:] if block.against[place].decision == "unfit"]
    for place in strange[:2]:
        sentences.append(f"Against {words.name(facts.groups[place])}: {unfit(block.against[place], measure)}.")
    return sentences


def _used(block: Ranking, facts: Facts) -> list[tuple[int, float]]:
    """(seed, value) of the best, over the seeds that it is compared over."""
    if facts.plan.finds_best:
        return list(facts.groups[block.order[0]].sample.items())  # the others ran as long as they could be the best
    used = [one.sides[0].values for one in block.against.values() if one.reason in (None, "behind")]
    return list(used[0]) if used else list(facts.groups[block.order[0]].sample.items())


def _reported(top: Group, measure: Measure) -> list[str]:
    """`Its test accuracy, which chose nothing: 96.12%, mean of 9 seeds.`, where the images held out decide."""
    name = measure.metric.replace("validation/", "test/", 1)
    figure = top.figures.get(name)
    if not measure.metric.startswith("validation/") or measure.kind != "last" or figure is None:
        return []
    of, tested = figure.summary, parse(name)
    seeds = "one run" if of.n == 1 else f"mean of {of.n} seeds"
    return [f"Its {tested.title}, which chose nothing: {tested.figure(of.mean)}, {seeds}."]


def _at_most(block: Ranking, facts: Facts) -> str:
    """How much is lost by taking the wrong one of those that may be best: the further end of their intervals."""
    measure = facts.measure
    behind = []
    for place in block.of("may be best"):
        judged = block.against[place].judged
        assert judged is not None
        ends = (judged.low, judged.high) if measure.greater_is_better else (judged.high, judged.low)
        behind.append(abs(ends[0] or 0.0))
    most = max(behind)
    matters = ": too little to matter" if most <= facts.smallest else ""
    return f"Whichever of them is taken, it is at most {measure.amount(most)} behind the best{matters}."


def _trend(block: Ranking, facts: Facts, words: Words) -> list[str]:
    """`From 0.001 to 0.1 the test accuracy rises by 12.3 to 20.1 points.` `The grid ends at 0.1, …`"""
    if block.knob is None:
        return []
    top = facts.groups[block.order[0]].knobs[block.knob]
    said = []
    trend = block.trend
    if trend is not None and trend.judged is not None and trend.decision in DECIDED and trend.judged.is_one_sided:
        ends = [facts.groups[trend.sides[at].group].knobs[block.knob] for at in (0, -1)]
        if top in ends:  # else it goes up and down, and a line says little
            goes = "rises" if trend.judged.value > 0 else "falls"
            first, last = (words.value(block.knob, value) for value in ends)
            by = figures(trend.judged, facts.measure).range
            said.append(f"From {first} to {last} the {facts.measure.title} {goes} by {by} (a straight line, fitted).")
    if block.end is not None:
        at = words.value(block.knob, top)
        said.append(f"The grid ends at {at} and the best stands at its end: it may lie beyond.")
    return said


def _in_order(places: Sequence[int], facts: Facts, knob: str | None) -> list[int]:
    """In the order of their setting, where that is a number; else as they are."""
    return list(places) if knob is None else sorted(places, key=lambda place: facts.groups[place].knobs[knob])


def _named(places: Sequence[int], knob: str | None, facts: Facts, words: Words) -> str:
    """`0.03 and 0.1`, `CNN, shuffled`, or `12 of 40`."""
    groups = [facts.groups[place] for place in _in_order(places, facts, knob)]
    names = [words.name(group) if knob is None else words.value(knob, group.knobs[knob]) for group in groups]
    if len(places) > MOST_NAMED or (len(places) > 2 and any("," in name for name in names)):
        return _counted(places, facts)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _counted(places: Sequence[int], facts: Facts) -> str:
    return f"{len(places)} of {len(facts.groups)}"


def _out(out: Sequence[int], block: Ranking, facts: Facts, words: Words) -> str:
    """`0.01 and below, and 0.3 and above, are`: where the setting is a number, by its ends."""
    knob = block.knob
    if len(out) == len(block.order) - 1:
        return "the other is" if len(out) == 1 else "the others are"
    if knob is None:
        named = _named(out, None, facts, words)
        if named == _counted(out, facts):
            return f"{len(out)} are"
        return f"{named} {'is' if len(out) == 1 else 'are'}"
    scale = _in_order(block.order, facts, knob)
    below = list(takewhile(lambda place: place in out, scale))
    above = list(takewhile(lambda place: place in out, reversed(scale)))[::-1]
    between = [place for place in scale if place in out and place not in (*below, *above)]

    def value(place: int) -> str:
        return words.value(knob, facts.groups[place].knobs[knob])

    parts = [f"{value(below[-1])}{' and below' if len(below) > 1 else ''}"] if below else []
    parts += [value(place) for place in between] if len(between) <= MOST_NAMED else [f"{len(between)} between"]
    parts += [f"{value(above[0])}{' and above' if len(above) > 1 else ''}"] if above else []
    said = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    if len(parts) == 2 and (len(below) > 1 or len(above) > 1):
        said = f"{parts[0]}, and {parts[1]},"
    return f"{said} {'is' if len(out) == 1 else 'are'}"


# The best, pair by pair


def _of_block(block: Ranking, facts: Facts, words: Words) -> list[str]:
    """`CNN has the highest test accuracy: 95.02%, mean of 5 seeds. It is better than FC by 7.4 to 9.2 points (…).`"""
    measure, top = facts.measure, block.order[0]
    if facts.reached:
        return []  # who got there is the result: the quickest of those that did is not
    if block.is_set:
        return _set(block, facts, words)
    contrasts = [block.against[place] for place in block.order[1:]]
    names = [words.name(facts.groups[place]) for place in block.order]
    if contrasts and all(one.decision == "untrained" for one in contrasts):
        return []
    found = summary(list(facts.groups[top].sample.values()))
    of = "one run" if found.n == 1 else f"mean of {found.n} seeds"
    so_far = " so far" if facts.plan.state == "running" else ""
    if not contrasts:
        return [f"{upper(names[0])}{so_far}: {measure.title} {measure.figure(found.mean)}, {of}."]
    lead = "the highest" if measure.greater_is_better else "the lowest"
    sentences = [f"{upper(names[0])} has {lead} {measure.title}{so_far}: {measure.figure(found.mean)}, {of}."]
    sentences += _reported(facts.groups[top], measure)
    named = list(zip(names[1:], contrasts, strict=True))
    better = [(name, one) for name, one in named if one.decision in ("clear", "small") and _is_behind(one, measure)]
    if better:
        name, nearest = better[0]
        assert nearest.judged is not None
        said = figures(nearest.judged, measure)
        others = f", and than {count_word(len(better) - 1)} more" if len(better) > 1 else ""
        by = f"{said.range}{weight(nearest)}{in_brackets(_flipped(nearest), measure, said.mean)}"
        sentences.append(f"It is better than {name} by {by}{others}.")
    small = [name for name, one in named if one.decision in ("no difference", "equal")]
    if small:
        sentences.append(f"Between it and {_either(small, 'and')} there is no difference that matters.")
    strange = [(name, one) for name, one in named if one.decision == "unfit"]
    sentences += [f"Against {name}: {unfit(one, measure)}." for name, one in strange[:2]]
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
    return f" {word} ".join(names) if len(names) <= 2 else f"{count_word(len(names))} others"
