"""Values of one knob that are numbers, in their order: how far a sweep reaches, which values it lacks. Pure, no I/O."""

import math
from collections.abc import Sequence
from typing import Literal

Number = int | float
End = Literal["first", "last"]

EVEN = 1.5
"""Neighbours of at least that ratio are steps of a product, others of a sum."""
NEAR = 0.15
"""A value is rounded to its first digit if that moves it by less than this share."""
STEPS = (1.0, 2.0, 3.0, 5.0, 10.0)
"""The digits that steps of a product are rounded to where those are near."""


def end(values: Sequence[Number], best: Number) -> End | None:
    """At which end of all values the best one stands; None: within, or there are too few to speak of an end."""
    ordered = sorted(values)
    if len(ordered) < 3 or best not in (ordered[0], ordered[-1]):
        return None
    return "last" if best == ordered[-1] else "first"


def beyond(values: Sequence[Number], at: End, count: int = 2) -> list[Number]:
    """The next values past that end, in the steps that the values have there."""
    ordered = sorted(values, reverse=at == "first")
    before, last = float(ordered[-2]), float(ordered[-1])
    found: list[Number] = []
    for _ in range(count):
        before, last = last, _next(before, last)
        rounded = _rounded(last, ordered, _is_product(before, last))
        if rounded in (*ordered, *found) or (rounded <= 0 < min(ordered)):
            break
        found.append(rounded)
    return found


def between(values: Sequence[Number], best: Number) -> list[Number]:
    """The middles to both neighbours of the best one."""
    ordered = sorted(values)
    at = ordered.index(best)
    pairs = zip(ordered[max(0, at - 1) : at + 1], ordered[max(0, at - 1) + 1 : at + 2], strict=False)
    found = []
    for low, high in pairs:
        product = _is_product(low, high)
        rounded = _rounded(math.sqrt(low * high) if product else (low + high) / 2, ordered, product)
        if low < rounded < high:
            found.append(rounded)
    return found


def ranks(count: int) -> list[float]:
    """Weights of a contrast over so many configurations in the order of their setting: by how much a straight line
    through them, a step of the setting a step, goes up from the first to the last."""
    centre = (count - 1) / 2
    squares = sum((at - centre) ** 2 for at in range(count))
    return [(at - centre) * (count - 1) / squares for at in range(count)]


def _next(before: float, last: float) -> float:
    return last * last / before if _is_product(before, last) else 2 * last - before


def _is_product(first: Number, second: Number) -> bool:
    return first > 0 and second > 0 and max(second / first, first / second) >= EVEN


def _rounded(value: float, like: Sequence[Number], product: bool) -> Number:
    """To one digit, or two; whole where all values are."""
    if all(isinstance(one, int) for one in like):
        return round(value)
    if not value:
        return 0.0
    if product:
        power = 10.0 ** math.floor(math.log10(value))
        step = min(STEPS, key=lambda step: abs(step * power - value))
        if abs(step * power - value) < NEAR * value:
            return float(f"{step * power:.0e}")
    one, two = (float(f"{value:.{digits}e}") for digits in (0, 1))
    return one if abs(one - value) < NEAR * abs(value) else two
