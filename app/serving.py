"""A server with its database, its dispatcher and its tokens: where the parts are put together."""

import contextlib
import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.jobs.dispatcher import Dispatcher
from app.jobs.launchers import LocalLauncher
from app.jobs.usage import Sampler
from app.settings import Settings
from app.store import credentials, predictions
from app.store.engine import open_database, reading, unusable
from app.store.errors import StoreError
from app.store.tables import Access
from app.web.security import asks_everybody
from app.web.server import ServeError, Uvicorn, address, bind, create_app

DISPATCHER_BUSY_SECONDS = 5.0


@contextlib.contextmanager
def server(settings: Settings) -> Iterator[Uvicorn]:
    """A server ready to be run, with its database and its dispatcher; closed in order at the end."""
    os.environ.pop("RUNYARD_TOKEN", None)  # a client's, who started this: workers and what they load need none
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Docker's and systemd's way to say Ctrl-C
    with contextlib.ExitStack() as opened:
        listening = opened.enter_context(contextlib.closing(bind(settings)))
        opened.enter_context(_only_server_of(settings, listening.getsockname()[1]))
        engine = open_database(settings.database)
        opened.callback(engine.dispose)
        dispatchers = open_database(settings.database, busy_seconds=DISPATCHER_BUSY_SECONDS)
        opened.callback(dispatchers.dispose)
        dispatcher = Dispatcher(dispatchers, settings, LocalLauncher(settings))
        try:
            if asks_everybody(settings):
                _first_tokens(settings, engine, listening.getsockname()[1])
            dispatcher.adopt()
        except DBAPIError as error:
            raise unusable(settings.database, error) from error
        opened.callback(dispatcher.close)
        sampler = Sampler(dispatchers, dispatcher.working, lambda: dispatcher.devices)
        opened.callback(sampler.close)

        # What the dispatcher starts (a look for devices, a fork server) must not slow the server's own start
        def begin() -> None:
            dispatcher.start()
            sampler.start()
            threading.Thread(
                target=_look_back, args=(dispatchers, settings), name="runyard-look-back", daemon=True
            ).start()

        yield Uvicorn(create_app(settings, engine, dispatcher), listening, after=begin)


def _look_back(engine: Engine, settings: Settings) -> None:
    """What is told of runs today and was not when they ran; what can't be written now is at the next start."""
    with contextlib.suppress(StoreError, SQLAlchemyError):
        predictions.settle_untrained(engine, settings)


def _first_tokens(settings: Settings, engine: Engine, port: int) -> None:
    """At the first start that others can reach: make the tokens and tell them, this once."""
    with reading(engine) as session:
        if credentials.tokens(session):
            return
    owner = credentials.new_token(engine, credentials.OWNER, Access.FULL)
    reader = credentials.new_token(engine, credentials.READER, Access.READ)
    print(f"Token, told this once:      {owner}")
    print(f"Read-only token, likewise:  {reader}")
    print(f"Log a browser in, once:     {login_link(settings, engine, credentials.OWNER, port)}", flush=True)


def login_link(settings: Settings, engine: Engine, name: str, port: int | None = None) -> str:
    """Logs one browser in, once, with the rights of that token; without `port`, at the server that runs."""
    return f"{address(settings, port or _port_of_running(settings))}/login?code={credentials.new_link(engine, name)}"


@contextlib.contextmanager
def _only_server_of(settings: Settings, port: int) -> Iterator[None]:
    """Hold HOME/server.lock, with this process and its port in it: a second server would end the first one's workers as
    leftovers."""
    home = settings.home
    for directory in (home, settings.logs_dir, settings.artifacts_dir):
        _make(directory, home)
    lock = home / "server.lock"
    try:
        opened = lock.open("a+")
    except OSError as error:
        raise ServeError(
            f"RUNYARD_HOME is {home}: {lock} can't be made ({(error.strerror or '').lower()}); "
            "free some space on its disk, or choose another directory"
        ) from error
    with opened as file:
        _close_to_others(home, settings.database, lock)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            process = file.read().partition(" ")[0] or "unknown"
            raise ServeError(
                f"RUNYARD_HOME is {home}: a server (process {process}) uses it already; "
                "stop that one, or choose another directory"
            ) from None
        file.truncate(0)
        with contextlib.suppress(OSError):  # a full disk: the lock is held all the same
            os.write(file.fileno(), f"{os.getpid()} {port}".encode())
        yield


def _port_of_running(settings: Settings) -> int | None:
    """Of the server that uses this home now; None: there is none."""
    with contextlib.suppress(OSError, ValueError), (settings.home / "server.lock").open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read().partition(" ")[2])
    return None


def _close_to_others(home: Path, *files: Path) -> None:
    """Whatever was there before: nobody else looks into the home, where the data lie that a token guards."""
    with contextlib.suppress(PermissionError):  # it is somebody else's, who lets this user in
        home.chmod(0o700)
    for file in files:
        with contextlib.suppress(PermissionError, FileNotFoundError):
            file.chmod(0o600)


def _make(directory: Path, home: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(None, "permission denied")
    except OSError as error:
        raise ServeError(
            f"RUNYARD_HOME is {home}: {directory} can't be made or written ({(error.strerror or '').lower()}); "
            "choose a directory that you can write to"
        ) from error


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[Engine]:
    """The database of RUNYARD_HOME, beside a server that may run on it."""
    _make(settings.home, settings.home)
    engine = open_database(settings.database)
    try:
        yield engine
    finally:
        engine.dispose()
