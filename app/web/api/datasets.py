"""/datasets: what can be trained on, what it holds, what a net sees."""

import base64
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, Field
from starlette.exceptions import HTTPException

from app.store import runs
from app.store.engine import reading
from app.web import images
from app.web.described import described
from app.web.preparing import Full, Preparing
from app.web.problems import Refused, documented
from app.web.state import Database, PlacesNow, PreparingNow
from trainer import catalog
from trainer.catalog import SEED_MAX
from trainer.data.folder import folders, following, is_name, place, stem, title
from trainer.entries import Dataset, shown
from trainer.prepared import Places

router = APIRouter(prefix="/datasets", tags=["data sets"])
Name = Annotated[
    str,
    AfterValidator(catalog.canonical),
    Path(
        max_length=300,
        description="Data set; of a folder of images without a version (`folder:pets`) the newest.",
        examples=["digits"],
    ),
]


class ImagesOut(BaseModel):
    """Example images as bytes (images × channels × height × width, 0 to 255) in base64."""

    shape: list[int] = Field(description="Channels, height, width.")
    labels: list[str]
    original: str
    shuffled: str


class ClassOut(BaseModel):
    name: str
    train: int = Field(description="Training images.")
    test: int


class ChannelOut(BaseModel):
    """Values of one channel over all training images."""

    mean: float = Field(description="Of values scaled to 0..1.")
    std: float
    histogram: list[int] = Field(description="Pixels with each of the values 0 to 255.")


class StateOut(BaseModel):
    """Where a data set is."""

    name: str
    title: str
    on_disk: bool = Field(description="Nothing has to be downloaded.")
    prepared: bool = Field(description="Its arrays are ready: it can be looked at.")
    preparing: bool = Field(description="It is being read, and downloaded where absent.")
    progress: float | None = Field(description="Of the file that is being downloaded, 0 to 1.")
    error: str | None = Field(description="Why it could not be prepared, and the way out.")
    download_mb: int
    folder: str | None = Field(description="Of a folder of images its name without the version, as `folder:pets@64`.")
    read_at: datetime | None = Field(description="When the folder of images was read.")
    source: Literal["as read", "changed", "gone"] | None = Field(
        description="What became of the folder of images since then; null: it is none, or was not looked at yet."
    )


class DescribedOut(StateOut):
    """What a data set holds. Classes, channels and bytes are null until it was prepared."""

    description: str
    citation: str
    shape: list[int] = Field(description="Channels, height, width.")
    class_count: int
    train_size: int
    test_size: int
    mean: list[float] = Field(description="What its images are normalised with, a channel each.")
    std: list[float]
    archives: list[str] = Field(description="What is downloaded, under the directory of data sets.")
    runs: int = Field(description="Runs on it.")
    classes: list[ClassOut] | None
    channels: list[ChannelOut] | None
    bytes: int | None = Field(description="Of its prepared arrays.")
    notes: list[str] = Field(description="What whoever uses it should know, such as files that were left out.")


class DatasetsOut(BaseModel):
    """All data sets, and the folders of images that could be read."""

    directory: str = Field(description="Where data sets and folders of images lie on the server.")
    folders: list[str] = Field(description="Folders of images in it, each as folder:NAME, read or not.")
    items: list[StateOut]


class SamplesOut(BaseModel):
    """Training images of some classes: a list of one string of bytes a class, in base64."""

    shape: list[int] = Field(description="Channels, height, width.")
    first: int
    classes: list[str]
    images: list[str]


def _found(name: str) -> Dataset:
    if name not in catalog.DATASETS:
        message = f"data set is {shown(name)}: there is no such data set; choose {' or '.join(catalog.DATASETS)}"
        raise Refused(404, "name", message)
    return catalog.DATASETS[name]


def _state(places: Places, preparing: Preparing, name: str) -> StateOut:
    state, known = preparing.state(name), catalog.DATASETS.get(name)
    return StateOut(
        name=name,
        title=known.title if known else title(name) if is_name(name) else name,
        on_disk=places.is_prepared(name) or places.is_on_disk(name),
        prepared=places.is_prepared(name),
        preparing=state is not None and state.running,
        progress=state and state.progress,
        error=state and state.error,
        download_mb=known.download_mb if known else 0,
        folder=stem(name) if is_name(name) else None,
        read_at=datetime.fromisoformat(known.read_at) if known and known.read_at else None,
        source=preparing.sources([name])[name],
    )


@router.get("", summary="Data sets and where they are")
def list_datasets(places: PlacesNow, preparing: PreparingNow) -> DatasetsOut:
    """Those of the catalogue; after them the folders of images in the directory of data sets that were not read yet."""
    found = folders(places.datasets)
    names = list(dict.fromkeys([*catalog.DATASETS, *map(catalog.canonical, found)]))
    preparing.sources(names)  # all of them at once
    items = [_state(places, preparing, name) for name in names]
    return DatasetsOut(directory=str(places.datasets), folders=found, items=items)


