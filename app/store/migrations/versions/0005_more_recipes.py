"""More knobs of the recipes: runs that were made before there were any have their defaults."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ADDED = {
    "cutout": 0,
    "schedule": "constant",
    "warmup_epochs": 0.0,
    "decay_epochs": 30,
    "decay_factor": 0.1,
    "label_smoothing": 0.0,
    "gradient_clip": 0.0,
    "early_stopping": 0,
    "keep": "last",
}
OPTIMIZERS: dict[str, dict[str, Any]] = {"sgd": {"nesterov": "off", "weight_decay": 0.0}, "adam": {"weight_decay": 0.0}}


def upgrade() -> None:
    connection = op.get_bind()
    for run_id, spec in connection.execute(sa.text("SELECT id, spec FROM run")).all():
        filled = ADDED | json.loads(spec)
        optimizer = filled.get("optimizer")
        if optimizer is not None:
            filled["optimizer"] = optimizer | {
                key: value for key, value in OPTIMIZERS.get(optimizer["name"], {}).items() if key not in optimizer
            }
        connection.execute(
            sa.text("UPDATE run SET spec = :spec WHERE id = :id"), {"spec": json.dumps(filled), "id": run_id}
        )
