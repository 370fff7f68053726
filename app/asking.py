"""Ask until answered: an experiment that carries a question launches its own seeds until the answer is in.

The question's configurations (its cells, each with a weight) run in sets of one seed. Each set that is complete gives
one value, and the confidence sequence over them decides (`app.compare.question`). The dispatcher calls `go_on` each
turn; everything it needs to know is in the database, so a restart of the server changes nothing.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from app.compare import facts, sequence
from app.compare import measure as measuring
from app.compare.measure import Measure
from app.compare.question import Outcome, Question, State, outcome
from app.spec import stored
from app.spec.experiment import MAX_RUNS, ExperimentSpec
from app.spec.plan import Cell, Plan
from app.store import experiments, measures, runs
from app.store.engine import clock, reading, writing
from app.store.tables import Experiment, Run, Status
from trainer import paths
from trainer.paths import flat
from trainer.spec import Problem, RunSpec, SpecError, parse

MOST_FAILED = 3
"""Sets with a run that failed; after so many, asking gives up."""
UNFINISHED = (Status.FAILED, Status.STOPPED, Status.LOST)


@dataclass(frozen=True)
class SeedSet:
    """The runs of one seed, a cell each; None where there is none yet."""

    seed: int
    runs: tuple[Run | None, ...]
    values: tuple[float | None, ...]

    @property
    def is_complete(self) -> bool:
        return None not in self.values

    @property
    def has_failed(self) -> bool:
        """It will not be complete by itself."""
        return any(
            run is None
            or (run.status in UNFINISHED and run.retry_at is None)
            or (run.status == Status.SUCCEEDED and value is None)
            for run, value in zip(self.runs, self.values, strict=True)
        )

    @property
    def launched(self) -> int:
        """The greatest of its runs' ids, which are given in the order launched."""
        return max((run.id or 0 for run in self.runs if run), default=0)


@dataclass(frozen=True)
class Asked:
    """A question and where it stands."""

    question: Question
    cells: tuple[Cell, ...]
    measure: Measure
    matters: float | None
    """Smallest difference that matters; None: the usual one."""
    sets: tuple[SeedSet, ...] = field(default=())
    """By seed."""
    seconds: float = 0.0
    """Training of all its runs."""

    @property
    def outcome(self) -> Outcome:
        weights = [cell.weight for cell in self.cells]
        values = {one.seed: _weighted(weights, one.values) for one in self.counted}
        return outcome(values, self.smallest)

    @property
    def smallest(self) -> float:
        first = [one.values[0] for one in self.counted]
        usual = facts.usually_matters(self.measure, [value for value in first if value is not None])
        return usual if self.matters is None else self.matters

    @property
    def counted(self) -> list[SeedSet]:
        """Complete sets in the order launched, each once all before it have ended: which come first must not depend on
        what they give."""
        launched = sorted(self.sets, key=lambda one: (one.launched, one.seed))
        settled = itertools.takewhile(lambda one: one.is_complete or one.has_failed, launched)
        return [one for one in settled if one.is_complete]

    @property
    def open_sets(self) -> list[SeedSet]:
        return [one for one in self.sets if not one.is_complete and not one.has_failed]

    @property
    def failed_sets(self) -> list[SeedSet]:
        return [one for one in self.sets if not one.is_complete and one.has_failed]

    @property
    def is_spent(self) -> bool:
        """Seeds or hours are used up; sets that failed count as seeds."""
        hours = self.question.max_hours
        return len(self.sets) >= self.question.max_seeds or (hours is not None and self.seconds >= 3600 * hours)


def _weighted(weights: Sequence[float], values: Sequence[float | None]) -> float:
    return sum(weight * (value or 0.0) for weight, value in zip(weights, values, strict=True))


# What a question compares


def cells(base: Mapping[str, Any], grid: Mapping[str, Sequence[Any]], question: Question) -> tuple[Cell, ...]:
    """The configurations with their weights. Raises SpecError, which names what is wrong with the question."""
    varied = {path: list(values) for path, values in grid.items() if path != "seed"}
    if question.kind == "difference":
        return _two(base, varied, question)
    wanted = 1 if question.kind == "effect" else 2
    if len(question.knobs) != wanted or len(set(question.knobs)) != wanted:
        raise _problem("knobs", f"has {len(question.knobs)}: an {question.kind} needs {wanted}, as keys of the grid")
    for knob in question.knobs:
        count = len(varied.get(knob, ()))
        if count != 2:
            raise _problem("knobs", f"names {knob:.60}, which has {count} values in the grid: give it two")
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
        raise _problem("kind", f"is a difference, and the grid has {', '.join(varied)}: leave only seeds in the grid")
    both = []
    for weight, knobs in ((-1.0, question.first), (1.0, question.second)):
        (spec,) = _expanded(base, {path: [value] for path, value in knobs.items()})
        both.append(Cell(weight, spec))
    if both[0].spec == both[1].spec:
        raise _problem("second", "is the same configuration as first: change a knob")
    return tuple(both)


