"""The server: a FastAPI application and the uvicorn that serves it. It never imports torch."""

import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.middleware import Middleware
from starlette_compress import CompressMiddleware

from app.settings import Settings
from app.store.engine import clock, reading
from app.web import api, limits, login, pages, prefix, problems, security
from app.web.preparing import Preparing
from app.web.state import Background, Database
from app.web.stream import Tail
from trainer.prepared import Places

SHUTDOWN_SECONDS = 3

DESCRIPTION = """
Launch PyTorch training runs, follow them and compare them.

Limits: bodies up to 1 MiB; experiments up to 500 runs; names up to 200 characters; pages of up to 500 items;
charts of up to 250 runs. Times are UTC (ISO 8601), durations seconds, accuracies fractions. Every error is a problem
document (RFC 9457) that names the field, the value and the way out.
"""


class ServeError(Exception):
    """The server can't start; str() says why and what to do."""


class Server(FastAPI):
    """FastAPI whose description of the API knows the problem document."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            reference = "#/components/schemas/{model}"
            document = problems.ProblemDocument.model_json_schema(ref_template=reference)
            schemas = described.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(document.pop("$defs"), ProblemDocument=document)
        assert self.openapi_schema is not None
        return self.openapi_schema


def create_app(settings: Settings, engine: Engine, background: Background) -> FastAPI:
    """The application. `background` launches what is queued; start and close it around the serving."""
    tail = Tail(engine)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await tail.start()
        app.state.preparing.begin_all()
        try:
            yield
        finally:
            await tail.close()

    app = Server(
        title="Runyard",
        version=version("runyard"),
        description=DESCRIPTION,
        servers=[{"url": settings.root}] if settings.root else None,
        openapi_url=f"{api.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(prefix.Prefix, path=settings.root),
            Middleware(security.SecureHeaders),
            Middleware(limits.Headers),
            Middleware(security.Hosts, settings=settings),
            Middleware(security.Origins),
            Middleware(login.Authentication, engine=engine, everybody=security.asks_everybody(settings)),
            Middleware(limits.Bodies),
            Middleware(CompressMiddleware, minimum_size=1000),
        ],
    )
    app.state.settings, app.state.engine = settings, engine
    app.state.background, app.state.tail = background, tail
    app.state.preparing = Preparing(Places(settings.datasets_dir, settings.prepared_dir))
    problems.add_handlers(app)
    app.include_router(api.router)

    @app.get("/healthz", tags=["system"], summary="Is it up?", responses=problems.documented(503))
    async def healthz(engine: Database) -> dict[str, str]:
        """503 when the database can't be read."""

        def look() -> None:
            with reading(engine) as session:
                clock(session)

        await limits.quickly(look)
        return {"status": "ok"}

    login.mount(app)
    pages.mount(app)
    return app


def bind(settings: Settings) -> socket.socket:
    """A socket bound to the address. Raises ServeError when that is taken or not of this machine."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP: only then asyncio sends what it has at once, where an answer on an open connection would wait 40 ms
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        if isinstance(error, PermissionError):
            raise ServeError(f"port {port} needs more rights: choose one from 1024, as --port 8000") from error
        raise ServeError(
            f"port {port} of {host} can't be used ({(error.strerror or str(error)).lower()}): "
            "end what uses it, choose another with --port or RUNYARD_PORT, or let --port 0 pick a free one"
        ) from error
    return bound


def address(settings: Settings, port: int | None = None) -> str:
    """What to type into a browser; `port` is the one that was bound, when the setting leaves it open."""
    if settings.public_url:
        return settings.public_url
    host = settings.host
    if host in ("0.0.0.0", "::"):  # it listens on every address of this machine
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port or settings.port}"


class Uvicorn(uvicorn.Server):
    """Serves `app` on a bound socket. `run_here()` blocks; `should_exit = True` ends it from another thread.

    Once it listens, it calls `on_ready`, then `after`.
    """

    def __init__(self, app: FastAPI, listening: socket.socket, after: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=limits.connection_class(limits.most_connections(limits.raise_file_limit())),
                log_level="warning",
                access_log=False,
                lifespan="on",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        logging.getLogger("uvicorn.error").addFilter(limits.OnceAMinute())
        self.tail: Tail = app.state.tail
        self.listening, self.after = listening, after
        self.asks_everybody = security.asks_everybody(app.state.settings)
        self.address = address(app.state.settings, listening.getsockname()[1])
        self.on_ready: Callable[[], None] = lambda: None

    def run_here(self) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            self.run(sockets=[self.listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()
            self.after()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.tail.end_streams()  # else it would wait for pages that stay open
        await super().shutdown(sockets)
