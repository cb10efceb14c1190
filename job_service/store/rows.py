"""What a row of a table says, as a value."""

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from job_service.record import JobRecord
from job_service.spec import JobSpec
from job_service.store.accounting import NewProject, Project
from job_service.store.schema import JOBS, LEDGER, PROJECTS

SAME_NAMES = tuple(field.name for field in fields(JobRecord) if field.name != "spec")
"""The fields of a JobRecord that are columns."""

RECORD_COLUMNS = (*(JOBS.c[name] for name in SAME_NAMES), JOBS.c.request)

_CHANGES_PROJECT = LEDGER.c.user.is_(None) | LEDGER.c.kind.in_(("hold", "release", "charge"))
_TIME_LEFT = (
    PROJECTS.c.init_time
    + sa.select(sa.func.coalesce(sa.func.sum(LEDGER.c.seconds), 0))
    .where(LEDGER.c.project == PROJECTS.c.id, _CHANGES_PROJECT)
    .scalar_subquery()
)
PROJECT_COLUMNS = (
    *(PROJECTS.c[field.name] for field in fields(NewProject)),
    PROJECTS.c.id,
    sa.cast(_TIME_LEFT, sa.BigInteger).label("time_left"),
)
"""Those of projects, and what their seconds, grants, holds and charges together leave."""

IS_THERE = PROJECTS.c.removed.is_(None)


def record(row: sa.RowMapping) -> JobRecord:
    """Return the job in a row of RECORD_COLUMNS."""
    values: dict[str, Any] = {name: row[name] for name in SAME_NAMES}
    return JobRecord(spec=JobSpec.from_json(row["request"]), **values)


def project(row: sa.RowMapping) -> Project:
    """Return the project in a row of PROJECT_COLUMNS."""
    return Project(**row)
