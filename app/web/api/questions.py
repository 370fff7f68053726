"""/experiments/ID/question: ask until answered."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from app.asking import cells, questions
from app.asking.best import Race
from app.asking.sets import Asked, SeedSet
from app.compare import sequence
from app.compare.facts import Decision, Reason
from app.compare.judged import Centre, Look
from app.compare.question import Budget, Question, said, said_of_best
from app.spec.experiment import MAX_NAME
from app.store import experiments, runs
from app.store.engine import reading
from app.store.tables import Experiment
from app.web.api.compare import compared
from app.web.comparison import MeasureOut
from app.web.problems import Refused, documented
from app.web.schemas import BetweenIn, ConfirmIn, ExperimentId, ExperimentOut, QuestionChange
from app.web.state import BackgroundNow, Database
from app.web.titles import capital, configuration_title, differing, question_title, question_words
from trainer.paths import flat

router = APIRouter(prefix="/experiments", tags=["experiments"])


@router.post(
    "/ask",
    status_code=201,
    summary="Ask which of two runs' configurations is better",
    responses=documented(400, 403, 404, 413, 422, 503),
)
def ask(body: BetweenIn, engine: Database, background: BackgroundNow, response: Response) -> ExperimentOut:
    """A new experiment: both configurations with new seeds, in matched sets, until it is settled or the budget ends."""
    with reading(engine) as session:
        base, second, seeds = questions.between(session, body.first, body.second)
    question = Question(kind="difference", second=second, **body.model_dump(include=set(Budget.model_fields)))
    grid = {"seed": seeds}
    planned = cells.plan(base, grid, question)
    name = body.name or question_title(question, grid, planned.cells)[:MAX_NAME]
    row, members = questions.launch(engine, name, base, grid, question, planned, body.smallest)
    background.wake()
    response.headers["Location"] = f"/api/v1/experiments/{row.id}"
    return ExperimentOut.of(row, runs.tally(members))


@router.post(
    "/{experiment_id}/confirm",
    status_code=201,
    summary="Confirm the winner of a search",
    responses=documented(400, 403, 404, 413, 422, 503),
)
def confirm(
    experiment_id: ExperimentId, body: ConfirmIn, engine: Database, background: BackgroundNow, response: Response
) -> ExperimentOut:
    """A new experiment that finds the best of three: what was best here, the next one, and what has the defaults of the
    knobs that varied, with seeds that nobody used. The winner of several was chosen by its looks."""
    row, members = questions.confirm(engine, experiment_id, body.max_seeds)
    background.wake()
    response.headers["Location"] = f"/api/v1/experiments/{row.id}"
    return ExperimentOut.of(row, runs.tally(members))


class CellOut(BaseModel):
    """A configuration that the question compares."""

    name: str
    model: str
    pixel_order: str
    weight: float = Field(
        description="The question is about the sum of the cells' values times their weights; 0 where the best is to be "
        "found."
    )
    decision: Decision | None = Field(
        description="Where the best is to be found: may be best, ruled out, or what there is of it yet; null of the "
        "highest."
    )
    reason: Reason | None = Field(description="Of one that is ruled out, as in a comparison.")


class CellRunOut(BaseModel):
    """A cell's run of one seed."""

    run: int | None
    status: str
    steps_done: int
    steps_total: int
    value: float | None = Field(description="What is compared; null until it has succeeded.")


class SeedSetOut(BaseModel):
    """The runs of one seed, and what the interval was after them."""

    seed: int
    runs: list[CellRunOut] = Field(description="In the order of the cells.")
    is_complete: bool = Field(description="All its runs are there, and all sets before it have ended: it counts.")
    has_failed: bool = Field(description="One of its runs has ended without a value: the set does not count.")
    value: float | None = Field(description="Of this set; null until it is complete.")
    mean: float | None = Field(description="So far.")
    low: float | None = Field(description="The interval so far, valid while watched; null: too few sets.")
    high: float | None
    evidence: float | None = Field(description="Against there being no difference; 20 settles it.")
    ordinary_low: float | None = Field(description="Ordinary 95% interval, which is not valid here; for comparison.")
    ordinary_high: float | None


