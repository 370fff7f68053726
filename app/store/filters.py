"""The filter language of run lists: `model:cnn status:running accuracy>94% lr<=0.01 tag:paper -device:cpu`.

Terms are joined by and. `KEY:VALUE` or `KEY:VALUE,VALUE` is one of these values; `KEY>0.9`, with >, >=, <, <=, = or !=,
compares a number, with spaces around the sign or without; capitals don't matter; a minus before a term turns it round;
every other word is looked for in names and tags. A key may be what a column or a setting is called on a page:
`Test accuracy > 94%`, `pixel order: shuffled`. Quotes keep spaces and signs: `tag:"my paper"`, `"a>b"`.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, func, not_, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.spec import knobs
from app.store.tables import Experiment, Metric, Run, RunTag, Status, Summary
from trainer import catalog, paths

_TERM = re.compile(
    r"""(?P<minus>-?)(?:(?P<key>[A-Za-z][\w./-]*?)(?:\s*(?P<compare>>=|<=|!=|[><=])\s*|(?P<colon>:)\s*))?"""
    r"""(?P<value>"[^"]*"(?:,"[^"]*"|,[^\s"]+)*|[^\s"]+)"""
)
_UNFINISHED = re.compile(r"-?[A-Za-z][\w./-]*?\s*(?:>=|<=|!=|[:><=])\s*$")
SAME_SERIES = and_(col(Metric.run_id) == col(Summary.run_id), col(Metric.name) == col(Summary.metric))
_HELD_OUT = aliased(Summary)
_CHOOSES = not_(
    exists().where(
        col(_HELD_OUT.run_id) == col(Summary.run_id),
        col(Summary.metric).startswith("test/"),
        col(_HELD_OUT.metric) == func.replace(col(Summary.metric), "test/", "validation/"),
    )
)
FIGURES: dict[str, Any] = {
    "last": func.coalesce(col(Summary.final), col(Summary.last)),
    "best": case(
        (and_(col(Metric.better) == "more", _CHOOSES), col(Summary.greatest)),
        (and_(col(Metric.better) == "less", _CHOOSES), col(Summary.least)),
    ),
}
"""What a series is compared and sorted by: its value at the weights that were kept, or the last of a run that has kept
none; `best` by its own direction, of a test only where no images were held out, by which the epoch is to be chosen."""
_COMPARE: dict[str, Callable[[Any, float], Any]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
_NUMBERS: dict[str, Any] = {
    "id": col(Run.id),
    "experiment": col(Run.experiment_id),
    "steps": col(Run.steps_done),
    "duration": col(Run.seconds),
    "parameters": col(Run.parameters),
}
_WORDS: dict[str, Any] = {
    "status": col(Run.status),
    "name": col(Run.name),
    "device": func.coalesce(col(Run.device), ""),
    "model": col(Run.spec)["model"]["name"].as_string(),
    "optimizer": col(Run.spec)["optimizer"]["name"].as_string(),
    "dataset": col(Run.spec)["dataset"].as_string(),
    "pixel_order": col(Run.spec)["pixel_order"].as_string(),
}
_CALLED = {
    "data": "dataset",
    "data set": "dataset",
    "order": "pixel_order",
    "params": "parameters",
    "training loss": "train/loss",
    "last": "train/loss",
    "accuracy": "test/accuracy",
    "accuracy.best": "test/accuracy.best",
    "test accuracy": "test/accuracy",
    "test loss": "test/loss",
    "validation accuracy": "validation/accuracy",
    "step": "steps",
}
"""What keys are called for short, or by the columns of pages."""


def _with_keys(text: str) -> str:
    """The text with keys for what columns and settings are called, where a value follows; quotes stay as they are."""
    named = {knobs.title(path).lower(): paths.leaf(path) for path in knobs.every()}
    named |= {key: key for key in (*_NUMBERS, *_WORDS, "tag")} | _CALLED
    longest_first = "|".join(re.escape(name) for name in sorted(named, key=len, reverse=True))
    called = re.compile(rf'"[^"]*"|(?<![\w./-])-?(?P<name>{longest_first})(?=\s*(?:>=|<=|!=|[:><=]))', re.IGNORECASE)

    def key(match: "re.Match[str]") -> str:
        name = match["name"]
        return match[0] if name is None else match[0].removesuffix(name) + named[name.lower()]

    return called.sub(key, text)


def as_figure(key: str, session: Session | None = None) -> tuple[str, str] | None:
    """`test/accuracy.best` as the name of a series and one of FIGURES; None: it names no series.

    A name with a slash is one; any other is, where the session has a run that declares it.
    """
    name, dot, kind = key.rpartition(".")
    if dot and kind in FIGURES and _is_series(name, session):
        return name, kind
    return (key, "last") if _is_series(key, session) else None


def _is_series(name: str, session: Session | None) -> bool:
    if "/" in name or session is None:
        return "/" in name
    return session.exec(select(Metric.name).where(Metric.name == name).limit(1)).first() is not None


class BadFilter(ValueError):
    """A term that says nothing; the message names it and what may be said."""


def _knob(key: str) -> tuple[Any, bool] | None:
    """Of a knob, as `lr` or `optimizer.lr`, its value in SQL and whether it is a number; None: there is none."""
    every = sorted(knobs.every(), key=lambda path: path != key)  # a whole path before one that ends in it
    path = next((path for path in every if key in (path, paths.leaf(path))), None)
    if path is None:
        return None
    is_number = knobs.numeric(path) is not None
    return _value(path, is_number), is_number


def _value(path: str, is_number: bool) -> Any:
    """What a stored spec has of a knob, or else its default of today."""
    head, knob = paths.split(path)
    place = col(Run.spec)[head][knob] if knob else col(Run.spec)[head]
    there = place.as_float() if is_number else place.as_string()
    if not knob:
        return func.coalesce(there, catalog.TRAINING[path].default)
    name = col(Run.spec)[head]["name"].as_string()
    return func.coalesce(there, case(*((name == of, value) for of, value in knobs.defaults(path).items())))


def condition(text: str, session: Session | None = None) -> list[ColumnElement[bool]]:
    """What all terms of the text ask for; `session`: where series are that have no slash in their names.

    Raises BadFilter.
    """
    text = _with_keys(text) if text else ""
    found = []
    at = 0
    while match := re.compile(r"\s*").match(text, at):
        at = match.end()
        if at >= len(text):
            break
        term = _TERM.match(text, at)
        if _UNFINISHED.fullmatch(text, at):
            raise BadFilter(f"q ends with {text[at:]!r}: a value is missing behind it")
        if term is None:
            raise BadFilter(f"q has {text[at : at + 30]!r}: a quotation mark is open; close it, or leave it out")
        at = term.end()
        one = _one(term, session)
        # a run that has no such knob or figure does not fit the term, so it fits its opposite
        found.append(not_(func.coalesce(one, false())) if term["minus"] else one)
    return found


def _one(term: "re.Match[str]", session: Session | None) -> ColumnElement[bool]:
    key, sign, value = term["key"], term["compare"] or term["colon"], term["value"]
    if key is None:
        if not value.startswith('"') and re.search("[<>=]", value):
            raise BadFilter(f"q has {term[0]!r}: write KEY>NUMBER, or put words with such signs into quotation marks")
        return _word(value.strip('"'))
    if sign == ":":
        return or_(*(_is(key, one.strip('"'), term[0], session) for one in re.findall(r'"[^"]*"|[^,"]+', value)))
    number = _number(value.strip('"'), term[0])
    if key in _NUMBERS:
        return _COMPARE[sign](_NUMBERS[key], number)  # type: ignore[no-any-return]
    knob = _knob(key)
    figure = None if knob else as_figure(key, session)
    if figure is not None:
        name, kind = figure
        has = and_(col(Summary.metric) == name, _COMPARE[sign](FIGURES[kind], number))
        return col(Run.id).in_(select(Summary.run_id).join(Metric, SAME_SERIES).where(has))
    if knob is None or not knob[1]:
        raise BadFilter(f"q has {term[0]!r}: {_choices(key, numbers=True)}")
    return _COMPARE[sign](knob[0], number)  # type: ignore[no-any-return]


def _word(text: str) -> ColumnElement[bool]:
    tagged = select(RunTag.run_id).where(col(RunTag.tag).icontains(text, autoescape=True))
    return or_(col(Run.name).icontains(text, autoescape=True), col(Run.id).in_(tagged))


def _is(key: str, value: str, term: str, session: Session | None) -> ColumnElement[bool]:
    if key == "tag":
        return col(Run.id).in_(select(RunTag.run_id).where(RunTag.tag == value))
    if key == "experiment" and not value.isdecimal():
        named = select(Experiment.id).where(col(Experiment.name).icontains(value, autoescape=True))
        return col(Run.experiment_id).in_(named)
    if key == "name":
        return col(Run.name).icontains(value, autoescape=True)
    if key == "status":
        if value.lower() not in list(Status):
            raise BadFilter(f"q has {term!r}: {value!r} is no status; choose {' or '.join(Status)}")
        return col(Run.status) == Status(value.lower())
    if key in _WORDS:
        return _named(key, value, term, session)
    if key in _NUMBERS:
        return _NUMBERS[key] == _number(value, term)  # type: ignore[no-any-return]
    knob = _knob(key)
    if knob is None:
        raise BadFilter(f"q has {term!r}: {_choices(key, numbers=False)}")
    if knob[1]:
        return knob[0] == _number(value, term)  # type: ignore[no-any-return]
    return func.lower(knob[0]) == value.lower()


def _named(key: str, value: str, term: str, session: Session | None) -> ColumnElement[bool]:
    """One of the words that a column has, whatever its capitals; of a folder of images any version. Raises BadFilter
    for what neither the catalogue nor a run has: it is misspelt."""
    if key == "pixel_order" and value.lower() == "in order":  # as pages say it
        value = "original"
    column = func.lower(_WORDS[key])
    found = column == value.lower()
    if key == "dataset":
        found = or_(found, column.startswith(f"{value.lower()}@", autoescape=True))
    every: dict[str, Iterable[str]] = {
        "model": catalog.MODELS,
        "optimizer": catalog.OPTIMIZERS,
        "dataset": catalog.DATASETS,
    }
    if session is not None and key in every and value.lower() not in {one.lower() for one in every[key]}:
        has_one = session.exec(select(Run.id).where(found).limit(1)).first() is not None
        if not has_one:
            raise BadFilter(f"q has {term!r}: {value[:30]!r} is no {key}; choose {' or '.join(every[key])}")
    return found


def _number(value: str, term: str) -> float:
    try:
        found = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        found = float("nan")
    if found != found or abs(found) == float("inf"):
        raise BadFilter(f"q has {term!r}: {value[:30]!r} is no number")
    return found


def _choices(key: str, *, numbers: bool) -> str:
    every = {paths.leaf(path) for path in knobs.every() if not numbers or knobs.numeric(path)}
    short = sorted(every)
    names = [*_NUMBERS, *short, "METRIC as test/accuracy"] if numbers else [*_WORDS, "tag", *_NUMBERS, *short]
    return f"{key[:30]!r} is nothing that can be compared so; choose {', '.join(dict.fromkeys(names))}"
