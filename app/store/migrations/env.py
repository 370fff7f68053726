"""Alembic's entry: runs the migrations on the connection that `app.store.engine` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None, render_as_batch=True)
context.run_migrations()
