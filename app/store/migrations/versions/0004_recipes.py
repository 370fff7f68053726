"""Knobs of the recipes: runs that were made before there were any have their defaults."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ADDED = {"normalization": "dataset", "crop_padding": 0, "flip": "off", "precision": "float32"}


def upgrade() -> None:
    connection = op.get_bind()
    for run_id, spec in connection.execute(sa.text("SELECT id, spec FROM run")).all():
        filled = ADDED | json.loads(spec)
        connection.execute(
            sa.text("UPDATE run SET spec = :spec WHERE id = :id"), {"spec": json.dumps(filled), "id": run_id}
        )
