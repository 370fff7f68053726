"""A copy of all that was trained, taken while the server runs, and put back; and what is wrong with a home.

A backup is a directory: `runyard.db`, `artifacts/` and `logs/` of the runs in it, and `manifest.json` with the SHA-256
of each file. The database is copied first, at one moment (SQLite's backup interface); files get their names only when
they are whole, so that whatever the copy knows of is there. Data sets and prepared arrays are not in it: they can be
had again.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlmodel import select

from app.settings import Settings
from app.store import artifacts
from app.store.engine import REVISIONS, open_database, reading
from app.store.errors import StoreError
from app.store.tables import Run, Status

MANIFEST = "manifest.json"
DATABASE = "runyard.db"
LOW_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Copied:
    """What a backup holds, or what was put back."""

    runs: int
    files: int
    size: int
    """Bytes of all files."""


def backup(settings: Settings, target: Path) -> Copied:
    """Copy a home's database and its runs' files into a new directory. Raises StoreError."""
    if not settings.database.is_file():
        raise StoreError(f"{settings.database} does not exist: name the home of a server in RUNYARD_HOME")
    if target.exists() and any(target.iterdir()):
        raise StoreError(f"{target} is not empty: name a new directory")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _plainly(target):
        _copy_database(settings.database, target / DATABASE)
        runs = _runs(target / DATABASE)
        for files in runs:
            _copy_files(settings, files, target)
        sums = {str(path.relative_to(target)): _sha256(path) for path in _all(target)}
        made = {"runyard": version("runyard"), "schema": REVISIONS[-1], "made_at": datetime.now(UTC).isoformat()}
        (target / MANIFEST).write_text(json.dumps({**made, "runs": len(runs), "files": sums}, indent=1))
        os.sync()  # before anybody says that it is there: a power cut would leave empty files
    return Copied(len(runs), len(sums), sum((target / name).stat().st_size for name in sums))


def restore(settings: Settings, source: Path) -> Copied:
    """Put a backup into an empty home, once each of its files was checked. Raises StoreError."""
    try:
        manifest = json.loads((source / MANIFEST).read_text())
        sums: dict[str, str] = manifest["files"]
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{source} is no backup ({error}): name a directory that `runyard backup` made") from None
    if settings.database.exists() or any(settings.artifacts_dir.glob("run-*")):
        raise StoreError(f"{settings.home} is in use: name an empty directory in RUNYARD_HOME")
    with _plainly(source):
        for name, expected in sums.items():
            if not _is_below(source, name) or _sha256(source / name) != expected:
                raise StoreError(f"{source / name} is not as it was backed up: take another backup")
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in sums:
            place = settings.home.absolute() / name
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(source / name, place)
        os.sync()
    return Copied(int(manifest["runs"]), len(sums), sum((source / name).stat().st_size for name in sums))


@contextlib.contextmanager
def _plainly(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{place} could not be copied to its end: {error}") from error


def _copy_database(source: Path, target: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")  # one file, without a -wal beside it
        (state,) = new.execute("PRAGMA integrity_check").fetchone()
    if state != "ok":
        raise StoreError(f"{source} is damaged ({state}): a backup of it would be, too")


def _runs(database: Path) -> list[str]:
    """What the names of its runs' files begin with."""
    with contextlib.closing(sqlite3.connect(database)) as opened:
        return [f"run-{run}-{key}" if key else f"run-{run}" for run, key in opened.execute("SELECT id, key FROM run")]


def _copy_files(settings: Settings, files: str, target: Path) -> None:
    home, folder = settings.home.absolute(), settings.artifacts_dir / files
    for path in [*folder.rglob("*"), *artifacts.logs(settings, files)]:
        if path.suffix == ".part" or not path.is_file():
            continue
        inside = path.relative_to(home)
        (target / inside).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # a checkpoint that a newer one has replaced meanwhile
            shutil.copy2(path, target / inside)


def _all(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)


def _is_below(folder: Path, name: str) -> bool:
    return (folder / name).resolve().is_relative_to(folder.resolve())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# What is wrong


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    well: bool
    what: str
    """With what to do, where it is not well."""


def examine(settings: Settings) -> list[Finding]:
    """A home's database, files and space. Changes nothing."""
    home = settings.home.absolute()
    if not settings.database.is_file():
        return [Finding(False, f"{settings.database} does not exist: `runyard serve` makes it, or name another home")]
    found = [Finding(True, f"home {home}"), _space(home), _closed(home)]
    try:
        with contextlib.closing(sqlite3.connect(f"file:{settings.database}?mode=rw", uri=True)) as opened:
            (state,) = opened.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        state = str(error)
    if state != "ok":
        return [*found, Finding(False, f"the database is damaged ({state}): put a backup back with `runyard restore`")]
    found.append(Finding(True, "the database is whole"))
    engine = open_database(settings.database)
    try:
        with reading(engine) as session:
            runs = list(session.exec(select(Run)))
    finally:
        engine.dispose()
    return [*found, *_files(settings, runs)]


def _space(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    said = f"{free / 2**30:.1f} GiB free"
    return Finding(free >= LOW_BYTES, said if free >= LOW_BYTES else f"{said}: make room, or runs will fail")


def _closed(home: Path) -> Finding:
    mode = home.stat().st_mode & 0o777
    if mode & 0o077 and home.stat().st_uid == os.getuid():
        return Finding(False, f"the home is open to others ({mode:o}): chmod 700 {home}")
    return Finding(True, "the home is closed to others")


def _files(settings: Settings, runs: Iterable[Run]) -> list[Finding]:
    """Weights that should be there, and folders of runs that nobody knows of."""
    runs = list(runs)
    done = [run for run in runs if run.status == Status.SUCCEEDED]
    bare = [run.id for run in done if not artifacts.weights(settings, run.files).is_file()]
    known = {run.files for run in runs}
    orphans = sorted(path.name for path in settings.artifacts_dir.glob("run-*") if path.name not in known)
    found = [Finding(True, f"{len(runs)} runs, {len(runs) - len(bare)} with all that they should have")]
    if bare:
        found.append(Finding(False, f"without weights, though they succeeded: runs {_named(bare)}; relaunch them"))
    if orphans:
        where = settings.artifacts_dir
        found.append(
            Finding(
                False,
                f"files of runs that the database does not have: {_named(orphans)} in {where}; delete them, if no "
                "other database is theirs",
            )
        )
    return found


def _named(what: Iterable[object], most: int = 10) -> str:
    names = [str(one) for one in what]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
