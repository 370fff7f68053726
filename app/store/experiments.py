"""Experiments: a base spec and a grid of varied knobs, expanded into runs that belong together."""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from app.store import runs
from app.store.engine import reading, writing
from app.store.errors import NotFound
from app.store.tables import Experiment, Run, Status, now
from trainer import catalog
from trainer.entries import Knob, shown
from trainer.spec import Problem, RunSpec, SpecError, flat, parse

MAX_RUNS = 500
MAX_NAME = 200


class Range(BaseModel):
    """From where to where a knob is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    log: bool = Field(
        default=False, description="Evenly over the logarithm, as a learning rate is drawn; low is over 0."
    )

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"goes from {self.low:g} to {self.high:g}: high has to be above low")
        if self.log and self.low <= 0:
            raise ValueError(f"begins at {self.low:g}: a logarithmic one begins above 0")
        return self

    def draw(self, random: Random, *, whole: bool) -> float:
        """Uniform; a float to three significant digits, as people write them."""
        share = random.random()
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return round(value) if whole else min(max(float(f"{value:.3g}"), self.low), self.high)


class RandomSearch(BaseModel):
    """Values drawn at random (J. Bergstra, Y. Bengio, JMLR 13, 2012): each draw takes one of every range."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=1, le=MAX_RUNS, description="How many draws.")
    ranges: dict[str, Range] = Field(min_length=1, max_length=20, description="Knob path to its range.")
    seed: int = Field(default=1, ge=0, le=2**63 - 1, description="The same seed draws the same values.")

    def draws(self) -> list[dict[str, float]]:
        """Knob path to value, a draw each. More draws begin with the same ones."""
        random = Random(self.seed)
        whole = {path: _is_whole(path) for path in self.ranges}
        return [
            {path: of_path.draw(random, whole=whole[path]) for path, of_path in self.ranges.items()}
            for _ in range(self.count)
        ]


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
    random: RandomSearch | None = Field(
        default=None, description="Values drawn at random, each draw with every combination of the grid."
    )

    def expand(self) -> list[RunSpec]:
        """The runs' specs, in the grid's order, seeds last. Raises SpecError naming every field that is wrong."""
        self._check_grid()
        # `model` before `model.n_hidden`, whatever order they came in; seeds of one configuration stay together
        keys = sorted(self.grid, key=lambda key: (key == "seed", key.count(".")))
        specs: list[RunSpec] = []
        problems: dict[Problem, None] = {}
        draws = self.random.draws() if self.random else [{}]
        for draw, *values in itertools.product(draws, *(self.grid[key] for key in keys)):
            spec: dict[str, Any] = dict(self.base)
            # `model` before `model.n_hidden`, whatever order they came in
            for key, value in sorted(
                [*draw.items(), *zip(keys, values, strict=True)], key=lambda one: one[0].count(".")
            ):
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
        for key in self.random.ranges if self.random else ():
            if not _is_path(key) or _knob(key) is None:
                words = f"random.ranges.{key:.60} is no knob with numbers: choose one, as optimizer.lr"
                problems.append(Problem(f"random.ranges.{key:.60}", words))
            elif key in self.grid:
                words = f"random.ranges.{key:.60} is in the grid too: leave it out of one of them"
                problems.append(Problem(f"random.ranges.{key:.60}", words))
        total = math.prod(len(values) for values in self.grid.values()) * (self.random.count if self.random else 1)
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


def _knob(path: str) -> Knob | None:
    """The knob of numbers that a path names; None: there is none."""
    head, dot, name = path.partition(".")
    if not dot:
        known = [catalog.TRAINING[head]] if head in catalog.TRAINING else []
    else:
        knobs = [model.knobs for model in catalog.MODELS.values()] if head == "model" else []
        knobs += [optimizer.knobs for optimizer in catalog.OPTIMIZERS.values()] if head == "optimizer" else []
        known = [knob for of_one in knobs for knob in of_one if knob.name == name]
    return next((knob for knob in known if knob.kind != "choice"), None)


