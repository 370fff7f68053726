"""The tables before runs could pause and resume."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("clock", sa.Column("id", sa.Integer, primary_key=True), _integer("change"))
    op.create_table(
        "experiment",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("name"),
        sa.Column("base", sa.JSON, nullable=False),
        sa.Column("grid", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table("deletion", sa.Column("run_id", sa.Integer, primary_key=True), _integer("changed"))
    op.create_index("ix_deletion_changed", "deletion", ["changed"])
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("experiment_id", sa.Integer, sa.ForeignKey("experiment.id")),
        _text("name"),
        _text("status"),
        sa.Column("cause", sa.String),
        sa.Column("spec", sa.JSON, nullable=False),
        *(_integer(name) for name in ("parameters", "steps_total", "steps_done")),
        sa.Column("device", sa.String),
        sa.Column("stop_requested", sa.Boolean, nullable=False),
        *(_integer(name) for name in ("attempt", "changed")),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("started_at", sa.DateTime),
        sa.Column("ended_at", sa.DateTime),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_run_experiment_id", "run", ["experiment_id"])
    op.create_index("run_by_status", "run", ["status", "id"])
    op.create_index("ix_run_changed", "run", ["changed"])
    op.create_table(
        "attempt",
        _run_id(),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("pid", sa.Integer),
        sa.Column("pid_created", sa.Float),
        sa.Column("cause", sa.String),
        sa.Column("environment", sa.JSON),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
    )
    op.create_table(
        "summary",
        _run_id(),
        sa.Column("metric", sa.String, primary_key=True),
        sa.Column("last", sa.Float, nullable=False),
        sa.Column("best", sa.Float, nullable=False),
        _integer("best_step"),
    )
    op.create_index("summary_by_last", "summary", ["metric", "last"])
    op.create_table(
        "chunk",
        _run_id(),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("first_step", sa.Integer, primary_key=True),
        *(_integer(name) for name in ("last_step", "points", "changed")),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("steps", "times", "values")),
    )
    op.create_index("ix_chunk_changed", "chunk", ["changed"])


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False)


def _run_id() -> sa.Column[int]:
    return sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
