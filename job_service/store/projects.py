"""The projects of the service and who may use them."""

from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from job_service.errors import Invalid, NotFound, WrongStage
from job_service.sentences import store as say
from job_service.store import membership, rows
from job_service.store.accounting import Member, NewProject, Project, ProjectChanges
from job_service.store.audit import note
from job_service.store.parts import Part
from job_service.store.schema import JOBS, MEMBERS, PROJECTS
from job_service.store.searching import LIVE


class Projects(Part):
    """The part of the store that knows projects.  Everything here raises StoreAway.

    What changes something is done by an admin, `by`, and an audit entry in the same moment.
    """

    async def get(self, system: str, name: str) -> Project:
        """Return a project.  Raises NotFound."""
        return await self._one(name, PROJECTS.c.system == system, PROJECTS.c.name == name)

    async def by_number(self, number: int) -> Project:
        """Return the project with this `id`.  Raises NotFound."""
        return await self._one(str(number), PROJECTS.c.id == number)

    async def all(self, system: str | None = None) -> tuple[Project, ...]:
        """Return all projects, or those at one system, by system and name."""
        return await self._projects(system)

    async def of_person(self, user: str, groups: frozenset[str], system: str | None = None) -> tuple[Project, ...]:
        """Return the projects that somebody may use, by system and name: theirs, their groups', the open ones."""
        return await self._projects(system, membership.usable_by(user, groups))

    async def with_those_of(self, user: str, groups: frozenset[str]) -> tuple[tuple[Project, ...], frozenset[int]]:
        """Return all projects, by system and name, and the ids of those that somebody may use."""
        return await self._read(lambda connection: membership.with_usable(connection, user, groups))

    async def add(self, new: NewProject, by: str) -> Project:
        """Make a project; a default takes the former one's place there.  Raises Invalid if the name is taken."""

        def add(connection: sa.Connection, now: datetime) -> Project:
            _refuse_taken(connection, new.system, new.name)
            values = {field.name: getattr(new, field.name) for field in fields(NewProject)}
            number = connection.execute(sa.insert(PROJECTS).values(values).returning(PROJECTS.c.id)).scalar_one()
            project = Project(**values, id=number, time_left=new.init_time)
            _keep_one_default(connection, project)
            note(connection, now, by, "add project", target(project), _told(values))
            return project

        return await self._write(add)

    async def change(self, project: Project, changes: ProjectChanges, by: str) -> Project:
        """Change a project.  Raises NotFound, Invalid if the new name is taken."""

        def change(connection: sa.Connection, now: datetime) -> Project:
            before = there(connection, project)
            if (name := changes.get("name", before.name)) != before.name:
                _refuse_taken(connection, before.system, name)
            if changes:
                connection.execute(sa.update(PROJECTS).where(PROJECTS.c.id == before.id).values(**changes))
            after = there(connection, project)
            _keep_one_default(connection, after)
            note(connection, now, by, "change project", target(before), _told(changes))
            return after

        return await self._write(change)

    async def remove(self, project: Project, by: str) -> None:
        """Take a project away; its ledger stays.  Raises NotFound, WrongStage while jobs of it are not over."""

        def remove(connection: sa.Connection, now: datetime) -> None:
            there(connection, project)
            is_used = (JOBS.c.project_id == project.id, JOBS.c.stage.in_(LIVE))
            if connection.execute(sa.select(JOBS.c.id).where(*is_used).limit(1)).first():
                raise WrongStage(say.PROJECT_IN_USE.format(project=project.name), say.PROJECT_IN_USE_HINT)
            connection.execute(sa.update(PROJECTS).where(PROJECTS.c.id == project.id).values(removed=now))
            note(connection, now, by, "remove project", target(project))

        await self._write(remove)

    async def members(self, project: Project) -> tuple[Member, ...]:
        """Return who may use it, by kind and name."""
        asked = sa.select(MEMBERS.c.kind, MEMBERS.c.member).where(MEMBERS.c.project == project.id)
        asked = asked.order_by(MEMBERS.c.kind, MEMBERS.c.member)
        return await self._read(
            lambda connection: tuple(Member(row.kind, row.member) for row in connection.execute(asked))
        )

    async def add_member(self, project: Project, member: Member, by: str) -> bool:
        """Let somebody use it; return whether they were no member before.  Raises NotFound."""

        def add(connection: sa.Connection, now: datetime) -> bool:
            there(connection, project)
            if connection.execute(sa.select(MEMBERS).where(*_row(project, member))).first():
                return False
            row = {"project": project.id, "kind": member.kind, "member": member.name}
            connection.execute(sa.insert(MEMBERS).values(row))
            note(connection, now, by, "add member", target(project), f"{member.kind} {member.name}")
            return True

        return await self._write(add)

    async def remove_member(self, project: Project, member: Member, by: str) -> bool:
        """Let somebody use it no longer, their jobs go on; return whether they were one.  Raises NotFound."""

        def remove(connection: sa.Connection, now: datetime) -> bool:
            there(connection, project)
            if not connection.execute(sa.delete(MEMBERS).where(*_row(project, member))).rowcount:
                return False
            note(connection, now, by, "remove member", target(project), f"{member.kind} {member.name}")
            return True

        return await self._write(remove)

    async def _one(self, name: str, *conditions: sa.ColumnElement[bool]) -> Project:
        found = await self._read(lambda connection: membership.found(connection, *conditions))
        if found is None:
            raise NotFound(say.NO_SUCH_PROJECT.format(project=name))
        return found

    async def _projects(self, system: str | None, *conditions: sa.ColumnElement[bool]) -> tuple[Project, ...]:
        return await self._read(lambda connection: listed(connection, system, *conditions))


def listed(
    connection: sa.Connection, system: str | None, *conditions: sa.ColumnElement[bool]
) -> tuple[Project, ...]:
    """Return the projects of which that holds, by system and name."""
    asked = sa.select(*rows.PROJECT_COLUMNS).where(rows.IS_THERE, *conditions)
    if system is not None:
        asked = asked.where(PROJECTS.c.system == system)
    asked = asked.order_by(PROJECTS.c.system, PROJECTS.c.name)
    return tuple(rows.project(row) for row in connection.execute(asked).mappings())


def there(connection: sa.Connection, project: Project) -> Project:
    """Return a project as it is now; nobody else changes it until the transaction ends.  Raises NotFound."""
    membership.lock(connection, project.id)
    found = membership.found(connection, PROJECTS.c.id == project.id)
    if found is None:
        raise NotFound(say.NO_SUCH_PROJECT.format(project=project.name))
    return found


def target(project: Project) -> str:
    """Return what the audit calls it."""
    return f"{project.system}/{project.name}"


def _refuse_taken(connection: sa.Connection, system: str, name: str) -> None:
    if membership.found(connection, PROJECTS.c.system == system, PROJECTS.c.name == name):
        text = say.NAME_TAKEN.format(project=name, system=system)
        raise Invalid(text, {"name": text})


def _keep_one_default(connection: sa.Connection, project: Project) -> None:
    """Let a project that is the default be the only one at its system for jobs of its identity."""
    if project.is_default:
        likewise = (PROJECTS.c.system == project.system, PROJECTS.c.identity == project.identity)
        others = (*likewise, PROJECTS.c.id != project.id, PROJECTS.c.is_default)
        connection.execute(sa.update(PROJECTS).where(*others).values(is_default=False))


def _row(project: Project, member: Member) -> tuple[sa.ColumnElement[bool], ...]:
    return MEMBERS.c.project == project.id, MEMBERS.c.kind == member.kind, MEMBERS.c.member == member.name


def _told(values: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
