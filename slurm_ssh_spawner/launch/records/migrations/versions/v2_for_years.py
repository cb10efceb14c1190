"""What a job was started with and when its ticket ends; scripts once for each content; times with their zone."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_RUNS = sa.table("runs", sa.column("launch_id"), sa.column("script"), sa.column("digest"))
_SCRIPTS = sa.table("scripts", sa.column("digest"), sa.column("text"))


def upgrade() -> None:
    """Add the columns, and move each script to where it is kept once."""
    op.add_column("launches", sa.Column("started_with", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("launches", sa.Column("ticket_ends", sa.DateTime(timezone=True)))
    op.create_index("ix_launches_ended", "launches", ["ended"])
    if op.get_bind().dialect.name != "sqlite":
        # Readings of the session's clock until now; SQLite has UTC already, and no types of its own.
        for column in ("begun", "ended"):
            op.alter_column("launches", column, type_=sa.DateTime(timezone=True))
    op.create_table(
        "scripts",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.add_column("runs", sa.Column("digest", sa.String(64)))
    op.create_index("ix_runs_digest", "runs", ["digest"])
    _move_scripts(op.get_bind())
    # SQLite drops no column before 3.35; then the table is copied.
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("script")


def _move_scripts(connection: sa.Connection) -> None:
    # One at a time: all of them may be some gigabytes.
    for launch_id in connection.scalars(sa.select(_RUNS.c.launch_id)).all():
        row = _RUNS.c.launch_id == launch_id
        script = connection.scalar(sa.select(_RUNS.c.script).where(row))
        if not script:
            continue
        pattern = script.replace("%", "%%").replace(launch_id, "%(launch_id)s")
        digest = hashlib.sha256(pattern.encode()).hexdigest()
        if connection.scalar(sa.select(_SCRIPTS.c.digest).where(_SCRIPTS.c.digest == digest)) is None:
            connection.execute(sa.insert(_SCRIPTS).values(digest=digest, text=pattern))
        connection.execute(sa.update(_RUNS).where(row).values(digest=digest))
