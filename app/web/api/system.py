"""/catalog, /system"""

import os
import platform
import shutil
from importlib.metadata import version
from typing import Any

import psutil
from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.store import runs
from app.store.engine import reading
from app.web.problems import documented
from app.web.state import BackgroundNow, Database, PlacesNow, SettingsNow
from trainer import catalog
from trainer.catalog import Knob

router = APIRouter(tags=["system"])


class KnobOut(BaseModel):
    """One adjustable value."""

    path: str = Field(description="How a grid names it, for example optimizer.lr.")
    title: str
    kind: str
    default: Any
    help: str
    minimum: float | None
    maximum: float | None
    choices: list[str]

    @classmethod
    def of(cls, knob: Knob, prefix: str = "") -> "KnobOut":
        number = knob.kind != "choice"
        return cls(
            path=prefix + knob.name,
            title=knob.title,
            kind=knob.kind,
            default=knob.default,
            help=knob.help,
            minimum=knob.minimum if number else None,
            maximum=knob.maximum if number else None,
            choices=list(knob.choices),
        )


class ModelOut(BaseModel):
    name: str
    title: str
    description: str
    citation: str
    knobs: list[KnobOut]
    parameters: dict[str, int] = Field(description="Trainable parameters with default knobs, by data set.")


class DatasetOut(BaseModel):
    name: str
    title: str
    description: str
    citation: str
    shape: list[int] = Field(description="Channels, height, width.")
    classes: list[str]
    train_size: int
    test_size: int
    on_disk: bool = Field(description="Nothing has to be downloaded.")
    download_mb: int


class PublishedOut(BaseModel):
    where: dict[str, str]
    figures: dict[str, float]


class PresetOut(BaseModel):
    """A ready body for POST /experiments, and what its source published."""

    name: str
    title: str
    question: str
    description: str
    base: dict[str, Any]
    grid: dict[str, list[Any]]
    published: list[PublishedOut]
    source: str


class CatalogOut(BaseModel):
    """What can be trained."""

    models: list[ModelOut]
    datasets: list[DatasetOut]
    optimizers: dict[str, list[KnobOut]]
    training: list[KnobOut]
    presets: list[PresetOut]


class DeviceOut(BaseModel):
    name: str
    title: str
    memory: int | None = Field(description="Bytes; null: the machine's.")
    slots: int
    used: int


class SystemOut(BaseModel):
    """The server and its machine."""

    version: str
    python: str
    home: str
    process: int
    memory: int = Field(description="Bytes that the server process holds.")
    disk_free: int = Field(description="Bytes free where the data lie.")
    cores: int
    devices: list[DeviceOut] | None = Field(description="null while they are being found out, right after the start.")
    counts: dict[str, int] = Field(description="Number of runs in each state.")


@router.get("/catalog", summary="What can be trained")
def get_catalog(places: PlacesNow) -> CatalogOut:
    """Models, data sets, knobs with their ranges, and presets."""
    return CatalogOut(
        models=[_model(model) for model in catalog.MODELS.values()],
        datasets=[
            DatasetOut(
                name=dataset.name,
                title=dataset.title,
                description=dataset.description,
                citation=dataset.citation,
                shape=list(dataset.shape),
                classes=list(dataset.classes),
                train_size=dataset.train_size,
                test_size=dataset.test_size,
                on_disk=places.is_prepared(dataset.name) or places.is_on_disk(dataset.name),
                download_mb=dataset.download_mb,
            )
            for dataset in catalog.DATASETS.values()
        ],
        optimizers={
            name: [KnobOut.of(knob, "optimizer.") for knob in knobs] for name, knobs in catalog.OPTIMIZERS.items()
        },
        training=[KnobOut.of(knob) for knob in catalog.TRAINING.values()],
        presets=[
            PresetOut(
                name=preset.name,
                title=preset.title,
                question=preset.question,
                description=preset.description,
                base=dict(preset.base),
                grid=dict(preset.grid),
                published=[PublishedOut(where=dict(p.where), figures=dict(p.figures)) for p in preset.published],
                source=preset.source,
            )
            for preset in catalog.PRESETS.values()
        ],
    )


def _model(model: catalog.Model) -> ModelOut:
    defaults = {knob.name: knob.default for knob in model.knobs}
    return ModelOut(
        name=model.name,
        title=model.title,
        description=model.description,
        citation=model.citation,
        knobs=[KnobOut.of(knob, "model.") for knob in model.knobs],
        parameters={
            dataset.name: model.parameters(defaults, dataset.shape, len(dataset.classes))
            for dataset in catalog.DATASETS.values()
            if dataset.shape in model.shapes
        },
    )


@router.get("/system", summary="The server and its machine", responses=documented(503))
def get_system(settings: SettingsNow, engine: Database, background: BackgroundNow) -> SystemOut:
    with reading(engine) as session:
        counts = runs.counts(session)
    devices = None if background.devices is None else [DeviceOut(**device) for device in background.slots()]
    return SystemOut(
        version=version("runyard"),
        python=platform.python_version(),
        home=str(settings.home.absolute()),
        process=os.getpid(),
        memory=psutil.Process().memory_info().rss,
        disk_free=shutil.disk_usage(settings.home).free,
        cores=os.cpu_count() or 1,
        devices=devices,
        counts=counts,
    )
