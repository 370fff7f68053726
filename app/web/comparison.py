"""What `/compare` answers, as types: groups, contrasts, facts, sentences. OpenAPI is made of these."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from app.compare import facts
from app.compare.facts import Step
from app.compare.measure import Measure
from app.compare.phrases import figures_of, word_of
from app.compare.statistics import Matched, Summary
from app.compare.verdict import Verdict
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
        description="The best value that any of them had at any time; null where nothing of it is better, and of a "
        "test where images were held out: they choose the epoch."
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
    unit: str = Field(description="Of a difference: points, steps, s, images a second; empty where there is none.")
    is_accuracy: bool = Field(description="A fraction; its differences are said in percentage points.")


class LookOut(BaseModel):
    """The confidence sequence after one more matched set of runs."""

    seed: int | None = Field(description="Null where seeds don't match: sets are then made in order of arrival.")
    value: float = Field(description="Difference of this set.")
    mean: float
    low: float | None = Field(description="Null as long as there is no interval.")
    high: float | None
    evidence: float = Field(description="Against there being no difference; 20 settles one contrast.")
    empty: bool = Field(description="No single difference fits all looks so far: there is no interval any more.")


class StepOut(BaseModel):
    """A knob going from one value to another."""

    knob: str
    title: str
    first: Any
    second: Any

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls(knob=step.knob, title=knob_title(step.knob), first=step.first, second=step.second)


class SeedOut(BaseModel):
    """One seed's value of one configuration."""

    seed: int
    value: float


class SideOut(BaseModel):
    """One configuration's part in a contrast."""

    group: int = Field(description="Place among the groups, from 0.")
    weight: float
    values: list[SeedOut] = Field(description="Over the seeds that the contrast uses.")


class ContrastOut(BaseModel):
    """A weighted sum of configurations' values, and what is decided of it."""

    kind: facts.Kind = Field(
        description="A knob that is changed, two configurations, or the difference of two changes."
    )
    title: str
    decision: facts.Decision = Field(
        description="Tested in this order. pending: the plan is not over. too few: no interval yet. equal: the same in "
        "every seed. none: nobody is left on a side. untrained: no side learned anything. unreached: some never got "
        "there. unfit: no single difference fits the values. no difference: the interval lies within ± smallest. "
        "clear: wholly outside of that. small: without 0. open: none of these. Of more than two configurations, "
        "compared with the best of them: may be best, or ruled out."
    )
    reason: facts.Reason | None = Field(
        description="Of one that is ruled out. behind: by its interval. behind another: by that against another one. "
        "untrained: it learned nothing. failing: two or more of its runs failed. no value: its runs have not got what "
        "is compared."
    )
    word: str = Field(description="The decision in words.")
    value_text: str = Field(description="Value as it is written beside its interval; empty where there is none.")
    interval_text: str
    value: float | None = Field(description="The mean over the seeds that count; null: there is none yet.")
    centre: Literal["mean", "median", "none"] = Field(
        description="What value is: the median where one value lies far off; none: no difference is claimed."
    )
    n: int = Field(description="Seeds that it is of; where they don't match, the fewest runs of a side.")
    launched: int = Field(description="Seeds that were launched on every side.")
    matched: Matched = Field(description="Paired by seed, in the order launched, or not (Welch).")
    low: float | None = Field(description="Interval, together 95% for the family; null: too few seeds, or pending.")
    high: float | None
    deviation: float | None = Field(description="Sample deviation of one seed's difference.")
    p: float | None = Field(description="Two-sided, of this one alone; while watched valid at any time.")
    effect: float | None = Field(description="In deviations of one run: Cohen's d.")
    pairing: float | None = Field(
        description="So many times as many seeds it would take if they were not paired, by these; null: too few to say."
    )
    above: int = Field(description="Seeds in which it was over 0; none are counted where seeds don't match.")
    below: int
    by_seed: list[float] = Field(description="It in each seed; empty where seeds don't match.")
    outlier: int | None = Field(description="The seed that lies far off.")
    more_seeds: int | None = Field(
        description="Where it is open: about so many more seeds would settle a difference of this size."
    )
    least_seeds: int = Field(description="With fewer seeds there is no interval.")
    looks_from: int = Field(description="With fewer seeds there is none that may be watched.")
    watched: bool = Field(description="The interval holds however often one looks.")
    family: int = Field(description="How many contrasts are decided together.")
    steps: list[StepOut] = Field(description="The knobs that are changed in it; of a pair none.")
    sides: list[SideOut]
    seeds: list[int] = Field(description="Those used on every side; empty where seeds don't match.")
    looks: list[LookOut] = Field(
        description="After each matched set of runs: while watched the interval that decides; while pending the one "
        "that may be looked at, by itself."
    )

    @classmethod
    def of(cls, one: facts.Contrast, title: str, measure: Measure) -> Self:
        judged = one.judged
        value_text, interval_text = figures_of(one, measure)
        return cls(
            kind=one.kind,
            title=title,
            decision=one.decision,
            reason=one.reason,
            word=word_of(one),
            value_text=value_text,
            interval_text=interval_text,
            value=judged.value if judged else None,
            centre=judged.centre if judged else "none",
            n=judged.n if judged else 0,
            launched=one.launched,
            matched=judged.matched if judged else "none",
            low=judged.low if judged else None,
            high=judged.high if judged else None,
            deviation=judged.deviation if judged else None,
            p=judged.p if judged else None,
            effect=judged.effect if judged else None,
            pairing=one.pairing,
            above=judged.above if judged else 0,
            below=judged.below if judged else 0,
            by_seed=list(judged.by_seed) if judged else [],
            outlier=judged.outlier.seed if judged and judged.outlier else None,
            more_seeds=one.more,
            least_seeds=one.least,
            looks_from=one.looks_from,
            watched=one.mode == "watched",
            family=one.family,
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
            looks=[LookOut(**look._asdict()) for look in judged.looks] if judged else [],
        )


