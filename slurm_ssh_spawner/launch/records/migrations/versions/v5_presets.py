"""What people keep under names of their own, to fill in the form with."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "presets",
        sa.Column("user", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("choices", sa.JSON, nullable=False),
    )
