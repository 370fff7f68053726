"""Which configuration of a grid is the best: those that are ruled out run no more, the others run the next seed.

Who is ruled out is what the comparison's page says of the same runs (`app.compare.candidates`): by differences that
hold however often one looks, or because two of its runs failed, or because it learned nothing.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlmodel import Session

from app.asking.cells import cells, least_seeds, problem
from app.asking.sets import SeedSet, measured, seed_sets
from app.compare import tree
from app.compare.candidates import reason
from app.compare.facts import Decision, Facts, Plan, Rankings, Reason
from app.compare.groups import grouped
from app.compare.measure import Measure
from app.compare.question import MOST_RUNS, Looking, Question, State
from app.compare.race import End
from app.members import member
from app.spec import stored
from app.spec.plan import Cell
from app.spec.plan import Plan as LaunchPlan
from app.store import experiments, runs
from app.store.tables import ENDED, Experiment, Run, Status
from trainer.spec import Problem, RunSpec, SpecError, parse

BY_DIFFERENCE: tuple[Reason, ...] = ("behind", "behind another")


@dataclass(frozen=True)
class Race:
    """Where it stands."""

    question: Question
    cells: tuple[Cell, ...]
    measure: Measure
    facts: Facts
    sets: tuple[SeedSet, ...]
    """By seed; None where a cell has no run of it."""
    places: tuple[int | None, ...]
    """Of each cell among the groups of the facts; None: it has no run."""
    runs: tuple[Run, ...]
    seconds: float
    """Training of all its runs."""

    @cached_property
    def decisions(self) -> tuple[tuple[Decision, Reason | None] | None, ...]:
        """Of each cell, and why it is ruled out, if it is; None: nothing can be said yet, or it is the highest."""
        blocks = self.facts.answer.blocks if isinstance(self.facts.answer, Rankings) else ()
        against = {place: one for block in blocks for place, one in block.against.items()}
        made: list[tuple[Decision, Reason | None] | None] = []
        for place in self.places:
            one = None if place is None else against.get(place)
            why = None if place is None else reason(place, self.facts.groups[place], self.measure)
            if why is not None and (one is None or one.decision != "ruled out"):
                made.append(("ruled out", why))
            else:
                made.append(None if one is None else (one.decision, one.reason))
        return tuple(made)

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Cells that may be the best."""
        return tuple(at for at, one in enumerate(self.decisions) if one is None or one[0] != "ruled out")

    @property
    def end(self) -> End:
        """Where nobody is waited for."""
        groups = [self.places[at] for at in self.left]  # one that was added has none yet
        if any(place is None or not self.facts.groups[place].sample for place in groups):
            return "open"
        answer = self.facts.answer
        return answer.blocks[0].end_of_race if isinstance(answer, Rankings) and answer.blocks else "open"

    @property
    def is_answered(self) -> bool:
        return self.end != "open"

    @property
    def seeds(self) -> int:
        """Complete in all that are left."""
        return sum(all(one.values[at] is not None for at in self.left) for one in self.sets) if self.left else 0

    @property
    def under_way(self) -> list[Run]:
        return [run for run in self.runs if run.status not in ENDED or run.retry_at is not None]

    @property
    def looking(self) -> Looking:
        return Looking(
            self.end,
            len(self.cells),
            len(self.left),
            self.seeds,
            least_seeds(sum(one is None or one[1] in (None, *BY_DIFFERENCE) for one in self.decisions)),
            len(self.runs),
            self.question.max_seeds,
        )

    @property
    def _seeds_left(self) -> int:
        """For those that are left, as many as the budget has room for."""
        of_runs = (self._most_runs - len(self.runs)) // max(1, len(self.left))
        return max(0, min(self.question.max_seeds - len(self.sets), of_runs))

    @property
    def _most_runs(self) -> int:
        return MOST_RUNS if self.question.max_runs is None else self.question.max_runs

    @property
    def _has_time(self) -> bool:
        hours = self.question.max_hours
        return hours is None or self.seconds < 3600 * hours

    @property
    def is_spent(self) -> bool:
        """Seeds, runs or hours are used up."""
        lacks = any(one.runs[at] is None for one in self.sets for at in self.left)
        has_room = len(self.runs) < self._most_runs if lacks else self._seeds_left > 0
        return not has_room or not self._has_time

    def state(self, *, beyond: bool) -> State:
        """Whether to go on. `beyond`: though it is settled, until the budget is used up or one is left."""
        if not self.left:
            return "failed"
        if self.is_answered and not (beyond and len(self.left) > 1):
            return "answered"
        if self.is_spent and not self.under_way:
            return "answered" if self.is_answered else "spent"
        return "asking"

    def more(self, slots: int) -> list[RunSpec]:
        """The runs that are to be launched now: as many seeds of those that are left as keep so many slots at work.
        Where one was added, or may be the best again, first those that it lacks."""
        if not self._has_time or any(run.status == Status.PAUSED for run in self.runs):
            return []
        last = max((one.seed for one in self.sets), default=0)
        missing = max(0, max(1, slots) - len(self.under_way))
        lacking = [(one.seed, at) for one in self.sets for at in self.left if one.runs[at] is None]
        if lacking:
            room = self._most_runs - len(self.runs)
            return [self.cells[at].with_seed(seed) for seed, at in lacking[: max(0, min(missing, room))]]
        seeds = range(last + 1, last + 1 + min(self._seeds_left, -(-missing // len(self.left))))
        return list(LaunchPlan.of_seeds([self.cells[at] for at in self.left], seeds).specs)

    def check_that_it_can_go_on(self) -> None:
        """Raises SpecError where nobody is left, or one, or the budget is used up."""
        if not self.left:
            raise problem("kind", "can't go on: runs of all configurations failed or learned nothing; relaunch some")
        if self.end == "one":
            raise problem("kind", "is answered: one configuration is left, and nothing to compare it with")
        if self.is_spent and not self.under_way:
            used = f"{len(self.sets)} of {self.question.max_seeds} seeds, {len(self.runs):,} runs"
            raise problem("max_seeds", f"is used up ({used}, {self.seconds / 3600:.2f} h): raise the budget first")


def read(session: Session, row: Experiment) -> Race:
    """Of an experiment that looks for the best. Raises SpecError when a model or data set of it is gone."""
    question = Question.model_validate(row.question)
    candidates = cells(row.base, row.grid, question)
    configurations = [stored.configuration(cell.spec.to_json()) for cell in candidates]
    # without what was launched into this experiment with other knobs
    rows = [run for run in runs.of_experiment(session, row.id or 0) if run.configuration in configurations]
    measure, values = measured(session, rows, question.measure)
    groups = grouped([member(run, values.get(run.id or 0)) for run in rows])
    known = tree.make(groups, measure, Plan("watched", finds_best=True), row.smallest)
    at = {group.members[0].configuration: place for place, group in enumerate(groups)}
    return Race(
        question,
        candidates,
        measure,
        known,
        tuple(seed_sets(rows, candidates, values)),
        tuple(at.get(one) for one in configurations),
        tuple(rows),
        sum(run.seconds for run in rows),
    )


def leading(session: Session, row: Experiment) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The specs of an experiment's best configuration and of the next one, as its page has them, and the measure that
    they were chosen by. Raises SpecError where there is no winner."""
    rows = {run.id or 0: run for run in runs.of_experiment(session, row.id or 0)}
    name = experiments.measured(row)
    measure, values = measured(session, list(rows.values()), name)
    progress = experiments.progress(row, list(rows.values()))
    if progress.state == "running":
        raise _no_winner(f"experiment {row.id} has no winner yet: wait until its runs have ended")
    groups = grouped([member(run, values.get(run_id)) for run_id, run in rows.items()])
    answer = tree.make(groups, measure, Plan(*progress), row.smallest).answer
    if not isinstance(answer, Rankings) or len(answer.blocks) != 1 or len(answer.blocks[0].order) < 3:
        raise _no_winner(
            f"experiment {row.id} has no best of three or more on one data set: there is nothing to confirm"
        )
    first, second = (parse(rows[groups[place].members[0].run].spec).to_json() for place in answer.blocks[0].order[:2])
    return first, second, name


def _no_winner(words: str) -> SpecError:
    return SpecError([Problem("experiment", words)])