class QuestionOut(BaseModel):
    """A question and where it stands."""

    experiment: int
    state: str = Field(description="asking, answered, spent (the budget is), stopped or failed.")
    answer: str = Field(
        description="difference, no difference (that matters), unfit (the sets contradict each other), or open. Where "
        "the best is to be found: one (is left), alike (all that are left, within what matters), or open."
    )
    asked: str = Field(description="The question as a sentence.")
    sentences: list[str] = Field(description="The answer: a headline, and what bears it out.")
    kind: str
    knobs: list[str]
    measure: MeasureOut
    smallest: float = Field(description="Smallest difference worth knowing; 0: any.")
    max_seeds: int
    max_hours: float | None
    max_runs: int | None
    least_seeds: int = Field(description="With fewer sets nothing is settled.")
    n: int = Field(description="Sets that are complete; where the best is to be found, in all that are left.")
    runs: int = Field(description="Launched so far.")
    left: list[int] = Field(description="Places of the cells that may be the best; empty of other questions.")
    seconds: float = Field(description="Training of all its runs.")
    settled_after: int | None
    value: float | None = Field(
        description="The difference: the mean over the sets that count, or their median; null where the best is to be "
        "found."
    )
    centre: Centre = Field(
        description="What value is: the median where one set lies far off; none: no difference is claimed."
    )
    low: float | None = Field(description="The interval, valid while watched; null: too few sets, or none fits.")
    high: float | None
    needed: int | None = Field(description="About so many sets would settle it, if mean and spread stay as they are.")
    cells: list[CellOut]
    sets: list[SeedSetOut] = Field(
        description="Those that count in the order launched, each once all before it have ended; then the others."
    )


@router.get("/{experiment_id}/question", summary="A question and where it stands", responses=documented(404, 422, 503))
def question(experiment_id: ExperimentId, engine: Database) -> QuestionOut:
    with reading(engine) as session:
        row = experiments.get(session, experiment_id)
        if row.question is None:
            raise Refused(404, "experiment", f"experiment {experiment_id} carries no question")
        return question_out(session, row)


@router.patch(
    "/{experiment_id}/question",
    summary="Give a question another budget",
    responses=documented(400, 403, 404, 413, 422, 503),
)
def change(
    experiment_id: ExperimentId, body: QuestionChange, engine: Database, background: BackgroundNow
) -> QuestionOut:
    """Where asking had ended because the budget was spent, it goes on."""
    questions.change(engine, experiment_id, **body.model_dump(exclude_unset=True, exclude_none=True))
    background.wake()
    return question(experiment_id, engine)


@router.post(
    "/{experiment_id}/question/stop", summary="Stop asking", responses=documented(400, 403, 404, 413, 422, 503)
)
def stop(experiment_id: ExperimentId, engine: Database) -> QuestionOut:
    """No more seeds are launched. Runs that are queued or at work go on, and count."""
    questions.stop(engine, experiment_id)
    return question(experiment_id, engine)


@router.post(
    "/{experiment_id}/question/continue", summary="Keep asking", responses=documented(400, 403, 404, 413, 422, 503)
)
def keep_asking(experiment_id: ExperimentId, engine: Database, background: BackgroundNow) -> QuestionOut:
    """After a stop, until it is answered; after an answer, until the budget is used up."""
    questions.keep_asking(engine, experiment_id)
    background.wake()
    return question(experiment_id, engine)


def question_out(session: Session, row: Experiment) -> QuestionOut:
    found = questions.read(session, row)
    return _of_best(session, row, found) if isinstance(found, Race) else _of_sets(row, found)


