"""Runs migrations on the connection that the journal is being opened with."""

from alembic import context

from app.journal.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
