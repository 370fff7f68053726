"""What goes into the API and what comes out, as types with their limits. OpenAPI is made of these."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlmodel import Session

from app.compare import sequence
from app.compare.question import MOST_RUNS, MOST_SEEDS, Budget, Question
from app.spec import stored
from app.spec.experiment import MAX_NAME, MAX_RUNS, ExperimentSpec
from app.spec.mend import is_diverged, mend
from app.store import runs, series
from app.store.runs import MOST_TAGS
from app.store.tables import Attempt, Experiment, Run, Status, Summary
from app.web.titles import capital
from trainer.metrics import Metric, assumed

MAX_ID = 2**63 - 1
MAX_RUNS_SHOWN = 250
MAX_NOTE = 10_000
MAX_TAG = 40


def _printable(text: str) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise ValueError("has control characters in it: leave them out")
    return text


def _written(text: str) -> str:
    _printable(text.replace("\n", "").replace("\t", ""))
    return text


def _one_tag(text: str) -> str:
    if "," in text:
        raise ValueError(f"is {text!r}: a tag has no comma, send several tags as a list")
    return text


Id = Annotated[int, Field(ge=1, le=MAX_ID)]
RunId = Annotated[int, Path(ge=1, le=MAX_ID, description="Id of the run.", examples=[1])]
ExperimentId = Annotated[int, Path(ge=1, le=MAX_ID, description="Id of the experiment.", examples=[1])]
RunIds = Annotated[
    list[Id],
    Query(max_length=MAX_RUNS_SHOWN, description=f"Ids of runs, at most {MAX_RUNS_SHOWN}.", examples=[[1, 2]]),
]
SeriesName = Annotated[
    str,
    Query(max_length=200, description="Name of the series, as train/loss or test/accuracy."),
    AfterValidator(_printable),
]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Length of a page.")]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_printable),
]

Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NOTE), AfterValidator(_written)]
Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TAG),
    AfterValidator(_printable),
    AfterValidator(_one_tag),
]
Tags = Annotated[list[Tag], Field(max_length=MOST_TAGS, description=f"At most {MOST_TAGS}.")]


# In


class RunIn(BaseModel):
    """One run to launch."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "first try", "spec": {"model": "cnn", "dataset": "digits"}}]},
    )
    name: Name | None = Field(default=None, description="Shown in tables; made from the spec when absent.")
    spec: dict[str, Any] = Field(
        default={},
        max_length=100,
        description="Knobs by name, see GET /catalog; what is absent has its default. "
        "A plain string for `model` or `optimizer` stands for it with default knobs.",
    )


class RunChange(BaseModel):
    """What to say of a run; what is absent stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "baseline", "tags": ["keep"], "note": "lr as in v1"}]}
    )
    name: Name | None = None
    note: Note | None = Field(default=None, description="In your own words; empty takes it away.")
    tags: Tags | None = Field(default=None, description="All its tags from now on.")


Matters = Annotated[
    float | None,
    Field(
        ge=0,
        allow_inf_nan=False,
        description="Smallest difference that matters, of test accuracy, or of what the question is on, in its unit "
        "(accuracy: a fraction). 0: any. Absent: 1 point of an accuracy, else 5% of the first configuration's mean.",
    ),
]


class ExperimentChange(BaseModel):
    """What to say of an experiment; what is absent stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "for the talk"}]})
    name: Name | None = None
    note: Note | None = None
    archived: bool | None = Field(default=None, description="Kept, and out of the way: lists leave it out.")
    smallest: Matters = None


class Bulk(BaseModel):
    """One action on many runs."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"action": "stop", "run_ids": [1, 2]}]})
    action: Literal["stop", "pause", "resume", "first", "delete", "restore", "tag"]
    run_ids: list[Id] = Field(min_length=1, max_length=MAX_RUNS)
    add_tags: Tags = Field(default=[], description="With the action `tag`.")
    remove_tags: Tags = Field(default=[], description="With the action `tag`.")


class Relaunch(BaseModel):
    """What the new run has different from the old one."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"overrides": {"optimizer.lr": 0.1, "seed": 7}}]}
    )
    overrides: dict[str, Any] = Field(
        default={}, max_length=100, description="Knob path to value, as the keys of an experiment's grid."
    )