def _of_sets(row: Experiment, found: Asked) -> QuestionOut:
    outcome, question = found.outcome, found.question
    words = question_words(question, row.grid, found.cells)
    by_seed = {one.seed: one for one in found.sets}
    complete = [by_seed[look.seed or 0] for look in outcome.looks]
    others = [one for one in found.sets if one not in complete]
    state: Any = row.asking or "stopped"
    return QuestionOut(
        **_common(row, found),
        answer=outcome.answer,
        sentences=said(outcome, words, found.smallest, state, question.max_seeds),
        smallest=found.smallest,
        least_seeds=sequence.least(),
        n=outcome.n,
        runs=sum(run is not None for one in found.sets for run in one.runs),
        left=[],
        settled_after=outcome.settled_after,
        value=outcome.value,
        centre=outcome.centre,
        low=outcome.low,
        high=outcome.high,
        needed=outcome.needed,
        cells=_cells_out(found, [None] * len(found.cells)),
        sets=[
            *(
                _set_out(found, one, look, ordinary)
                for one, look, ordinary in zip(complete, outcome.looks, outcome.ordinary, strict=True)
            ),
            *(_set_out(found, one, None, None) for one in others),
        ],
    )


def _of_best(session: Session, row: Experiment, found: Race) -> QuestionOut:
    page = compared(session, row.name, list(found.runs), found.question.measure, found.facts.plan, row.smallest)
    state: Any = row.asking or "stopped"
    if state == "asking" and found.is_answered and not row.asking_beyond:
        state = "answered"  # which is noted within a moment
    looking = found.looking
    return QuestionOut(
        **_common(row, found),
        answer=found.end,
        sentences=[
            *page.verdict.sentences[page.verdict.headline :],
            said_of_best(looking, state, found.measure, found.facts.smallest),
        ],
        smallest=found.facts.smallest,
        least_seeds=looking.least,
        n=looking.seeds,
        runs=looking.runs,
        left=list(found.left),
        settled_after=looking.seeds if found.is_answered else None,
        value=None,
        centre="none",
        low=None,
        high=None,
        needed=None,
        cells=_cells_out(found, found.decisions),
        sets=[_set_out(found, one, None, None) for one in found.sets],
    )


def _common(row: Experiment, found: Asked | Race) -> dict[str, Any]:
    question, measure = found.question, found.measure
    return {
        "experiment": row.id or 0,
        "state": row.asking or "stopped",
        "asked": question_title(question, row.grid, found.cells),
        "kind": question.kind,
        "knobs": question.knobs,
        "measure": MeasureOut(
            name=question.measure,
            title=measure.title,
            greater_is_better=measure.greater_is_better,
            unit=measure.unit,
            is_accuracy=measure.is_fraction,
        ),
        "max_seeds": question.max_seeds,
        "max_hours": question.max_hours,
        "max_runs": question.max_runs,
        "seconds": found.seconds,
    }


def _cells_out(found: Asked | Race, decisions: Sequence[tuple[Decision, Reason | None] | None]) -> list[CellOut]:
    knobs = [flat(cell.spec.to_json()) for cell in found.cells]
    return [
        CellOut(
            name=capital(configuration_title(of_cell, differing(knobs))),
            model=of_cell["model"],
            pixel_order=of_cell["pixel_order"],
            weight=cell.weight,
            decision=decision[0] if decision else None,
            reason=decision[1] if decision else None,
        )
        for of_cell, cell, decision in zip(knobs, found.cells, decisions, strict=True)
    ]


def _set_out(found: Asked | Race, one: SeedSet, look: Look | None, ordinary: tuple[float, float] | None) -> SeedSetOut:
    return SeedSetOut(
        seed=one.seed,
        runs=[
            CellRunOut(
                run=run.id if run else None,
                status=run.status if run else "missing",
                steps_done=run.steps_done if run else 0,
                steps_total=run.steps_total if run else cell.spec.steps_total,
                value=value,
            )
            for run, value, cell in zip(one.runs, one.values, found.cells, strict=True)
        ],
        is_complete=look is not None,
        has_failed=one.has_failed and not one.is_complete and not isinstance(found, Race),
        value=look.value if look else None,
        mean=look.mean if look else None,
        low=look.low if look else None,
        high=look.high if look else None,
        evidence=look.evidence if look else None,
        ordinary_low=ordinary[0] if ordinary else None,
        ordinary_high=ordinary[1] if ordinary else None,
    )
