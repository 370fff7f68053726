"""/compare: configurations side by side, with figures, differences, intervals and a verdict in words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from app.compare import facts, ran, sequence, words
from app.compare import groups as comparing
from app.compare.design import Step
from app.compare.groups import Figure, Group, Member
from app.compare.judged import Judged
from app.compare.measure import FORMS
from app.compare.measure import parse as parse_measure
from app.compare.statistics import Matched, Summary, summary
from app.spec import stored
from app.store import experiments, measures, runs, series
from app.store.engine import reading
from app.store.tables import ENDED, Attempt, Run
from app.store.tables import Summary as SummaryRow
from app.web.problems import Refused, documented
from app.web.schemas import Id, MetricOut, RunIds
from app.web.state import Database
from app.web.titles import capital, change_title, configuration_title, is_quiet, knob_title, subject_title, value_title
from trainer import catalog
from trainer.metrics import Metric
from trainer.paths import flat, split
from trainer.spec import parse

router = APIRouter(tags=["compare"])


class ValueOut(BaseModel):
    run: int
    value: float


class SampleOut(BaseModel):
    """One number a run, over a configuration's finished runs, one a seed."""

    n: int
    mean: float
    std: float | None = Field(description="Sample deviation; null for one run.")
    low: float | None = Field(description="95% t interval of the mean; null for one run.")
    high: float | None
    median: float

    @classmethod
    def of(cls, found: Summary) -> Self:
        return cls(n=found.n, mean=found.mean, std=found.deviation, low=found.low, high=found.high, median=found.median)


class FigureOut(SampleOut):
    """One metric over a configuration's finished runs, one a seed."""

    best: float | None = Field(
        description="The best value that any of them had at any time; null where nothing of it is better."
    )
    values: list[ValueOut] = Field(description="Of each run: at the weights that were kept.")
    published: float | None = Field(description="What the source of this recipe states.")


class LifeOut(BaseModel):
    """When a worker process of a run began."""

    began: float = Field(description="Seconds after the first run of this comparison began.")
    trained: float = Field(description="Seconds of training that the run had then.")


class MemberOut(BaseModel):
    """One run of a configuration."""

    run: int
    seed: int
    status: str
    steps_done: int
    lives: list[LifeOut] = Field(description="Of its worker processes, in order: for drawing it by the wall clock.")


class GroupOut(BaseModel):
    """The runs of one configuration: all knobs but the seed equal."""

    name: str
    model: str
    pixel_order: str
    knobs: dict[str, Any] = Field(description="Knob path to value.")
    parameters: int
    steps_total: int = Field(description="Length of one of its runs.")
    images: int = Field(description="Training images that one of its runs sees.")
    n: int = Field(description="Runs that succeeded; figures are of those.")
    runs: list[MemberOut]
    metrics: dict[str, FigureOut]
    measured: SampleOut | None = Field(description="What is compared; null where no finished run has it.")
    values: list[ValueOut] = Field(description="What is compared, of each run, in the order in which they ended.")
    seconds: float | None = Field(description="Mean duration of a finished run.")
    images_per_second: float | None = Field(description="Training images a second over a finished run, mean.")


class DifferenceOut(BaseModel):
    """A knob that is not the same in all runs."""

    knob: str
    title: str
    values: list[Any]
    titles: list[str]


class MeasureOut(BaseModel):
    """What of a run is compared."""

    name: str
    title: str
    greater_is_better: bool
    is_accuracy: bool = Field(description="A fraction; its differences are said in percentage points.")


class LookOut(BaseModel):
    """The confidence sequence after one more matched set of runs."""

    seed: int | None = Field(description="Null where seeds don't match: sets are then made in order of arrival.")
    value: float = Field(description="Difference of this set.")
    mean: float
    low: float | None = Field(description="Null as long as there is no interval.")
    high: float | None
    evidence: float = Field(description="Against there being no difference; 20 settles it.")


