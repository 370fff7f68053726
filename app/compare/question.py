"""A question that is asked until it is answered: what it is, when it is settled, and how that is said. Pure functions.
Of the one kind that compares several, `best`, `app.compare.race` says when it is settled.

Seeds run in matched sets, one run of each configuration that the question compares; each set gives one value. After
every set the confidence sequence is looked at: the question is settled when 0 is outside of it (a difference), or when
it lies wholly within the smallest difference worth knowing on both sides of 0 (no difference that matters).
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.compare import sequence, statistics
from app.compare.judged import Centre, Look, centred, finding, look_by_look
from app.compare.measure import Measure, parse
from app.compare.race import End

MOST_SEEDS = 200
MOST_RUNS = 500
"""Of an experiment."""
MOST_CANDIDATES = 50

Kind = Literal["difference", "effect", "interaction", "best"]
State = Literal["asking", "answered", "spent", "stopped", "failed"]
Answer = Literal["difference", "no difference", "unfit", "open"]
"""0 is outside of the interval; all of it is too small to matter; no single difference fits the sets; none of these."""


class Budget(BaseModel):
    """On what is judged, and how long to go on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str = Field(
        default="test/accuracy",
        max_length=100,
        description="What of a run is compared. Absent where the best is to be found, and all hold images out: "
        "validation/accuracy.",
    )
    max_seeds: int = Field(default=20, ge=sequence.least(), le=MOST_SEEDS, description="At most so many seeds.")
    max_hours: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="At most so many hours of training, all runs together."
    )

    max_runs: int | None = Field(
        default=None, ge=2, le=MOST_RUNS, description=f"At most so many runs; absent: {MOST_RUNS}."
    )

    @field_validator("measure")
    @classmethod
    def _is_measure(cls, text: str) -> str:
        parse(text)
        return text


class Question(Budget):
    """What is compared, on what, and how long to go on."""

    kind: Kind = Field(
        default="effect",
        description="effect: a knob of the grid with two values, over all other knobs of the grid. interaction: how "
        "much more the one such knob changes when another is changed too. difference: `second` minus `first`. best: "
        "which configuration of the grid is the best; those that are ruled out run no more seeds.",
    )
    knobs: list[str] = Field(
        default=[], max_length=2, description="Of an effect its knob, of an interaction its two; as keys of the grid."
    )
    first: dict[str, Any] = Field(default={}, max_length=50, description="Of a difference: knob path to value.")
    second: dict[str, Any] = Field(default={}, max_length=50, description="Of a difference: knob path to value.")
    candidates: list[dict[str, Any]] = Field(
        default=[],
        max_length=MOST_CANDIDATES,
        description="Of best, instead of the grid: knob path to value, of each configuration.",
    )


@dataclass(frozen=True)
class Outcome:
    """Where a question stands."""

    answer: Answer
    looks: tuple[Look, ...]
    ordinary: tuple[tuple[float, float] | None, ...]
    """The ordinary 95% interval after each set, for comparison; it is not valid here."""
    settled_after: int | None
    """Number of sets at the first look that settled it."""
    needed: int | None
    """About so many sets would settle it, if mean and deviation stay as they are; None: settled, or no telling."""

    value: float = 0.0
    """The mean of the sets; or their median (`app.compare.judged.Centre`)."""
    centre: Centre = "mean"
    low: float | None = None
    high: float | None = None

    @property
    def n(self) -> int:
        return len(self.looks)

    @property
    def last(self) -> Look | None:
        return self.looks[-1] if self.looks else None


def outcome(values: statistics.Sample, smallest: float) -> Outcome:
    """Of the sets that are complete, seed to value in the order in which they came."""
    if not values:
        return Outcome("open", (), (), None, None)
    looks = look_by_look(values)
    ordinary = []
    for n in range(1, len(looks) + 1):
        sample = statistics.summary([look.value for look in looks[:n]])
        ordinary.append(None if sample.low is None or sample.high is None else (sample.low, sample.high))
    value, centre, low, high = centred(list(values.values()), looks)
    found = Outcome("unfit", looks, tuple(ordinary), None, None, value, centre, low, high)
    if centre == "none":
        return found
    for n, look in enumerate(looks, 1):
        answer = settles(look, smallest)
        if answer != "open":
            # as it now stands: later sets can only have made the interval narrower
            now = settles(looks[-1], smallest)
            return replace(found, answer=now if now == "no difference" else answer, settled_after=n)
    sample = statistics.summary([look.value for look in looks])
    return replace(found, answer="open", needed=_needed(sample.mean, sample.deviation, smallest))


