"""As whom jobs run: as their owners, or as the accounts of their sites."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add it; so far all ran as their owners."""
    for table in ("projects", "jobs"):
        op.add_column(table, sa.Column("identity", sa.String(8), nullable=False, server_default="person"))
