"""What one request may take of the server, so that none can freeze, fill or empty it for all others.

Headers        so many bytes (431), looked at before anything parses them; the session's cookie, read in linear time
Bodies         1 MiB, chunked or not (413), and a time for all of it (408)
SlowWork       bounded queues for what takes long (503, Retry-After); `quickly` for what must never wait for others
Connection     bounded in number, below what files the process may open; a time for a request's whole header
OnceAMinute    a log line that a stranger causes is written once, however often it comes
"""

import asyncio
import functools
import logging
import resource
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from starlette.datastructures import Headers as HeadersOf
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.web.peers import Peer
from app.web.problems import problem

HEADER_BYTES = 32 * 1024
"""Of names and values together: a browser sends the cookies of all that runs on this host, whatever its port."""
HEADER_SECONDS = 15.0
BODY_LIMIT = 1024 * 1024
BODY_SECONDS = 30.0
MOST_CONNECTIONS = 1000
OTHER_FILES = 64
"""The process opens beside its connections: database, logs, workers' pipes, artifacts that are sent."""
MOST_FILES = 4096
COOKIE = "runyard"
PEER = "peer"
STATE = "session"
"""Where a request's session stands in its scope's state."""

log = logging.getLogger("runyard.web")
P = ParamSpec("P")
T = TypeVar("T")


class Headers:
    """Refuse headers over the limit. The cookies are taken away once ours is read: Python's parser of cookies takes
    time that grows with the square of a value's length (CPython issue 123067), and nothing else here wants them."""

    def __init__(self, app: ASGIApp, limit: int = HEADER_BYTES) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            size = sum(len(name) + len(value) for name, value in scope["headers"]) + len(scope["query_string"])
            if size > self.limit:
                detail = f"The headers and the address are {size:,} bytes, over {self.limit:,}: send less"
                await problem(431, detail, headers={"Connection": "close"})(scope, receive, send)
                return
            cookies = [value for name, value in scope["headers"] if name == b"cookie"]
            if cookies:
                scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
                scope.setdefault("state", {})[STATE] = session_in(b";".join(cookies).decode("latin-1"))
        await self.app(scope, receive, send)


def session_in(cookies: str) -> str | None:
    """The value of our cookie in a Cookie header; our own values are never quoted."""
    for pair in cookies.split(";"):
        name, _, value = pair.partition("=")
        if name.strip() == COOKIE:
            return value.strip()
    return None


class Bodies:
    """Refuse a body over the limit, by its Content-Length at once, else as soon as that much has come; and one that has
    not come in time."""

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT, seconds: float = BODY_SECONDS) -> None:
        self.app, self.limit, self.seconds = app, limit, seconds
        self.detail = f"The body is over {limit:,} bytes: send less, for example a smaller grid"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stated = HeadersOf(scope=scope).get("content-length", "0")
        if not stated.isdecimal() or int(stated) > self.limit:
            await problem(413 if stated.isdecimal() else 400, self.detail)(scope, receive, send)
            return
        size, is_whole, until = 0, False, time.monotonic() + self.seconds

        async def limited() -> Message:
            nonlocal size, is_whole
            if is_whole:
                return await receive()  # what is awaited now is the client's leaving
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                detail = f"The body did not come within {self.seconds:g} s: send it again"
                raise HTTPException(408, detail, {"Connection": "close"}) from None
            size += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if size > self.limit:
                raise HTTPException(413, self.detail)
            return message

        await self.app(scope, limited, send)


class SlowWork:
    """Work that takes long, on threads of its own: so many at once, so many that wait. One more is told at once to come
    again, and nothing else of the server waits for any of them."""

    def __init__(self, what: str, at_once: int, waiting: int) -> None:
        self.what, self.most = what, at_once + waiting
        self._taken = 0
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=f"runyard-{what}")

    async def run(self, work: Callable[[], T]) -> T:
        """Raises HTTPException 503 where as many as may be are at work or wait."""
        if self._taken >= self.most:
            detail = f"{self._taken} {self.what} are under way, as many as may be: try again in a moment"
            raise HTTPException(503, detail, {"Retry-After": "2"})
        self._taken += 1
        doing = asyncio.get_running_loop().run_in_executor(self._threads, work)
        doing.add_done_callback(self._done)  # also where the client has left: the thread goes on until it is done
        return await asyncio.shield(doing)

    def _done(self, doing: "asyncio.Future[Any]") -> None:
        self._taken -= 1
        if not doing.cancelled():
            doing.exception()  # seen, though nobody may be left to see it


def slowly(slow: SlowWork) -> Callable[[Callable[P, T]], Callable[P, Awaitable[T]]]:
    """A route whose work is slow work."""

    def of(route: Callable[P, T]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(route)
        async def run(*given: P.args, **named: P.kwargs) -> T:
            return await slow.run(functools.partial(route, *given, **named))

        return run

    return of


QUICK = ThreadPoolExecutor(4, thread_name_prefix="runyard-quick")
"""For what must never wait for anything else: is it up, who is it."""


async def quickly(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    return await asyncio.get_running_loop().run_in_executor(QUICK, functools.partial(work, *given, **named))


def raise_file_limit() -> int:
    """Let the process open as many files as it is allowed to, up to 4,096; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def most_connections(files: int) -> int:
    """Of a process that may open so many files."""
    return max(8, min(MOST_CONNECTIONS, files - OTHER_FILES))


def connection_class(most: int) -> type[H11Protocol]:
    """uvicorn's HTTP protocol with bounds: at most so many connections, and 15 s for each request's whole header.

    Where all are taken, the one that has waited longest for a header makes room; where each is at work on a request,
    the new one is closed.
    """
    waiting: OrderedDict[H11Protocol, asyncio.TimerHandle] = OrderedDict()

    class Connection(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            if len(self.connections) >= most:
                if not waiting:
                    self.transport = transport
                    transport.abort()
                    return
                oldest, _ = next(iter(waiting.items()))
                oldest.transport.abort()
                oldest.connections.discard(oldest)
                _forget(oldest)
            super().connection_made(transport)
            self.app_state = {**self.app_state, PEER: Peer()}
            self._await_header()

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                _forget(self)
            else:
                self._await_header()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.cycle is None or self.cycle.response_complete:
                self._await_header()

        def connection_lost(self, exc: Exception | None) -> None:
            _forget(self)
            super().connection_lost(exc)

        def _await_header(self) -> None:
            if self not in waiting and not self.transport.is_closing():
                waiting[self] = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _forget(one: H11Protocol) -> None:
        timer = waiting.pop(one, None)
        if timer is not None:
            timer.cancel()

    return Connection


class OnceAMinute(logging.Filter):
    """Lets a message pass once a minute, whatever values it is told with."""

    def __init__(self, seconds: float = 60.0) -> None:
        super().__init__()
        self.seconds = seconds
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, message = time.monotonic(), str(record.msg)
        if now - self._last.get(message, -self.seconds) < self.seconds:
            return False
        if len(self._last) > 100:
            self._last.clear()
        self._last[message] = now
        return True
