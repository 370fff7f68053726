"""runyard serve | demo | runs: where the parts are put together.

runyard serve --port 8000
runyard demo --exit
runyard runs --json
"""

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from sqlalchemy import Engine

from app.jobs.dispatcher import Dispatcher
from app.jobs.launchers import LocalLauncher
from app.settings import Settings
from app.store import credentials
from app.store.engine import open_database, reading
from app.store.errors import StoreError
from app.store.tables import Access
from app.web.security import is_shared
from app.web.server import ServeError, Uvicorn, address, bind, create_app

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Host = Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback a token is required.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")]


def main() -> None:
    """The command `runyard`: errors that a person can mend are one line on stderr, exit code 1."""
    try:
        cli()
    except (ServeError, StoreError) as error:
        sys.exit(f"runyard: {error}")


@cli.callback()
def _runyard() -> None:
    """Launch PyTorch training runs and compare them."""


def _settings(**given: Any) -> Settings:
    return Settings(**{key: value for key, value in given.items() if value is not None})


@contextlib.contextmanager
def server(settings: Settings) -> Iterator[Uvicorn]:
    """A server ready to be run, with its database and its dispatcher; closed in order at the end."""
    with contextlib.ExitStack() as opened:
        listening = opened.enter_context(contextlib.closing(bind(settings)))
        opened.enter_context(_only_server_of(settings))
        engine = open_database(settings.database)
        opened.callback(engine.dispose)
        if is_shared(settings):
            _first_tokens(engine, address(settings, listening.getsockname()[1]))
        dispatcher = Dispatcher(engine, settings, LocalLauncher(settings))
        dispatcher.adopt()
        opened.callback(dispatcher.close)
        # What the dispatcher starts (a look for devices, a warm worker) must not slow the server's own start
        yield Uvicorn(create_app(settings, engine, dispatcher), listening, after=dispatcher.start)


def _first_tokens(engine: Engine, where: str) -> None:
    """At the first start that others can reach: make the tokens and tell them, this once."""
    with reading(engine) as session:
        if credentials.tokens(session):
            return
    owner = credentials.new_token(engine, credentials.OWNER, Access.FULL)
    reader = credentials.new_token(engine, credentials.READER, Access.READ)
    print(f"Token, told this once:      {owner}")
    print(f"Read-only token, likewise:  {reader}")
    print(f"Log a browser in, once:     {_link(where, engine, credentials.OWNER)}", flush=True)


def _link(where: str, engine: Engine, name: str) -> str:
    return f"{where}/login?code={credentials.new_link(engine, name)}"


@contextlib.contextmanager
def _only_server_of(settings: Settings) -> Iterator[None]:
    """Hold HOME/server.lock: a second server would end the first one's workers as leftovers."""
    home = settings.home
    for directory in (home, settings.logs_dir, settings.artifacts_dir):
        _make(directory, home)
    with (home / "server.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ServeError(
                f"RUNYARD_HOME is {home}: a server (process {file.read().strip() or 'unknown'}) uses it already; "
                "stop that one, or choose another directory"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


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


@cli.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve the dashboard until Ctrl-C."""
    settings = _settings(host=host, port=port)
    with server(settings) as uvicorn:
        where = uvicorn.address
        uvicorn.on_ready = lambda: print(f"Runyard is at {where}", flush=True)
        uvicorn.run_here()


@cli.command()
def demo(
    host: Host = None,
    port: Port = None,
    dataset: Annotated[str, typer.Option(help="digits, which needs no download, or mnist")] = "digits",
    leave: Annotated[bool, typer.Option("--exit", help="End after the table instead of serving on.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Launch anew even if the experiment is there.")] = False,
) -> None:
    """Train the four-way experiment, print the comparison, serve on until Ctrl-C."""
    from app import demo as demonstration

    settings = _settings(host=host, port=port)
    with server(settings) as uvicorn:
        code = demonstration.run(uvicorn, settings, dataset, again=again, leave=leave)
    sys.exit(code)


@cli.command()
def runs(
    host: Host = None,
    port: Port = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, in the form of the API.")] = False,
) -> None:
    """List the runs of a server, newest first."""
    settings = _settings(host=host, port=port)
    base = f"http://{settings.host}:{settings.port}"
    items: list[dict[str, Any]] = []
    try:
        cursor: dict[str, str] = {}
        while True:
            answer = httpx.get(f"{base}/api/v1/runs", params={"limit": "500", **cursor}, timeout=30)
            answer.raise_for_status()
            page = answer.json()
            items += page["items"]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
    except (httpx.HTTPError, ValueError) as error:
        sys.exit(f"runyard: no Runyard answers at {base} ({error}): start one with runyard serve, or name its --port")
    if as_json:
        print(json.dumps(items, indent=2))
        return
    for run in items:
        accuracy = run["summary"].get("test/accuracy", {}).get("last")
        figure = "" if accuracy is None else f"{accuracy:.2%}"
        print(
            f"{run['id']:>5}  {run['status']:<9}  {run['steps_done']:>7} of {run['steps_total']:<7}  "
            f"{figure:>7}  {run['name']}"
        )


token = typer.Typer(no_args_is_help=True, help="Tokens of a server that others can reach.")
cli.add_typer(token, name="token")


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    """The database of RUNYARD_HOME, beside a server that may run on it."""
    _make(settings.home, settings.home)
    engine = open_database(settings.database)
    try:
        yield engine
    finally:
        engine.dispose()


@token.command("new")
def token_new(
    name: Annotated[str, typer.Argument(help="What it is for, such as the name of its user.")],
    read_only: Annotated[bool, typer.Option("--read-only", help="It may look at everything, change nothing.")] = False,
) -> None:
    """Make a token and tell it, this once, with a link that logs a browser in."""
    settings = _settings()
    with _database(settings) as engine:
        print(credentials.new_token(engine, name, Access.READ if read_only else Access.FULL))
        print(_link(address(settings), engine, name))


@token.command("link")
def token_link(
    name: Annotated[str, typer.Argument(help="Whose rights the browser gets.")] = credentials.OWNER,
) -> None:
    """A new link that logs one browser in, once, within 24 hours."""
    settings = _settings()
    with _database(settings) as engine:
        print(_link(address(settings), engine, name))


@token.command("revoke")
def token_revoke(name: Annotated[str, typer.Argument(help="Name of the token.")]) -> None:
    """Delete a token: scripts and browsers that use it are refused from now on."""
    with _database(_settings()) as engine:
        credentials.revoke(engine, name)


@token.command("list")
def token_list(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """The tokens: names, rights, age. The tokens themselves are kept nowhere."""
    with _database(_settings()) as engine, reading(engine) as session:
        rows: list[dict[str, str]] = [
            {"name": str(row.name), "access": str(row.access), "created_at": row.created_at.isoformat()}
            for row in credentials.tokens(session)
        ]
    if as_json:
        print(json.dumps(rows, indent=2))
    for row in [] if as_json else rows:
        print(f"{row['name']:<20}  {row['access']:<5}  {row['created_at'][:16]}")


if __name__ == "__main__":
    main()
