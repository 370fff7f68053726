"""The sentences of configurations compared with the best of them. Pure, no I/O."""

from collections.abc import Sequence
from dataclasses import replace

from app.compare.facts import Contrast, Facts, Ranking, Rankings
from app.compare.judged import turned
from app.compare.measure import Measure
from app.compare.phrases import count_word, figures, in_brackets, means, summary_of, unfit, upper, weight
from app.compare.statistics import summary
from app.compare.verdict import Line, Row, Verdict, Words

MOST_ROWS = 6


def rankings(facts: Facts, answer: Rankings, words: Words) -> Verdict:
    """Each data set's best, and what it is better than."""
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
            own = summary_of(list(facts.groups[place].sample.items())) if contrast is None else means(contrast)[1]
            name = upper(words.name(facts.groups[place]))
            rows.append(Row(name, place, own, None, contrast))
            if contrast is not None:
                best = words.name(facts.groups[block.order[0]])
                lines.append(Line(f"{name} against {best}", contrast))
    return Verdict(sentences, "", None, (facts.measure.title,), rows[:MOST_ROWS], lines)


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
        return [f"{upper(names[0])}{so_far}: {measure.title} {measure.figure(found.mean)}, {of}."]
    lead = "the highest" if measure.greater_is_better else "the lowest"
    sentences = [f"{upper(names[0])} has {lead} {measure.title}{so_far}: {measure.figure(found.mean)}, {of}."]
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