class RowOut(BaseModel):
    """One line of the table beside the answer. Figures are over the seeds that the difference uses."""

    name: str
    group: int = Field(description="Place among the groups, of the first or only one.")
    model: str
    pixel_order: str
    first: SampleOut | None = Field(description="Null where no run counts, or no average is claimed.")
    second: SampleOut | None = Field(description="Null also where configurations are compared with the best.")
    difference: ContrastOut | None = Field(description="Second minus first; or this one minus the best, null of it.")
    word: str = Field(description="Of configurations compared with the best: what is said of this one.")
    value: str = Field(description="Of the knob of `scale`, where there is one.")
    lead: str = Field(description="Of a change, what is said of it, in one line.")
    under: str = Field(description="And under that, in another.")


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


class UntrainedOut(BaseModel):
    """How many of a configuration's finished runs learned nothing."""

    group: int = Field(description="Place among the groups, from 0.")
    untrained: int
    done: int


class PlanOut(BaseModel):
    """Whether the number of runs was fixed beforehand."""

    state: Literal["running", "over", "watched"] = Field(
        description="Fixed and not over; fixed and over; or looked at while it can grow."
    )
    runs: int = Field(description="Planned, where it is fixed.")
    to_go: int = Field(description="Of those, not ended for good.")


class FactsOut(BaseModel):
    """All that is known, as codes and numbers; the sentences are made of it."""

    plan: PlanOut
    smallest: float = Field(description="Smallest difference that matters, in the unit of the measure.")
    answer: Literal["nothing", "alone", "changes", "rankings"]
    why: str | None = Field(description="Of nothing: no runs, none has finished, no value, or not judged.")
    knob: str | None = Field(description="Of changes: the knob.")
    orders: list[list[int]] = Field(description="Of rankings: of each data set places among the groups, best first.")
    waiting: int = Field(description="Of rankings: configurations without a finished run.")
    contrasts: list[ContrastOut] = Field(
        description="All that is claimed, decided together. Of changes: after minus before, the largest first; then, "
        "of two configurations, the second minus the first before and after, and how much more the second changes. Of "
        "rankings: each minus the best."
    )
    dropouts: list[DropoutsOut] = Field(description="Configurations with runs that ended without a result.")
    untrained: list[UntrainedOut] = Field(description="Configurations with runs that learned nothing.")
    left_out: list[RunLeftOut] = Field(description="Runs that count for nothing.")

    @classmethod
    def of(cls, known: facts.Facts, said: Verdict) -> Self:
        answer = known.answer
        kinds = {facts.Nothing: "nothing", facts.Alone: "alone", facts.Changes: "changes", facts.Rankings: "rankings"}
        rankings = answer if isinstance(answer, facts.Rankings) else None
        return cls(
            plan=PlanOut(state=known.plan.state, runs=known.plan.runs, to_go=known.plan.to_go),
            smallest=known.smallest,
            answer=kinds[type(answer)],
            why=answer.why if isinstance(answer, facts.Nothing) else None,
            knob=answer.knob if isinstance(answer, facts.Changes) else None,
            orders=[list(block.order) for block in rankings.blocks] if rankings else [],
            waiting=rankings.waiting if rankings else 0,
            contrasts=[ContrastOut.of(line.contrast, line.title, known.measure) for line in said.lines],
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
            untrained=[
                UntrainedOut(group=one.group, untrained=one.untrained, done=one.done) for one in known.untrained
            ],
            left_out=[RunLeftOut(run=one.run, group=one.group, why=one.why) for one in known.left_out],
        )


