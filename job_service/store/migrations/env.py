"""Runs the revisions on the connection that alembic is given."""

from alembic import context

from job_service.store.schema import REVISIONS

context.configure(connection=context.config.attributes["connection"], version_table=REVISIONS)
with context.begin_transaction():
    context.run_migrations()