@router.get("/{name}/state", summary="Where a data set is", responses=documented(404, 422))
def get_state(places: PlacesNow, preparing: PreparingNow, name: Name) -> StateOut:
    """On disk, on its way, or to be downloaded."""
    return _state(places, preparing, _preparable(places, name))


def _preparable(places: Places, name: str) -> str:
    """The name, of a data set or of a folder of images that is there."""
    if is_name(name) and name not in catalog.DATASETS:
        if (first := following(name, catalog.DATASETS)) != name:
            raise Refused(404, "name", f"data set is {shown(name)}: there is no such version, the next is {first}")
        if not places.is_on_disk(name):
            raise Refused(404, "name", f"{place(name, places.datasets)} does not exist: put the images there")
        return name
    return _found(name).name


@router.get("/{name}", summary="What a data set holds", responses=documented(404, 422, 503))
def get_dataset(places: PlacesNow, preparing: PreparingNow, engine: Database, name: Name) -> DescribedOut:
    """Classes and their images, mean and deviation by channel, where it is."""
    dataset = _found(name)
    holds = described(name, places)
    with reading(engine) as session:
        used = runs.on_dataset(session, name)
    return DescribedOut(
        **_state(places, preparing, name).model_dump(),
        description=dataset.description,
        citation=dataset.citation,
        shape=list(dataset.shape),
        class_count=len(dataset.classes),
        train_size=dataset.train_size,
        test_size=dataset.test_size,
        mean=list(dataset.mean),
        std=list(dataset.std),
        archives=list(dataset.archives),
        runs=used,
        classes=holds
        and [
            ClassOut(name=title, train=train, test=test)
            for title, train, test in zip(dataset.classes, holds.train, holds.test, strict=True)
        ],
        channels=holds
        and [ChannelOut(mean=one.mean, std=one.std, histogram=list(one.histogram)) for one in holds.channels],
        bytes=holds and holds.bytes,
        notes=list(dataset.notes),
    )


@router.post(
    "/{name}/prepare",
    status_code=202,
    summary="Prepare a data set",
    responses=documented(400, 403, 404, 413, 422, 503),
)
def prepare_dataset(
    places: PlacesNow,
    preparing: PreparingNow,
    name: Name,
    again: Annotated[
        bool, Query(description="Read a folder of images again, as a new version; runs keep the one they have.")
    ] = False,
) -> StateOut:
    """Download what is absent and read it, in the background; GET /datasets/{name}/state says how far it is. A run that
    needs it does the same by itself. A folder of images, one folder a class, under the directory of data sets is
    `folder:NAME`, `folder:NAME@SIDE` (28, 32, 64 or 224 pixels) or `folder:NAME@SIDE-grey`."""
    _preparable(places, name)
    if again and name in catalog.DATASETS:
        if not is_name(name):
            raise Refused(422, "again", f"{name} is no folder of images: it never changes")
        if not places.is_on_disk(name):
            raise Refused(404, "name", f"{place(name, places.datasets)} does not exist: put the images there")
        name = following(name, catalog.DATASETS)
    if not places.is_prepared(name):
        try:
            preparing.begin(name)
        except Full as error:
            raise HTTPException(503, str(error), {"Retry-After": "30"}) from None
    return _state(places, preparing, name)


@router.get("/{name}/samples", summary="Training images by class", responses=documented(404, 422))
def get_samples(
    places: PlacesNow,
    name: Name,
    first: Annotated[int, Query(ge=0, le=65_535, description="Class to begin with, from 0.")] = 0,
    classes: Annotated[int, Query(ge=1, le=50, description="How many classes.")] = 20,
    count: Annotated[int, Query(ge=1, le=16, description="Images of each.")] = 8,
    seed: Annotated[int, Query(ge=0, le=SEED_MAX, description="Draws others; 0: the first in the set.")] = 0,
) -> SamplesOut:
    dataset = _found(name)
    found = images.by_class(name, places, first, classes, count, seed)
    if found is None:
        raise _not_prepared(name)
    return SamplesOut(
        shape=list(dataset.shape),
        first=first,
        classes=list(dataset.classes[first : first + classes]),
        images=[base64.b64encode(one.original.tobytes()).decode() for one in found],
    )


def _not_prepared(name: str) -> Refused:
    return Refused(404, "name", f"{name} is not prepared yet: its images can be shown after its first run")


@router.get("/{name}/images", summary="Example images", responses=documented(404, 422))
def get_images(
    places: PlacesNow,
    name: Name,
    count: Annotated[int, Query(ge=1, le=100)] = 8,
    permutation_seed: Annotated[int, Query(ge=0, le=SEED_MAX)] = 1,
) -> ImagesOut:
    """Test images in order and shuffled, as a net with that permutation seed sees them."""
    dataset = _found(name)
    found = images.samples(name, places, count, permutation_seed)
    if found is None:
        raise _not_prepared(name)
    return ImagesOut(
        shape=list(dataset.shape),
        labels=[dataset.classes[label] for label in found.labels],
        original=base64.b64encode(found.original.tobytes()).decode(),
        shuffled=base64.b64encode(found.shuffled.tobytes()).decode(),
    )
