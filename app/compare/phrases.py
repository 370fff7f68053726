"""A contrast's figures and decision as parts of a sentence, or of a table. Pure, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.compare.facts import Contrast
from app.compare.judged import Judged, turned
from app.compare.measure import Measure
from app.compare.statistics import Summary, summary


@dataclass(frozen=True)
class Figures:
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


def figures(judged: Judged, measure: Measure, *, signed: bool = False) -> Figures:
    """Of one with an interval. Sizes, if all of the interval lies on one side of 0 and no sign is wanted."""
    assert judged.low is not None
    assert judged.high is not None
    one_sided = judged.is_one_sided
    of = turned(judged) if one_sided and judged.high < 0 and not signed else judged
    assert of.low is not None
    assert of.high is not None
    low, high, mean = measure.alike((of.low, of.high, of.value), signed=signed or not one_sided)
    return Figures(low, high, mean, f" {measure.unit}" if measure.unit else "", judged.value < 0)


def counts(contrast: Contrast, measure: Measure) -> str:
    """`worse in 5 of 5 seeds`; of runs that are not paired how many there are."""
    judged = contrast.judged
    assert judged is not None
    if judged.matched != "seed":
        sizes = [len(side.values) for side in contrast.sides]
        return f"{sizes[0]} runs each" if len(set(sizes)) == 1 else f"{' and '.join(map(str, sizes))} runs"
    below = judged.value < 0
    agree = judged.below if below else judged.above
    word = ("worse" if below == measure.greater_is_better else "better") if contrast.kind != "interaction" else "so"
    return f"{word} in {agree} of {seeds(judged.n)}"


def seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def in_brackets(contrast: Contrast, measure: Measure, mean: str) -> str:
    """` (mean 14.3; worse in 5 of 5 seeds)`, or who lies far off where a mean would say nothing."""
    judged = contrast.judged
    assert judged is not None
    far, rest = judged.outlier, ""
    if far is not None:
        (off,) = measure.alike((far.value,), signed=True)
        rest = f"; {'one run' if far.seed is None else f'seed {far.seed}'} lies far off, {off}"
    return f" ({judged.centre} {mean}; {counts(contrast, measure)}{rest})"


def unfit(contrast: Contrast, measure: Measure) -> str:
    """Why no difference is claimed of values that none fits."""
    judged = contrast.judged
    assert judged is not None
    unit = f" {measure.unit}" if measure.unit else ""
    if judged.deviation == 0:
        (value,) = measure.alike((judged.value,), signed=True)
        which = "both seeds" if judged.n == 2 else f"all {judged.n} seeds"
        return f"the same difference in {which}, {value}{unit}: there is no spread to judge chance by"
    if judged.outlier is None or judged.centre == "none":
        return f"no single difference fits the {seeds(judged.n)}: they contradict each other, so none is claimed"
    far = judged.outlier
    others = sorted(value for value in judged.by_seed if value != far.value)
    off, *ends = measure.alike((far.value, *others[:1], *others[-1:]), signed=True)
    who = "one run" if far.seed is None else f"seed {far.seed}"
    told = f"{len(others)} of {seeds(judged.n)} say {' to '.join(ends)}{unit}; " if others else ""
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
        "ruled out": {"untrained": "ruled out: it learned nothing", "failing": "ruled out: runs of it failed"}.get(
            contrast.reason or "", "ruled out"
        ),
    }
    return said.get(contrast.decision, contrast.decision)


def weight(contrast: Contrast) -> str:
    """Whether what is shown is large enough to matter."""
    return {"small": ", which may be too small to matter", "no difference": ": real, and too small to matter"}.get(
        contrast.decision, ""
    )


def seeds_or_runs(judged: Judged) -> str:
    return seeds(judged.n) if judged.matched == "seed" else f"{judged.n} runs each" if judged.n > 1 else "one run each"


def means(contrast: Contrast) -> tuple[Summary | None, Summary | None]:
    """Of both sides, over the seeds that the contrast uses; none where no average is claimed."""
    if contrast.judged is not None and contrast.judged.centre != "mean":
        return None, None
    first, second = (summary_of(side.values) for side in contrast.sides)
    return first, second


def summary_of(values: Sequence[tuple[int, float]]) -> Summary | None:
    return summary([value for _, value in values]) if values else None


def at_most(judged: Judged | None, measure: Measure) -> str:
    """What a dependence that is not shown may still be: `none larger than 1.0 points`."""
    if judged is None or judged.low is None or judged.high is None:
        return "none that can be told"
    (most,) = measure.alike((max(-judged.low, judged.high),), signed=False)
    return f"none larger than {most}{' ' + measure.unit if measure.unit else ''}"


def sentence(text: str) -> str:
    return f"{upper(text)}."


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def count_word(number: int) -> str:
    return {1: "one", 2: "two", 3: "three", 4: "four"}.get(number, str(number))
