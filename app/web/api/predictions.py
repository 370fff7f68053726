"""What finished runs say of the test images: one run's mistakes, and where two runs differ."""

import base64
import contextlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import Engine

from app.compare import predictions as comparing
from app.settings import Settings
from app.spec import stored
from app.store import artifacts, runs
from app.store.engine import reading
from app.store.errors import Unreadable
from app.store.predictions import Predictions, load
from app.store.tables import Run
from app.web.images import test_images
from app.web.problems import Refused, documented
from app.web.schemas import Id, RunId
from app.web.state import Database, PlacesNow, SettingsNow
from trainer import catalog
from trainer.data.folder import is_name as is_folder
from trainer.entries import Dataset
from trainer.prepared import Places, open_arrays

router = APIRouter(tags=["predictions"])
MOST_SEEDS = 50
"""Of two configurations, whose predictions are read."""
Class = Annotated[int | None, Query(ge=0, le=65_535, description="Number of a class, from 0; any when absent.")]
Pair = Annotated[list[Id], Query(min_length=2, max_length=2, description="Ids of two runs.", examples=[[1, 2]])]


class ShareOut(BaseModel):
    """A share with its 95% Wilson interval."""

    right: int
    n: int
    low: float = Field(description="Of the interval, a fraction.")
    high: float


class ClassOut(ShareOut):
    """How many images of one class a net gets right."""

    name: str


class PredictionsOut(BaseModel):
    """A finished run's answers to the whole test set."""

    run: int
    dataset: str
    n: int = Field(description="Test images.")
    right: int
    low: float = Field(description="Of the 95% Wilson interval of the accuracy, a fraction.")
    high: float
    confidence: float = Field(description="Mean probability that the net gives its answers.")
    classes: list[ClassOut]
    confusion: list[list[int]] = Field(description="A row a true class, a column a predicted one.")


class BalanceOut(BaseModel):
    """Images of one class that only one of two nets gets right."""

    name: str
    only_first: int
    only_second: int


class OverSeedsOut(BaseModel):
    """The difference of two configurations' mean accuracies, first minus second, over the seeds that ran in both."""

    seeds: list[int]
    difference: float
    by_seeds: float = Field(description="Half of the 95% interval if other seeds had run, on the same test images.")
    by_images_too: float = Field(description="Half of it if other seeds had run on other test images.")


class TwoOut(BaseModel):
    """Two finished runs on the same test images. It speaks of these two trained nets, not of what they are made of."""

    runs: list[int]
    dataset: str
    answer: str = Field(description="The difference in a sentence.")
    n: int = Field(description="Test images.")
    shares: list[ShareOut] = Field(description="What each gets right.")
    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    same_wrong: int = Field(description="Images on which both say the same wrong class.")
    difference: float = Field(description="Accuracy of the first minus that of the second.")
    low: float = Field(description="Of its 95% interval.")
    high: float
    p: float = Field(description="Exact McNemar test, two-sided: that each is as often the only one to be right.")
    classes: list[BalanceOut]
    over_seeds: OverSeedsOut | None = Field(
        description="Of the two runs' configurations; null: fewer than two seeds ran in both, with predictions kept."
    )


class AnswerOut(BaseModel):
    """One test image and what each run says of it."""

    index: int = Field(description="Place in the test set, from 0.")
    label: int = Field(description="True class.")
    predicted: list[int] = Field(description="Of each run.")
    confidence: list[float] = Field(description="Probability that each run gives its answer.")


class AnswersOut(BaseModel):
    """Test images with answers; pixels as bytes (images × channels × height × width, 0 to 255) in base64."""

    total: int = Field(description="Images that fit, of which these are a part.")
    classes: list[str]
    items: list[AnswerOut]
    shape: list[int] = Field(description="Channels, height, width.")
    original: str
    seen: str = Field(description="As the first run sees them: shuffled where its pixels are.")


@router.get(
    "/runs/{run_id}/predictions",
    summary="What a finished run says of the test set",
    response_model=PredictionsOut,
    responses={
        200: {
            "description": "JSON; with raw=true a CSV stream",
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": "index,label,predicted,confidence\n0,7,7,0.98\n"}
            },
        },
        **documented(404, 422, 503),
    },
)
def one(
    run_id: RunId,
    engine: Database,
    settings: SettingsNow,
    places: PlacesNow,
    raw: Annotated[bool, Query(description="Every answer, as CSV `index,label,predicted,confidence`.")] = False,
) -> PredictionsOut | Response:
    """Confusion matrix and accuracy per class."""
    (run,), (kept,) = _kept(engine, settings, [run_id])
    if raw:
        return StreamingResponse(_csv(kept), media_type="text/csv")
    dataset = _dataset(run, kept.labels, places)
    matrix = comparing.confusion(kept.labels, kept.predicted, len(dataset.classes))
    return PredictionsOut(
        run=run_id,
        dataset=dataset.name,
        n=len(kept.labels),
        confidence=float(kept.confidence.mean()),
        classes=[
            ClassOut(name=name, **_share(int(row[at]), int(row.sum())))
            for at, (name, row) in enumerate(zip(dataset.classes, matrix, strict=True))
        ],
        confusion=matrix.tolist(),
        **{key: value for key, value in _share(int(kept.right.sum()), len(kept.labels)).items() if key != "n"},
    )