class JudgedOut(BaseModel):
    """A difference, and whether it is more than chance."""

    value: float
    n: int = Field(description="Seeds that it is of.")
    matched: Matched = Field(description="Paired by seed, by order of arrival, or not (Welch).")
    deviation: float | None = Field(description="Sample deviation of one seed's difference.")
    low: float | None = Field(description="95% interval, or the one valid while watched; null: too few seeds.")
    high: float | None
    p: float | None = Field(description="Two-sided; while watched valid at any time.")
    p_corrected: float | None = Field(description="After Holm's correction for all comparisons of its kind.")
    clear: bool = Field(description="More than chance: p_corrected is at most 0.05.")
    effect: float | None = Field(description="In deviations of one run: Cohen's d.")
    more_seeds: int | None = Field(
        description="About so many more seeds would settle a difference of this size; null: it is settled, or far off."
    )
    looks: list[LookOut] = Field(description="While watched: after each matched set of runs.")

    @classmethod
    def of(cls, judged: Judged, *, looks: bool = False) -> dict[str, Any]:
        fields = ("value", "n", "matched", "deviation", "low", "high", "p", "clear", "effect")
        return {
            **{name: getattr(judged, name) for name in fields},
            "p_corrected": judged.corrected,
            "more_seeds": judged.more,
            "looks": [LookOut(**look._asdict()) for look in judged.looks] if looks else [],
        }


class PairOut(JudgedOut):
    """Two configurations: second minus first."""

    first: int = Field(description="Place among the groups, from 0.")
    second: int


class StepOut(BaseModel):
    """A knob going from one value to another."""

    knob: str
    title: str
    first: Any
    second: Any

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls(knob=step.knob, title=knob_title(step.knob), first=step.first, second=step.second)


class EffectOut(JudgedOut):
    """One step: its mean effect over all values of the other knobs. Two steps: how much more the first changes when the
    second is made too."""

    title: str
    steps: list[StepOut]


class EffectsOut(BaseModel):
    """What each knob does, where at least two vary and every combination was launched."""

    main: list[EffectOut]
    interaction: list[EffectOut]


class RowOut(BaseModel):
    """One line of the table beside the answer."""

    name: str
    group: int = Field(description="Place among the groups, of the first or only one.")
    model: str
    pixel_order: str
    first: SampleOut | None
    second: SampleOut | None = Field(description="Null where configurations are compared with the best.")
    difference: JudgedOut | None = Field(description="Second minus first; or this one minus the best.")


class SeedOut(BaseModel):
    """One seed's value of one configuration."""

    seed: int
    value: float


class SideOut(BaseModel):
    """One configuration's part in a contrast."""

    group: int = Field(description="Place among the groups, from 0.")
    weight: float
    values: list[SeedOut] = Field(description="Over the seeds that the contrast uses.")


class ContrastOut(JudgedOut):
    """A weighted sum of configurations' values, judged."""

    kind: facts.Kind
    steps: list[StepOut] = Field(description="The knobs that are changed in it; of a pair none.")
    sides: list[SideOut]
    seeds: list[int] = Field(description="Those that every side has; empty where seeds don't match.")
    watched: bool
    decision: facts.Decision = Field(description="More than chance; not shown to be; too few seeds for an interval.")
    above: int = Field(description="Seeds in which it was over 0; none are counted where seeds don't match.")
    below: int

    @classmethod
    def of_contrast(cls, one: facts.Contrast) -> Self:
        return cls(
            kind=one.kind,
            steps=[StepOut.of(step) for step in one.steps],
            sides=[
                SideOut(
                    group=side.group,
                    weight=side.weight,
                    values=[SeedOut(seed=seed, value=value) for seed, value in side.values],
                )
                for side in one.sides
            ],
            seeds=list(one.seeds),
            watched=one.watched,
            decision=one.decision,
            above=one.above,
            below=one.below,
            **JudgedOut.of(one.judged),
        )


class LeftOutOut(BaseModel):
    """A run that counts for nothing, and why."""

    run: int
    group: int
    why: facts.Why


class DropoutsOut(BaseModel):
    """The runs of a configuration that ended without a result, and were not launched again with one."""

    group: int = Field(description="Place among the groups, from 0.")
    runs: int = Field(description="Of the configuration, one a seed.")
    failed: list[int]
    lost: list[int]
    stopped: list[int]
    causes: list[str] = Field(description="Of those that failed, in their order.")