class LackingOut(BaseModel):
    """Values of a knob that nobody tried, and that would tell where the best one is."""

    knob: str
    values: list[float]
    beyond: bool = Field(description="Past the end of the grid, at which the best one stands; else between values.")


class SearchOut(BaseModel):
    """Configurations that were drawn at random, each as likely as the others."""

    expected: list[float] = Field(
        description="What the best of 1, 2, … all draws is expected to have, by what they gave (Dodge et al. 2019)."
    )


class VerdictOut(BaseModel):
    """The answer in words."""

    sentences: list[str]
    headline: int = Field(
        description="Place of the sentence that answers, from 0; those before it say who dropped out or learned "
        "nothing."
    )
    title: str = Field(description="The answer in one line.")
    compared: str = Field(description="Of two configurations that a knob was changed of, who is ahead; else empty.")
    sureness: str = Field(description="Which intervals these are, in one line.")
    note: str = Field(description="Which intervals these are.")
    watched: bool = Field(
        description="The experiment can grow, some runs were known before, or they were chosen by hand: intervals hold "
        "however often one looks. False: the number of seeds was fixed beforehand."
    )
    least_seeds: int = Field(description="With fewer seeds there is no interval.")
    knob: str | None = Field(description="The knob whose change is judged; null: each is compared with the best.")
    heads: list[str]
    scale: str | None = Field(
        description="Title of the one knob in which the rows differ, where its values are numbers: rows are in its "
        "order."
    )
    rows: list[RowOut]
    has_winner: bool = Field(
        description="One of three or more configurations was chosen by its looks, and can be confirmed with new seeds."
    )
    lacking: LackingOut | None = Field(description="Null: nothing is lacking, or the rows have no order.")


class RanOnOut(BaseModel):
    """Software or a machine that was not the same for all runs."""

    title: str
    values: list[str]
    apart: bool = Field(description="Some two configurations have none of it in common.")


class RelatedOut(BaseModel):
    """Another experiment in which some of the same configurations ran."""

    experiment: int
    name: str
    created_at: datetime
    shared: int = Field(description="How many configurations ran in both.")
    answer: str = Field(description="Its answer, as its page has it.")


class CompareOut(BaseModel):
    """Runs side by side."""

    title: str
    runs: int
    ended: int = Field(description="Runs that will not go on.")
    left: float | None = Field(
        default=None, description="Seconds until all have ended, by runs like them; null: none is left, or not known."
    )
    steps_total: int = Field(description="Length of the longest run.")
    rows: str | None = Field(description="Knob that makes the rows of panels.")
    columns: str | None = Field(description="Knob that makes the columns of panels.")
    began: datetime | None = Field(description="When the first of its runs began.")
    series: list[str] = Field(description="What was recorded of them.")
    metrics: dict[str, MetricOut] = Field(description="What the runs say of each series, by its name.")
    measure: MeasureOut
    groups: list[GroupOut]
    facts: FactsOut
    verdict: VerdictOut
    search: SearchOut | None = Field(description="Null: nothing was drawn, or its plan is not over.")
    differences: list[DifferenceOut]
    same: list[str] = Field(description="What all runs share, in words.")
    ran_on: list[RanOnOut] = Field(description="In what the software and the machines that they ran on differ.")
