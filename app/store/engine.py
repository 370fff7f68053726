"""The database: SQLite in WAL mode, short IMMEDIATE writes, one change number a write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col

from app.store.errors import StoreError
from app.store.tables import Clock

BUSY_SECONDS = 30.0


def open_database(path: Path) -> Engine:
    """Open the database, made with its tables where absent. Raises StoreError when it can't be."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    try:
        with engine.connect().execution_options(write=True) as connection, connection.begin():
            SQLModel.metadata.create_all(connection)
            if connection.execute(select(col(Clock.id))).first() is None:
                connection.execute(SQLModel.metadata.tables["clock"].insert().values(id=1, change=0))
    except DBAPIError as error:
        engine.dispose()
        raise StoreError(
            f"{path} can't be used as the database ({error.orig}): choose another directory with RUNYARD_HOME"
        ) from error
    return engine


def _set_up(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver leaves transactions to _begin
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
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


@contextmanager
def writing(engine: Engine) -> Iterator[Writing]:
    """One write transaction: committed at the end of the block, rolled back when an exception leaves it."""
    with Writing(engine.execution_options(write=True), expire_on_commit=False) as session, session.begin():
        numbered = update(Clock).values(change=Clock.change + 1).returning(col(Clock.change))
        session.change = session.execute(numbered).scalar_one()
        yield session


def clock(session: Session) -> int:
    """The number of the last write transaction."""
    return int(session.execute(select(col(Clock.change))).scalar_one())
