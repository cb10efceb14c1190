"""The ledger: signed seconds of projects and people.  Jobs hold, release and charge when they are kept."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from job_service.errors import NotFound
from job_service.sentences import store as say
from job_service.store import audit, books, membership
from job_service.store.accounting import EntryKind, LedgerEntry, Project, Quota
from job_service.store.parts import Part, before, page
from job_service.store.projects import listed, target, there
from job_service.store.schema import JOBS, LEDGER, MEMBERS
from job_service.store.values import Page

_COLUMNS = (
    LEDGER.c.id,
    LEDGER.c.at,
    LEDGER.c.project.label("project_id"),
    LEDGER.c.user,
    sa.func.coalesce(JOBS.c.job_id, "").label("job_id"),
    LEDGER.c.kind,
    LEDGER.c.seconds,
    LEDGER.c.by,
    LEDGER.c.note,
)


class Ledger(Part):
    """The part of the store that knows what is left.  Everything here raises StoreAway.

    What changes something is done by an admin, `by`, and an audit entry in the same moment.
    """

    async def quota(self, project: Project, user: str) -> Quota:
        """Return what somebody has left, or would begin with.  Raises NotFound."""

        def find(connection: sa.Connection) -> Quota:
            (quota,) = _quotas(connection, [_found(connection, project)], user)
            return quota

        return await self._read(find)

    async def by_number(self, number: int) -> Quota:
        """Return the quota with this `id`.  Raises NotFound."""

        def find(connection: sa.Connection) -> Quota | None:
            asked = sa.select(LEDGER.c.project, LEDGER.c.user).where(LEDGER.c.id == number)
            row = connection.execute(asked).first()
            project = row and membership.by_numbers(connection, {row.project})[row.project]
            (quota,) = _quotas(connection, [project], row.user) if project and row and row.user else (None,)
            return quota if quota and quota.id == number else None

        found = await self._read(find)
        if found is None:
            raise NotFound(say.NO_SUCH_QUOTA.format(number=number))
        return found

    async def quotas(self, user: str, groups: frozenset[str], system: str | None = None) -> tuple[Quota, ...]:
        """Return somebody's quotas in all projects that they may use, by system and project."""

        def find(connection: sa.Connection) -> tuple[Quota, ...]:
            projects = listed(connection, system, membership.usable_by(user, groups))
            return _quotas(connection, projects, user)

        return await self._read(find)

    async def quotas_of(self, project: Project) -> tuple[Quota, ...]:
        """Return the quotas of all who have begun to use a project or are named as its members, by name.

        Raises NotFound.
        """
        named = sa.select(MEMBERS.c.member).where(MEMBERS.c.project == project.id, MEMBERS.c.kind == "user")
        begun = sa.select(LEDGER.c.user).where(LEDGER.c.project == project.id, LEDGER.c.user.is_not(None))

        def find(connection: sa.Connection) -> tuple[Quota, ...]:
            sums = _sums(connection, LEDGER.c.project == project.id)
            users = sorted(connection.execute(sa.union(named, begun)).scalars())
            found = _found(connection, project)
            return tuple(_quota(found, user, sums.get((project.id, user))) for user in users)

        return await self._read(find)

    async def grant(
        self, project: Project, user: str | None, seconds: int, by: str, note: str = ""
    ) -> LedgerEntry:
        """Give somebody, or (None) the project itself, more seconds, or take some (negative).  Raises NotFound."""

        def give(connection: sa.Connection, now: datetime) -> LedgerEntry:
            found = there(connection, project)
            if user is not None:
                books.begin(connection, now, found, user)
            return _added(connection, now, found, user, "grant", seconds, by, note)

        return await self._write(give)

    async def set_time_left(self, project: Project, user: str, seconds: int, by: str, note: str = "") -> Quota:
        """Make what somebody has left so much, by an entry of the difference.  Raises NotFound."""

        def adjust(connection: sa.Connection, now: datetime) -> Quota:
            found = there(connection, project)
            books.begin(connection, now, found, user)
            if difference := seconds - books.time_left(connection, found, user):
                _added(connection, now, found, user, "adjust", difference, by, note)
            (quota,) = _quotas(connection, [found], user)
            return quota

        return await self._write(adjust)

    async def entries(
        self, project: Project, user: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[LedgerEntry]:
        """Return what happened in a project, or to one person in it, the newest first.  Raises Invalid."""
        asked = _entries().where(LEDGER.c.project == project.id)
        if user is not None:
            asked = asked.where(LEDGER.c.user == user)
        if (last := before(cursor)) is not None:
            asked = asked.where(LEDGER.c.id < last)
        asked = asked.order_by(LEDGER.c.id.desc()).limit(limit + 1)
        found = await self._read(
            lambda connection: [LedgerEntry(**row) for row in connection.execute(asked).mappings()]
        )
        return page(found, limit, lambda entry: entry.id)


def _found(connection: sa.Connection, project: Project) -> Project:
    """Return a project as it is now, also one that was removed.  Raises NotFound."""
    if found := membership.by_numbers(connection, {project.id}):
        return found[project.id]
    raise NotFound(say.NO_SUCH_PROJECT.format(project=project.name))


def _entries() -> sa.Select[Any]:
    return sa.select(*_COLUMNS).select_from(LEDGER.outerjoin(JOBS))


def _added(
    connection: sa.Connection,
    now: datetime,
    project: Project,
    user: str | None,
    kind: EntryKind,
    seconds: int,
    by: str,
    why: str,
) -> LedgerEntry:
    """Keep what an admin gave or took, and that they did."""
    values = books.entry(now, project.id, user, kind, seconds, by=by, note=why)
    number = connection.execute(sa.insert(LEDGER).values(values).returning(LEDGER.c.id)).scalar_one()
    whose = target(project) if user is None else f"{user} {target(project)}"
    audit.note(connection, now, by, kind, whose, f"{seconds:+} {why}".rstrip())
    return LedgerEntry(**connection.execute(_entries().where(LEDGER.c.id == number)).mappings().one())


_Sums = dict[tuple[int, str], tuple[int, int]]


def _sums(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> _Sums:
    """Return, by project and person, the number of their first entry and the sum of all."""
    columns = (LEDGER.c.project, LEDGER.c.user)
    asked = sa.select(*columns, sa.func.min(LEDGER.c.id), sa.func.sum(LEDGER.c.seconds)).where(*conditions)
    found = connection.execute(asked.group_by(*columns))
    return {(project, user): (first, int(total)) for project, user, first, total in found}


def _quotas(connection: sa.Connection, projects: Iterable[Project], user: str) -> tuple[Quota, ...]:
    projects = tuple(projects)
    numbers = [project.id for project in projects]
    sums = _sums(connection, LEDGER.c.project.in_(numbers), LEDGER.c.user == user)
    return tuple(_quota(project, user, sums.get((project.id, user))) for project in projects)


def _quota(project: Project, user: str, kept: tuple[int, int] | None) -> Quota:
    first, left = kept or (None, project.user_time)
    return Quota(first, user, project, left)
