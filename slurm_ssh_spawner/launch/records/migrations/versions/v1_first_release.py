"""The tables of version 0.1.0.  Those of a database that had no revisions yet are left as they are."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the tables that are not there."""
    op.create_table(
        "launches",
        sa.Column("launch_id", sa.String(12), primary_key=True),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("site_key", sa.String, nullable=False),
        sa.Column("profile_key", sa.String, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("job_id", sa.String, nullable=False),
        sa.Column("node", sa.String, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("local_port", sa.Integer, nullable=False),
        sa.Column("stop_wanted", sa.Boolean, nullable=False),
        sa.Column("begun", sa.DateTime, nullable=False),
        sa.Column("ended", sa.DateTime),
        sa.Column("end_reason", sa.String, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_launches_user", "launches", ["user"], if_not_exists=True)
    op.create_table(
        "accepted",
        sa.Column("user", sa.String, primary_key=True),
        sa.Column("server", sa.String, primary_key=True),
        sa.Column("choices", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "runs",
        sa.Column("launch_id", sa.String(12), sa.ForeignKey("launches.launch_id"), primary_key=True),
        sa.Column("script", sa.Text, nullable=False),
        sa.Column("stages", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "releases",
        sa.Column("launch_id", sa.String(12), sa.ForeignKey("launches.launch_id"), primary_key=True),
        sa.Column("commands", sa.JSON, nullable=False),
        if_not_exists=True,
    )
