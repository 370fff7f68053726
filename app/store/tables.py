"""The tables."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, DateTime, ForeignKeyConstraint, Index, LargeBinary, String, Table, TypeDecorator
from sqlmodel import Field, SQLModel


class Status(StrEnum):
    """The states of a run; app.store.runs holds the allowed transitions."""

    QUEUED = "queued"  # waits for a free slot
    STARTING = "starting"  # claimed; its worker process is on its way
    RUNNING = "running"  # its worker trains
    SUCCEEDED = "succeeded"  # all steps done
    FAILED = "failed"  # an error, or its process died; the cause says which
    STOPPED = "stopped"  # stopped by user; what was recorded is kept
    PAUSED = "paused"  # paused by user; goes on from its checkpoint when resumed
    LOST = "lost"  # its worker vanished while nobody watched


ACTIVE = (Status.STARTING, Status.RUNNING)
"""A worker process exists."""
ENDED = (Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.PAUSED, Status.LOST)
"""Nothing goes on, for now."""
RESUMABLE = (Status.PAUSED, Status.FAILED, Status.STOPPED, Status.LOST)
"""Can be queued again."""


def table(model: type[SQLModel]) -> Table:
    """A model's table, for statements that are written once, and past the session."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def now() -> datetime:
    return datetime.now(UTC)


class Utc(TypeDecorator[datetime]):
    """UTC in the database and in Python: SQLite drops the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return (value if value.tzinfo else value.replace(tzinfo=UTC)) if value else None


class Word(TypeDecorator[StrEnum]):
    """A member of a StrEnum: text in the database, a member in Python."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> StrEnum | None:  # noqa: ARG002
        return None if value is None else self.words(value)


class Access(StrEnum):
    """What a token allows."""

    FULL = "full"
    READ = "read"  # look at everything, change nothing


class Kind(StrEnum):
    """What a secret is for."""

    TOKEN = "token"  # a script sends it with every call
    LINK = "link"  # logs one browser in, once
    SESSION = "session"  # in the cookie of a browser that is logged in


class Clock(SQLModel, table=True):
    """One row that counts write transactions. A row of its own: a maximum over rows goes back when one is deleted."""

    __tablename__ = "clock"
    id: int = Field(default=1, primary_key=True)
    change: int = 0


class Experiment(SQLModel, table=True):
    """A named question: a base spec and a grid of varied knobs, expanded into runs."""

    __tablename__ = "experiment"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = Field(default=None, primary_key=True)
    name: str
    base: dict[str, Any] = Field(sa_type=JSON)
    grid: dict[str, Any] = Field(sa_type=JSON)
    # app.spec.experiment.RandomSearch
    random: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    # app.compare.question.Question
    question: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    asking: str | None = None  # app.compare.question.State, of one that has a question
    asking_beyond: bool = False  # though it is answered, until the budget is used up
    note: str = ""
    archived: bool = False  # kept, and out of the way
    smallest: float | None = (
        None  # difference that matters, in the unit of what is asked or of test accuracy; None: usual
    )
    created_at: datetime = Field(default_factory=now, sa_type=Utc)
    deleted_at: datetime | None = Field(default=None, sa_type=Utc)  # can be restored for a while


class Run(SQLModel, table=True):
    """One training of one model on one data set with one seed. Only app.store.runs writes it."""

    __tablename__ = "run"
    __table_args__ = (
        Index("run_by_status", "status", "id"),
        Index("run_by_key", "key", unique=True),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True)
    experiment_id: int | None = Field(default=None, foreign_key="experiment.id", index=True)
    name: str
    status: Status = Field(default=Status.QUEUED, sa_type=Word(Status))
    cause: str | None = None
    spec: dict[str, Any] = Field(sa_type=JSON)  # as it was launched; app.spec.stored reads it with today's defaults
    seed: int | None = None
    configuration: str = Field(default="", index=True)  # app.spec.stored.configuration
    key: str | None = None  # random, part of its files' names; None: of before there was one
    parameters: int
    steps_total: int
    steps_done: int = 0
    seconds: float = 0.0  # of training so far: no queue, no pause
    device: str | None = None  # where it runs or ran: "cpu", "cuda:0"
    stop_requested: bool = False
    pause_requested: bool = False
    responding: bool = True  # False: the worker lives, but has not been heard of for a while
    position: int = 0  # place in the queue, least first
    turn: int = 0  # order within a position
    checkpoint_step: int | None = None  # a resumed run goes on from here
    crashes: int = 0  # resumes by itself since the last new checkpoint
    retry_at: datetime | None = Field(default=None, sa_type=Utc)  # when it resumes by itself
    repeats: int | None = None  # a run of its configuration and seed that had succeeded before its experiment was made
    untrained: bool | None = None  # it learned nothing; None: not known (yet)
    note: str = ""
    attempt: int = 0  # number of the attempt that may write; fences off older workers
    changed: int = Field(default=0, index=True)  # Clock.change of the last write
    created_at: datetime = Field(default_factory=now, sa_type=Utc)
    started_at: datetime | None = Field(default=None, sa_type=Utc)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)
    deleted_at: datetime | None = Field(default=None, sa_type=Utc)  # can be restored for a while

    @property
    def files(self) -> str:
        """What the names of its files begin with: another run with the same number, of another database, has others."""
        return f"run-{self.id}-{self.key}" if self.key else f"run-{self.id}"


