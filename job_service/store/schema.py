"""The tables as this version wants them; `migrations` brings any older ones there."""

from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa

from job_service.stages import Stage

# The names of these tables' revisions: a database that is shared with others keeps theirs elsewhere.
REVISIONS = "jobs_revision"


class Moment(sa.TypeDecorator[datetime]):
    """A point in time: UTC with a zone, whatever the database keeps of it."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Hand on UTC: SQLite keeps what the clock shows, without the zone."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Return UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class StageName(sa.TypeDecorator[Stage]):
    """A stage, kept as its name."""

    impl = sa.String(16)
    cache_ok = True

    def process_bind_param(self, value: StrEnum | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """Hand on the name."""
        return value and value.value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Stage | None:  # noqa: ARG002
        """Return the stage of this name."""
        return None if value is None else Stage(value)


TABLES = sa.MetaData()

# SQLite counts up only in columns that are declared so.
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

PEOPLE = sa.Table(
    "people",
    TABLES,
    sa.Column("number", _NUMBER, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, nullable=False),
)

PROJECTS = sa.Table(
    "projects",
    TABLES,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("system", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("account", sa.String),
    sa.Column("charge", sa.String(8), nullable=False),
    sa.Column("init_time", sa.BigInteger, nullable=False),
    sa.Column("init_space", sa.BigInteger, nullable=False),
    sa.Column("user_time", sa.BigInteger, nullable=False),
    sa.Column("user_space", sa.BigInteger, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Column("limits", sa.JSON, nullable=False),
    sa.Column("removed", Moment),
    sa.Column("identity", sa.String(8), nullable=False, server_default="person"),
)
_IS_THERE = PROJECTS.c.removed.is_(None)
# The ledger of one that was removed stays, and its name may be had again.
sa.Index(
    "ix_projects_name",
    PROJECTS.c.system,
    PROJECTS.c.name,
    unique=True,
    sqlite_where=_IS_THERE,
    postgresql_where=_IS_THERE,
)

MEMBERS = sa.Table(
    "members",
    TABLES,
    sa.Column("project", sa.ForeignKey("projects.id"), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("member", sa.String, primary_key=True),
    sa.Index("ix_members_member", "member", "kind"),
)

BANS = sa.Table(
    "bans",
    TABLES,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("user", sa.String, nullable=False, index=True),
    sa.Column("project", sa.ForeignKey("projects.id")),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("lifted", Moment),
)

# What jobs are found by stands before what may be long: SQLite then reads no more of those that are not wanted.
JOBS = sa.Table(
    "jobs",
    TABLES,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("job_id", sa.String(12), nullable=False, unique=True),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("stage", StageName, nullable=False),
    sa.Column("system", sa.String, nullable=False),
    sa.Column("project", sa.String, nullable=False),
    sa.Column("project_id", sa.ForeignKey("projects.id")),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("created", Moment, nullable=False),
    sa.Column("native_id", sa.String),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("remove_after", Moment),
    sa.Column("removed", Moment),
    sa.Column("login", sa.String, nullable=False),
    sa.Column("account", sa.String),
    sa.Column("nodes", sa.Integer, nullable=False),
    sa.Column("cores", sa.Integer, nullable=False),
    sa.Column("memory_mib", sa.BigInteger, nullable=False),
    sa.Column("gpus", sa.Integer, nullable=False),
    sa.Column("limit_s", sa.BigInteger, nullable=False),
    sa.Column("held_s", sa.BigInteger, nullable=False),
    sa.Column("submission", sa.String(8), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("sent", Moment),
    sa.Column("native_state", sa.String, nullable=False),
    sa.Column("exit_code", sa.Integer),
    sa.Column("signal", sa.Integer),
    sa.Column("failed", sa.Boolean, nullable=False),
    sa.Column("cancel_wanted", Moment),
    sa.Column("queued", Moment),
    sa.Column("started", Moment),
    sa.Column("ended", Moment),
    sa.Column("elapsed_s", sa.BigInteger),
    sa.Column("observed", Moment),
    sa.Column("observed_by", sa.String, nullable=False),
    sa.Column("ticket_ends", Moment),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("group", sa.String(12)),
    sa.Column("kind", sa.String(8), nullable=False, server_default="batch"),
    sa.Column("parent", sa.String(12)),
    sa.Column("task", sa.Integer),
    sa.Column("identity", sa.String(8), nullable=False, server_default="person"),
    sa.Index("ix_jobs_owner", "owner", "id"),
    sa.Index("ix_jobs_parent", "parent", "task"),
    sa.Index("ix_jobs_system", "system", "stage"),
    sa.Index("ix_jobs_stage", "stage", "owner", "system"),
)
_TO_REMOVE = JOBS.c.remove_after.is_not(None) & JOBS.c.removed.is_(None)
sa.Index(
    "ix_jobs_to_remove",
    JOBS.c.system,
    JOBS.c.remove_after,
    sqlite_where=_TO_REMOVE,
    postgresql_where=_TO_REMOVE,
)

TEXTS = sa.Table(
    "job_texts",
    TABLES,
    sa.Column("job", sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("script", sa.Text, nullable=False),
)

DATASETS = sa.Table(
    "job_datasets",
    TABLES,
    sa.Column("job", sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("datasets", sa.JSON, nullable=False),
)

EVENTS = sa.Table(
    "events",
    TABLES,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("job", sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("stage", StageName, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("ix_events_job", "job", "id"),
    sa.Index("ix_events_owner", "owner", "id"),
)

LEDGER = sa.Table(
    "ledger",
    TABLES,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("project", sa.ForeignKey("projects.id"), nullable=False),
    sa.Column("user", sa.String),
    sa.Column("job", sa.ForeignKey("jobs.id")),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("seconds", sa.BigInteger, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.UniqueConstraint("job", "kind", name="uq_ledger_job_kind"),
    sa.Index("ix_ledger_project", "project", "user", "kind", "seconds"),
)

KEYS = sa.Table(
    "idempotency",
    TABLES,
    sa.Column("owner", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("job", sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    # Of a request that made several jobs: which, and what it made none of.
    sa.Column("answer", sa.JSON(none_as_null=True)),
)

AUDIT = sa.Table(
    "audit",
    TABLES,
    sa.Column("id", _NUMBER, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String, nullable=False, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("target", sa.String, nullable=False, index=True),
    sa.Column("detail", sa.Text, nullable=False),
)
