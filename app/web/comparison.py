"""What `/compare` answers, as types: groups, contrasts, facts, sentences. OpenAPI is made of these."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from app.compare import facts
from app.compare.design import Step
from app.compare.judged import Judged
from app.compare.statistics import Matched, Summary
from app.web.schemas import MetricOut
from app.web.titles import knob_title


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


class RunLeftOut(BaseModel):
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
    left_out: list[RunLeftOut] = Field(description="Runs that count for nothing.")

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
            left_out=[RunLeftOut(run=one.run, group=one.group, why=one.why) for one in known.left_out],
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
