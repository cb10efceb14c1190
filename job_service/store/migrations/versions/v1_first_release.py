"""The tables of the first version of the service for batch jobs."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _make_people()
    _make_projects()
    _make_members()
    _make_bans()
    _make_jobs()
    _make_job_texts()
    _make_events()
    _make_ledger()
    _make_idempotency()
    _make_audit()


def _make_people() -> None:
    op.create_table(
        "people",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("first_seen", _MOMENT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.UniqueConstraint("name"),
    )


def _make_projects() -> None:
    op.create_table(
        "projects",
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
        sa.Column("removed", _MOMENT),
    )
    op.create_index(
        "ix_projects_name",
        "projects",
        ["system", "name"],
        unique=True,
        sqlite_where=sa.text("removed IS NULL"),
        postgresql_where=sa.text("removed IS NULL"),
    )


def _make_members() -> None:
    op.create_table(
        "members",
        sa.Column("project", _NUMBER, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("member", sa.String, primary_key=True),
    )
    op.create_index("ix_members_member", "members", ["member", "kind"])


def _make_bans() -> None:
    op.create_table(
        "bans",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("project", _NUMBER, sa.ForeignKey("projects.id")),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("lifted", _MOMENT),
    )
    op.create_index("ix_bans_user", "bans", ["user"])


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("job_id", sa.String(12), nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("system", sa.String, nullable=False),
        sa.Column("project", sa.String, nullable=False),
        sa.Column("project_id", _NUMBER, sa.ForeignKey("projects.id")),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("native_id", sa.String),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("remove_after", _MOMENT),
        sa.Column("removed", _MOMENT),
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
        sa.Column("sent", _MOMENT),
        sa.Column("native_state", sa.String, nullable=False),
        sa.Column("exit_code", sa.Integer),
        sa.Column("signal", sa.Integer),
        sa.Column("failed", sa.Boolean, nullable=False),
        sa.Column("cancel_wanted", _MOMENT),
        sa.Column("queued", _MOMENT),
        sa.Column("started", _MOMENT),
        sa.Column("ended", _MOMENT),
        sa.Column("elapsed_s", sa.BigInteger),
        sa.Column("observed", _MOMENT),
        sa.Column("observed_by", sa.String, nullable=False),
        sa.Column("ticket_ends", _MOMENT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.UniqueConstraint("job_id"),
    )
    op.create_index("ix_jobs_owner", "jobs", ["owner", "id"])
    op.create_index("ix_jobs_stage", "jobs", ["stage", "owner", "system"])
    op.create_index("ix_jobs_system", "jobs", ["system", "stage"])
    op.create_index(
        "ix_jobs_to_remove",
        "jobs",
        ["system", "remove_after"],
        sqlite_where=sa.text("remove_after IS NOT NULL AND removed IS NULL"),
        postgresql_where=sa.text("remove_after IS NOT NULL AND removed IS NULL"),
    )


def _make_job_texts() -> None:
    op.create_table(
        "job_texts",
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("script", sa.Text, nullable=False),
    )


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_events_job", "events", ["job", "id"])
    op.create_index("ix_events_owner", "events", ["owner", "id"])


def _make_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("project", _NUMBER, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("user", sa.String),
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.id")),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("seconds", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.UniqueConstraint("job", "kind", name="uq_ledger_job_kind"),
    )
    op.create_index("ix_ledger_project", "ledger", ["project", "user", "kind", "seconds"])


def _make_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("owner", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("job", _NUMBER, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_actor", "audit", ["actor"])
    op.create_index("ix_audit_target", "audit", ["target"])