def settles(look: Look, smallest: float) -> Answer:
    if look.low is None or look.high is None:
        return "open"
    found = finding(look.low, look.high, smallest)
    return "no difference" if found == "no difference" else "open" if found == "open" else "difference"


def _needed(mean: float, deviation: float | None, smallest: float) -> int | None:
    if not deviation:
        return None
    if abs(mean) >= smallest:
        return sequence.needed(mean, deviation)
    return sequence.needed(smallest - abs(mean), deviation) if smallest > abs(mean) else None


@dataclass(frozen=True)
class Words:
    """How a question's parts are called."""

    change: str
    """What is changed: `shuffling the pixels`."""
    subject: str
    """Of what: `the CNN`; empty where that goes without saying."""
    other: str
    """Of an interaction, what it is compared with: `the FC net`; else empty."""
    measure: Measure


def asked(words: Words) -> str:
    """The question as a sentence."""
    of = f" of {words.subject}" if words.subject else ""
    if words.other:
        verb = f"change the {words.measure.title}{of} as it changes that of {words.other}"
        return f"Does {words.change} {verb}?"
    return f"Does {words.change} change the {words.measure.title}{of}?"


def said(found: Outcome, words: Words, smallest: float, state: State, budget: int) -> list[str]:
    """The answer: a headline, and what bears it out."""
    if found.answer == "unfit":
        head = "No answer: no single difference fits the sets, they contradict each other."
        return [head, f"{found.n} seed sets are done. Look at those that lie apart: runs may differ in kind."]
    if found.low is None or found.high is None:
        return _early(found, state)
    measure = words.measure
    of = f" of {words.subject}" if words.subject else ""
    against = f" against {words.other}" if words.other else ""
    is_sided = (found.low > 0 or found.high < 0) and not words.other
    lost = is_sided and found.value < 0
    ends = (-found.high, -found.low, -found.value) if lost else (found.low, found.high, found.value)
    low, high, value = measure.alike(ends, signed=not is_sided)
    unit = _space(measure.unit)
    counted = _counted(found, measure, of_interaction=bool(words.other))
    at = statistics.outlier([look.value for look in found.looks])
    if at is not None:
        (off,) = measure.alike((found.looks[at].value,), signed=True)
        counted += f"; seed {found.looks[at].seed} lies far off, {off}"
    seeds = f"From {found.n} seed sets: {found.centre} {value}{counted}."
    change = f"{words.change} changed the {measure.title}{of} by {low} to {high}{unit}{against}"
    if is_sided:
        verb = f"{words.change} {_verb(found.value, measure)}"
        change = f"{verb} the {measure.title}{of} by {low} to {high}{unit}"
        if measure.is_fraction:
            change = f"{verb}{_space(words.subject)} between {low} and {high}{unit} of {measure.title}"
    if found.answer == "difference":
        matters = not smallest or finding(found.low, found.high, smallest) == "clear"
        head = f"No: {change}" if words.other else f"Yes. {_upper(change)}"
        return [f"{head}{'' if matters else ', which may be too small to matter'}.", f"{seeds} {_after(found, state)}"]
    if found.answer == "no difference" and found.low == found.high == 0:
        alike = f"gave the same {measure.title}{of}"
        if words.other:
            alike = f"changed the {measure.title}{of} exactly as that of {words.other}"
        head = f"Equal: {words.change} {alike} in {found.n} of {found.n} seeds."
        return [head, f"Not one seed set differs. {_after(found, state)}"]
    if found.answer == "no difference":
        within = f"all of it within ± {measure.size(smallest)}"
        return [f"No difference that matters: {change}, {within}.", f"{seeds} {_after(found, state)}"]
    head = f"{words.change} changed the {measure.title}{of} by anything from {low} to {high}{unit}{against}"
    if state == "asking":
        return [f"Not settled yet: {head}.", f"{seeds} Asking goes on, to at most {budget} seed sets."]
    why = {"spent": "The budget is spent", "stopped": "Asking was stopped", "failed": "Too many runs failed"}
    return [f"Not settled: {head}.", f"{seeds} {why.get(state, 'Asking has ended')}.{_would(found)}"]


