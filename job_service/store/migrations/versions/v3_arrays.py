"""Arrays and their tasks."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add what tells them apart."""
    op.add_column("jobs", sa.Column("kind", sa.String(8), nullable=False, server_default="batch"))
    op.add_column("jobs", sa.Column("parent", sa.String(12)))
    op.add_column("jobs", sa.Column("task", sa.Integer))
    op.create_index("ix_jobs_parent", "jobs", ["parent", "task"])
