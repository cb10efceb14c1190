"""Rows of bans."""

from typing import Any

import sqlalchemy as sa

from job_service.store import membership
from job_service.store.accounting import Ban, Project
from job_service.store.schema import BANS

_STANDS = BANS.c.lifted.is_(None)


def standing(connection: sa.Connection, user: str) -> tuple[Ban, ...]:
    """Return the bans of somebody that were not lifted."""
    return found(connection, BANS.c.user == user, _STANDS)


def found(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> tuple[Ban, ...]:
    """Return the bans of which that holds, the newest first."""
    asked = sa.select(BANS).where(*conditions).order_by(BANS.c.id.desc())
    kept = [dict(row) for row in connection.execute(asked).mappings()]
    projects = membership.by_numbers(connection, {row["project"] for row in kept} - {None})
    return tuple(Ban(**{**row, "project": projects.get(row["project"])}) for row in kept)


def on(user: str, project: Project | None) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what holds for the one ban that somebody has from a project, or (None) from all, and that stands."""
    is_from = BANS.c.project.is_(None) if project is None else BANS.c.project == project.id
    return BANS.c.user == user, is_from, _STANDS


def change(connection: sa.Connection, conditions: tuple[sa.ColumnElement[bool], ...], **values: Any) -> Ban | None:
    """Change a ban of which that holds, None if there is none."""
    changed = sa.update(BANS).where(*conditions).values(values).returning(BANS.c.id)
    number = connection.execute(changed).scalar()
    return None if number is None else found(connection, BANS.c.id == number)[0]


def add(connection: sa.Connection, **values: Any) -> Ban:
    """Keep a ban."""
    number = connection.execute(sa.insert(BANS).values(values).returning(BANS.c.id)).scalar_one()
    return found(connection, BANS.c.id == number)[0]
