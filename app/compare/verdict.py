"""What is said of a comparison, as types: the sentences, and the tables that bear them out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.compare.facts import Contrast
from app.compare.groups import Group
from app.compare.statistics import Summary


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
    word: str = ""
    """What is said of it in a word or two; of a difference its decision."""
    value: str = ""
    """Of the knob `Verdict.scale`."""
    lead: str = ""
    """Of a change, what is said of it, made to fit its line."""
    under: str = ""
    """And under that, smaller."""


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
    headline: int = 0
    """Place of the sentence that answers; those before it say who dropped out or learned nothing."""
    title: str = ""
    """The answer in one line."""
    compared: str = ""
    """Of two configurations that a knob was changed of, who is ahead."""
    sureness: str = ""
    """Which intervals these are, in one line."""
    scale: str | None = None
    """The one knob in which the rows differ, where its values are numbers; the rows are in their order."""