class ExperimentIn(ExperimentSpec):
    """Every combination of the grid's values, on top of the base, becomes a run."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "FC and CNN",
                    "base": {"dataset": "digits", "epochs": 1},
                    "grid": {"model": ["fc", "cnn"], "pixel_order": ["original", "shuffled"]},
                }
            ]
        }
    )
    name: Name
    base: dict[str, Any] = Field(
        default={}, max_length=100, description="Knobs that all runs share; what is absent has its default."
    )
    grid: dict[str, list[Any]] = Field(
        default={},
        max_length=100,
        description="Knob path to the values it takes: `model`, `model.n_hidden`, `optimizer.lr`, `pixel_order`, "
        f"`seed`, … At most {MAX_RUNS} runs.",
    )
    question: Question | None = Field(
        default=None,
        description="Ask until answered: seeds are launched, in matched sets, until this is settled or the budget "
        "ends. The grid's seeds come first; where it has none 1 to 4, or 1 and 2 where the best is to be found.",
    )
    smallest: Matters = None


class MoreIn(BaseModel):
    """What to add to an experiment."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"seeds": 5}, {"values": {"optimizer.lr": [0.03]}}]}
    )
    seeds: int = Field(default=0, ge=0, le=100, description="So many more seeds of each configuration.")
    values: dict[str, list[Any]] = Field(
        default={}, max_length=20, description="Knob path to values that each of its runs is launched with as well."
    )


class BetweenIn(Budget):
    """Two runs, whose configurations are compared anew, with other seeds, until it is known which is better."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"first": 1, "second": 2}]})
    first: Id = Field(description="A run.")
    second: Id = Field(description="A run with other knobs: is it better than the first?")
    name: Name | None = Field(default=None, description="Of the experiment; the question itself when absent.")
    smallest: Matters = None


class ConfirmIn(BaseModel):
    """How long to go on confirming."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"max_seeds": 30}]})
    max_seeds: int = Field(default=30, ge=sequence.least(), le=MOST_SEEDS, description="At most so many seeds each.")


class QuestionChange(BaseModel):
    """Another budget, or another smallest difference that matters; what is absent stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"max_seeds": 40}]})
    max_seeds: int | None = Field(default=None, ge=sequence.least(), le=MOST_SEEDS)
    max_hours: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_runs: int | None = Field(default=None, ge=2, le=MOST_RUNS)
    smallest: Matters = None


# Out


class MetricOut(BaseModel):
    """What a run says of one of its series."""

    title: str
    unit: str = Field(description="`fraction`: said as a percentage, its differences as points.")
    better: Literal["more", "less"] | None = Field(description="Which of two values is better; null: neither.")
    per: Literal["step", "part", "test", "second", "run"] = Field(description="What it is measured for.")

    @classmethod
    def of(cls, metric: Metric) -> Self:
        return cls(title=metric.title, unit=metric.unit, better=metric.better, per=metric.per)


class SummaryOut(BaseModel):
    """One series in short. What is not a number is null; least and greatest are of the finite values."""

    last: float | None
    last_step: int | None
    best: float | None = Field(description="The greatest where more is better, the least where less is; else null.")
    best_step: int | None
    least: float | None
    least_step: int | None
    greatest: float | None
    greatest_step: int | None
    final: float | None = Field(description="At the weights that were kept; null until the run has succeeded.")

    @classmethod
    def of(cls, row: Summary, metric: Metric) -> Self:
        best, best_step = series.best(row, metric) or (None, None)
        return cls(**row.model_dump(), best=best, best_step=best_step)


class AttemptOut(BaseModel):
    """One life of a run's worker process."""

    n: int
    started_at: datetime
    ended_at: datetime | None
    from_step: int = Field(description="Step of the checkpoint that it went on from; 0: the start.")
    pid: int | None = Field(description="Its process.")
    heartbeat_at: datetime | None = Field(description="When its worker was last heard of.")
    cause: str | None
    environment: dict[str, Any] | None = Field(
        description="What it ran on: runyard, torch, python, device, precision, threads, host."
    )


