"""Experiments: a base spec and a grid of varied knobs, expanded into runs that belong together."""

import itertools
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from app.store import runs
from app.store.engine import reading, writing
from app.store.errors import NotFound
from app.store.tables import Experiment, Run, Status, now
from trainer import catalog
from trainer.entries import shown
from trainer.spec import Problem, RunSpec, SpecError, flat, parse

MAX_RUNS = 500
MAX_NAME = 200


class ExperimentSpec(BaseModel):
    """Every combination of the grid's values, on top of the base, becomes a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    base: dict[str, Any] = Field(default={}, description="Knobs that all runs share; what is absent has its default.")
    grid: dict[str, list[Any]] = Field(
        default={},
        description="Knob path to the values it takes: `model`, `model.n_hidden`, `optimizer.lr`, `pixel_order`, "
        f"`seed`, … At most {MAX_RUNS} runs.",
    )

    def expand(self) -> list[RunSpec]:
        """The runs' specs, in the grid's order, seeds last. Raises SpecError naming every field that is wrong."""
        self._check_grid()
        # `model` before `model.n_hidden`, whatever order they came in; seeds of one configuration stay together
        keys = sorted(self.grid, key=lambda key: (key == "seed", key.count(".")))
        specs: list[RunSpec] = []
        problems: dict[Problem, None] = {}
        for values in itertools.product(*(self.grid[key] for key in keys)):
            spec: dict[str, Any] = dict(self.base)
            for key, value in zip(keys, values, strict=True):
                _set(spec, key, value)
            try:
                specs.append(parse(spec))
            except SpecError as error:
                problems |= dict.fromkeys(error.problems)
        if problems:
            raise SpecError(problems)
        return specs

    def _check_grid(self) -> None:
        problems = []
        for key, values in self.grid.items():
            if not _is_path(key):
                offered = ", ".join((*RunSpec.model_fields, "model.KNOB", "optimizer.KNOB"))
                problems.append(Problem(f"grid.{key:.60}", f"grid.{key:.60} is not a knob: choose from {offered}"))
            elif not values:
                problems.append(Problem(f"grid.{key}", f"grid.{key} is empty: give it a value or leave it out"))
            for index, value in enumerate(values[: MAX_RUNS + 1]):
                if value in values[:index]:
                    again = f"grid.{key:.60} has {shown(value)} twice: leave one out"
                    problems.append(Problem(f"grid.{key:.60}", again))
                    break
        total = math.prod(len(values) for values in self.grid.values())
        if total > MAX_RUNS:
            many = f"grid makes {total:,} runs: choose fewer values, at most {MAX_RUNS} runs an experiment"
            problems.append(Problem("grid", many))
        if problems:
            raise SpecError(problems)


def _is_path(key: str) -> bool:
    head, dot, knob = key.partition(".")
    offered = {
        "model": {knob.name for model in catalog.MODELS.values() for knob in model.knobs},
        "optimizer": {knob.name for optimizer in catalog.OPTIMIZERS.values() for knob in optimizer.knobs},
    }
    return knob in offered.get(head, ()) if dot else head in RunSpec.model_fields


def _set(spec: dict[str, Any], path: str, value: object) -> None:
    head, dot, knob = path.partition(".")
    if not dot:
        spec[head] = value
        return
    inner = spec.get(head, {})
    named: Mapping[str, Any] = {"name": inner} if isinstance(inner, str) else inner
    spec[head] = {**named, knob: value} if isinstance(named, Mapping) else inner


def run_names(specs: list[RunSpec]) -> list[str]:
    """A short name for each run: model, pixel order, what else varies, seed (`cnn-shuffled-lr-0.1-2`)."""
    described = [flat(spec.to_json()) for spec in specs]
    paths = dict.fromkeys(path for knobs in described for path in knobs)
    always = ("model", "pixel_order", "seed")
    # a knob that only some models have (model.n_hidden) varies only if those models have several values of it
    varied = [
        path
        for path in paths
        if path not in always and len({str(knobs[path]) for knobs in described if path in knobs}) > 1
    ]
    names = []
    for knobs in described:
        words = [knobs["model"], knobs["pixel_order"]]
        for path in varied:
            if path in knobs:
                words += [path.rpartition(".")[2], f"{knobs[path]}"]
        names.append("-".join([*words, str(knobs["seed"])]))
    return names


def create(engine: Engine, experiment: ExperimentSpec) -> tuple[Experiment, list[Run]]:
    """The experiment and its runs, queued, in one transaction. Raises SpecError."""
    specs = experiment.expand()
    with writing(engine) as session:
        row = Experiment(name=experiment.name, base=experiment.base, grid=experiment.grid)
        session.add(row)
        session.flush()
        made = [runs.add(session, spec, name, row.id) for spec, name in zip(specs, run_names(specs), strict=True)]
        session.flush()
    return row, made


def is_settled(experiment: Experiment, members: Sequence[Run]) -> bool:
    """Every run that was planned at the start has succeeded, and there are no others: the number of seeds was fixed
    beforehand. A run that was launched again in place of a failed one is the one that was planned."""
    if experiment.question is not None:
        return False  # it decides by looking
    try:
        specs = ExperimentSpec(name=experiment.name, base=experiment.base, grid=experiment.grid).expand()
    except SpecError:  # of a plug-in that is gone
        return False
    planned = Counter(json.dumps(spec.to_json(), sort_keys=True) for spec in specs)
    done = Counter(json.dumps(run.spec, sort_keys=True) for run in members if run.status == Status.SUCCEEDED)
    return planned == done and all(json.dumps(run.spec, sort_keys=True) in planned for run in members)


def get(session: Session, experiment_id: int) -> Experiment:
    """Raises NotFound."""
    row = session.get(Experiment, experiment_id)
    if row is None or row.deleted_at is not None:
        raise NotFound("experiment", experiment_id)
    return row


def describe(engine: Engine, experiment_id: int, *, name: str | None = None, note: str | None = None) -> None:
    """What people say of an experiment; None leaves it as it is. Raises NotFound."""
    with writing(engine) as session:
        row = get(session, experiment_id)
        row.name, row.note = row.name if name is None else name, row.note if note is None else note
        session.add(row)


def remove(engine: Engine, experiment_id: int) -> list[int]:
    """Delete an experiment with its runs, until they are purged restorable; the runs' ids.

    Raises NotFound, or RunActive and has then deleted nothing.
    """
    with writing(engine) as session:
        row, when = get(session, experiment_id), now()
        members = runs.of_experiment(session, experiment_id)
        for run in members:
            runs.mark_deleted(session, run, when)
        row.deleted_at = when
        session.add(row)
        return [run.id for run in members if run.id is not None]


def restore(engine: Engine, experiment_id: int) -> None:
    """Bring a deleted experiment back with the runs that went with it. Raises NotFound when it was purged."""
    with writing(engine) as session:
        row = session.get(Experiment, experiment_id)
        if row is None:
            raise NotFound("experiment", experiment_id)
        if row.deleted_at is not None:
            went = select(Run.id).where(Run.experiment_id == experiment_id, Run.deleted_at == row.deleted_at)
            for run_id in session.exec(went).all():
                runs.bring_back(session, run_id or 0)
            row.deleted_at = None
            session.add(row)


def asking(session: Session) -> list[Experiment]:
    """Experiments whose question is open."""
    return list(
        session.exec(select(Experiment).where(Experiment.asking == "asking", col(Experiment.deleted_at).is_(None)))
    )


def listed(engine: Engine, before: int | None, limit: int) -> list[Experiment]:
    """Newest first; `before`: only experiments with a lower id."""
    with reading(engine) as session:
        there = col(Experiment.deleted_at).is_(None)
        query = select(Experiment).where(there).order_by(col(Experiment.id).desc()).limit(limit)
        if before is not None:
            query = query.where(col(Experiment.id) < before)
        return list(session.exec(query))
