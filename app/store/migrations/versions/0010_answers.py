"""An experiment says what matters, a run whether its result was known before, and whether it learned anything."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("run", sa.Column("repeats", sa.Integer))
    op.add_column("run", sa.Column("untrained", sa.Boolean))  # none: not known, as of all that ran before
    op.create_table("leftover", sa.Column("files", sa.String, primary_key=True))
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "UPDATE run SET repeats = (SELECT max(before.id) FROM run AS before"
            " WHERE before.configuration = run.configuration AND before.seed = run.seed AND before.status = 'succeeded'"
            " AND before.ended_at < (SELECT created_at FROM experiment WHERE experiment.id = run.experiment_id))"
            " WHERE experiment_id IS NOT NULL"
        )
    )
    asked = connection.execute(sa.text("SELECT id, question FROM experiment WHERE question IS NOT NULL")).all()
    for experiment, text in asked:
        question = json.loads(text)
        smallest = question.pop("smallest", None)
        values = {"id": experiment, "question": json.dumps(question), "smallest": smallest}
        connection.execute(
            sa.text("UPDATE experiment SET question = :question, smallest = :smallest WHERE id = :id"), values
        )
