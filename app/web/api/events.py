"""/events: what changes, live."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from app.web.problems import documented
from app.web.schemas import RunIds
from app.web.state import TailNow

LOOK_SECONDS = 1.0
"""Between two looks at the token of an open stream; there is something to send at least every ten."""

router = APIRouter(tags=["events"])


def _who(request: Request) -> str:
    """Whose stream it is: of a token or a session; where none is asked for all are of one."""
    return getattr(request.state, "who", "")


async def _place(request: Request, tail: TailNow) -> AsyncIterator[asyncio.Event]:
    """Taken before the answer begins, so that of many who come at once no more get one than there are."""
    who = _who(request)
    place = tail.take_place(who)
    if place is None:
        detail = f"{tail.listeners} streams are open, as many as may be: close a page or two and try again"
        raise HTTPException(503, detail, {"Retry-After": "5"})
    try:
        yield place
    finally:
        tail.leave_place(who, place)


@router.get(
    "/events",
    summary="What changes, live",
    response_class=EventSourceResponse,
    responses=documented(422, 503),
)
async def events(
    request: Request,
    tail: TailNow,
    place: Annotated[asyncio.Event, Depends(_place)],
    run: RunIds = [],  # noqa: B006
    last_event_id: Annotated[str | None, Header(max_length=100, description="Go on after this event.")] = None,
    after: Annotated[
        str | None, Query(max_length=100, description="The same, for a page that opens its stream anew.")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events. `run`: `{run, experiment, name, status, step, attempt}` of a run that changed, at most four a
    second a run; a new attempt has dropped the points beyond its checkpoint. `deleted`: `{run}`. `counts`: number of
    runs in each state, for every listener. `missed`: `{runs}`, for one that comes back after more than 500 of all runs
    have changed: ask anew for what you show. Points are not sent: fetch the series. A comment every 10 s keeps the
    connection. It ends when the token or the session that opened it is revoked."""
    let_in: Callable[[], Awaitable[bool]] | None = getattr(request.state, "let_in", None)  # None: open to all
    looked = time.monotonic()
    async for event in tail.listen(frozenset(run), last_event_id or after, place):
        if let_in is not None and time.monotonic() > looked + LOOK_SECONDS:
            if not await let_in():
                return
            looked = time.monotonic()
        yield event