class Leftover(SQLModel, table=True):
    """Files of a run that was purged, still to be removed: its row goes first, and a server may end in between."""

    __tablename__ = "leftover"
    files: str = Field(primary_key=True)  # Run.files


class RunTag(SQLModel, table=True):
    """A word that a user gave a run."""

    __tablename__ = "run_tag"
    run_id: int = Field(foreign_key="run.id", primary_key=True, ondelete="CASCADE")
    tag: str = Field(primary_key=True, index=True)


class Attempt(SQLModel, table=True):
    """One life of a run's worker process."""

    __tablename__ = "attempt"
    run_id: int = Field(foreign_key="run.id", primary_key=True, ondelete="CASCADE")
    n: int = Field(primary_key=True)  # 1, 2, … within the run
    pid: int | None = None  # of a worker on this machine
    handle: str | None = None  # the launcher's text for it
    grace: float = 5.0  # seconds that a stop or a pause may take before the launcher ends it
    from_step: int = 0  # the checkpoint that it went on from
    heartbeat_at: datetime | None = Field(default=None, sa_type=Utc)  # when the worker was last heard of
    cause: str | None = None
    environment: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    started_at: datetime = Field(default_factory=now, sa_type=Utc)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)


class Deletion(SQLModel, table=True):
    """A deleted run's id, so that who asks what changed hears of it."""

    __tablename__ = "deletion"
    run_id: int = Field(primary_key=True)
    changed: int = Field(index=True)


class Metric(SQLModel, table=True):
    """What a run says of one of its series: `trainer.metrics.Metric`."""

    __tablename__ = "metric"
    run_id: int = Field(foreign_key="run.id", primary_key=True, ondelete="CASCADE")
    name: str = Field(primary_key=True)
    title: str
    unit: str = ""
    better: str | None = None  # more, less; None: neither
    per: str = "step"  # step, part, test, second, run


class Summary(SQLModel, table=True):
    """One series in short, so that tables sort without reading series. NaN is None here; infinities are left out of
    least and greatest."""

    __tablename__ = "summary"
    __table_args__ = (Index("summary_by_last", "metric", "last"),)
    run_id: int = Field(foreign_key="run.id", primary_key=True, ondelete="CASCADE")
    metric: str = Field(primary_key=True)
    last: float | None = None
    last_step: int | None = None
    least: float | None = None
    least_step: int | None = None
    greatest: float | None = None
    greatest_step: int | None = None
    final: float | None = None  # at the weights that were kept; None until the run has succeeded


class Chunk(SQLModel, table=True):
    """Up to 1,024 consecutive points of one series as little-endian arrays."""

    __tablename__ = "chunk"
    run_id: int = Field(foreign_key="run.id", primary_key=True, ondelete="CASCADE")
    name: str = Field(primary_key=True)
    first_step: int = Field(primary_key=True)
    last_step: int
    points: int
    changed: int = Field(index=True)  # Clock.change of the last write
    steps: bytes = Field(sa_type=LargeBinary)  # int64
    times: bytes = Field(sa_type=LargeBinary)  # float64, seconds of training
    values: bytes = Field(sa_type=LargeBinary)  # float64


class Rollup(SQLModel, table=True):
    """A full chunk in short: a chart of a long series needs no more of it."""

    __tablename__ = "rollup"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "name", "first_step"], ["chunk.run_id", "chunk.name", "chunk.first_step"], ondelete="CASCADE"
        ),
    )
    run_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    first_step: int = Field(primary_key=True)
    last_step: int
    last_time: float
    last: float | None  # NaN is None here
    finite: int  # how many of its values are; the others are left out of what follows
    total: float
    least: float | None
    greatest: float | None


class Credential(SQLModel, table=True):
    """A secret, as its hash: what it is for and what it allows."""

    __tablename__ = "credential"
    id: int | None = Field(default=None, primary_key=True)
    kind: Kind = Field(sa_type=Word(Kind))
    name: str | None = None  # of a token
    access: Access = Field(sa_type=Word(Access))
    hash: str = Field(unique=True, index=True)
    parent_id: int | None = Field(default=None, foreign_key="credential.id", ondelete="CASCADE")  # goes with its token
    created_at: datetime = Field(default_factory=now, sa_type=Utc)
    expires_at: datetime | None = Field(default=None, sa_type=Utc)
