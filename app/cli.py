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
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app import commands
from app.settings import Settings, SettingsError, doubts, read_settings

HELP = {"help_option_names": ["-h", "--help"]}
application = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, context_settings=HELP
)
token = typer.Typer(no_args_is_help=True, help="Tokens of a server that others can reach.")
Host = Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback a token is required.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")]


def _print_version(asked: bool) -> None:
    from importlib.metadata import version

    if asked:
        print(f"Runyard {version('runyard')}")
        raise typer.Exit


@application.callback()
def _runyard(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version and leave.")
    ] = False,
) -> None:
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


def _say_doubts(settings: Settings) -> None:
    for doubt in doubts(settings):
        print(f"runyard: {doubt}", file=sys.stderr)


@application.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve the dashboard until Ctrl-C."""
    from app.serving import server

    with _plainly(), server(settings := read_settings(host=host, port=port)) as uvicorn:
        _say_doubts(settings)
        uvicorn.on_ready = lambda: print(f"Runyard is at {uvicorn.address}", flush=True)
        uvicorn.run_here()


@application.command()
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
        _say_doubts(settings)
        code = demonstration.run(uvicorn, settings, dataset, seeds=seeds, again=again, leave=leave)
    sys.exit(code)


@application.command()
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


@application.command()
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


commands.add_to(application)
application.add_typer(token, name="token")


def cli(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command line. Whatever goes wrong is one line on stderr and an exit code of `app.commands`; RUNYARD_DEBUG=1
    lets errors that nobody foresaw through, with their traceback."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal without the sign for it gets an escape
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is over: what is left of it takes no time
        sys.stdout.flush()
    except KeyboardInterrupt:  # Typer answers those of a command, but not one that comes just before or after
        code = commands.INTERRUPTED
    except BrokenPipeError:  # whoever read has seen enough
        code = commands.CLOSED_PIPE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else "the output can't be written: "
        code = _refuse(f"{where}{(error.strerror or str(error))}", commands.FAILED)
    with contextlib.suppress(OSError):  # what is still to be written to a pipe that is closed or a disk that is full
        sys.stdout.flush()
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """Run a command; its exit code."""
    for argument in arguments:
        if not argument.isprintable() and _is_not_text(argument):
            shown = argument.encode("utf-8", "backslashreplace").decode()
            return _refuse(f"{shown!r} is not UTF-8: write it in the encoding of this terminal", commands.WRONG_USE)
    output = sys.stdout
    try:
        return application(arguments, standalone_mode=False, prog_name="runyard") or 0
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        said = error.format_message().strip().rstrip(".")
        if not said:  # the help was printed, since a command was left out
            return error.exit_code
        return _refuse(f"{said}; see {context.command_path if context else 'runyard'} --help", error.exit_code)
    except typer.Abort:
        return commands.INTERRUPTED
    except SystemExit as leaving:
        if sys.stdout is not output:  # Typer met a closed pipe, and put something in its place
            sys.stdout = output
            return commands.CLOSED_PIPE
        return leaving.code if isinstance(leaving.code, int) else commands.FAILED
    except OSError:
        raise
    except Exception as error:
        if os.environ.get("RUNYARD_DEBUG"):
            raise
        said = " ".join(str(error).split())[:300]
        return _refuse(
            f"{type(error).__name__}: {said}; nobody foresaw this: report it with what RUNYARD_DEBUG=1 says",
            commands.FAILED,
        )


def _is_not_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return True
    return False


def _refuse(words: str, code: int) -> int:
    print(f"runyard: {words}", file=sys.stderr)
    return code


if __name__ == "__main__":
    cli()
