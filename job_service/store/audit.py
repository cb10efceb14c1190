"""What admins did."""

from datetime import datetime

import sqlalchemy as sa

from job_service.store.accounting import AuditEntry
from job_service.store.parts import Part, before, page
from job_service.store.schema import AUDIT
from job_service.store.values import Page


class Audit(Part):
    """The part of the store that keeps it.  Everything here raises StoreAway."""

    async def add(self, actor: str, action: str, target: str, detail: str = "") -> None:
        """Keep that somebody did something which the store does not keep by itself, such as to cancel a job."""
        await self._write(lambda connection, now: note(connection, now, actor, action, target, detail))

    async def entries(
        self, limit: int = 50, cursor: str | None = None, actor: str | None = None, target: str | None = None
    ) -> Page[AuditEntry]:
        """Return what was done, by somebody or to something if given, the newest first.  Raises Invalid.

        What was done to somebody is also what was done to their jobs, and to what they have of projects.
        """
        asked = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit + 1)
        if actor is not None:
            asked = asked.where(AUDIT.c.actor == actor)
        if target is not None:
            asked = asked.where(_is_about(target))
        if (last := before(cursor)) is not None:
            asked = asked.where(AUDIT.c.id < last)
        found = await self._read(
            lambda connection: [AuditEntry(**row) for row in connection.execute(asked).mappings()]
        )
        return page(found, limit, lambda entry: entry.id)


def _is_about(target: str) -> sa.ColumnElement[bool]:
    """Return what holds for entries about somebody, a project, or a job."""
    # `bob geneva/proj1` is about both; of a job the owner, and of a project the member, is the detail.
    with_others = (
        AUDIT.c.target.startswith(f"{target} ", autoescape=True),
        AUDIT.c.target.endswith(f" {target}", autoescape=True),
    )
    details = (target, f"user {target}", f"group {target}")
    return sa.or_(AUDIT.c.target == target, *with_others, AUDIT.c.detail.in_(details))


def note(connection: sa.Connection, now: datetime, actor: str, action: str, target: str, detail: str = "") -> None:
    """Keep it together with what was done."""
    row = {"at": now, "actor": actor, "action": action, "target": target, "detail": detail}
    connection.execute(sa.insert(AUDIT).values(row))
