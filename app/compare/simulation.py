"""Experiments at random, and what a page says of them: whether it contradicts itself, claims what is not there, or
leaves the truth out. Pure functions, no I/O.

The tests run 500 and 2,000 of them, `make peeking` 5,000 and 20,000.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from app.compare import facts, sequence, statistics, tree
from app.compare.facts import Contrast, Facts, Plan
from app.compare.groups import Group, Member, grouped
from app.compare.measure import Measure, parse
from app.compare.phrases import figures_of
from app.compare.verdict import Row, Verdict

ACCURACY = parse("test/accuracy")
WEIGHTS = ((-1, 1, 0, 0), (0, 0, -1, 1), (-1, 0, 1, 0), (0, -1, 0, 1), (1, -1, -1, 1))
"""The family of two nets and a knob of two values, in the order FC, FC changed, CNN, CNN changed."""

Floats = npt.NDArray[np.float64]
Shape = Literal["gaussian", "skewed", "diverging", "rare failures"]


# One experiment at random


def experiments(count: int, seed: int = 1) -> Iterator[tuple[Sequence[Group], Measure, Plan, float | None]]:
    """Comparisons as they come: two or four configurations, uneven seeds; runs that failed, were lost, stopped or are
    at work, that diverged, tie, learned nothing, repeat what was seen, or never got as far as is asked."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield _experiment(random)


def _experiment(random: np.random.Generator) -> tuple[Sequence[Group], Measure, Plan, float | None]:
    measure = parse(str(random.choice(["test/accuracy", "test/accuracy", "test/loss", "test/accuracy.steps_to=0.9"])))
    state = str(random.choice(["over", "running", "watched"]))
    kind = str(random.choice(["four ways", "one knob", "rates", "data sets"]))
    seeds, spread = int(random.integers(1, 13)), float(random.choice([0.0, 0.002, 0.01, 0.05]))
    members: list[Member] = []
    for knobs in _knobs(kind):
        centre, first = float(random.uniform(0.2, 0.95)), int(random.choice([1, 1, 1, 1, 3, 50]))
        if random.random() < 0.3:
            centre = 0.5
        fate = random.choice(["well", "well", "some fail", "all fail", "untrained", "never"])
        for seed in range(first, first + max(1, seeds - int(random.integers(0, 3)))):
            members.append(
                _member(len(members) + 1, {**knobs, "seed": seed}, centre, spread, str(fate), random, measure)
            )
    again = [one for one in members if one.done and random.random() < 0.05]
    members += [replace(one, run=len(members) + at) for at, one in enumerate(again, 1)]
    if state == "over":
        members = [member for member in members if member.has_ended] or members
    to_go = sum(not member.has_ended for member in members)
    plan = (
        Plan("running", len(members), to_go)
        if to_go and state == "running"
        else Plan("over" if not to_go else "watched")
    )
    if state == "watched":
        plan = facts.WATCHED
    smallest = [None, 0.0, 0.005, 0.05][int(random.integers(0, 4))]
    return grouped(members), measure, plan, smallest


def _knobs(kind: str) -> list[dict[str, Any]]:
    base = {"model": "cnn", "pixel_order": "original", "dataset": "mnist", "optimizer.lr": 0.01}
    if kind == "four ways":
        orders = ("original", "shuffled")
        return [{**base, "model": model, "pixel_order": order} for model in ("fc", "cnn") for order in orders]
    if kind == "rates":
        return [{**base, "optimizer.lr": rate} for rate in (0.001, 0.01, 0.1, 1.0)]
    if kind == "data sets":
        return [{**base, "dataset": of, "model": model} for of in ("mnist", "digits") for model in ("fc", "cnn")]
    return [base, {**base, "pixel_order": "shuffled"}]


def _member(
    run: int, knobs: dict[str, Any], centre: float, spread: float, fate: str, random: np.random.Generator, of: Measure
) -> Member:
    status = "succeeded"
    draw = random.random()
    if fate == "all fail" or (fate == "some fail" and draw < 0.3):
        status = str(random.choice(["failed", "lost", "stopped"]))
    elif draw > 0.97:
        status = str(random.choice(["running", "queued", "paused"]))
    value: float | None = float(np.clip(random.normal(centre, spread), 0, 1))
    if random.random() < 0.03:
        value = 0.1  # it diverged
    if of.is_until:
        value = None if fate == "never" and draw < 0.5 else round(1000 * (value or 0.0))
    elif of.is_fraction:
        value = round(value or 0.0, 4)
    cause = "loss became NaN at step 12: choose a lower learning rate" if status == "failed" else None
    configuration = str({path: value for path, value in knobs.items() if path != "seed"})
    seen, untrained = bool(random.random() < 0.02), fate == "untrained" and bool(random.random() < 0.8)
    done = status == "succeeded"
    return Member(run, status, configuration, knobs, {}, {}, {}, value if done else None, cause, seen, 100, untrained)


