"""The REST API: one file a resource."""

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query

from app.web.api import (
    compare,
    datasets,
    events,
    experiments,
    export,
    models,
    peeking,
    predictions,
    questions,
    queue,
    runs,
    series,
    system,
)
from app.web.problems import Refused
from trainer.entries import shown

PREFIX = "/api/v1"


async def _known_parameters(request: Request) -> None:
    """A parameter that is misspelt, or belongs to another address, is refused: else all of a list would be taken for
    what was asked for."""
    route = request.scope["route"]
    known = [one.alias for one in get_flat_params(route.dependant) if isinstance(one.field_info, Query)]
    for name in request.query_params:
        if name not in known:
            choices = " or ".join(known) or "none: it takes no parameters"
            raise Refused(422, name[:60], f"{shown(name)} is no parameter of {request.url.path}; choose {choices}")


router = APIRouter(prefix=PREFIX, dependencies=[Depends(_known_parameters)])
for part in (
    experiments,
    questions,
    queue,
    runs,
    series,
    compare,
    peeking,
    predictions,
    export,
    datasets,
    models,
    events,
    system,
):
    router.include_router(part.router)