class AnswerOut(BaseModel):
    """What the comparison answers."""

    kind: Literal["nothing", "alone", "changes", "ranking"]
    why: str | None = Field(description="Of nothing: no runs, none has finished, no value, or not judged.")
    knob: str | None = Field(description="Of changes: the knob.")
    order: list[int] = Field(description="Of a ranking: places among the groups, the best first.")
    waiting: int = Field(description="Of a ranking: configurations without a finished run.")
    contrasts: list[ContrastOut] = Field(
        description="Of changes: after minus before, the largest first, and of two how much more the second changes. "
        "Of a ranking: each minus the best."
    )

    @classmethod
    def of(cls, answer: facts.Answer) -> Self:
        kind = {facts.Nothing: "nothing", facts.Alone: "alone", facts.Changes: "changes", facts.Ranking: "ranking"}
        changes = answer if isinstance(answer, facts.Changes) else None
        ranking = answer if isinstance(answer, facts.Ranking) else None
        contrasts: list[facts.Contrast | None] = []
        if changes:
            contrasts = [*(changes.contrasts[at] for at in changes.order), changes.between]
        elif ranking:
            contrasts = [ranking.against.get(place) for place in ranking.order]
        return cls(
            kind=kind[type(answer)],
            why=answer.why if isinstance(answer, facts.Nothing) else None,
            knob=changes.knob if changes else None,
            order=list(ranking.order) if ranking else [],
            waiting=ranking.waiting if ranking else 0,
            contrasts=[ContrastOut.of_contrast(one) for one in contrasts if one is not None],
        )


class FactsOut(BaseModel):
    """All that is known, as codes and numbers; the sentences are made of it."""

    watched: bool = Field(description="Intervals are valid however often one looks.")
    answer: AnswerOut
    dropouts: list[DropoutsOut] = Field(description="Configurations with runs that ended without a result.")
    left_out: list[LeftOutOut] = Field(description="Runs that count for nothing.")

    @classmethod
    def of(cls, known: facts.Facts) -> Self:
        return cls(
            watched=known.watched,
            answer=AnswerOut.of(known.answer),
            dropouts=[
                DropoutsOut(
                    group=one.group,
                    runs=one.runs,
                    failed=list(one.failed),
                    lost=list(one.lost),
                    stopped=list(one.stopped),
                    causes=list(one.causes),
                )
                for one in known.dropouts
            ],
            left_out=[LeftOutOut(run=one.run, group=one.group, why=one.why) for one in known.left_out],
        )


class VerdictOut(BaseModel):
    """The answer in words."""

    sentences: list[str]
    note: str = Field(description="Which intervals these are.")
    watched: bool = Field(
        description="The experiment can still grow, or runs were chosen by hand: intervals are valid however often one "
        "looks. False: the number of seeds was fixed beforehand and all are done; ordinary 95% intervals."
    )
    least_seeds: int = Field(description="With fewer seeds there is no interval.")
    knob: str | None = Field(description="The knob whose change is judged; null: each is compared with the best.")
    heads: list[str]
    rows: list[RowOut]


class RanOnOut(BaseModel):
    """Software or a machine that was not the same for all runs."""

    title: str
    values: list[str]
    apart: bool = Field(description="Some two configurations have none of it in common.")


class CompareOut(BaseModel):
    """Runs side by side."""

    title: str
    runs: int
    ended: int = Field(description="Runs that will not go on.")
    steps_total: int = Field(description="Length of the longest run.")
    rows: str | None = Field(description="Knob that makes the rows of panels.")
    columns: str | None = Field(description="Knob that makes the columns of panels.")
    began: datetime | None = Field(description="When the first of its runs began.")
    series: list[str] = Field(description="What was recorded of them.")
    metrics: dict[str, MetricOut] = Field(description="What the runs say of each series, by its name.")
    measure: MeasureOut
    groups: list[GroupOut]
    pairs: list[PairOut]
    effects: EffectsOut
    facts: FactsOut
    verdict: VerdictOut
    differences: list[DifferenceOut]
    same: list[str] = Field(description="What all runs share, in words.")
    ran_on: list[RanOnOut] = Field(description="In what the software and the machines that they ran on differ.")


Measured = Annotated[
    str, Query(max_length=100, description=f"What of a run is compared: {FORMS}.", examples=["test/accuracy"])
]


@router.get("/compare", summary="Compare runs", responses=documented(404, 422, 503))
def compare(
    engine: Database,
    experiment: Annotated[Id | None, Query(description="All runs of this experiment.")] = None,
    run: RunIds = [],  # noqa: B006
    measure: Measured = "test/accuracy",
) -> CompareOut:
    """Runs of an experiment, or the runs named, grouped by configuration: figures, differences with their intervals,
    and what they say in words. Runs count once they have succeeded, one a seed."""
    if (experiment is None) == (not run):
        raise Refused(422, "run", "run and experiment: give one of them, either experiment=1 or run=1&run=2")
    with reading(engine) as session:
        if experiment is not None:
            asked = experiments.get(session, experiment)
            rows = runs.of_experiment(session, experiment)
            return compared(session, asked.name, rows, measure, watched=not experiments.is_settled(asked, rows))
        rows = runs.get_many(session, run)
        title = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
        return compared(session, title, rows, measure, watched=True)