def _expanded(base: Mapping[str, Any], grid: Mapping[str, list[Any]]) -> list[RunSpec]:
    return ExperimentSpec(name="cell", base=dict(base), grid=dict(grid)).expand()


def _problem(name: str, words: str) -> SpecError:
    return SpecError([Problem(f"question.{name}", f"question.{name} {words}")])


def first_seeds(grid: Mapping[str, Sequence[Any]], question: Question) -> list[int]:
    """The seeds that run in any case: those of the grid, or as many as can settle anything."""
    given = [seed for seed in grid.get("seed", ()) if isinstance(seed, int)]  # another kind is refused with its spec
    return given or list(range(1, min(sequence.least(), question.max_seeds) + 1))


def plan(base: Mapping[str, Any], grid: Mapping[str, Sequence[Any]], question: Question) -> Plan:
    """The runs of a question's first seeds. Raises SpecError when it can't be asked so."""
    found, seeds = cells(base, grid, question), first_seeds(grid, question)
    if len(seeds) > question.max_seeds:
        words = f"is {question.max_seeds}, and the grid has {len(seeds)} seeds: raise it, or leave out seeds"
        raise _problem("max_seeds", words)
    if len(found) * question.max_seeds > MAX_RUNS:
        words = (
            f"is {question.max_seeds}: with {len(found)} configurations that is {len(found) * question.max_seeds:,} "
            f"runs, at most {MAX_RUNS} an experiment; choose {MAX_RUNS // len(found)} or fewer"
        )
        raise _problem("max_seeds", words)
    return Plan.of_seeds(found, seeds)


def launch(
    engine: Engine,
    name: str,
    base: Mapping[str, Any],
    grid: Mapping[str, Sequence[Any]],
    question: Question,
    planned: Plan | None = None,
    smallest: float | None = None,
) -> tuple[Experiment, list[Run]]:
    """The experiment, its question, and the runs of its plan, where that is made already, queued.

    Raises SpecError where it has to be made.
    """
    planned = planned or plan(base, grid, question)
    with writing(engine) as session:
        asked = question.model_dump(mode="json")
        row = Experiment(
            name=name, base=paths.nested(base), grid=dict(grid), question=asked, asking="asking", smallest=smallest
        )
        return row, experiments.add(session, row, planned.specs)


def between(session: Session, first: int, second: int) -> tuple[dict[str, Any], dict[str, Any], list[int]]:
    """Base, `second` and seeds of a question whether the second run's configuration is better than the first's. The
    seeds are new ones: what was seen of the others is why one asks. Raises NotFound, SpecError."""
    if first == second:
        raise SpecError([Problem("second", f"second is run {second}, as first is: name a run with other knobs")])
    rows = runs.get_many(session, [first, second])
    one, other = (parse(row.spec).to_json() for row in rows)
    before, after = flat(one), flat(other)
    renamed = {head for head in paths.OBJECTS if before[head] != after[head]}  # all their knobs are new
    changed = {
        path: value
        for path, value in after.items()
        if path not in paths.NOT_CONFIGURATION and (paths.split(path)[0] in renamed or before.get(path) != value)
    }
    around = {row.experiment_id for row in rows if row.experiment_id is not None}
    seen = [*rows, *(run for experiment in around for run in runs.of_experiment(session, experiment))]
    last = max(run.seed or 0 for run in seen)
    base = {key: value for key, value in one.items() if key not in paths.NOT_CONFIGURATION}
    return base, changed, [last + at for at in range(1, sequence.least() + 1)]


# Where it stands


def read(session: Session, row: Experiment, members: Sequence[Run] | None = None) -> Asked:
    """The question of an experiment that has one. Raises SpecError when a model or data set of it is gone."""
    question = Question.model_validate(row.question)
    found = cells(row.base, row.grid, question)
    members = runs.of_experiment(session, row.id or 0) if members is None else members
    wanted = measuring.parse(question.measure, runs.metrics(session, [run.id or 0 for run in members]))
    values = measures.values(session, members, wanted.kind, wanted.of, wanted.value)
    place = {stored.configuration(cell.spec.to_json()): index for index, cell in enumerate(found)}
    by_seed: dict[int, list[Run | None]] = {}
    for run in members:
        index = place.get(run.configuration)
        if index is None or run.seed is None:
            continue  # launched into this experiment with other knobs
        of_seed = by_seed.setdefault(run.seed, [None] * len(found))
        known = of_seed[index]
        if known is None or known.status != Status.SUCCEEDED:  # launched again in place of one that failed
            of_seed[index] = run
    sets = [
        SeedSet(seed, tuple(of_seed), tuple(values.get(run.id or 0) if run else None for run in of_seed))
        for seed, of_seed in sorted(by_seed.items())
    ]
    return Asked(question, found, wanted, row.smallest, tuple(sets), sum(run.seconds for run in members))


# Going on


