"""Runs pause, resume, and go on by themselves after a crash."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("run", sa.Column("pause_requested", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("run", sa.Column("responding", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("run", sa.Column("position", sa.Integer, nullable=False, server_default="0"))
    op.add_column("run", sa.Column("checkpoint_step", sa.Integer))
    op.add_column("run", sa.Column("crashes", sa.Integer, nullable=False, server_default="0"))
    op.add_column("run", sa.Column("retry_at", sa.DateTime))
    op.add_column("attempt", sa.Column("heartbeat_at", sa.DateTime))
    op.add_column("attempt", sa.Column("from_step", sa.Integer, nullable=False, server_default="0"))
    op.add_column("run", sa.Column("seconds", sa.Float, nullable=False, server_default="0"))
    op.execute("UPDATE run SET position = id")
    whole = "(julianday(ended_at) - julianday(started_at)) * 86400"
    op.execute(f"UPDATE run SET seconds = {whole} WHERE started_at IS NOT NULL AND ended_at IS NOT NULL")
