"""Names that people read, made of the catalogue's titles: of configurations, knobs and values."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.compare.measure import parse
from app.compare.question import Question, Words, asked, which
from app.spec import knobs as catalogued
from app.spec.plan import Cell
from trainer import catalog
from trainer.paths import NOT_CONFIGURATION, flat, split

_SAID = ("epochs", "batch_size", "pixel_order", "lr", "momentum")
"""Knobs that are named whatever their value is."""


ORDERS = {"original": "in order", "shuffled": "shuffled"}
ORDER_OF_PIXELS = {"original": "pixels in order", "shuffled": "shuffled pixels"}


def is_quiet(path: str, value: Any) -> bool:
    """True for a knob of the recipe that is at its default: not worth a word."""
    if split(path)[0] == "model":
        return False
    return any(knob.name not in _SAID and value == knob.default for knob in catalogued.of_path(path)[-1:])


def knob_title(path: str) -> str:
    """`optimizer.lr` -> `Learning rate`."""
    return catalogued.title(path)


def value_title(path: str, value: Any) -> str:
    """`model`, `fc` -> `FC`; `pixel_order`, `original` -> `in order`; what it is called where it is in no
    catalogue (any more); numbers as in the field."""
    catalogs: dict[str, Mapping[str, Any]] = {
        "model": catalog.MODELS,
        "dataset": catalog.DATASETS,
        "optimizer": catalog.OPTIMIZERS,
    }
    if entry := catalogs.get(path, {}).get(value):
        return str(entry.title)
    if path == "pixel_order":
        return ORDERS[value]
    if isinstance(value, float):
        return str(value).removesuffix(".0")  # 100, as it was typed
    return f"{value:,}" if isinstance(value, int) and "seed" not in path else f"{value}"


def differing(knobs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The knobs that differ among flat specs. One that only some models have differs only if those have several values
    of it."""
    paths = dict.fromkeys(path for one in knobs for path in one)
    return [path for path in paths if len({str(one[path]) for one in knobs if path in one}) > 1]


def configuration_title(knobs: Mapping[str, Any], varied: Sequence[str]) -> str:
    """`CNN, shuffled, learning rate 0.1`; what does not vary is left out, unless nothing does: `CNN, in order`."""
    others = [path for path in varied if path not in ("model", "pixel_order", *NOT_CONFIGURATION) and path in knobs]
    said = [
        value_title(path, knobs[path])
        if path == "dataset"
        else f"{knob_title(path).lower()} {value_title(path, knobs[path])}"
        for path in others
    ]
    is_named = "model" in varied or "pixel_order" in varied or not others
    is_whole = "pixel_order" in varied or ("model" not in varied and not others)
    model = [value_title("model", knobs["model"])] if is_named else []
    return ", ".join([*model, *([ORDERS[knobs["pixel_order"]]] if is_whole else []), *said])


def capital(text: str) -> str:
    """`learning rate 0.1` -> `Learning rate 0.1`, as a name stands by itself; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def subject_title(knobs: Mapping[str, Any], varied: Sequence[str]) -> str:
    """What a knob is changed of, in a sentence: `the CNN`, `the CNN at learning rate 0.1`, `on MNIST`; empty if nothing
    varies."""
    words = []
    if "model" in varied:
        title = value_title("model", knobs["model"])
        words.append(f"the {title}{' net' if title == 'FC' else ''}")
    if "pixel_order" in varied:
        words.append(f"{'with' if words else 'a net with'} {ORDER_OF_PIXELS[knobs['pixel_order']]}")
    apart = ("model", "pixel_order", "dataset", *NOT_CONFIGURATION)
    others = [path for path in varied if path not in apart and path in knobs]
    if others:
        named = [f"{knob_title(path).lower()} {value_title(path, knobs[path])}" for path in others]
        words.append(f"{'at ' if words else ''}{', '.join(named)}")
    if "dataset" in varied:
        words.append(f"on {value_title('dataset', knobs['dataset'])}")
    return " ".join(words)


def change_title(path: str, first: Any, second: Any) -> str:
    """A knob going from one value to another, as the subject of a sentence: `shuffling the pixels`."""
    if path == "pixel_order":
        return "shuffling the pixels" if second == "shuffled" else "putting the pixels in order"
    titles = value_title(path, second), value_title(path, first)
    if path in ("model", "dataset", "optimizer"):
        return f"{titles[0]} instead of {titles[1]}"
    return f"{knob_title(path).lower()} {titles[0]} instead of {titles[1]}"


def condition_title(path: str, value: Any) -> str:
    """Under a knob's value, as part of a sentence: `with pixels in order`, `at learning rate 0.1`, `with Adam`."""
    if path == "pixel_order":
        return "with pixels shuffled" if value == "shuffled" else "with pixels in order"
    title = value_title(path, value)
    return f"with {title}" if path in ("model", "optimizer") else f"at {knob_title(path).lower()} {title}"


def question_title(question: Question, grid: Mapping[str, Sequence[Any]], cells: Sequence[Cell]) -> str:
    """The question as a sentence."""
    if question.kind != "best":
        return asked(question_words(question, grid, cells))
    paths = [path for path in differing([flat(cell.spec.to_json()) for cell in cells]) if path not in NOT_CONFIGURATION]
    knob = paths[0] if len(paths) == 1 else ""
    title = "order of the pixels" if knob == "pixel_order" else knob_title(knob).lower() if knob else ""
    return which(parse(question.measure), title, len(cells))


def question_words(question: Question, grid: Mapping[str, Sequence[Any]], cells: Sequence[Cell]) -> Words:
    """How the parts of a question are called."""
    measure = parse(question.measure)
    knobs = [flat(cell.spec.to_json()) for cell in cells]
    if question.kind == "difference":
        paths = differing(knobs)
        names = [configuration_title(of_cell, paths) for of_cell in knobs]
        change = change_title(paths[0], *(of_cell[paths[0]] for of_cell in knobs)) if len(paths) == 1 else ""
        return Words(change or f"{names[1]} instead of {names[0]}", "", "", measure)
    changed = "pixel_order" if "pixel_order" in question.knobs else question.knobs[-1]
    change = change_title(changed, *(_worded(value) for value in grid[changed]))
    if question.kind == "effect":
        varied = [path for path, values in grid.items() if path not in ("seed", changed) and len(values) > 1]
        alone = {of_cell["model"] for of_cell in knobs}
        named = len(alone) == 1 and changed != "model" and not varied
        return Words(change, subject_title(knobs[0], ["model"]) if named else "", "", measure)
    (other,) = [path for path in question.knobs if path != changed]
    first, second = (
        next(of_cell for of_cell in knobs if of_cell.get(other) == _worded(value)) for value in grid[other]
    )
    return Words(change, subject_title(second, [other]), subject_title(first, [other]), measure)


def _worded(value: Any) -> Any:
    """A grid may hold `{"name": "cnn"}` where the flat knobs hold `cnn`."""
    return value["name"] if isinstance(value, Mapping) else value
