"""Questions are launched, go on by themselves, and are changed.

The dispatcher calls `go_on` each turn; everything it needs to know is in the database, so a restart of the server
changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from app.asking import best, sets
from app.asking.cells import FIRST_OF_RACE, cells, judged_by, plan, problem
from app.compare import sequence
from app.compare.question import Question, State
from app.spec import knobs, stored
from app.spec.experiment import MAX_NAME
from app.spec.plan import Plan
from app.store import experiments, runs
from app.store.engine import clock, reading, writing
from app.store.tables import Experiment, Run
from trainer import paths
from trainer.paths import flat
from trainer.spec import Problem, RunSpec, SpecError, parse


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
        asked = judged_by(question, planned.cells).model_dump(mode="json")
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
    changed = _changed(one, other)
    around = {row.experiment_id for row in rows if row.experiment_id is not None}
    seen = [*rows, *(run for experiment in around for run in runs.of_experiment(session, experiment))]
    last = max(run.seed or 0 for run in seen)
    base = {key: value for key, value in one.items() if key not in paths.NOT_CONFIGURATION}
    return base, changed, [last + at for at in range(1, sequence.least() + 1)]


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Knob path to value, of what the second spec has different."""
    before, after = flat(one), flat(other)
    renamed = {head for head in paths.OBJECTS if before[head] != after[head]}  # all their knobs are new
    return {
        path: value
        for path, value in after.items()
        if path not in paths.NOT_CONFIGURATION and (paths.split(path)[0] in renamed or before.get(path) != value)
    }


def confirm(engine: Engine, experiment_id: int, max_seeds: int) -> tuple[Experiment, list[Run]]:
    """Find the best again among an experiment's best configuration, the next one and the one that has the defaults of
    what was varied, with seeds that nobody used: the winner of several was chosen by its looks. Raises NotFound,
    SpecError."""
    with reading(engine) as session:
        row = experiments.get(session, experiment_id)
        first, second, measure = best.leading(session, row)
        several = [path for path, values in row.grid.items() if len(values) > 1]
        varied = [*(row.random or {}).get("ranges", {}), *several]
        usual = parse(paths.nested(knobs.with_defaults(flat(first), varied))).to_json()
        base = {key: value for key, value in first.items() if key not in paths.NOT_CONFIGURATION}
        candidates = [{}, _changed(first, second)]
        if (default := _changed(first, usual)) not in candidates:
            candidates.append(default)
        question = Question(kind="best", measure=measure, max_seeds=max_seeds, candidates=candidates)
        specs = [cell.spec for cell in cells(base, {}, question)]
        seeds = experiments.unused_seeds(session, specs, FIRST_OF_RACE)
        name, smallest = f"Confirming {row.name}"[:MAX_NAME], row.smallest
        note = f"Checks the winner of experiment {experiment_id} on seeds that nobody had used."
    made, members = launch(engine, name, base, {"seed": seeds}, question, smallest=smallest)
    experiments.describe(engine, made.id or 0, note=note)
    return made, members


def read(session: Session, row: Experiment) -> sets.Asked | best.Race:
    """Where the question of an experiment that has one stands. Raises SpecError when a model or data set of it is
    gone."""
    is_best = (row.question or {}).get("kind") == "best"
    return best.read(session, row) if is_best else sets.read(session, row)


# Going on


class Asker:
    """Goes on with the questions that are open, whenever something changed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._seen = (-1, 0)
        self._waits: dict[int, tuple[Any, ...]] = {}
        """Experiment to what it was when there was nothing to do: points alone make no difference, and come often."""

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
        experiment_id = row.id or 0
        with reading(self.engine) as session:
            now = (row.model_dump_json(), slots, *runs.states(session, experiment_id))
            if self._waits.get(experiment_id) == now:
                return False
            if _next(session, row, slots) == ("asking", []):
                self._waits[experiment_id] = now
                return False  # nothing to write: a write is a change, and would be looked at again
        self._waits.pop(experiment_id, None)
        with writing(self.engine) as session:
            row = experiments.get(session, row.id or 0)
            state, specs = _next(session, row, slots)
            if state != "asking":
                row.asking, row.asking_beyond = state, False
                session.add(row)
                runs.touch_newest(session, row.id or 0)
            if specs:
                experiments.add(session, row, specs, ahead=True)
        return bool(specs)


def _next(session: Session, row: Experiment, slots: int) -> tuple[State, list[RunSpec]]:
    """Where a question stands, and the runs that are to be launched now."""
    if row.asking != "asking":
        return "asking", []  # stopped meanwhile
    try:
        asked = read(session, row)
    except SpecError:  # a plug-in that is gone: it can't be asked any more
        return "failed", []
    state = asked.state(beyond=row.asking_beyond)
    return state, asked.more(slots) if state == "asking" else []


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


def add_values(engine: Engine, experiment_id: int, values: Mapping[str, Sequence[Any]]) -> list[int]:
    """Find the best among more: values of knobs of the grid. They run the seeds that the others ran, and asking goes
    on; the ids of the new runs. Raises NotFound, SpecError."""
    with writing(engine) as session:
        row = _asked_row(session, experiment_id)
        grid = {path: list(of_path) for path, of_path in row.grid.items()}
        for path, more in values.items():
            if path == "seed" or path not in grid:
                others = " or ".join(one for one in grid if one != "seed")
                choose = f"choose {others}" if others else "its configurations were named one by one"
                words = f"values.{path:.60} is no knob of the grid: {choose}"
                raise SpecError([Problem(f"values.{path:.60}", words)])
            grid[path] += [value for value in more if value not in grid[path]]
        question = Question.model_validate(row.question)
        there = {configuration for configuration, _ in _keyed(plan(row.base, row.grid, question))}
        new = [spec for configuration, spec in _keyed(plan(row.base, grid, question)) if configuration not in there]
        row.grid = grid
        if new:
            row.asking, row.asking_beyond = "asking", False
        made = experiments.add(session, row, new)
        runs.touch_newest(session, experiment_id)
        return [run.id for run in made if run.id is not None]


def _keyed(planned: Plan) -> list[tuple[str, RunSpec]]:
    """Its specs, each with what tells its configuration from others."""
    return [(stored.configuration(spec.to_json()), spec) for spec in planned.specs]


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
        asked.check_that_it_can_go_on()
        row.asking, row.asking_beyond = "asking", asked.is_answered
        session.add(row)
        runs.touch_newest(session, experiment_id)


def _asked_row(session: Session, experiment_id: int) -> Experiment:
    row = experiments.get(session, experiment_id)
    if row.question is None:
        raise problem("kind", f"is missing: experiment {experiment_id} carries no question")
    return row
