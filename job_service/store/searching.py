"""Which jobs are wanted, as SQL."""

from typing import Any

import sqlalchemy as sa

from job_service.stages import Stage
from job_service.store.rows import RECORD_COLUMNS
from job_service.store.schema import JOBS
from job_service.store.values import JobFilter

LIVE = tuple(stage for stage in Stage if not stage.is_over)


def conditions(wanted: JobFilter) -> list[sa.ColumnElement[bool]]:
    """Return what holds for the jobs that are wanted."""
    equal = {
        JOBS.c.owner: wanted.owner,
        JOBS.c.system: wanted.system,
        JOBS.c.project: wanted.project,
        JOBS.c.type: wanted.type,
        JOBS.c.group: wanted.group,
    }
    found = [column == value for column, value in equal.items() if value is not None]
    if wanted.stages is None:
        found.append(JOBS.c.stage != Stage.DELETED)
    else:
        found.append(JOBS.c.stage.in_(sorted(wanted.stages)))
    found.append(JOBS.c.kind != "task" if wanted.parent is None else JOBS.c.parent == wanted.parent)
    if wanted.since is not None:
        found.append(JOBS.c.created >= wanted.since)
    if wanted.q:
        found.append(
            JOBS.c.title.icontains(wanted.q, autoescape=True)
            | JOBS.c.job_id.startswith(wanted.q.lower(), autoescape=True)
            | (JOBS.c.native_id == wanted.q)
        )
    return found


def page(wanted: JobFilter, last: int | None, limit: int, offset: int) -> sa.Select[Any]:
    """Return the question for the jobs older than `last`, the newest first."""
    asked = sa.select(*RECORD_COLUMNS).where(*conditions(wanted))
    if last is not None:
        asked = asked.where(JOBS.c.id < last)
    return asked.order_by(JOBS.c.id.desc()).limit(limit).offset(offset)
