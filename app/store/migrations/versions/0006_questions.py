"""An experiment may carry a question."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("experiment", sa.Column("question", sa.JSON))
    op.add_column("experiment", sa.Column("asking", sa.String))
    op.add_column("experiment", sa.Column("asking_beyond", sa.Boolean, nullable=False, server_default=sa.false()))