def compared(session: Session, title: str, rows: list[Run], name_of_measure: str, *, watched: bool) -> CompareOut:
    """The comparison of these runs. Raises Refused for a measure that they have not got."""
    by_id = {row.id or 0: row for row in rows}
    declared = series.declared(session, list(by_id))
    metrics = runs.newest(declared)
    try:
        measure = parse_measure(name_of_measure, metrics)
    except ValueError as error:
        raise Refused(422, "measure", f"measure {error}") from None
    summaries = runs.summaries(session, list(by_id))
    values = measures.values(session, rows, measure.kind, measure.of, measure.value)
    members = [
        _member(row, summaries.get(row.id or 0, {}), declared.get(row.id or 0, {}), values.get(row.id or 0))
        for row in rows
    ]
    groups = comparing.grouped(members)
    differences = comparing.differing(members)
    first_rows, first_columns = comparing.facets(differences)
    names = _names([path for path in differences if path != "device"])
    known = facts.make(groups, measure, watched=watched)
    attempts = runs.attempts(session, list(by_id))
    lives = _lives(session, rows, attempts)
    ran_on = ran.differing([_environments(group, attempts) for group in groups], differences)
    said = words.verdict(known, names)
    note = " ".join(filter(None, [said.note, ran.caution(ran_on, measure) if len(groups) > 1 else ""]))
    return CompareOut(
        title=title,
        runs=len(rows),
        ended=sum(row.status in ENDED for row in rows),
        steps_total=max((row.steps_total for row in rows), default=0),
        rows=first_rows,
        columns=first_columns,
        began=min((row.started_at for row in rows if row.started_at), default=None),
        series=sorted({metric for of_run in summaries.values() for metric in of_run}),
        metrics={name: MetricOut.of(metric) for name, metric in sorted(metrics.items())},
        measure=MeasureOut(
            name=name_of_measure,
            title=measure.title,
            greater_is_better=measure.greater_is_better,
            is_accuracy=measure.is_fraction,
        ),
        groups=[
            _group_out(group, names.name(group), [by_id[member.run] for member in group.members], lives)
            for group in groups
        ],
        facts=FactsOut.of(known),
        pairs=[_pair_out(pair) for pair in known.pairs],
        effects=EffectsOut(
            main=[_effect_out(one) for one in known.main], interaction=[_effect_out(one) for one in known.interactions]
        ),
        verdict=_verdict_out(replace(said, note=note), groups, watched=watched),
        differences=[
            DifferenceOut(
                knob=path,
                title=knob_title(path),
                values=values,
                titles=[value_title(path, value) for value in values],
            )
            for path, values in differences.items()
        ],
        same=_same(members[0], differences) if members else [],
        ran_on=[RanOnOut(title=one.title, values=list(one.values), apart=one.apart) for one in ran_on],
    )


def _names(varied: Sequence[str]) -> words.Words:
    return words.Words(
        name=lambda group: configuration_title(group.knobs, varied),
        subject=lambda group, knob: subject_title(group.knobs, [path for path in varied if path != knob]),
        change=change_title,
        value=value_title,
    )


def _member(row: Run, summaries: dict[str, SummaryRow], declared: Mapping[str, Metric], value: float | None) -> Member:
    assert row.id is not None
    ends = {name: series.kept(found) for name, found in summaries.items()}
    last = {name: value for name, value in ends.items() if value is not None}
    bests = {name: series.best(found, declared[name]) for name, found in summaries.items() if name in declared}
    best = {name: found[0] for name, found in bests.items() if found is not None}
    ended = row.ended_at.timestamp() if row.ended_at else 0.0
    status = "resuming" if row.retry_at is not None else str(row.status)
    knobs = stored.flat(row.spec)
    return Member(row.id, status, row.configuration, knobs, last, best, declared, value, ended, row.cause)


def _environments(group: Group, attempts: Mapping[int, list[Attempt]]) -> list[dict[str, Any]]:
    """Of the runs that count."""
    done = [member.run for member in group.members if member.done]
    return [attempt.environment for run in done for attempt in attempts.get(run, []) if attempt.environment]


def _lives(session: Session, rows: list[Run], attempts: Mapping[int, list[Attempt]]) -> dict[int, list[LifeOut]]:
    """Run id to its worker processes' beginnings."""
    began = min((row.started_at for row in rows if row.started_at), default=None)
    if began is None:
        return {}
    found: dict[int, list[LifeOut]] = {}
    for run, of_run in attempts.items():
        for attempt in of_run:
            at = (
                series.read(session, run, "train/loss", attempt.from_step, attempt.from_step) if attempt.n > 1 else None
            )
            trained = float(at.times[-1]) if at is not None and len(at.times) else 0.0
            after = (attempt.started_at - began).total_seconds()
            found.setdefault(run, []).append(LifeOut(began=max(0.0, after), trained=trained))
    return found