@router.get("/compare/predictions", summary="Two runs, image by image", responses=documented(404, 422, 503))
def two(engine: Database, settings: SettingsNow, places: PlacesNow, run: Pair) -> TwoOut:
    """Which test images only one of two runs gets right, and whether chance explains the difference."""
    rows, (first, second) = _kept(engine, settings, run)
    dataset = _dataset(rows[0], first.labels, places)
    found = comparing.agreement(first.labels, first.predicted, second.predicted)
    low, high = comparing.paired_interval(found.only_first, found.only_second, found.n)
    by_class = [
        np.bincount(first.labels[only], minlength=len(dataset.classes))
        for only in (first.right & ~second.right, second.right & ~first.right)
    ]
    p = comparing.mcnemar(found.only_first, found.only_second)
    names = [one.name if rows[0].name != rows[1].name else f"{one.name} (run {one.id})" for one in rows]
    return TwoOut(
        runs=run,
        dataset=dataset.name,
        answer=comparing.told(names[0], names[1], found, p),
        n=found.n,
        shares=[ShareOut(**_share(int(kept.right.sum()), found.n)) for kept in (first, second)],
        both_right=found.both_right,
        only_first=found.only_first,
        only_second=found.only_second,
        both_wrong=found.both_wrong,
        same_wrong=found.same_wrong,
        difference=(found.only_first - found.only_second) / found.n,
        low=low,
        high=high,
        p=p,
        classes=[
            BalanceOut(name=name, only_first=int(a), only_second=int(b))
            for name, a, b in zip(dataset.classes, *by_class, strict=True)
        ],
        over_seeds=_over_seeds(engine, settings, rows, first.labels),
    )


def _over_seeds(
    engine: Engine, settings: Settings, rows: list[Run], labels: npt.NDArray[np.int64]
) -> OverSeedsOut | None:
    """By all runs of the two configurations whose predictions, of these images, are kept: the newest of each seed."""
    if rows[0].configuration == rows[1].configuration:
        return None
    with reading(engine) as session:
        alike = [runs.succeeded_alike(session, row.configuration, MOST_SEEDS) for row in rows]
    by_seed = [{run.seed: run for run in of_one} for of_one in alike]
    common = sorted(seed for seed in by_seed[0].keys() & by_seed[1].keys() if seed is not None)
    right: list[list[npt.NDArray[np.bool_]]] = [[], []]
    used = []
    for seed in common:
        kept = []
        for of_one in by_seed:
            with contextlib.suppress(FileNotFoundError, Unreadable):
                kept.append(load(artifacts.predictions(settings, of_one[seed].files)))
        if len(kept) == 2 and all(np.array_equal(one.labels, labels) for one in kept):
            used.append(seed)
            for side, one in zip(right, kept, strict=True):
                side.append(one.right)
    if len(used) < 2:
        return None
    found = comparing.over_seeds(np.array(right[0]), np.array(right[1]))
    return OverSeedsOut(
        seeds=used, difference=found.difference, by_seeds=found.by_seeds, by_images_too=found.by_images_too
    )