class RunOut(BaseModel):
    """A run."""

    id: int
    experiment_id: int | None
    name: str
    tags: list[str]
    note: str
    status: Status
    cause: str | None = Field(description="Why it ended, in words; null for a run that finished.")
    cause_title: str | None = Field(description="The cause as a headline.")
    cause_detail: str | None = Field(description="What more is known of the cause, as a sentence.")
    untrained: bool | None = Field(
        description="It learned nothing: no better than always giving the most frequent class. Null: not known (yet)."
    )
    diverged: bool = Field(description="It failed as its loss became NaN or infinite: to resume it would not help.")
    mend: dict[str, Any] | None = Field(
        description="Of a run that diverged or learned nothing: what usually helps, as `overrides` of "
        "POST /runs/{run_id}/relaunch."
    )
    repeats: int | None = Field(
        description="A run that had succeeded with its configuration and seed before its experiment was made."
    )
    stop_requested: bool
    pause_requested: bool
    responding: bool = Field(description="False: its worker lives, but has not been heard of for ten seconds.")
    retry_at: datetime | None = Field(description="When it resumes by itself; null: it doesn't.")
    checkpoint_step: int | None = Field(description="A resumed run goes on from here; null: from the start.")
    spec: dict[str, Any] = Field(description="What it trains, as POST /runs takes it, every knob filled in.")
    parameters: int
    device: str | None = Field(description="Where it runs or ran.")
    seconds: float = Field(description="Seconds of training so far: no queue, no pause.")
    steps_done: int
    steps_total: int
    steps_per_epoch: int
    summary: dict[str, SummaryOut]
    metrics: dict[str, MetricOut] = Field(description="What the run says of each series, by its name.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: list[AttemptOut]


class RunPage(BaseModel):
    items: list[RunOut]
    next: str | None = Field(description="Cursor of the next page; null: this was the last.")


class ExperimentOut(BaseModel):
    """An experiment."""

    id: int
    name: str
    note: str
    base: dict[str, Any]
    grid: dict[str, list[Any]]
    random: dict[str, Any] | None = Field(description="Where values were drawn at random, how.")
    question: dict[str, Any] | None = Field(description="Where it asks until answered, what.")
    archived: bool
    asking: str | None = Field(description="Of a question: asking, answered, spent, stopped or failed.")
    smallest: float | None = Field(description="Smallest difference that matters; null: the usual one.")
    created_at: datetime
    run_ids: list[int]
    counts: dict[str, int] = Field(description="Number of its runs in each state.")
    to_relaunch: int = Field(
        description="Runs that failed or were lost, were not launched again since, and will not resume by themselves."
    )

    @classmethod
    def of(cls, row: Experiment, tally: runs.Tally) -> Self:
        return cls(**row.model_dump(), **tally._asdict())


class ExperimentPage(BaseModel):
    items: list[ExperimentOut]
    next: str | None = Field(description="Cursor of the next page; null: this was the last.")


class ConfigurationOut(BaseModel):
    """Runs that differ in nothing but the seed."""

    name: str
    spec: dict[str, Any] = Field(description="What it trains, as POST /runs takes it, every knob filled in.")
    parameters: int
    runs: int
    steps: int = Field(description="Steps of one run.")
    seconds: float | None = Field(description="How long one run takes, by runs like it here; null: there were none.")


class PlanOut(BaseModel):
    """What an experiment would make."""

    runs: int
    seeds: int
    configurations: list[ConfigurationOut]
    steps: int = Field(description="Steps of all runs together.")
    seconds: float | None = Field(description="How long all of them take, side by side on their devices' slots.")
    question: str | None = Field(
        description="What is asked, as a sentence; the runs are then those of the first seeds."
    )
    already: list[int] = Field(description="Runs that have succeeded with exactly one of these specs, seed and all.")
    unused_seeds: list[int] = Field(
        description="As many seeds that none of these configurations was launched with: what was seen is no evidence."
    )
    ahead: int = Field(description="Runs of others that are at work or queued before.")
    most_runs: int | None = Field(description="Of a question: runs if its whole budget of seeds is used.")


class RunsOut(BaseModel):
    """The runs that a call was about."""

    run_ids: list[int]


class RefusedOut(BaseModel):
    """A run that an action was not possible on."""

    run: int
    message: str


class BulkOut(BaseModel):
    """What became of an action on many runs; each run is on its own."""

    run_ids: list[int] = Field(description="Runs that it was done to.")
    refused: list[RefusedOut]


def runs_out(session: Session, rows: Iterable[Run]) -> list[RunOut]:
    """Rows as the API shows them, with summaries, attempts and tags, in three queries."""
    rows = list(rows)
    ids = [row.id for row in rows if row.id is not None]
    summaries, declared = runs.summaries(session, ids), series.declared(session, ids)
    attempts, tags = runs.attempts(session, ids), runs.tags(session, ids)
    return [
        _run_out(
            row,
            summaries.get(row.id or 0, {}),
            declared.get(row.id or 0, {}),
            attempts.get(row.id or 0, []),
            tags.get(row.id or 0, []),
        )
        for row in rows
    ]


def _run_out(
    row: Run,
    summaries: Mapping[str, Summary],
    declared: Mapping[str, Metric],
    attempts: list[Attempt],
    tags: list[str],
) -> RunOut:
    spec = stored.filled(row.spec)
    title, _, detail = (row.cause or "").partition(": ")
    return RunOut(
        **row.model_dump(exclude={"spec"}),
        cause_title=capital(title) or None,
        cause_detail=f"{capital(detail).removesuffix('.')}." if detail else None,
        tags=tags,
        spec=spec,
        diverged=row.status == Status.FAILED and is_diverged(row.cause),
        mend=mend(spec, row.cause, untrained=row.untrained),
        steps_per_epoch=row.steps_total // spec["epochs"],
        summary={
            name: SummaryOut.of(summary, declared.get(name) or assumed(name))
            for name, summary in sorted(summaries.items())
        },
        metrics={name: MetricOut.of(metric) for name, metric in sorted(declared.items())},
        attempts=[AttemptOut(**attempt.model_dump()) for attempt in attempts],
    )