# What a page may not say


def contradictions(known: Facts, said: Verdict) -> list[str]:
    """Where sentences, rows, lines and figures don't bear each other out; empty where all is well."""
    found = [words for one in known.contrasts for words in _of_contrast(one, known)]
    rows = [row for row in said.rows if row.contrast is not None]
    for row in rows:
        found += _of_row(row, known.measure)
        if row.contrast not in known.contrasts:
            found.append(f"{row.name}: the row's contrast is not one of the family")
    if [line.contrast for line in said.lines] != list(known.contrasts):
        found.append("the table's lines are not the family")
    text = " ".join(said.sentences)
    decided = {one.decision for one in known.contrasts}
    if known.plan.state == "running" and (decided - {"pending"} or re.search(r"cost|brought|clear|matter", text)):
        found.append(f"a plan that is not over has a verdict: {text}")
    if not decided & {"clear", "small", "no difference"} and re.search(
        r"\b(cost|brought|lowered|raised|It is better)\b", text
    ):
        found.append(f"claimed, and nothing is decided: {text}")
    if "ruled out" not in decided and re.search(r"\b(is|are) ruled out|is the best of", text):
        found.append(f"ruled out, and nothing is: {text}")
    missing = [one for one in known.dropouts if one.failed or one.lost or one.stopped]
    if missing and not re.search(r"failed|vanished|stopped|Stopped", said.sentences[0]):
        found.append(f"who dropped out is not said first: {text}")
    return found


def _of_contrast(one: Contrast, known: Facts) -> Iterator[str]:
    judged, decision = one.judged, one.decision
    has_interval = judged is not None and judged.low is not None and judged.high is not None
    if (decision in facts.DECIDED) and not has_interval:
        yield f"{decision} without an interval"
    if judged is None or judged.low is None or judged.high is None:
        return
    if not judged.low <= judged.value <= judged.high:
        yield f"{judged.value} is not within {judged.low} to {judged.high}"
    sided = judged.low > 0 or judged.high < 0
    if decision in ("clear", "small") and (not sided or (judged.value > 0) != (judged.low > 0)):
        yield f"{decision}, and {judged.value} lies in {judged.low} to {judged.high}"
    if decision == "ruled out" and one.reason == "behind" and not sided:
        yield f"ruled out, and 0 is in {judged.low} to {judged.high}"
    behind = judged.value != 0 and (judged.value < 0) == known.measure.greater_is_better
    if decision == "may be best" and sided and behind:
        yield f"may be best, and {judged.value} lies in {judged.low} to {judged.high}"
    if decision == "open" and sided:
        yield f"open, and 0 is not in {judged.low} to {judged.high}"
    most = sum(abs(side.weight) for side in one.sides) / 2
    if known.measure.is_fraction and max(-judged.low, judged.high) > most:
        yield f"{judged.low} to {judged.high} is off the scale"
    value, interval = figures_of(one, known.measure)
    low, high = (_number(end) for end in interval.split(" to "))
    if not low <= _number(value) <= high or (sided and low <= 0 <= high):
        yield f"written as {value}, {interval}"


def _of_row(row: Row, measure: Measure) -> Iterator[str]:
    """Means in one row subtract to its difference within one unit of the last digit shown."""
    judged = row.contrast.judged if row.contrast else None
    if judged is None or row.first is None or row.second is None or row.contrast is None:
        return
    digit = 0.0001 if measure.is_fraction else 10.0 ** (np.floor(np.log10(max(abs(row.first.mean), 1e-12))) - 3)
    shown = [round(one.mean / digit) * digit for one in (row.first, row.second)]
    if abs(shown[1] - shown[0] - judged.value) > 1.01 * digit:
        yield f"{row.name}: {shown[1]} − {shown[0]} is not {judged.value}"
    if row.first.n != len(row.contrast.sides[0].values):
        yield f"{row.name}: means over other seeds than the difference"


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


# What a page claims of experiments in which nothing, or something, differs


@dataclass(frozen=True)
class Claimed:
    """Shares of experiments."""

    claimed: float
    """Some difference was claimed: clear, small, or real and too small to matter."""
    covered: float
    """All intervals that were shown contain the truth."""


