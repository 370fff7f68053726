"""Tokens; tags, notes and deletion that can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "credential",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String),
        sa.Column("access", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("credential.id", ondelete="CASCADE")),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime),
    )
    op.create_index("ix_credential_hash", "credential", ["hash"], unique=True)
    op.create_table(
        "run_tag",
        sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("tag", sa.String, primary_key=True),
    )
    op.create_index("ix_run_tag_tag", "run_tag", ["tag"])
    for table in ("run", "experiment"):
        op.add_column(table, sa.Column("note", sa.String, nullable=False, server_default=""))
        op.add_column(table, sa.Column("deleted_at", sa.DateTime))
