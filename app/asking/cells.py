"""What a question compares, and the runs that it begins with."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from app.compare import race, sequence
from app.compare.facts import BLOCK
from app.compare.measure import parse
from app.compare.question import Question
from app.spec.experiment import MAX_RUNS, ExperimentSpec
from app.spec.plan import Cell, Plan
from trainer.spec import Problem, RunSpec, SpecError

FIRST_OF_RACE = 2
"""Seeds that all candidates run before any drops out: with two failed runs one does."""


def cells(base: Mapping[str, Any], grid: Mapping[str, Sequence[Any]], question: Question) -> tuple[Cell, ...]:
    """The configurations with their weights. Raises SpecError, which names what is wrong with the question."""
    varied = {path: list(values) for path, values in grid.items() if path != "seed"}
    if question.kind == "difference":
        return _two(base, varied, question)
    if question.kind == "best":
        return _candidates(base, varied, question)
    wanted = 1 if question.kind == "effect" else 2
    if len(question.knobs) != wanted or len(set(question.knobs)) != wanted:
        raise problem("knobs", f"has {len(question.knobs)}: an {question.kind} needs {wanted}, as keys of the grid")
    for knob in question.knobs:
        count = len(varied.get(knob, ()))
        if count != 2:
            raise problem("knobs", f"names {knob:.60}, which has {count} values in the grid: give it two")
    made = []
    paths = list(varied)
    others = 1
    for path in paths:
        others *= len(varied[path]) if path not in question.knobs else 1
    for combination in itertools.product(*varied.values()):
        chosen = dict(zip(paths, combination, strict=True))
        sign = 1
        for knob in question.knobs:
            sign *= 1 if chosen[knob] == varied[knob][1] else -1
        (spec,) = _expanded(base, {path: [value] for path, value in chosen.items()})
        made.append(Cell(sign / others, spec))
    return tuple(made)


def _two(base: Mapping[str, Any], varied: Mapping[str, Any], question: Question) -> tuple[Cell, ...]:
    if varied:
        raise problem("kind", f"is a difference, and the grid has {', '.join(varied)}: leave only seeds in the grid")
    both = []
    for weight, knobs in ((-1.0, question.first), (1.0, question.second)):
        (spec,) = _expanded(base, {path: [value] for path, value in knobs.items()})
        both.append(Cell(weight, spec))
    if both[0].spec == both[1].spec:
        raise problem("second", "is the same configuration as first: change a knob")
    return tuple(both)


def _candidates(base: Mapping[str, Any], varied: Mapping[str, list[Any]], question: Question) -> tuple[Cell, ...]:
    if question.knobs or question.first or question.second:
        raise problem("kind", "is best, which compares the whole grid: leave out knobs, first and second")
    if question.candidates and varied:
        raise problem("candidates", f"are given, and the grid has {', '.join(varied)}: leave only seeds in the grid")
    given = [{path: [value] for path, value in of_one.items()} for of_one in question.candidates]
    specs = [spec for grid in given or [dict(varied)] for spec in _expanded(base, grid)]
    if len(specs) < 2:
        raise problem("kind", "is best, and the grid has one configuration: give a knob two values or more")
    for at, spec in enumerate(specs):
        if spec in specs[:at]:
            raise problem(
                "candidates", f"{specs.index(spec) + 1} and {at + 1} are the same configuration: leave one out"
            )
    if len({spec.dataset for spec in specs}) > 1:
        raise problem("kind", f"is best, and the grid varies {BLOCK}: figures on different data sets are not compared")
    if parse(question.measure).is_until:
        raise problem("measure", f"is {question.measure}: some may never get there; find the best by a value")
    least = least_seeds(len(specs))
    if question.max_seeds < least:
        words = f"is {question.max_seeds}: of {len(specs)} configurations none can be ruled out with fewer than {least}"
        raise problem("max_seeds", f"{words} seeds: choose {least} or more")
    return tuple(Cell(0.0, spec) for spec in specs)


def least_seeds(candidates: int) -> int:
    """Seeds after which one of so many can be ruled out by a difference, at the earliest."""
    return sequence.least(bound=race.bound(candidates))


def _expanded(base: Mapping[str, Any], grid: Mapping[str, list[Any]]) -> list[RunSpec]:
    return ExperimentSpec(name="cell", base=dict(base), grid=dict(grid)).expand()


def problem(name: str, words: str) -> SpecError:
    return SpecError([Problem(f"question.{name}", f"question.{name} {words}")])


def first_seeds(grid: Mapping[str, Sequence[Any]], question: Question) -> list[int]:
    """The seeds that run in any case: those of the grid; or as many as can settle anything; or, where the best is to be
    found, as many as tell who fails."""
    given = [seed for seed in grid.get("seed", ()) if isinstance(seed, int)]  # another kind is refused with its spec
    least = FIRST_OF_RACE if question.kind == "best" else sequence.least()
    return given or list(range(1, min(least, question.max_seeds) + 1))


def judged_by(question: Question, cells: Sequence[Cell]) -> Question:
    """With the measure that decides: the best is found by the images held out where all have such and nobody said
    otherwise, so that the test images choose nothing."""
    holds_out = all(cell.spec.validation for cell in cells)
    if question.kind != "best" or "measure" in question.model_fields_set or not holds_out:
        return question
    return question.model_copy(update={"measure": "validation/accuracy"})


def most_runs(cells: Sequence[Cell], question: Question) -> int:
    """If the whole budget is used."""
    return min(len(cells) * question.max_seeds, question.max_runs or MAX_RUNS)


def plan(base: Mapping[str, Any], grid: Mapping[str, Sequence[Any]], question: Question) -> Plan:
    """The runs of a question's first seeds. Raises SpecError when it can't be asked so."""
    found, seeds = cells(base, grid, question), first_seeds(grid, question)
    if len(seeds) > question.max_seeds:
        words = f"is {question.max_seeds}, and the grid has {len(seeds)} seeds: raise it, or leave out seeds"
        raise problem("max_seeds", words)
    if len(found) * len(seeds) > (question.max_runs or MAX_RUNS):
        most, first = question.max_runs or MAX_RUNS, len(found) * len(seeds)
        words = f"is {most:,}, and the first {len(seeds)} seeds of {len(found)} configurations are {first:,} runs"
        raise problem("max_runs", f"{words}: leave out configurations{'' if most == MAX_RUNS else ', or raise it'}")
    if question.kind != "best" and question.max_runs is None and len(found) * question.max_seeds > MAX_RUNS:
        words = (
            f"is {question.max_seeds}: with {len(found)} configurations that is {len(found) * question.max_seeds:,} "
            f"runs, at most {MAX_RUNS} an experiment; choose {MAX_RUNS // len(found)} or fewer"
        )
        raise problem("max_seeds", words)
    return Plan.of_seeds(found, seeds)
