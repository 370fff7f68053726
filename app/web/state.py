"""What the routes find in `app.state`, typed, as FastAPI dependencies."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

from fastapi import Depends
from sqlalchemy import Engine
from starlette.requests import Request

from app.settings import Settings
from app.spec.estimate import Past
from app.web.preparing import Preparing
from trainer.prepared import Places

if TYPE_CHECKING:
    from app.web.stream import Tail


class Background(Protocol):
    """What launches queued runs; `app.cli` gives the server the dispatcher as one."""

    @property
    def devices(self) -> list[dict[str, Any]] | None:
        """Name and title of each device, best first; None while that is being found out."""

    def slots(self) -> list[dict[str, Any]]:
        """The devices with their slots and how many are used."""

    def paces(self) -> Sequence[Past]:
        """What a step of the presets takes here, as far as it is measured."""

    def waits(self) -> str | None:
        """Why nothing is launched now, whatever is queued; None: it is, as slots become free."""

    def log(self, files: str, attempt: int) -> Path:
        """Where the output of an attempt lies; `files`: what the names of its run's files begin with."""

    def wake(self) -> None:
        """Something was queued or is to stop: look now."""


async def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


async def _engine(request: Request) -> Engine:
    return cast(Engine, request.app.state.engine)


async def _background(request: Request) -> Background:
    return cast(Background, request.app.state.background)


async def _tail(request: Request) -> "Tail":
    return cast("Tail", request.app.state.tail)


async def _preparing(request: Request) -> Preparing:
    return cast(Preparing, request.app.state.preparing)


async def _places(request: Request) -> Places:
    return cast(Preparing, request.app.state.preparing).places


SettingsNow = Annotated[Settings, Depends(_settings)]
Database = Annotated[Engine, Depends(_engine)]
BackgroundNow = Annotated[Background, Depends(_background)]
TailNow = Annotated["Tail", Depends(_tail)]
PreparingNow = Annotated[Preparing, Depends(_preparing)]
PlacesNow = Annotated[Places, Depends(_places)]