def _group_out(group: Group, name: str, rows: list[Run], lives: dict[int, list[LifeOut]]) -> GroupOut:
    published = _published(rows[0])
    done = [row for row in rows if row.status == "succeeded"]
    seconds = [row.seconds for row in done]
    by_seed = {member.seed: member.run for member in reversed(group.members) if member.done}
    speeds = [measures.images_per_second(row) for row in done if row.seconds]
    return GroupOut(
        name=capital(name),
        model=group.knobs["model"],
        pixel_order=group.knobs["pixel_order"],
        knobs=dict(group.knobs),
        parameters=rows[0].parameters,
        steps_total=rows[0].steps_total,
        images=measures.images(rows[0]),
        n=group.done,
        runs=[
            MemberOut(
                run=row.id or 0,
                seed=row.seed or 0,
                status=row.status,
                steps_done=row.steps_done,
                lives=lives.get(row.id or 0, []),
            )
            for row in rows
        ],
        metrics={metric: _figure_out(figure, published.get(metric)) for metric, figure in group.figures.items()},
        measured=SampleOut.of(summary(list(group.sample.values()))) if group.sample else None,
        values=[ValueOut(run=by_seed[seed], value=value) for seed, value in group.sample.items()],
        seconds=sum(seconds) / len(seconds) if seconds else None,
        images_per_second=sum(speeds) / len(speeds) if speeds else None,
    )


def _figure_out(figure: Figure, published: float | None) -> FigureOut:
    return FigureOut(
        **SampleOut.of(figure.summary).model_dump(),
        best=figure.best,
        values=[ValueOut(run=run, value=value) for run, value in figure.values],
        published=published,
    )


def _published(row: Run) -> dict[str, float]:
    """The figures that a preset's source states for exactly this configuration, wherever and however computed."""
    ignored = ("seed", "permutation_seed", "device", "precision")
    own = {path: value for path, value in stored.flat(row.spec).items() if path not in ignored}
    for preset in catalog.PRESETS.values():
        for published in preset.published:
            recipe = flat(parse({**preset.base, **published.where}).to_json())
            if own == {path: value for path, value in recipe.items() if path not in ignored}:
                return dict(published.figures)
    return {}


def _pair_out(pair: facts.Contrast) -> PairOut:
    first, second = (side.group for side in pair.sides)
    return PairOut(first=first, second=second, **JudgedOut.of(pair.judged))


def _effect_out(effect: facts.Contrast) -> EffectOut:
    steps = [StepOut.of(step) for step in effect.steps]
    changes = [change_title(step.knob, step.first, step.second) for step in effect.steps]
    return EffectOut(title=" × ".join(changes), steps=steps, **JudgedOut.of(effect.judged, looks=True))


def _verdict_out(said: words.Verdict, groups: Sequence[Group], *, watched: bool) -> VerdictOut:
    return VerdictOut(
        sentences=said.sentences,
        note=said.note,
        watched=watched,
        least_seeds=sequence.least() if watched else 2,
        knob=said.knob,
        heads=list(said.heads),
        rows=[
            RowOut(
                name=capital(row.name),
                group=groups.index(row.group),
                model=row.group.knobs["model"],
                pixel_order=row.group.knobs["pixel_order"],
                first=SampleOut.of(row.first) if row.first else None,
                second=SampleOut.of(row.second) if row.second else None,
                difference=JudgedOut(**JudgedOut.of(row.judged, looks=True)) if row.judged else None,
            )
            for row in said.rows
        ],
    )


def _same(first: Member, differences: dict[str, list[Any]]) -> list[str]:
    """What all runs share, as words: `MNIST`, `1 epoch`, `batch size 64`, …"""
    said = []
    for path, value in first.knobs.items():
        head, _ = split(path)
        if path in differences or path == "device" or (head != path and head in differences) or is_quiet(path, value):
            continue
        title = value_title(path, value)
        if path in ("model", "dataset", "optimizer"):
            said.append(title)
        elif path == "pixel_order":
            said.append(f"pixels {'in order' if value == 'original' else 'shuffled'}")
        elif path == "epochs":
            said.append("1 epoch" if value == 1 else f"{title} epochs")
        else:
            said.append(f"{knob_title(path).lower()} {title}")
    return said
