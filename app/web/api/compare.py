"""/compare: configurations side by side, with figures, differences, intervals and a verdict in words."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlmodel import Session

from app.compare import facts, ran, tree
from app.compare import groups as comparing
from app.compare.groups import Figure, Group, Member
from app.compare.measure import FORMS
from app.compare.measure import parse as parse_measure
from app.compare.statistics import expected_best, summary
from app.compare.verdict import Verdict, Words
from app.compare.words import verdict
from app.members import member
from app.spec import knobs, stored
from app.store import experiments, measures, runs, series
from app.store.engine import reading
from app.store.tables import ENDED, Attempt, Experiment, Run
from app.web.comparison import (
    CompareOut,
    ContrastOut,
    DifferenceOut,
    FactsOut,
    FigureOut,
    GroupOut,
    LackingOut,
    LifeOut,
    MeasureOut,
    MemberOut,
    RanOnOut,
    RelatedOut,
    RowOut,
    SampleOut,
    SearchOut,
    ValueOut,
    VerdictOut,
)
from app.web.launching import Estimate
from app.web.problems import Refused, documented
from app.web.schemas import ExperimentId, Id, MetricOut, RunIds
from app.web.state import BackgroundNow, Database
from app.web.titles import (
    capital,
    change_title,
    condition_title,
    configuration_title,
    is_quiet,
    knob_title,
    subject_title,
    value_title,
)
from trainer import catalog
from trainer.metrics import is_of_machine
from trainer.paths import flat, split
from trainer.spec import parse

router = APIRouter(tags=["compare"])
MOST_RELATED = 5

Measured = Annotated[
    str | None,
    Query(
        max_length=100,
        description=f"What of a run is compared: {FORMS}. Without it, of an experiment what its question is on; of a "
        "search whose runs hold images out validation/accuracy; else test/accuracy.",
        examples=["test/accuracy"],
    ),
]
Smallest = Annotated[
    float | None,
    Query(
        ge=0,
        allow_inf_nan=False,
        description="Smallest difference that matters, in the unit of the measure (accuracy: a fraction). Without it "
        "that of the experiment; else 1 point of an accuracy, 5% of the first configuration's mean of all others.",
    ),
]


@router.get("/compare", summary="Compare runs", responses=documented(404, 422, 503))
def compare(
    engine: Database,
    background: BackgroundNow,
    experiment: Annotated[Id | None, Query(description="All runs of this experiment.")] = None,
    run: RunIds = [],  # noqa: B006
    measure: Measured = None,
    smallest: Smallest = None,
) -> CompareOut:
    """Runs of an experiment, or the runs named, grouped by configuration: figures, differences with their intervals,
    and what they say in words. Runs count once they have succeeded, one a seed."""
    if (experiment is None) == (not run):
        raise Refused(422, "run", "run and experiment: give one of them, either experiment=1 or run=1&run=2")
    with reading(engine) as session:
        if experiment is not None:
            found = compared_experiment(session, experiments.get(session, experiment), measure, smallest)
        else:
            rows = runs.get_many(session, run)
            title = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
            found = compared(session, title, rows, measure or "test/accuracy", facts.WATCHED, smallest)
        if found.ended < found.runs:
            members = runs.get_many(session, [one.run for group in found.groups for one in group.runs])
            found.left = Estimate(session, background).left(members)
        return found


@router.get("/experiments/{experiment_id}/related", summary="What else is known", responses=documented(404, 422, 503))
def related(experiment_id: ExperimentId, engine: Database) -> list[RelatedOut]:
    """Other experiments in which two or more of this one's configurations ran, with their answers; the newest first."""
    with reading(engine) as session:
        experiments.get(session, experiment_id)
        configurations = {run.configuration for run in runs.of_experiment(session, experiment_id)}
        found = []
        for row, shared in experiments.sharing(session, experiment_id, configurations, MOST_RELATED):
            found.append(
                RelatedOut(
                    experiment=row.id or 0,
                    name=row.name,
                    created_at=row.created_at,
                    shared=shared,
                    answer=_answer(session, row),
                )
            )
        return found


def compared_experiment(
    session: Session, row: Experiment, measure: str | None = None, smallest: float | None = None
) -> CompareOut:
    """The comparison of an experiment's runs; on what it is on, where nothing else is said."""
    members = runs.of_experiment(session, row.id or 0)
    usual = experiments.measured(row)
    matters = row.smallest if smallest is None and measure in (None, usual) else smallest
    return compared(session, row.name, members, measure or usual, _plan(row, members), matters)


def _plan(row: Experiment, members: list[Run]) -> facts.Plan:
    return facts.Plan(
        *experiments.progress(row, members),
        draws=(row.random or {}).get("count", 0),
        finds_best=(row.question or {}).get("kind") == "best",
    )


def _answer(session: Session, row: Experiment) -> str:
    """The headline of an experiment's page, without its figures."""
    rows = runs.of_experiment(session, row.id or 0)
    measure = parse_measure(experiments.measured(row), runs.metrics(session, [one.id or 0 for one in rows]))
    values = measures.values(session, rows, measure.kind, measure.of, measure.value)
    members = [member(one, values.get(one.id or 0)) for one in rows]
    known = tree.make(comparing.grouped(members), measure, _plan(row, rows), row.smallest)
    said = verdict(known, names([path for path in comparing.differing(members) if path != "device"]))
    return said.sentences[said.headline] if said.sentences else ""