@router.get(
    "/predictions/images", summary="Test images with what one or two runs say", responses=documented(404, 422, 503)
)
def images(
    engine: Database,
    settings: SettingsNow,
    places: PlacesNow,
    run: Annotated[list[Id], Query(min_length=1, max_length=2, description="Ids of one or two runs.", examples=[[1]])],
    right: Annotated[
        list[bool], Query(max_length=2, description="For each run whether its answer is right; any when absent.")
    ] = [],  # noqa: B006
    label: Class = None,
    predicted: Annotated[Class, Query(description="What the first run says.")] = None,
    sort: Annotated[
        Literal["confidence", "index"], Query(description="Most confident mistake first, or as in the test set.")
    ] = "confidence",
    start: Annotated[int, Query(ge=0, le=2**31, description="Images to leave out.")] = 0,
    count: Annotated[int, Query(ge=1, le=200, description="At most so many images.")] = 24,
) -> AnswersOut:
    """Mistakes by confidence; images that only one of two runs gets right; the first of the test set."""
    if right and len(right) != len(run):
        raise Refused(422, "right", f"right has {len(right)} values: give one for each of the {len(run)} runs, or none")
    rows, kept = _kept(engine, settings, run)
    labels = kept[0].labels
    dataset = _dataset(rows[0], labels, places)
    fits = np.ones(len(labels), bool)
    for one, wanted in zip(kept, right, strict=False):
        fits &= one.right == wanted
    if label is not None:
        fits &= labels == label
    if predicted is not None:
        fits &= kept[0].predicted == predicted
    found = np.flatnonzero(fits)
    if sort == "confidence":
        found = found[np.argsort(-_sureness(kept)[found], kind="stable")]
    chosen = found[start : start + count]
    spec = stored.filled(rows[0].spec)
    pictures = test_images(dataset.name, places, chosen, spec["permutation_seed"])
    if pictures is None:
        raise Refused(404, "run", f"{dataset.name} is not prepared here: its images can be shown after its next run")
    return AnswersOut(
        total=len(found),
        classes=list(dataset.classes),
        items=[
            AnswerOut(
                index=int(at),
                label=int(labels[at]),
                predicted=[int(one.predicted[at]) for one in kept],
                confidence=[float(one.confidence[at]) for one in kept],
            )
            for at in chosen
        ],
        shape=list(dataset.shape),
        original=_base64(pictures.original),
        seen=_base64(pictures.shuffled if spec["pixel_order"] == "shuffled" else pictures.original),
    )


def _kept(engine: Engine, settings: Settings, run_ids: list[int]) -> tuple[list[Run], list[Predictions]]:
    """The runs and their predictions, of the same test images."""
    if len(set(run_ids)) < len(run_ids):
        raise Refused(422, "run", f"run is {run_ids[0]} twice: choose two different runs")
    with reading(engine) as session:
        rows = runs.get_many(session, run_ids)
    kept = []
    for run in rows:
        try:
            kept.append(load(artifacts.predictions(settings, run.files)))
        except FileNotFoundError:
            why = (
                "was trained before predictions were kept: relaunch it to have them"
                if run.status == "succeeded"
                else f"is {run.status}: only a run that succeeded has predictions"
            )
            raise Refused(404, "run", f"run {run.id} {why}") from None
    for run, one in zip(rows, kept, strict=True):
        if run.spec["dataset"] != rows[0].spec["dataset"] or not np.array_equal(one.labels, kept[0].labels):
            message = (
                f"run {rows[0].id} was tested on {rows[0].spec['dataset']} and run {run.id} on {run.spec['dataset']}: "
                "choose two that were tested on the same images"
            )
            raise Refused(422, "run", message)
    return rows, kept


def _dataset(run: Run, labels: npt.NDArray[np.int64], places: Places) -> Dataset:
    """The one that a run was tested on. Its plug-in or its folder of images may be gone, or the folder was read again
    with other images in it."""
    name = run.spec["dataset"]
    if name not in catalog.DATASETS:
        way = "read the folder again, on the Data page" if is_folder(name) else "install its package, restart Runyard"
        message = f"run {run.id} was tested on {name}, which is not there any more: {way}"
        raise Refused(404, "run", message)
    if places.is_prepared(name) and not np.array_equal(open_arrays(name, places)[3], labels):
        message = f"run {run.id} was tested on other images than {name} has now: relaunch it"
        raise Refused(404, "run", message)
    return catalog.DATASETS[name]


def _sureness(kept: list[Predictions]) -> npt.NDArray[Any]:
    """Of each image the highest confidence of a run that is wrong; where none is, the lowest of any, below those."""
    wrong = np.max([np.where(one.right, 0, one.confidence) for one in kept], axis=0)
    sure = np.min([one.confidence for one in kept], axis=0)
    found: npt.NDArray[Any] = np.where(wrong > 0, 1 + wrong, sure)
    return found


def _share(right: int, n: int) -> dict[str, Any]:
    low, high = comparing.wilson(right, n)
    return {"right": right, "n": n, "low": low, "high": high}


def _base64(pixels: npt.NDArray[np.uint8]) -> str:
    return base64.b64encode(pixels.tobytes()).decode()


def _csv(kept: Predictions) -> Iterator[str]:
    yield "index,label,predicted,confidence\n"
    rows = zip(kept.labels.tolist(), kept.predicted.tolist(), kept.confidence.tolist(), strict=True)
    yield "".join(f"{at},{label},{said},{sure!r}\n" for at, (label, said, sure) in enumerate(rows))
