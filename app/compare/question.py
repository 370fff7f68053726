"""A question that is asked until it is answered: what it is, when it is settled, and how that is said. Pure functions.

Seeds run in matched sets, one run of each configuration that the question compares; each set gives one value. After
every set the confidence sequence is looked at: the question is settled when 0 is outside of it (a difference), or when
it lies wholly within the smallest difference worth knowing on both sides of 0 (no difference that matters).
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.compare import sequence, statistics
from app.compare.judged import Look, look_by_look
from app.compare.measure import Measure, parse

MOST_SEEDS = 200

Kind = Literal["difference", "effect", "interaction"]
State = Literal["asking", "answered", "spent", "stopped", "failed"]
Answer = Literal["difference", "no difference", "open"]


class Budget(BaseModel):
    """On what is judged, and how long to go on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str = Field(default="test/accuracy", max_length=100, description="What of a run is compared.")
    smallest: float = Field(
        default=0.01,
        ge=0,
        allow_inf_nan=False,
        description="Smallest difference worth knowing, in the unit of the measure (accuracy: a fraction). 0: any.",
    )
    max_seeds: int = Field(default=20, ge=sequence.least(), le=MOST_SEEDS, description="At most so many seeds.")
    max_hours: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="At most so many hours of training, all runs together."
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
        "much more the one such knob changes when another is changed too. difference: `second` minus `first`.",
    )
    knobs: list[str] = Field(
        default=[], max_length=2, description="Of an effect its knob, of an interaction its two; as keys of the grid."
    )
    first: dict[str, Any] = Field(default={}, max_length=50, description="Of a difference: knob path to value.")
    second: dict[str, Any] = Field(default={}, max_length=50, description="Of a difference: knob path to value.")


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
        found = statistics.summary([look.value for look in looks[:n]])
        ordinary.append(None if found.low is None or found.high is None else (found.low, found.high))
    for n, look in enumerate(looks, 1):
        answer = settles(look, smallest)
        if answer != "open":
            return Outcome(answer, looks, tuple(ordinary), n, None)
    found = statistics.summary([look.value for look in looks])
    return Outcome("open", looks, tuple(ordinary), None, _needed(found.mean, found.deviation, smallest))


def settles(look: Look, smallest: float) -> Answer:
    if look.low is None or look.high is None:
        return "open"
    if look.low > 0 or look.high < 0:
        return "difference"
    return "no difference" if -smallest <= look.low and look.high <= smallest else "open"


def _needed(mean: float, deviation: float | None, smallest: float) -> int | None:
    if not deviation:
        return None
    room = max(abs(mean), smallest - abs(mean))
    return sequence.needed(room, deviation)


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
    measure, look = words.measure, found.last
    if look is None or look.low is None or look.high is None:
        least = sequence.least()
        done = f"{found.n} of at least {least} seed sets {'is' if found.n == 1 else 'are'} done."
        if found.n >= least and look:
            same = "exactly the same every time" if look.mean == 0 else "the same to the last digit every time"
            return [f"Nothing to judge chance by: the difference was {same}.", f"{found.n} seed sets are done."]
        head = "Too early to say." if state == "asking" else "Not answered."
        return [head, f"Three seeds can never settle it: {done}"]
    of = f" of {words.subject}" if words.subject else ""
    against = f" against {words.other}" if words.other else ""
    is_plain = found.answer != "difference" or bool(words.other)
    what = f"{words.change} {'changed' if is_plain else _verb(look.mean, measure)}"
    low, high = measure.number(look.low), measure.number(look.high)
    unit = measure.amount(look.mean).partition(" ")[2]
    seeds = f"from {found.n} seed sets"
    change = f"{what} the {measure.title}{of} by {measure.number(look.mean)}{_space(unit)}{against}"
    if found.answer == "difference":
        if words.other:
            head = f"No: {change}."
        elif measure.is_fraction:
            head = f"Yes. {_upper(what)}{_space(words.subject)} {measure.amount(look.mean)} of {measure.title}."
        else:
            head = f"Yes. {_upper(what)} the {measure.title}{of} by {measure.amount(look.mean)}."
        return [head, f"The difference lies between {low} and {high}{_space(unit)}, {seeds}. {_after(found, state)}"]
    if found.answer == "no difference" and look.low == look.high == 0:
        alike = f"gave the same {measure.title}{of}"
        if words.other:
            alike = f"changed the {measure.title}{of} exactly as that of {words.other}"
        head = f"Equal: {words.change} {alike} in {found.n} of {found.n} seeds."
        return [head, f"Not one seed set differs. {_after(found, state)}"]
    if found.answer == "no difference":
        head = f"No difference that matters: {change}."
        within = f"The difference lies between {low} and {high}{_space(unit)}, within ±{measure.amount(smallest)}"
        return [head, f"{within}, {seeds}. {_after(found, state)}"]
    if state == "asking":
        head = f"Not settled yet: {change}, and anything from {low} to {high} still fits."
        return [head, f"Asking goes on: {found.n} of at most {budget} seed sets are done."]
    why = {"spent": "The budget is spent", "stopped": "Asking was stopped", "failed": "Too many runs failed"}
    head = f"Not settled: {change}, and anything from {low} to {high} still fits."
    return [head, f"{why.get(state, 'Asking has ended')}, after {found.n} seed sets.{_would(found)}"]


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
