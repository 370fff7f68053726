"""/compare: configurations side by side, with figures, differences and an answer in words."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from app.compare import groups as comparing
from app.compare.answer import Answer, answer
from app.compare.groups import Figure, Group, Member
from app.store import experiments, runs
from app.store.engine import reading
from app.store.tables import ENDED, Run, Summary
from app.web.problems import Refused, documented
from app.web.schemas import Id, RunIds
from app.web.state import Database
from app.web.titles import configuration_title, is_quiet, knob_title, value_title
from trainer import catalog
from trainer.spec import flat, parse

router = APIRouter(tags=["compare"])


class ValueOut(BaseModel):
    run: int
    value: float


class FigureOut(BaseModel):
    """One metric over a configuration's finished runs."""

    n: int
    mean: float
    std: float | None = Field(description="Sample deviation; null for one run.")
    best: float = Field(description="The best value that any of them had at any time.")
    values: list[ValueOut] = Field(description="Last value of each run.")
    published: float | None = Field(description="What the source of this recipe states.")


class MemberOut(BaseModel):
    """One run of a configuration."""

    run: int
    seed: int
    status: str
    steps_done: int


class GroupOut(BaseModel):
    """The runs of one configuration: all knobs but the seed equal."""

    name: str
    model: str
    pixel_order: str
    knobs: dict[str, Any] = Field(description="Knob path to value.")
    parameters: int
    steps_total: int = Field(description="Length of one of its runs.")
    n: int = Field(description="Runs that succeeded; figures are of those.")
    runs: list[MemberOut]
    metrics: dict[str, FigureOut]
    seconds: float | None = Field(description="Mean duration of a finished run.")
    images_per_second: float | None = Field(description="Training images a second over a finished run, mean.")


class DifferenceOut(BaseModel):
    """A knob that is not the same in all runs."""

    knob: str
    title: str
    values: list[Any]
    titles: list[str]


class AnswerRowOut(BaseModel):
    """Pixels in order beside pixels shuffled; accuracies as fractions."""

    name: str
    model: str
    original: float | None
    original_n: int
    shuffled: float | None
    shuffled_n: int
    difference: float | None


class AnswerOut(BaseModel):
    """What the means say. Whether a difference is more than chance is not answered yet."""

    sentences: list[str]
    rows: list[AnswerRowOut]


class CompareOut(BaseModel):
    """Runs side by side."""

    title: str
    runs: int
    ended: int = Field(description="Runs that will not go on.")
    steps_total: int = Field(description="Length of the longest run.")
    rows: str | None = Field(description="Knob that makes the rows of panels.")
    columns: str | None = Field(description="Knob that makes the columns of panels.")
    groups: list[GroupOut]
    differences: list[DifferenceOut]
    same: list[str] = Field(description="What all runs share, in words.")
    answer: AnswerOut


@router.get("/compare", summary="Compare runs", responses=documented(404, 422, 503))
def compare(
    engine: Database,
    experiment: Annotated[Id | None, Query(description="All runs of this experiment.")] = None,
    run: RunIds = [],  # noqa: B006
) -> CompareOut:
    """Runs of an experiment, or the runs named, grouped by configuration."""
    if (experiment is None) == (not run):
        raise Refused(422, "run", "run and experiment: give one of them, either experiment=1 or run=1&run=2")
    with reading(engine) as session:
        if experiment is not None:
            title = experiments.get(session, experiment).name
            rows = runs.of_experiment(session, experiment)
        else:
            rows = runs.get_many(session, run)
            title = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
        return compared(session, title, rows)


def compared(session: Session, title: str, rows: list[Run]) -> CompareOut:
    """The comparison of these runs."""
    by_id = {row.id: row for row in rows}
    summaries = runs.summaries(session, [row.id for row in rows if row.id is not None])
    members = [_member(row, summaries.get(row.id or 0, {})) for row in rows]
    groups = comparing.grouped(members)
    differences = comparing.differing(members)
    varied = [path for path in differences if path != "device"]

    def name(group: Group) -> str:
        return configuration_title(group.knobs, varied)

    def base_name(group: Group) -> str:
        return name(group).replace(f", {group.knobs['pixel_order']}", "", 1)

    first_rows, first_columns = comparing.facets(differences)
    said = answer(groups, name, base_name)
    titled = {base_name(group): group.knobs["model"] for group in groups}
    return CompareOut(
        title=title,
        runs=len(rows),
        ended=sum(row.status in ENDED for row in rows),
        steps_total=max((row.steps_total for row in rows), default=0),
        rows=first_rows,
        columns=first_columns,
        groups=[_group_out(group, name(group), [by_id[member.run] for member in group.members]) for group in groups],
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
        answer=_answer_out(said, titled),
    )


def _member(row: Run, summary: dict[str, Summary]) -> Member:
    assert row.id is not None
    last = {metric: found.last for metric, found in summary.items()}
    best = {metric: found.best for metric, found in summary.items()}
    return Member(row.id, row.status, flat(row.spec), last, best)


def _group_out(group: Group, name: str, rows: list[Run]) -> GroupOut:
    published = _published(rows[0])
    done = [row for row in rows if row.status == "succeeded"]
    seconds = [row.seconds for row in done]
    images = catalog.DATASETS[group.knobs["dataset"]].train_size * group.knobs["epochs"]
    return GroupOut(
        name=name,
        model=group.knobs["model"],
        pixel_order=group.knobs["pixel_order"],
        knobs=dict(group.knobs),
        parameters=rows[0].parameters,
        steps_total=rows[0].steps_total,
        n=group.done,
        runs=[
            MemberOut(run=row.id or 0, seed=row.spec["seed"], status=row.status, steps_done=row.steps_done)
            for row in rows
        ],
        metrics={metric: _figure_out(figure, published.get(metric)) for metric, figure in group.figures.items()},
        seconds=sum(seconds) / len(seconds) if seconds else None,
        images_per_second=images * len(seconds) / sum(seconds) if sum(seconds) else None,
    )


def _figure_out(figure: Figure, published: float | None) -> FigureOut:
    return FigureOut(
        n=figure.n,
        mean=figure.mean,
        std=figure.std,
        best=figure.best,
        values=[ValueOut(run=run, value=value) for run, value in figure.values],
        published=published,
    )


def _published(row: Run) -> dict[str, float]:
    """The figures that a preset's source states for exactly this configuration."""
    ignored = ("seed", "permutation_seed", "device")
    own = {path: value for path, value in flat(row.spec).items() if path not in ignored}
    for preset in catalog.PRESETS.values():
        for published in preset.published:
            recipe = flat(parse({**preset.base, **published.where}).to_json())
            if own == {path: value for path, value in recipe.items() if path not in ignored}:
                return dict(published.figures)
    return {}


def _answer_out(said: Answer, models: dict[str, str]) -> AnswerOut:
    return AnswerOut(
        sentences=said.sentences,
        rows=[
            AnswerRowOut(
                name=row.name,
                model=models[row.name],
                original=row.original.mean if row.original else None,
                original_n=row.original.n if row.original else 0,
                shuffled=row.shuffled.mean if row.shuffled else None,
                shuffled_n=row.shuffled.n if row.shuffled else 0,
                difference=row.difference,
            )
            for row in said.rows
        ],
    )


def _same(first: Member, differences: dict[str, list[Any]]) -> list[str]:
    """What all runs share, as words: `MNIST`, `1 epoch`, `batch size 64`, …"""
    said = []
    for path, value in first.knobs.items():
        head = path.partition(".")[0]
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
