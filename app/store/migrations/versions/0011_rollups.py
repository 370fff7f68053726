"""A chart of a long series reads each full chunk in short."""

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

FULL = 1024


def upgrade() -> None:
    key = ("run_id", "name", "first_step")
    rollup = op.create_table(
        "rollup",
        sa.Column("run_id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("first_step", sa.Integer, primary_key=True),
        sa.Column("last_step", sa.Integer, nullable=False),
        sa.Column("last_time", sa.Float, nullable=False),
        sa.Column("last", sa.Float),
        sa.Column("finite", sa.Integer, nullable=False),
        sa.Column("total", sa.Float, nullable=False),
        sa.Column("least", sa.Float),
        sa.Column("greatest", sa.Float),
        sa.ForeignKeyConstraint(key, [f"chunk.{name}" for name in key], ondelete="CASCADE"),
    )
    connection = op.get_bind()
    full = sa.text('SELECT run_id, name, first_step, last_step, times, "values" FROM chunk WHERE points = :full')
    for row in connection.execute(full, {"full": FULL}):
        times, values = np.frombuffer(row.times, "<f8"), np.frombuffer(row.values, "<f8")
        finite = values[np.isfinite(values)]
        last = float(values[-1])
        short = {
            "run_id": row.run_id,
            "name": row.name,
            "first_step": row.first_step,
            "last_step": row.last_step,
            "last_time": float(times[-1]),
            "last": None if np.isnan(last) else last,
            "finite": len(finite),
            "total": float(finite.sum()),
            "least": float(finite.min()) if len(finite) else None,
            "greatest": float(finite.max()) if len(finite) else None,
        }
        connection.execute(rollup.insert(), short)
