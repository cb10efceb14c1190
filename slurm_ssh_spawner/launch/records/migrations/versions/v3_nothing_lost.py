"""What a restart needs to go on with a launch: its server, its mark, its token's hash, how long it may wait."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"

_LAUNCHES = sa.table("launches", sa.column("ended"), sa.column("released"))


def upgrade() -> None:
    """Add the columns; of what had ended, nothing is looked for at its site any more."""
    op.add_column("launches", sa.Column("server", sa.String, nullable=False, server_default=""))
    op.add_column("launches", sa.Column("mark", sa.String, nullable=False, server_default=""))
    op.add_column("launches", sa.Column("token_hash", sa.String(64), nullable=False, server_default=""))
    op.add_column("launches", sa.Column("wait_until", sa.DateTime(timezone=True)))
    op.add_column("launches", sa.Column("released", sa.DateTime(timezone=True)))
    op.add_column("launches", sa.Column("end_log", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_launches_released", "launches", ["released"])
    op.execute(sa.update(_LAUNCHES).values(released=_LAUNCHES.c.ended))