class Looking(NamedTuple):
    """Where finding the best stands."""

    end: End
    candidates: int
    left: int
    seeds: int
    """That those that are left have run."""
    least: int
    """With fewer seeds no difference rules one out."""
    runs: int
    max_seeds: int


def which(measure: Measure, knob: str, candidates: int) -> str:
    """Finding the best, as a question; `knob`: the only one that varies, else empty."""
    highest = "highest" if measure.greater_is_better else "lowest"
    if knob:
        return f"Which {knob} gives the {highest} {measure.title}?"
    return f"Which of {candidates:,} configurations has the {highest} {measure.title}?"


def said_of_best(now: Looking, state: State, measure: Measure, smallest: float) -> str:
    """How far finding the best is, beside the sentences of the comparison."""
    seeds, runs = ("1 seed" if now.seeds == 1 else f"{now.seeds} seeds"), f"{now.runs:,} runs"
    are = "is" if now.left == 1 else "are"
    left = f"{now.left} of {now.candidates} {are} left after {seeds} and {runs}"
    if state == "asking":
        if now.end != "open":
            return f"It is settled, and goes on to the end of its budget: {left}."
        if now.seeds < now.least:
            early = f"no difference can rule one out before seed {now.least}"
            return f"Looking for the best: {seeds} and {runs} so far; {early}."
        return f"Looking for the best: {left}, of at most {now.max_seeds} seeds."
    if not now.left:
        return "No configuration is left: their runs failed, or learned nothing."
    whole = f"; all {now.candidates} with as many seeds would have been {now.candidates * now.seeds:,}"
    counted = f"{seeds} and {runs}{whole if now.candidates * now.seeds > now.runs else ''}"
    if state == "answered" and now.end == "one":
        return f"Settled after {counted}."
    if state == "answered":
        within = f"lie within ± {measure.size(smallest)} of each other, too little to matter"
        return f"The {now.left} that are left {within}: settled after {counted}."
    why = {"spent": "The budget is spent", "stopped": "Asking was stopped"}.get(state, "Asking has ended")
    return f"{why}: {left}."


def _early(found: Outcome, state: State) -> list[str]:
    """There is no interval yet, or nothing to make one of."""
    least = sequence.least()
    done = f"{found.n} of at least {least} seed sets {'is' if found.n == 1 else 'are'} done."
    if found.n >= least and found.last:
        same = "exactly the same every time" if found.last.mean == 0 else "the same to the last digit every time"
        return [f"Nothing to judge chance by: the difference was {same}.", f"{found.n} seed sets are done."]
    head = "Too early to say." if state == "asking" else "Not answered."
    return [head, f"Three seeds can never settle it: {done}"]


def _counted(found: Outcome, measure: Measure, *, of_interaction: bool) -> str:
    """`; worse in 6 of 6 seeds`."""
    below = found.value < 0
    agree = sum((look.value < 0) == below and look.value != 0 for look in found.looks)
    word = "so" if of_interaction else "worse" if below == measure.greater_is_better else "better"
    return f"; {word} in {agree} of {found.n} seeds" if found.value else ""


def _verb(value: float, measure: Measure) -> str:
    if measure.is_fraction:
        return "cost" if value < 0 else "brought"
    return "lowered" if value < 0 else "raised"


def _after(found: Outcome, state: State) -> str:
    more = found.n - (found.settled_after or 0)
    if not more:
        return f"Settled after {found.settled_after}."
    running = "1 more ran on and counts" if more == 1 else f"{more} more ran on and count"
    going = "; asking goes on" if state == "asking" else ""
    return f"Settled after {found.settled_after}; {running} as well{going}."


def _would(found: Outcome) -> str:
    return f" About {found.needed} would settle it, if mean and spread stay as they are." if found.needed else ""


def _space(unit: str) -> str:
    return f" {unit}" if unit else ""


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
