"""Who may use which project, as SQL."""

from typing import Any

import sqlalchemy as sa

from job_service.store import rows
from job_service.store.accounting import Project
from job_service.store.schema import MEMBERS, PROJECTS


def lock(connection: sa.Connection, number: int) -> None:
    """Let nobody else change a project until the transaction ends."""
    connection.execute(sa.select(PROJECTS.c.id).where(PROJECTS.c.id == number).with_for_update())


def found(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Project | None:
    """Return the one project of which that holds, None if there is none."""
    asked = sa.select(*rows.PROJECT_COLUMNS).where(rows.IS_THERE, *conditions)
    row = connection.execute(asked).mappings().first()
    return None if row is None else rows.project(row)


def usable_by(user: str, groups: frozenset[str]) -> sa.ColumnElement[bool]:
    """Return what holds for the projects that somebody may use: theirs, their groups', the open ones."""
    return _usable(user, sorted(groups))


def _usable(user: Any, groups: Any) -> sa.ColumnElement[bool]:
    is_user = (MEMBERS.c.kind == "user") & (MEMBERS.c.member == user)
    is_group = (MEMBERS.c.kind == "group") & MEMBERS.c.member.in_(groups)
    is_member = sa.exists().where(MEMBERS.c.project == PROJECTS.c.id, is_user | is_group)
    return PROJECTS.c.is_open | is_member


_USER, _GROUPS = sa.bindparam("user", type_=sa.Text()), sa.bindparam("groups", type_=sa.Text(), expanding=True)
# Each job that is sent asks for it: SQLAlchemy takes longer to make it than SQLite to answer.
_WITH_USABLE = (
    sa.select(*rows.PROJECT_COLUMNS, _usable(_USER, _GROUPS).label("is_usable"))
    .where(rows.IS_THERE)
    .order_by(PROJECTS.c.system, PROJECTS.c.name)
)


def with_usable(
    connection: sa.Connection, user: str, groups: frozenset[str]
) -> tuple[tuple[Project, ...], frozenset[int]]:
    """Return all projects that are there, by system and name, and the ids of those that somebody may use."""
    asked = {"user": user, "groups": sorted(groups)}
    found = [dict(row) for row in connection.execute(_WITH_USABLE, asked).mappings()]
    usable = frozenset(row["id"] for row in found if row.pop("is_usable"))
    return tuple(Project(**row) for row in found), usable


def by_numbers(connection: sa.Connection, numbers: set[int]) -> dict[int, Project]:
    """Return projects by their numbers, also those that were removed."""
    if not numbers:
        return {}
    asked = sa.select(*rows.PROJECT_COLUMNS).where(PROJECTS.c.id.in_(sorted(numbers)))
    return {row["id"]: rows.project(row) for row in connection.execute(asked).mappings()}
