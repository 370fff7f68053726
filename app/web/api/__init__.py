"""The REST API: one file a resource."""

from fastapi import APIRouter

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
    runs,
    series,
    system,
)

PREFIX = "/api/v1"
router = APIRouter(prefix=PREFIX)
for part in (
    experiments,
    questions,
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
