"""Entries of the ledger: what projects and people gain and lose."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from job_service import charges
from job_service.record import JobRecord
from job_service.store.accounting import EntryKind, Project
from job_service.store.schema import LEDGER

Entry = dict[str, Any]


def entry(
    now: datetime,
    project: int,
    user: str | None,
    kind: EntryKind,
    seconds: int,
    job: int | None = None,
    by: str = "",
    note: str = "",
) -> Entry:
    """Return a row of the ledger."""
    return {
        "at": now,
        "project": project,
        "user": user,
        "job": job,
        "kind": kind,
        "seconds": seconds,
        "by": by,
        "note": note,
    }


def write(connection: sa.Connection, entries: Iterable[Entry]) -> None:
    """Keep rows of the ledger."""
    if rows := list(entries):
        connection.execute(sa.insert(LEDGER), rows)


def begin(connection: sa.Connection, now: datetime, project: Project, user: str) -> None:
    """Give somebody what members of a project begin with, once: also if that is nothing, so nothing later."""
    if _sum(connection, project, user) is None:
        write(connection, [entry(now, project.id, user, "grant", project.user_time)])


def time_left(connection: sa.Connection, project: Project, user: str) -> int:
    """Return the sum of somebody's entries in a project, or what they would begin with."""
    total = _sum(connection, project, user)
    return project.user_time if total is None else total


def _sum(connection: sa.Connection, project: Project, user: str) -> int | None:
    """Return the sum of somebody's entries, None if there are none."""
    asked = sa.select(sa.func.sum(LEDGER.c.seconds)).where(LEDGER.c.project == project.id, LEDGER.c.user == user)
    total = connection.execute(asked).scalar()
    return None if total is None else int(total)


def hold(now: datetime, record: JobRecord, project: int) -> Entry:
    """Return what takes the most that a job may use."""
    return entry(now, project, record.owner, "hold", -record.held_s, record.id)


def settled(now: datetime, record: JobRecord, project: int) -> list[Entry]:
    """Return what a job that is over gives back, and what it is charged."""
    entries = [entry(now, project, record.owner, "release", record.held_s, record.id)]
    if used := charges.charge(record):
        entries.append(entry(now, project, record.owner, "charge", -used, record.id))
    return entries
