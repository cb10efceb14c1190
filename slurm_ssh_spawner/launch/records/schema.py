"""The tables of launch records as this version wants them; `migrations` brings any older ones there."""

from datetime import UTC, datetime

import sqlalchemy as sa


class Moment(sa.TypeDecorator[datetime]):
    """A point in time, in UTC on every database, whatever its session's time zone is."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Pass UTC on: some databases keep the clock's reading alone."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Return UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


TABLES = sa.MetaData()

LAUNCHES = sa.Table(
    "launches",
    TABLES,
    sa.Column("launch_id", sa.String(12), primary_key=True),
    sa.Column("user", sa.String, nullable=False, index=True),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("site_key", sa.String, nullable=False),
    sa.Column("profile_key", sa.String, nullable=False),
    sa.Column("choices", sa.JSON, nullable=False),
    sa.Column("job_id", sa.String, nullable=False, default=""),
    sa.Column("node", sa.String, nullable=False, default=""),
    sa.Column("port", sa.Integer, nullable=False, default=0),
    sa.Column("local_port", sa.Integer, nullable=False, default=0),
    sa.Column("stop_wanted", sa.Boolean, nullable=False, default=False),
    sa.Column("begun", Moment, nullable=False, index=True),
    sa.Column("ended", Moment, index=True),
    sa.Column("end_reason", sa.String, nullable=False, default=""),
    sa.Column("started_with", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("ticket_ends", Moment),
    sa.Column("server", sa.String, nullable=False, server_default=""),
    sa.Column("mark", sa.String, nullable=False, server_default=""),
    sa.Column("token_hash", sa.String(64), nullable=False, server_default=""),
    sa.Column("wait_until", Moment),
    sa.Column("released", Moment, index=True),
    sa.Column("end_log", sa.Text, nullable=False, server_default=""),
)

ACCEPTED = sa.Table(
    "accepted",
    TABLES,
    sa.Column("user", sa.String, primary_key=True),
    sa.Column("server", sa.String, primary_key=True),
    sa.Column("choices", sa.JSON, nullable=False),
)

RUNS = sa.Table(
    "runs",
    TABLES,
    sa.Column("launch_id", sa.String(12), sa.ForeignKey("launches.launch_id"), primary_key=True),
    sa.Column("digest", sa.String(64), index=True),
    sa.Column("stages", sa.JSON, nullable=False, default=list),
)

SCRIPTS = sa.Table(
    "scripts",
    TABLES,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)

RELEASES = sa.Table(
    "releases",
    TABLES,
    sa.Column("launch_id", sa.String(12), sa.ForeignKey("launches.launch_id"), primary_key=True),
    sa.Column("commands", sa.JSON, nullable=False),
)

ANNOUNCEMENTS = sa.Table(
    "announcements",
    TABLES,
    sa.Column("until", Moment, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("author", sa.String, nullable=False),
)

PRESETS = sa.Table(
    "presets",
    TABLES,
    sa.Column("user", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("choices", sa.JSON, nullable=False),
)
