"""A question of one difference: its configurations run in sets of one seed, all of them as long as it is open.

Each set that is complete gives one value, and the confidence sequence over them decides (`app.compare.question`).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from app.asking.cells import cells, problem
from app.compare import measure as measuring
from app.compare.facts import usually_matters
from app.compare.measure import Measure
from app.compare.question import MOST_RUNS, Outcome, Question, State, outcome
from app.spec import stored
from app.spec.plan import Cell, Plan
from app.store import measures, runs
from app.store.tables import Experiment, Run, Status
from trainer.spec import RunSpec

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
        usual = usually_matters(self.measure, [value for value in first if value is not None])
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
        """Seeds, runs or hours are used up; sets that failed count as seeds."""
        hours = self.question.max_hours
        return self._seeds_left < 1 or (hours is not None and self.seconds >= 3600 * hours)

    @property
    def _seeds_left(self) -> int:
        """Sets that the budget has room for."""
        runs = sum(run is not None for one in self.sets for run in one.runs)
        of_runs = MOST_RUNS if self.question.max_runs is None else self.question.max_runs
        return min(self.question.max_seeds - len(self.sets), (of_runs - runs) // len(self.cells))

    @property
    def is_answered(self) -> bool:
        return self.outcome.answer != "open"

    def state(self, *, beyond: bool) -> State:
        """Whether to go on. `beyond`: though it is settled, until the budget is used up."""
        if self.is_answered and not beyond:
            return "answered"
        if len(self.failed_sets) >= MOST_FAILED:
            return "failed"
        if self.is_spent and not self.open_sets:
            return "answered" if self.is_answered else "spent"
        return "asking"

    def more(self, slots: int) -> list[RunSpec]:
        """The runs that are to be launched now: as many sets as keep so many slots at work. None where the hours are
        used up, or a run is paused."""
        hours = self.question.max_hours
        at_work = [run for one in self.open_sets for run in one.runs if run is not None]
        if any(run.status == Status.PAUSED for run in at_work) or (hours is not None and self.seconds >= 3600 * hours):
            return []
        under_way = [run for run in at_work if run.ended_at is None]
        last = max((one.seed for one in self.sets), default=0)
        missing = max(0, max(1, slots) - len(under_way))
        seeds = range(last + 1, last + 1 + min(self._seeds_left, -(-missing // len(self.cells))))
        return list(Plan.of_seeds(self.cells, seeds).specs)

    def check_that_it_can_go_on(self) -> None:
        """Raises SpecError where the budget is used up, or too much failed."""
        if self.is_spent and not self.open_sets:
            used = f"{len(self.sets)} of {self.question.max_seeds} seeds"
            raise problem("max_seeds", f"is used up ({used}, {self.seconds / 3600:.2f} h): raise the budget first")
        if len(self.failed_sets) >= MOST_FAILED:
            seeds = ", ".join(str(one.seed) for one in self.failed_sets)
            raise problem("kind", f"can't go on: runs of the seeds {seeds} failed; relaunch those that failed first")


def _weighted(weights: Sequence[float], values: Sequence[float | None]) -> float:
    return sum(weight * (value or 0.0) for weight, value in zip(weights, values, strict=True))


def read(session: Session, row: Experiment, members: Sequence[Run] | None = None) -> Asked:
    """The question of an experiment that has one. Raises SpecError when a model or data set of it is gone."""
    question = Question.model_validate(row.question)
    found = cells(row.base, row.grid, question)
    members = runs.of_experiment(session, row.id or 0) if members is None else members
    measure, values = measured(session, members, question.measure)
    sets = seed_sets(members, found, values)
    return Asked(question, found, measure, row.smallest, tuple(sets), sum(run.seconds for run in members))


def measured(session: Session, members: Sequence[Run], name: str) -> tuple[Measure, dict[int, float]]:
    """What is compared, and run to its value."""
    measure = measuring.parse(name, runs.metrics(session, [run.id or 0 for run in members]))
    return measure, measures.values(session, members, measure.kind, measure.of, measure.value)


def seed_sets(members: Sequence[Run], cells: Sequence[Cell], values: Mapping[int, float]) -> list[SeedSet]:
    """The runs of each seed, by seed; of two of one cell the one that succeeded, else the last."""
    place = {stored.configuration(cell.spec.to_json()): index for index, cell in enumerate(cells)}
    by_seed: dict[int, list[Run | None]] = {}
    for run in members:
        index = place.get(run.configuration)
        if index is None or run.seed is None:
            continue  # launched into this experiment with other knobs
        of_seed = by_seed.setdefault(run.seed, [None] * len(cells))
        known = of_seed[index]
        if known is None or known.status != Status.SUCCEEDED:  # launched again in place of one that failed
            of_seed[index] = run
    return [
        SeedSet(seed, tuple(of_seed), tuple(values.get(run.id or 0) if run else None for run in of_seed))
        for seed, of_seed in sorted(by_seed.items())
    ]