class Asker:
    """Goes on with the questions that are open, whenever something changed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._seen = (-1, 0)

    def go_on(self, slots: int) -> bool:
        """Settle what is settled; launch the next sets where fewer runs are under way than there are slots. True:
        something was queued."""
        with reading(self.engine) as session:
            now = clock(session), slots
            if now == self._seen:
                return False
            asking = experiments.asking(session)
        launched = False
        for row in asking:
            launched |= self._one(row, slots)
        self._seen = now
        return launched

    def _one(self, row: Experiment, slots: int) -> bool:
        with reading(self.engine) as session:
            if _next(session, row, slots) == ("asking", []):
                return False  # nothing to write: a write is a change, and would be looked at again
        with writing(self.engine) as session:
            row = experiments.get(session, row.id or 0)
            state, seeds = _next(session, row, slots)
            if state != "asking":
                row.asking, row.asking_beyond = state, False
                session.add(row)
                runs.touch_newest(session, row.id or 0)
            for seed in seeds:
                found = cells(row.base, row.grid, Question.model_validate(row.question))
                experiments.add(session, row, Plan.of_seeds(found, [seed]).specs, ahead=True)
        return bool(seeds)


def _next(session: Session, row: Experiment, slots: int) -> tuple[State, list[int]]:
    """Where a question stands, and the seeds that are to be launched now."""
    if row.asking != "asking":
        return "asking", []  # stopped meanwhile
    try:
        asked = read(session, row)
    except SpecError:  # a plug-in that is gone: it can't be asked any more
        return "failed", []
    state = decide(asked, beyond=row.asking_beyond)
    if state != "asking" or _is_waiting(asked):
        return state, []
    under_way = sum(run is not None and run.ended_at is None for one in asked.open_sets for run in one.runs)
    last = max((one.seed for one in asked.sets), default=0)
    left = asked.question.max_seeds - len(asked.sets)
    missing = max(0, max(1, slots) - under_way)
    sets = min(left, -(-missing // len(asked.cells)))
    return "asking", [last + at for at in range(1, sets + 1)]


def decide(asked: Asked, *, beyond: bool) -> State:
    """Whether to go on. `beyond`: though it is settled, until the budget is used up."""
    if asked.outcome.answer != "open" and not beyond:
        return "answered"
    if len(asked.failed_sets) >= MOST_FAILED:
        return "failed"
    if asked.is_spent and not asked.open_sets:
        return "answered" if asked.outcome.answer != "open" else "spent"
    return "asking"


def _is_waiting(asked: Asked) -> bool:
    """The hours are used up, or a run is paused: nothing new is begun."""
    hours = asked.question.max_hours
    paused = any(run is not None and run.status == Status.PAUSED for one in asked.open_sets for run in one.runs)
    return paused or (hours is not None and asked.seconds >= 3600 * hours)


def change(engine: Engine, experiment_id: int, *, smallest: float | None = None, **values: Any) -> None:
    """Raise the budget, or say which difference matters; where asking had only run out of budget, it goes on by itself.

    Raises NotFound, SpecError.
    """
    with writing(engine) as session:
        row = _asked_row(session, experiment_id)
        question = Question.model_validate({**(row.question or {}), **values})
        plan(row.base, row.grid, question)  # it can be asked with this budget
        row.question = question.model_dump(mode="json")
        row.smallest = row.smallest if smallest is None else smallest
        if row.asking == "spent":
            row.asking = "asking"
        session.add(row)
        runs.touch_newest(session, experiment_id)


def stop(engine: Engine, experiment_id: int) -> None:
    """Launch no more seeds; runs that are at work go on, and count. Raises NotFound, SpecError."""
    with writing(engine) as session:
        row = _asked_row(session, experiment_id)
        if row.asking == "asking":
            row.asking, row.asking_beyond = "stopped", False
        session.add(row)
        runs.touch_newest(session, experiment_id)


def keep_asking(engine: Engine, experiment_id: int) -> None:
    """Go on; where it is answered, until the budget is used up. Raises NotFound, SpecError."""
    with writing(engine) as session:
        row = _asked_row(session, experiment_id)
        asked = read(session, row)
        if asked.is_spent and not asked.open_sets:
            used = f"{len(asked.sets)} of {asked.question.max_seeds} seeds"
            raise _problem("max_seeds", f"is used up ({used}, {asked.seconds / 3600:.2f} h): raise the budget first")
        if len(asked.failed_sets) >= MOST_FAILED:
            seeds = ", ".join(str(one.seed) for one in asked.failed_sets)
            raise _problem("kind", f"can't go on: runs of the seeds {seeds} failed; relaunch those that failed first")
        row.asking, row.asking_beyond = "asking", asked.outcome.answer != "open"
        session.add(row)
        runs.touch_newest(session, experiment_id)


def _asked_row(session: Session, experiment_id: int) -> Experiment:
    row = experiments.get(session, experiment_id)
    if row.question is None:
        raise _problem("kind", f"is missing: experiment {experiment_id} carries no question")
    return row
