"""The database: SQLite in WAL mode, short IMMEDIATE writes, one change number a write."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col

from app.store.errors import StoreError, Vanished
from app.store.tables import Clock, table

BUSY_SECONDS = 30.0
WRITE_LOCK = 120
RECLAIM_BYTES = 64 * 2**20
POOLED, MOST_CONNECTIONS = 8, 60
"""Connections that are kept, and how many more there may be: more than threads, so that none waits for one."""
LEAST_FREE = 64 * 1024
"""Bytes that a disk must have for SQLite to open a database."""
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""Migrations, oldest first; a test compares them with app/store/migrations/versions."""


def open_database(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Open the database, made where absent, brought to today's tables where older.

    Every write is on the disk before it returns: what was acknowledged survives a power cut, and a checkpoint never
    knows more than the series.
    `busy_seconds`: how long a write waits for another one before it fails.
    Raises StoreError when it can't be opened, or was made by a newer version.
    """
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": busy_seconds}, pool_size=POOLED, max_overflow=MOST_CONNECTIONS
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    try:
        if not _is_up_to_date(engine):  # nothing is written where it is: another one's write can't be in the way
            with engine.connect().execution_options(write=True) as connection, connection.begin():
                _bring_up_to_date(connection, path)
    except DBAPIError as error:
        engine.dispose()
        raise unusable(path, error) from error
    except StoreError:
        engine.dispose()
        raise
    _stay_with(engine, path)
    return engine


def unusable(path: Path, error: DBAPIError) -> StoreError:
    """What a server that can't begin with a database says."""
    why, way_out = str(error.orig), "choose another directory with RUNYARD_HOME"
    if "is full" in why or _is_full(path.parent):
        why, way_out = "the disk is full", "free some space, then start again"
    return StoreError(f"{path} can't be used as the database ({why}): {way_out}")


def _is_full(directory: Path) -> bool:
    """SQLite often calls that an error of the disk."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(directory).free < LEAST_FREE
    return False


def _stay_with(engine: Engine, path: Path) -> None:
    """Refuse to go on when the file is gone or another one: SQLite would write on into the void."""
    opened = _identity(path)

    def is_there(*_: object) -> None:
        if _identity(path) != opened:
            raise Vanished(
                f"{path} is gone, or is not the file that was opened: bring the directory back as it was, "
                "or restart the server"
            )

    event.listen(engine, "do_connect", is_there)  # before SQLite looks for the file, or makes one
    event.listen(engine, "begin", is_there, insert=True)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def writer(path: Path) -> int | None:
    """The process that is in a write transaction of this database; None: there is none, or only Linux could tell.

    In WAL mode a writer locks byte 120 of the -shm file (https://sqlite.org/walformat.html, "WAL Locks").
    """
    try:
        inode = path.with_name(f"{path.name}-shm").stat().st_ino
        table = Path("/proc/locks").read_text()
    except OSError:
        return None
    for line in table.splitlines():
        words = line.split()  # such as "1: POSIX ADVISORY WRITE 4711 fe:00:2146617 120 120"
        if words[1:4] == ["POSIX", "ADVISORY", "WRITE"] and words[5].endswith(f":{inode}"):
            first, last = int(words[6]), float(words[7].replace("EOF", "inf"))
            if first <= WRITE_LOCK <= last:
                return int(words[4])
    return None


def _is_up_to_date(engine: Engine) -> bool:
    with engine.connect() as connection, connection.begin():
        return inspect(connection).has_table("alembic_version") and _revision(connection) == REVISIONS[-1]


def _revision(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def _bring_up_to_date(connection: Connection, path: Path) -> None:
    tables = set(inspect(connection).get_table_names())
    if "run" not in tables:
        SQLModel.metadata.create_all(connection)
        connection.execute(table(Clock).insert().values(id=1, change=0))
        _stamp(connection, REVISIONS[-1])
        return
    if "alembic_version" not in tables:
        _stamp(connection, REVISIONS[0])  # made before there were migrations
    revision = _revision(connection)
    if revision not in REVISIONS:
        raise StoreError(
            f"{path} was made by a newer Runyard (its tables are at {revision}, this one knows up to {REVISIONS[-1]}): "
            "upgrade Runyard, or choose another directory with RUNYARD_HOME"
        )
    if revision != REVISIONS[-1]:
        _migrate(connection)


def _stamp(connection: Connection, revision: str) -> None:
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (revision,))


def _migrate(connection: Connection) -> None:
    from alembic import command  # only an old database has to wait for this import
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    command.upgrade(config, "head")


def _set_up(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver leaves transactions to _begin
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A write takes its lock at once: a transaction that reads first and then writes can't wait for another writer.
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that sees one state of the database."""
    with Session(engine) as session:
        yield session


class Writing(Session):
    """A session in a write transaction; `change` is its number, for the rows that it changes."""

    change: int


_CLOCK = table(Clock)
_NEXT_CHANGE = update(_CLOCK).values(change=_CLOCK.c.change + 1).returning(_CLOCK.c.change)


@contextmanager
def writing(engine: Engine) -> Iterator[Writing]:
    """One write transaction: committed at the end of the block, rolled back when an exception leaves it."""
    with Writing(engine.execution_options(write=True), expire_on_commit=False) as session, session.begin():
        session.change = session.execute(_NEXT_CHANGE).scalar_one()
        yield session


@contextmanager
def watching(engine: Engine) -> Iterator[Callable[[], bool]]:
    """A function that tells whether another connection has written since it was last asked; at first it has.

    SQLite keeps this number in shared memory (https://www.sqlite.org/pragma.html#pragma_data_version): no transaction,
    and nothing is read from the file. It is asked several times a second, so it goes past SQLAlchemy.
    """
    with engine.connect() as connection:
        direct = connection.connection.driver_connection
        assert direct is not None
        seen: int | None = None

        def changed() -> bool:
            nonlocal seen
            before = seen
            try:
                (seen,) = direct.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error as error:
                raise StoreError(f"the database can't be read: {error}") from error
            return seen != before

        yield changed


def reclaim(engine: Engine, least: int = RECLAIM_BYTES) -> bool:
    """Give the disk back what was deleted, if it is at least so many bytes and a quarter of the file; whether it was.

    It writes the database anew and keeps others from writing meanwhile: for a moment in which nothing is at work. Where
    somebody writes all the same, or there is no room for it, it is for another time.
    """
    with contextlib.suppress(sqlite3.Error), contextlib.closing(engine.raw_connection()) as opened:
        free, whole, size = (
            opened.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count", "page_size")
        )
        if free * size < least or free * 4 < whole:
            return False
        opened.execute("VACUUM")
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True
    return False


def clock(session: Session) -> int:
    """The number of the last write transaction."""
    return int(session.execute(select(col(Clock.change))).scalar_one())
