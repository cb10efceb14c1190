"""Datasets of jobs, and requests that made several."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what is kept of them."""
    op.add_column("jobs", sa.Column("group", sa.String(12)))
    op.add_column("idempotency", sa.Column("answer", sa.JSON))
    op.create_table(
        "job_datasets",
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("datasets", sa.JSON, nullable=False),
    )