def compared(
    session: Session, title: str, rows: list[Run], name_of_measure: str, plan: facts.Plan, smallest: float | None
) -> CompareOut:
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
        member(row, values.get(row.id or 0), summaries.get(row.id or 0), declared.get(row.id or 0)) for row in rows
    ]
    groups = comparing.grouped(members)
    differences = comparing.differing(members)
    first_rows, first_columns = comparing.facets(differences)
    called = names([path for path in differences if path != "device"])
    known = tree.make(groups, measure, plan, smallest)
    attempts = runs.attempts(session, list(by_id))
    lives = _lives(session, rows, attempts)
    ran_on = ran.differing([_environments(group, attempts) for group in groups], differences)
    said = verdict(known, called)
    note = " ".join(filter(None, [said.note, ran.caution(ran_on, measure) if len(groups) > 1 else ""]))
    return CompareOut(
        title=title,
        runs=len(rows),
        ended=sum(row.status in ENDED for row in rows),
        steps_total=max((row.steps_total for row in rows), default=0),
        rows=first_rows,
        columns=first_columns,
        began=min((row.started_at for row in rows if row.started_at), default=None),
        series=sorted({name for of_run in summaries.values() for name in of_run if not is_of_machine(name, metrics)}),
        metrics={name: MetricOut.of(one) for name, one in sorted(metrics.items()) if not is_of_machine(name, metrics)},
        measure=MeasureOut(
            name=name_of_measure,
            title=measure.title,
            greater_is_better=measure.greater_is_better,
            unit=measure.unit,
            is_accuracy=measure.is_fraction,
        ),
        groups=[
            _group_out(
                group, called.name(group), [by_id[member.run] for member in group.members], lives, measure.bounds
            )
            for group in groups
        ],
        facts=FactsOut.of(known, said),
        verdict=_verdict_out(replace(said, note=note), known),
        search=_search_out(known),
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


def names(varied: Sequence[str]) -> Words:
    """How configurations and knobs are called where these knobs vary."""
    return Words(
        name=lambda group: configuration_title(group.knobs, varied),
        subject=lambda group, knob: subject_title(group.knobs, [path for path in varied if path != knob]),
        change=change_title,
        value=value_title,
        condition=condition_title,
    )


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


def _group_out(
    group: Group, name: str, rows: list[Run], lives: dict[int, list[LifeOut]], bounds: tuple[float, float]
) -> GroupOut:
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
        measured=SampleOut.of(summary(list(group.sample.values()), within=bounds)) if group.sample else None,
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


def _has_winner(known: facts.Facts) -> bool:
    blocks = known.answer.blocks if isinstance(known.answer, facts.Rankings) else ()
    is_looking = known.plan.state == "running" or known.plan.finds_best
    return len(blocks) == 1 and len(blocks[0].order) > 2 and not is_looking and not known.measure.is_until


def _search_out(known: facts.Facts) -> SearchOut | None:
    if not known.plan.draws or not _has_winner(known):
        return None
    means = [fmean(group.sample.values()) for group in known.groups if group.sample]
    better = known.measure.greater_is_better
    return SearchOut(expected=[expected_best(means, n, greater_is_better=better) for n in range(1, len(means) + 1)])


def _lacking_out(known: facts.Facts) -> LackingOut | None:
    """Values within the knob's limits, of an answer that has one knob."""
    blocks = known.answer.blocks if isinstance(known.answer, facts.Rankings) else ()
    if len(blocks) != 1 or blocks[0].knob is None:
        return None
    knob, values = knobs.numeric(blocks[0].knob), []
    for value in blocks[0].lacking:
        with contextlib.suppress(ValueError):
            values += [knob.check(value)] if knob else []
    return LackingOut(knob=blocks[0].knob, values=values, beyond=blocks[0].end is not None) if values else None


def _verdict_out(said: Verdict, known: facts.Facts) -> VerdictOut:
    least = [one.least for one in known.contrasts]
    return VerdictOut(
        sentences=said.sentences,
        headline=said.headline,
        title=said.title,
        compared=said.compared,
        sureness=said.sureness,
        note=said.note,
        watched=known.is_watched,
        least_seeds=max(least) if least else 2,
        knob=said.knob,
        heads=list(said.heads),
        scale=None if said.scale is None else capital(knob_title(said.scale)),
        rows=[
            RowOut(
                name=capital(row.name),
                group=row.group,
                model=known.groups[row.group].knobs["model"],
                pixel_order=known.groups[row.group].knobs["pixel_order"],
                first=SampleOut.of(row.first) if row.first else None,
                second=SampleOut.of(row.second) if row.second else None,
                difference=ContrastOut.of(row.contrast, row.name, known.measure) if row.contrast else None,
                word=row.word,
                value=row.value,
                lead=row.lead,
                under=row.under,
            )
            for row in said.rows
        ],
        has_winner=_has_winner(known),
        lacking=_lacking_out(known),
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
