"""Values drawn at random; experiments in the archive."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("experiment", sa.Column("random", sa.JSON))
    op.add_column("experiment", sa.Column("archived", sa.Boolean, nullable=False, server_default=sa.false()))
