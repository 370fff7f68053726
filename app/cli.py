"""The command `runyard`.

runyard serve --port 8000
runyard demo --exit
runyard token new NAME
runyard backup DIRECTORY
runyard doctor
runyard launch model=fc,cnn seed=1,2,3 --watch      and the other commands of app/commands.py

What the server is made of is imported by the commands that need it: the others answer in a third of a second.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from app import commands
from app.settings import SettingsError, read_settings

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
token = typer.Typer(no_args_is_help=True, help="Tokens of a server that others can reach.")
Host = Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback a token is required.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")]


@cli.callback()
def _runyard() -> None:
    """Launch PyTorch training runs and compare them."""


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """Errors that a person can mend are one line on stderr, exit code 1."""
    from app.store.errors import StoreError
    from app.web.server import ServeError

    try:
        yield
    except (ServeError, StoreError, SettingsError) as error:
        print(f"runyard: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


@cli.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve the dashboard until Ctrl-C."""
    from app.serving import server

    with _plainly(), server(read_settings(host=host, port=port)) as uvicorn:
        uvicorn.on_ready = lambda: print(f"Runyard is at {uvicorn.address}", flush=True)
        uvicorn.run_here()


@cli.command()
def demo(
    host: Host = None,
    port: Port = None,
    dataset: Annotated[str, typer.Option(help="digits, which needs no download, or mnist")] = "digits",
    leave: Annotated[bool, typer.Option("--exit", help="End after the table instead of serving on.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Launch anew even if the experiment is there.")] = False,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Seeds a configuration.")] = 5,
) -> None:
    """Train the four-way experiment, print the comparison, serve on until Ctrl-C."""
    from app import demo as demonstration
    from app.serving import server

    with _plainly(), server(settings := read_settings(host=host, port=port)) as uvicorn:
        code = demonstration.run(uvicorn, settings, dataset, seeds=seeds, again=again, leave=leave)
    sys.exit(code)


@cli.command()
def backup(
    directory: Annotated[Path, typer.Argument(help="A new directory; with --restore one that a backup made.")],
    restore: Annotated[bool, typer.Option("--restore", help="Put it back, into an empty RUNYARD_HOME.")] = False,
) -> None:
    """Copy the database and the runs' files, also while the server runs; or put such a copy back."""
    from app.store import backup as copies

    with _plainly():
        settings = read_settings()
        done = copies.restore(settings, directory) if restore else copies.backup(settings, directory)
    size = f"{done.runs} runs, {done.files} files, {done.size / 2**20:,.1f} MiB"
    print(f"{size} are in {settings.home.absolute() if restore else directory.absolute()}, each as its checksum says")


@cli.command()
def doctor() -> None:
    """Look for what is wrong with RUNYARD_HOME, and say what to do. Changes nothing."""
    from importlib.metadata import version

    from app.store import backup as copies

    with _plainly():
        found = copies.examine(read_settings())
    print(f"Runyard {version('runyard')}, PyTorch {version('torch')}, Python {sys.version.split()[0]}")
    for one in found:
        print(f"{'ok  ' if one.well else 'BAD '} {one.what}")
    raise typer.Exit(0 if all(one.well for one in found) else 1)


@token.command("new")
def token_new(
    name: Annotated[str, typer.Argument(help="What it is for, such as the name of its user.")],
    read_only: Annotated[bool, typer.Option("--read-only", help="It may look at everything, change nothing.")] = False,
) -> None:
    """Make a token and tell it, this once, with a link that logs a browser in."""
    from app.serving import database, login_link
    from app.store import credentials
    from app.store.tables import Access

    with _plainly(), database(settings := read_settings()) as engine:
        print(credentials.new_token(engine, name, Access.READ if read_only else Access.FULL))
        print(login_link(settings, engine, name))


@token.command("link")
def token_link(
    name: Annotated[str, typer.Argument(help="Whose rights the browser gets.")] = "owner",
) -> None:
    """A new link that logs one browser in, once, within 24 hours."""
    from app.serving import database, login_link

    with _plainly(), database(settings := read_settings()) as engine:
        print(login_link(settings, engine, name))


@token.command("revoke")
def token_revoke(name: Annotated[str, typer.Argument(help="Name of the token.")]) -> None:
    """Delete a token: scripts and browsers that use it are refused from now on."""
    from app.serving import database
    from app.store import credentials

    with _plainly(), database(read_settings()) as engine:
        credentials.revoke(engine, name)


@token.command("list")
def token_list(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """The tokens: names, rights, age. The tokens themselves are kept nowhere."""
    from app.serving import database
    from app.store import credentials
    from app.store.engine import reading

    with _plainly(), database(read_settings()) as engine, reading(engine) as session:
        rows: list[dict[str, str]] = [
            {"name": str(row.name), "access": str(row.access), "created_at": row.created_at.isoformat()}
            for row in credentials.tokens(session)
        ]
    if as_json:
        print(json.dumps(rows, indent=2))
    for row in [] if as_json else rows:
        print(f"{row['name']:<20}  {row['access']:<5}  {row['created_at'][:16]}")


commands.add_to(cli)
cli.add_typer(token, name="token")

if __name__ == "__main__":
    cli()
