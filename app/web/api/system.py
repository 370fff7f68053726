"""/catalog, /system"""

import functools
import os
import platform
import shutil
import sqlite3
import stat
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.settings import Settings
from app.spec.presets import specs_of
from app.store import credentials, runs
from app.store.engine import REVISIONS, reading
from app.web.launching import Estimate
from app.web.problems import documented
from app.web.security import asks_everybody
from app.web.state import BackgroundNow, Database, PlacesNow, SettingsNow, TailNow
from trainer import catalog
from trainer.entries import Knob, Model
from trainer.paths import join
from trainer.prepared import Places

router = APIRouter(tags=["system"])
DISK_SECONDS = 30.0


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
    def of(cls, knob: Knob, head: str = "") -> "KnobOut":
        number = knob.kind != "choice"
        return cls(
            path=join(head, knob.name) if head else knob.name,
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


class OptimizerOut(BaseModel):
    name: str
    title: str
    description: str
    knobs: list[KnobOut]


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
    seconds: float | None = Field(
        default=None,
        description="How long it takes here, by runs like it, or else by some steps; null: not known yet.",
    )


class CatalogOut(BaseModel):
    """What can be trained."""

    models: list[ModelOut]
    datasets: list[DatasetOut]
    optimizers: list[OptimizerOut]
    training: list[KnobOut]
    presets: list[PresetOut]


class DeviceOut(BaseModel):
    name: str
    title: str
    memory: int | None = Field(description="Bytes; null: the machine's.")
    slots: int = Field(description="Most runs at a time.")
    used: int
    threads: int | None = Field(default=None, description="Of the CPU: as many as may be at work together.")
    threads_used: int | None = Field(default=None, description="By the runs at work.")


class SpaceOut(BaseModel):
    """What a part of the data takes on the disk."""

    what: str
    path: str
    bytes: int


class SettingOut(BaseModel):
    """One setting: its value and where that came from."""

    name: str = Field(description="Its environment variable.")
    value: str | None
    source: str = Field(description="default, environment or command line.")
    help: str


class TokenOut(BaseModel):
    """A token: never the token itself, which is kept nowhere."""

    name: str
    access: str
    created_at: datetime


class PluginOut(BaseModel):
    """A model or a data set of another package, as its entry point was found when the server started."""

    kind: str = Field(description="model or data set.")
    name: str
    package: str
    version: str
    error: str | None = Field(description="Why it is left out; null: it can be chosen.")
    warning: str | None = Field(description="What its author should mend.")


class SystemOut(BaseModel):
    """The server and its machine."""

    version: str
    python: str
    versions: dict[str, str] = Field(description="Of what it is built on.")
    home: str
    host: str = Field(description="Name of the machine.")
    process: int
    started_at: datetime
    memory: int = Field(description="Bytes that the server process holds.")
    memory_total: int = Field(description="Bytes of memory that the machine has.")
    memory_used: int
    load: float = Field(description="Share of the processor in use, 0 to 1.")
    disk_free: int = Field(description="Bytes free where the data lie.")
    disk: list[SpaceOut]
    cores: int
    devices: list[DeviceOut] | None = Field(description="null while they are being found out, right after the start.")
    counts: dict[str, int] = Field(description="Number of runs in each state.")
    waits: str | None = Field(description="Why nothing is launched now, whatever is queued.")
    listeners: int = Field(description="Live streams that are open.")
    settings: list[SettingOut]
    shared: bool = Field(
        description="Everybody needs a token; else the server's own user and root need none, and other users of "
        "this machine do (where Linux tells who they are)."
    )
    tokens: list[TokenOut]
    plugins: list[PluginOut]


@router.get("/catalog", summary="What can be trained")
def get_catalog(places: PlacesNow, engine: Database, background: BackgroundNow) -> CatalogOut:
    """Models, data sets, knobs with their ranges, and presets with the time that they take here."""
    with reading(engine) as session:
        estimate = Estimate(session, background)
    found = whole_catalog(places)
    for preset in found.presets:
        preset.seconds = estimate.of_all(specs_of(preset.name))
    return found


def whole_catalog(places: Places) -> CatalogOut:
    """The catalogue as it is on any machine, but for which data sets are there."""
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
        optimizers=[
            OptimizerOut(
                name=optimizer.name,
                title=optimizer.title,
                description=optimizer.description,
                knobs=[KnobOut.of(knob, "optimizer") for knob in optimizer.knobs],
            )
            for optimizer in catalog.OPTIMIZERS.values()
        ],
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


def _model(model: Model) -> ModelOut:
    defaults = {knob.name: knob.default for knob in model.knobs}
    return ModelOut(
        name=model.name,
        title=model.title,
        description=model.description,
        citation=model.citation,
        knobs=[KnobOut.of(knob, "model") for knob in model.knobs],
        parameters={
            dataset.name: model.parameters(defaults, dataset.shape, len(dataset.classes))
            for dataset in catalog.DATASETS.values()
            if dataset.shape in model.shapes
        },
    )


@router.get("/system", summary="The server and its machine", responses=documented(503))
def get_system(settings: SettingsNow, engine: Database, background: BackgroundNow, tail: TailNow) -> SystemOut:
    with reading(engine) as session:
        counts = runs.counts(session)
        tokens = credentials.tokens(session)
    devices = None if background.devices is None else [DeviceOut(**device) for device in background.slots()]
    memory, own = psutil.virtual_memory(), psutil.Process()
    return SystemOut(
        version=version("runyard"),
        python=platform.python_version(),
        versions={
            **{name: version(name) for name in ("torch", "torchvision", "plotly", "fastapi", "sqlmodel")},
            "sqlite": sqlite3.sqlite_version,
            "schema": REVISIONS[-1],
        },
        home=str(settings.home.absolute()),
        host=platform.node(),
        process=own.pid,
        started_at=datetime.fromtimestamp(own.create_time(), UTC),
        memory=own.memory_info().rss,
        memory_total=memory.total,
        memory_used=memory.total - memory.available,
        load=psutil.cpu_percent() / 100,
        disk_free=shutil.disk_usage(settings.home).free,
        disk=_disk(settings, int(time.monotonic() // DISK_SECONDS)),
        cores=os.cpu_count() or 1,
        devices=devices,
        counts=counts,
        waits=background.waits(),
        listeners=tail.listeners,
        settings=[
            SettingOut(
                name=f"RUNYARD_{name.upper()}",
                value=None if getattr(settings, name) is None else str(getattr(settings, name)),
                source=settings.source(name),
                help=field.description or "",
            )
            for name, field in type(settings).model_fields.items()
        ],
        shared=asks_everybody(settings),
        tokens=[TokenOut(name=row.name or "", access=row.access, created_at=row.created_at) for row in tokens],
        plugins=[PluginOut(**vars(plugin)) for plugin in catalog.PLUGINS],
    )


@functools.lru_cache(maxsize=1)
def _disk(settings: Settings, _: int) -> list[SpaceOut]:
    """What the data take, by kind: every file is looked at, so it is not worked out anew for a while."""
    database, artifacts = settings.database, settings.artifacts_dir
    files = {
        "Database": (database, [database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))]),
        "Data sets": (settings.datasets_dir, settings.datasets_dir.rglob("*")),
        "Prepared data sets": (settings.prepared_dir, settings.prepared_dir.rglob("*")),
        "Checkpoints": (artifacts / "run-*/checkpoints", artifacts.glob("run-*/checkpoints/*")),
        "Weights": (artifacts / "run-*/weights.pt", artifacts.glob("run-*/weights.pt")),
        "Predictions and filters": (artifacts / "run-*", artifacts.glob("run-*/*.np[yz]")),
        "Logs": (settings.logs_dir, settings.logs_dir.glob("*.log")),
    }
    return [
        SpaceOut(what=what, path=_below(settings.home, path), bytes=sum(map(_size, found)))
        for what, (path, found) in files.items()
    ]


def _below(home: Path, path: Path) -> str:
    return str(path.relative_to(home.absolute())) if path.is_relative_to(home.absolute()) else str(path)


def _size(path: Path) -> int:
    """0 for what is no file, or went meanwhile."""
    try:
        found = path.stat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
