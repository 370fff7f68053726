"""Runs say their seed, their configuration and where their files lie; series are declared, summaries hold both ends."""

import json
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

from app.spec import stored

revision = "0009"
down_revision = "0008"

DECLARED = {
    "train/loss": ("Training loss", "nats", "less", "step"),
    "test/loss": ("Test loss", "nats", "less", "test"),
    "test/accuracy": ("Test accuracy", "fraction", "more", "test"),
}
"""All that a version before could record."""
COLUMNS = ("last", "last_step", "least", "least_step", "greatest", "greatest_step", "final")


def upgrade() -> None:
    op.add_column("experiment", sa.Column("smallest", sa.Float))
    op.add_column("run", sa.Column("seed", sa.Integer))
    op.add_column("run", sa.Column("configuration", sa.String, nullable=False, server_default=""))
    op.add_column("run", sa.Column("key", sa.String))  # none: old runs' files stay where they are
    op.add_column("run", sa.Column("turn", sa.Integer, nullable=False, server_default="0"))
    op.add_column("attempt", sa.Column("handle", sa.String))
    op.add_column("attempt", sa.Column("grace", sa.Float, nullable=False, server_default="5.0"))
    op.create_index("ix_run_configuration", "run", ["configuration"])
    op.create_index("run_by_key", "run", ["key"], unique=True)
    op.create_table(
        "metric",
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("better", sa.String),
        sa.Column("per", sa.String, nullable=False),
    )
    connection = op.get_bind()
    specs = {run: json.loads(text) for run, text in connection.execute(sa.text("SELECT id, spec FROM run")).all()}
    for run, spec in specs.items():
        values = {"id": run, "seed": spec.get("seed", 1), "configuration": stored.configuration(spec)}
        connection.execute(
            sa.text("UPDATE run SET seed = :seed, configuration = :configuration WHERE id = :id"), values
        )
    _summarise(connection, specs)


def _summarise(connection: sa.Connection, specs: dict[int, dict[str, Any]]) -> None:
    """Both ends of each series, from its points; of one whose points are gone, what was known of it."""
    before = connection.execute(sa.text("SELECT run_id, metric, last, best, best_step FROM summary")).all()
    done = set(connection.execute(sa.text("SELECT id FROM run WHERE status = 'succeeded'")).scalars())
    op.drop_table("summary")
    op.create_table(
        "summary",
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("metric", sa.String, primary_key=True),
        *(sa.Column(name, sa.Integer if name.endswith("step") else sa.Float) for name in COLUMNS),
    )
    op.create_index("summary_by_last", "summary", ["metric", "last"])
    best_steps = {run: best_step for run, metric, _, _, best_step in before if metric == "test/accuracy"}
    for run, metric, last, best, best_step in before:
        title, unit, better, per = DECLARED.get(metric, (metric, "", None, "step"))
        connection.execute(
            sa.text("INSERT INTO metric VALUES (:run, :name, :title, :unit, :better, :per)"),
            {"run": run, "name": metric, "title": title, "unit": unit, "better": better, "per": per},
        )
        steps, values = _points(connection, run, metric)
        end = "greatest" if better == "more" else "least"
        found: dict[str, Any] = dict.fromkeys(COLUMNS) | {"last": last, end: best, f"{end}_step": best_step}
        if len(steps):
            found["last_step"] = int(steps[-1])
            for name, at in (("least", int(values.argmin())), ("greatest", int(values.argmax()))):
                found |= {name: float(values[at]), f"{name}_step": int(steps[at])}
        if run in done:
            found["final"] = last
            if specs[run].get("keep") == "best" and run in best_steps and len(steps):
                kept = int(np.searchsorted(steps, best_steps[run], side="right"))
                found["final"] = float(values[kept - 1]) if kept else None
        names = ", ".join(f":{name}" for name in COLUMNS)
        connection.execute(
            sa.text(f"INSERT INTO summary VALUES (:run, :metric, {names})"), {"run": run, "metric": metric, **found}
        )


def _points(connection: sa.Connection, run: int, name: str) -> tuple[Any, Any]:
    """Steps and values of a series, in order."""
    rows = connection.execute(
        sa.text('SELECT steps, "values" FROM chunk WHERE run_id = :run AND name = :name ORDER BY first_step'),
        {"run": run, "name": name},
    ).all()
    return np.frombuffer(b"".join(row[0] for row in rows), "<i8"), np.frombuffer(
        b"".join(row[1] for row in rows), "<f8"
    )
