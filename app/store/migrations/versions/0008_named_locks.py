"""A worker's lock names its process; when that began need not be kept any more."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.drop_column("attempt", "pid_created")