def draws(shape: Shape, size: tuple[int, ...], random: np.random.Generator) -> Floats:
    """Runs' values with mean 0 and deviation 1, but for those that diverge: one in 20, or one in 100, 70 deviations
    below."""
    if shape == "skewed":
        return np.asarray(random.exponential(size=size) - 1.0)
    values = random.normal(size=size)
    rate = {"diverging": 0.05, "rare failures": 0.01}.get(shape, 0.0)
    return np.asarray(values - 70.0 * (random.random(size) < rate))


def fixed(count: int, seeds: int = 5, shape: Shape = "gaussian", seed: int = 1) -> Claimed:
    """Two nets and a knob, nothing differs, a fixed plan that is over: through the page's own facts."""
    random, claimed, covered = np.random.default_rng(seed), 0, 0
    for values in draws(shape, (count, 4, seeds), random):
        contrasts = tree.make(four_ways(0.5 + 0.002 * values), ACCURACY, facts.OVER, 0.0).contrasts
        intervals = [(one.judged.low, one.judged.high) for one in contrasts if one.judged]
        claimed += any(one.decision in ("clear", "small") for one in contrasts)
        covered += all(low is None or high is None or low <= 0 <= high for low, high in intervals)
    return Claimed(claimed / count, covered / count)


def watched(count: int, seeds: int = 20, shape: Shape = "gaussian", seed: int = 1) -> Claimed:
    """The same, looked at after every seed: some claim, or some interval without the truth, at any of the looks."""
    values = draws(shape, (count, 4, seeds), np.random.default_rng(seed))
    gone = np.zeros(count, bool)
    for weights in WEIGHTS:
        looks = sequence.looks(np.einsum("g,cgs->cs", np.asarray(weights, float), values), bound=20.0 * len(WEIGHTS))
        gone |= ((looks.low > 0) | (looks.high < 0)).any(-1)
    return Claimed(float(gone.mean()), float(1 - gone.mean()))


def answered(count: int, difference: float, seeds: int = 20, shape: Shape = "gaussian", seed: int = 1) -> float:
    """Share of single contrasts, watched, that are claimed the right way within so many seeds. `difference`: in
    deviations of the paired differences."""
    random = np.random.default_rng(seed)
    pairs = (draws(shape, (count, seeds), random) - draws(shape, (count, seeds), random)) / np.sqrt(2)
    looks = sequence.looks(difference + pairs)
    return float((looks.low[:, -1] > 0).mean())


def four_ways(values: Floats) -> Sequence[Group]:
    """FC, FC shuffled, CNN, CNN shuffled; values of shape (4, seeds)."""
    knobs = _knobs("four ways")
    members = [
        Member(at * len(row) + seed, "succeeded", str(at), {**knobs[at], "seed": seed}, {}, {}, {}, float(value))
        for at, row in enumerate(values)
        for seed, value in enumerate(row, 1)
    ]
    return grouped(members)


@dataclass(frozen=True)
class FalseAlarms:
    """Shares of single contrasts in which nothing differs in the mean, and a difference is claimed."""

    both: float
    """Ordinary interval; both configurations have this shape."""
    one: float
    """Ordinary interval; the other does not vary, so that the differences have this shape."""
    both_watched: float
    one_watched: float


def false_alarms(count: int, seeds: int, shape: Shape, seed: int = 1) -> FalseAlarms:
    """Where it breaks: shapes that are not Gaussian."""
    random = np.random.default_rng(seed)
    first, second = (draws(shape, (count, seeds), random) for _ in range(2))
    lost = {"diverging": 70 * 0.05, "rare failures": 70 * 0.01}.get(shape, 0.0)  # what a mean over all trainings loses
    both, one = first - second, first + lost
    return FalseAlarms(_claimed(both), _claimed(one), _claimed_watched(both), _claimed_watched(one))


def _claimed(differences: Floats) -> float:
    n = differences.shape[-1]
    half = statistics.t_quantile(n - 1, statistics.LEVEL) * differences.std(-1, ddof=1) / np.sqrt(n)
    return float((np.abs(differences.mean(-1)) > half).mean())


def _claimed_watched(differences: Floats) -> float:
    looks = sequence.looks(differences)
    return float(((looks.low > 0) | (looks.high < 0)).any(-1).mean())


def could_still_fail(clean: int) -> float:
    """Share of trainings that may fail though so many did not: the upper end of the exact one-sided 95% interval
    (C. J. Clopper, E. S. Pearson, Biometrika 26, 1934)."""
    return float(1 - 0.05 ** (1 / clean))