def _is_whole(path: str) -> bool:
    knob = _knob(path) if _is_path(path) else None
    return knob is not None and knob.kind == "int"


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
        random = experiment.random.model_dump(mode="json") if experiment.random else None
        row = Experiment(name=experiment.name, base=experiment.base, grid=experiment.grid, random=random)
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
        random = RandomSearch.model_validate(experiment.random) if experiment.random else None
        body = ExperimentSpec(name=experiment.name, base=experiment.base, grid=experiment.grid, random=random)
        specs = body.expand()
    except SpecError:  # of a plug-in that is gone
        return False
    planned = {_key(spec.to_json()) for spec in specs}
    done = {_key(run.spec) for run in members if run.status == Status.SUCCEEDED}
    return planned == done == {_key(run.spec) for run in members}


def _key(spec: Mapping[str, Any]) -> str:
    return json.dumps(spec, sort_keys=True)


def more(engine: Engine, experiment_id: int, seeds: int, values: Mapping[str, Sequence[Any]]) -> list[int]:
    """Add seeds to each configuration of an experiment, after its greatest one, or values of knobs to each of its runs;
    the ids of the new runs. What is there already is not launched again. Raises NotFound, SpecError."""
    with writing(engine) as session:
        row = get(session, experiment_id)
        if row.question is not None:
            raise SpecError([Problem("seeds", f"experiment {experiment_id} asks by itself: raise its budget instead")])
        members = runs.of_experiment(session, experiment_id)
        configurations = {_key({**run.spec, "seed": 0}): run.spec for run in members}
        many = len(configurations) * seeds + len(members) * sum(map(len, values.values()))
        if len(members) + many > MAX_RUNS:
            words = f"that makes up to {len(members) + many:,} runs: at most {MAX_RUNS} an experiment"
            raise SpecError([Problem("seeds", words)])
        new: dict[str, RunSpec] = {}
        problems: dict[Problem, None] = {}
        for run in members:
            try:
                for path, wanted in values.items():
                    made = ExperimentSpec(name=row.name, base=run.spec, grid={path: list(wanted)}).expand()
                    new |= {_key(spec.to_json()): spec for spec in made}
            except SpecError as error:
                problems |= dict.fromkeys(error.problems)
        if problems:
            raise SpecError(problems)
        last = max((run.spec["seed"] for run in members), default=0)
        for given, seed in itertools.product(configurations.values(), range(last + 1, last + seeds + 1)):
            spec = parse({**given, "seed": seed})
            new[_key(spec.to_json())] = spec
        there = {_key(run.spec) for run in members}
        specs = [spec for key, spec in new.items() if key not in there]
        added = [runs.add(session, spec, name, row.id) for spec, name in zip(specs, run_names(specs), strict=True)]
        session.flush()
        return [run.id for run in added if run.id is not None]


def already_run(session: Session, specs: Sequence[RunSpec]) -> list[int]:
    """Runs that have succeeded with exactly one of these specs, seed and all; the newest of each."""
    seeds = {spec.seed for spec in specs}
    datasets = {spec.dataset for spec in specs}
    alike = select(Run.id, Run.spec).where(
        col(Run.deleted_at).is_(None),
        Run.status == Status.SUCCEEDED,
        col(Run.spec)["dataset"].as_string().in_(datasets),
        col(Run.spec)["seed"].as_integer().in_(seeds),
    )
    wanted = {_key(spec.to_json()) for spec in specs}
    found = {_key(spec): run_id for run_id, spec in session.exec(alike.order_by(col(Run.id))) if _key(spec) in wanted}
    return sorted(run_id for run_id in found.values() if run_id is not None)


def get(session: Session, experiment_id: int) -> Experiment:
    """Raises NotFound."""
    row = session.get(Experiment, experiment_id)
    if row is None or row.deleted_at is not None:
        raise NotFound("experiment", experiment_id)
    return row


def describe(
    engine: Engine,
    experiment_id: int,
    *,
    name: str | None = None,
    note: str | None = None,
    archived: bool | None = None,
) -> None:
    """What people say of an experiment; None leaves it as it is. Raises NotFound."""
    with writing(engine) as session:
        row = get(session, experiment_id)
        row.name, row.note = row.name if name is None else name, row.note if note is None else note
        row.archived = row.archived if archived is None else archived
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


def listed(engine: Engine, before: int | None, limit: int, *, archived: bool = False) -> list[Experiment]:
    """Newest first; `before`: only experiments with a lower id; those that are archived, or those that are not."""
    with reading(engine) as session:
        there = col(Experiment.deleted_at).is_(None)
        query = (
            select(Experiment)
            .where(there, col(Experiment.archived) == archived)
            .order_by(col(Experiment.id).desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(col(Experiment.id) < before)
        return list(session.exec(query))
