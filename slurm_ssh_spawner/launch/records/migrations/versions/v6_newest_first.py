"""An index of beginnings: lists are the newest first."""

from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Add it."""
    op.create_index("ix_launches_begun", "launches", ["begun"])
