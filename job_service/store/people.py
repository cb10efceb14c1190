"""Who has used the service, and who may not."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from job_service.errors import NotFound
from job_service.sentences import store as say
from job_service.store import bans, persons
from job_service.store.accounting import Ban, Person, Project
from job_service.store.audit import note
from job_service.store.parts import Part, before, page
from job_service.store.schema import BANS, PEOPLE
from job_service.store.values import Page


class People(Part):
    """The part of the store that knows people.  Everything here raises StoreAway."""

    async def seen(self, name: str) -> Person:
        """Return somebody who uses the service now; the first time makes their number."""
        known = await self._people(sa.select(PEOPLE).where(PEOPLE.c.name == name))
        if known and persons.is_recent(known[0], self._clock()):
            return known[0]
        return await self._write(lambda connection, now: persons.touch(connection, now, name))

    async def get(self, name: str) -> Person:
        """Return somebody who has used it.  Raises NotFound."""
        return await self._one(name, PEOPLE.c.name == name)

    async def by_number(self, number: int) -> Person:
        """Return the person with this number.  Raises NotFound."""
        return await self._one(str(number), PEOPLE.c.number == number)

    async def page(self, limit: int = 50, cursor: str | None = None, q: str | None = None) -> Page[Person]:
        """Return people whose name has `q` in it, those who came last to the service first.  Raises Invalid."""
        asked = sa.select(PEOPLE).order_by(PEOPLE.c.number.desc()).limit(limit + 1)
        if q:
            asked = asked.where(PEOPLE.c.name.icontains(q, autoescape=True))
        if (last := before(cursor)) is not None:
            asked = asked.where(PEOPLE.c.number < last)
        return page(await self._people(asked), limit, lambda person: person.number)

    async def bans(self, user: str | None = None, *, lifted: bool = False) -> tuple[Ban, ...]:
        """Return the bans of somebody or everybody, the newest first; those that were lifted only if asked for."""
        conditions: list[sa.ColumnElement[bool]] = [] if lifted else [BANS.c.lifted.is_(None)]
        if user is not None:
            conditions.append(BANS.c.user == user)
        return await self._read(lambda connection: bans.found(connection, *conditions))

    async def ban(self, user: str, project: Project | None, reason: str, by: str) -> Ban:
        """Take somebody's right to send jobs to a project or (None) at all, by an admin, with an audit entry.

        One who is banned so already gets the new reason.  Jobs that are there go on.
        """

        def ban(connection: sa.Connection, now: datetime) -> Ban:
            note(connection, now, by, "ban", _target(user, project), reason)
            known = bans.change(connection, bans.on(user, project), reason=reason, by=by)
            return known or bans.add(
                connection, user=user, project=project and project.id, reason=reason, by=by, at=now
            )

        return await self._write(ban)

    async def unban(self, user: str, project: Project | None, by: str) -> Ban:
        """Lift just this ban.  Raises NotFound if there is none."""

        def unban(connection: sa.Connection, now: datetime) -> Ban:
            lifted = bans.change(connection, bans.on(user, project), lifted=now)
            if lifted is None:
                raise NotFound(say.NO_SUCH_BAN.format(person=user))
            note(connection, now, by, "unban", _target(user, project))
            return lifted

        return await self._write(unban)

    async def _one(self, name: str, condition: sa.ColumnElement[bool]) -> Person:
        found = await self._people(sa.select(PEOPLE).where(condition))
        if not found:
            raise NotFound(say.NO_SUCH_PERSON.format(person=name))
        return found[0]

    async def _people(self, asked: sa.Select[Any]) -> list[Person]:
        return await self._read(lambda connection: [Person(**row) for row in connection.execute(asked).mappings()])


def _target(user: str, project: Project | None) -> str:
    return user if project is None else f"{user} {project.system}/{project.name}"
