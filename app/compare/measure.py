"""What of a run is compared: one number a run, made of its series or its time. Pure functions, no I/O.

test/accuracy                    a series' value at the weights that were kept
test/accuracy.best               its best value
train/loss.at=500                its value at step 500, or at the last step before
test/accuracy.steps_to=0.9       training steps until it first was as good as 0.9
test/accuracy.seconds_to=0.9     seconds of training until then
seconds                          seconds of training
images_per_second                training images a second
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from trainer.metrics import KNOWN, Better, Metric

Kind = Literal["last", "best", "at", "steps_to", "seconds_to", "seconds", "images_per_second"]
_WRITTEN = re.compile(
    r"(?P<metric>[^\s=]+?)(?:\.(?P<kind>last|best)|\.(?P<with>at|steps_to|seconds_to)=(?P<value>[-+.\deE]{1,30}))?"
)
FORMS = (
    "METRIC, METRIC.best, METRIC.at=STEP, METRIC.steps_to=VALUE, METRIC.seconds_to=VALUE, seconds, images_per_second"
)


@dataclass(frozen=True)
class Measure:
    """One number of a run."""

    kind: Kind
    of: Metric | None = None
    """The series, as the runs declare it; None of those that are no series."""
    value: float = 0.0
    """The step of `at`, the value of `steps_to` and `seconds_to`."""

    @property
    def metric(self) -> str:
        """Name of the series; empty where there is none."""
        return self.of.name if self.of else ""

    @property
    def better(self) -> Better | None:
        """Which of two values is better; None: nobody said, so that it is not judged."""
        if self.kind in ("last", "best", "at"):
            return self.of.better if self.of else None
        if self.of and self.of.better is None:
            return None
        return "more" if self.kind == "images_per_second" else "less"

    @property
    def greater_is_better(self) -> bool:
        return self.better == "more"

    @property
    def is_until(self) -> bool:
        """How long it takes until a value, which a run may never reach."""
        return self.kind in ("steps_to", "seconds_to")

    @property
    def is_of_tests(self) -> bool:
        """Of a series with a value a test: what lies between two tests is not seen."""
        return self.of is not None and self.of.per in ("test", "part")

    @property
    def is_time(self) -> bool:
        """How quick a training is: it depends on the machine."""
        return self.kind in ("seconds", "seconds_to", "images_per_second")

    @property
    def is_fraction(self) -> bool:
        """Said as a percentage, its differences as percentage points."""
        return self.kind in ("last", "best", "at") and self._of_fractions

    @property
    def _of_fractions(self) -> bool:
        return self.of is not None and self.of.unit == "fraction"

    @property
    def title(self) -> str:
        """As it stands within a sentence: `test accuracy`, `steps to a test loss of 0.3`."""
        series = self.of.in_a_sentence if self.of else ""
        if self.kind in ("steps_to", "seconds_to"):
            value = f"{100 * self.value:.4g}%" if self._of_fractions else f"{self.value:.4g}"
            return f"{self.kind.partition('_')[0]} to a {series} of {value}"
        return {
            "best": f"best {series}",
            "at": f"{series} at step {self.value:,.0f}",
            "seconds": "seconds of training",
            "images_per_second": "images a second",
        }.get(self.kind, series)

    @property
    def unit(self) -> str:
        """Of a difference: `points`; empty where a number says it all."""
        if self.is_fraction:
            return "points"
        units = {"steps_to": "steps", "seconds_to": "s", "seconds": "s", "images_per_second": "images a second"}
        return units.get(self.kind, "")

    def alike(self, differences: Sequence[float], *, signed: bool) -> list[str]:
        """Differences of one contrast without their unit, all with as many decimals, so that they subtract: `9.2`,
        `−0.4`. What is not 0 is never written as 0."""
        scaled = [100 * one if self.is_fraction else one for one in differences]
        largest = max(map(abs, scaled), default=0.0)
        if self.kind in ("steps_to", "images_per_second"):
            decimals = 0
        elif self.is_fraction:
            decimals = 1 if largest >= 0.95 or largest == 0 else 2
        else:
            decimals = max(0, 2 - math.floor(math.log10(largest))) if largest else 1
        while decimals < 6 and any(one and not float(f"{one:.{decimals}f}") for one in scaled):
            decimals += 1
        plus = "+" if signed else ""
        return [f"{'−' if one < 0 else plus if one > 0 else ''}{abs(one):,.{decimals}f}" for one in scaled]

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which every value lies: an interval that passes them is cut there."""
        if self.is_fraction:
            return 0.0, 1.0
        return (-math.inf if self.kind in ("last", "best", "at") else 0.0), math.inf

    def size(self, difference: float) -> str:
        """A round difference with its unit, as somebody set it: `1 point`, `0.25 points`, `0.02`."""
        value = f"{100 * difference if self.is_fraction else difference:.3g}"
        unit = "point" if value == "1" and self.is_fraction else self.unit
        return f"{value} {unit}" if unit else value

    def amount(self, difference: float) -> str:
        """A difference without its sign: `12.1 points`, `0.0310`, `420 steps`."""
        size = abs(difference)
        if self.is_fraction:
            points = 100 * size
            return f"{points:.1f} points" if points >= 0.95 or points == 0 else f"{points:.2f} points"
        if self.kind == "steps_to":
            return f"{size:,.0f} steps"
        if self.kind in ("seconds_to", "seconds"):
            return f"{size:.3g} s"
        return f"{size:,.0f} images a second" if self.kind == "images_per_second" else f"{size:.3g}"

    def number(self, difference: float) -> str:
        """A difference with its sign and without its unit: `−12.1`, `+0.031`."""
        size = self.amount(difference).split(" ")[0]
        return size if not float(size.replace(",", "")) else f"{'−' if difference < 0 else '+'}{size}"

    def figure(self, value: float) -> str:
        """A value itself: `94.87%`, `0.4099`."""
        if self.is_fraction:
            return f"{value:.2%}"
        return f"{value:.4g}" if self.kind in ("last", "best", "at") else self.amount(value)


def parse(text: str, declared: Mapping[str, Metric] = KNOWN) -> Measure:
    """`declared`: the series that the runs have, by name, beside those that every training has.

    Raises ValueError, which says what may be written.
    """
    if text in ("seconds", "images_per_second"):
        return Measure("seconds" if text == "seconds" else "images_per_second")
    found = _WRITTEN.fullmatch(text)
    if not found:
        raise ValueError(f"is {text[:60]!r}: write one of {FORMS}; METRIC is the name of a series, as test/accuracy")
    kind = found["with"] or found["kind"] or "last"
    try:
        value = float(found["value"] or 0)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (kind == "at" and (value < 1 or value != int(value))):
        raise ValueError(f"is {text[:60]!r}: {found['value']} is no {'step' if kind == 'at' else 'number'}")
    known = {**KNOWN, **declared}
    if found["metric"] not in known:
        names = " or ".join(known)
        raise ValueError(f"is {text[:60]!r}: nothing is called {found['metric'][:60]!r}; METRIC in {FORMS} is {names}")
    return Measure(next(one for one in get_args(Kind) if one == kind), known[found["metric"]], value)
