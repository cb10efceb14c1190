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
        """Return what was done, by somebody or to something if given, the newest first.  Raises Invalid."""
        asked = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit + 1)
        for column, value in ((AUDIT.c.actor, actor), (AUDIT.c.target, target)):
            if value is not None:
                asked = asked.where(column == value)
        if (last := before(cursor)) is not None:
            asked = asked.where(AUDIT.c.id < last)
        found = await self._read(
            lambda connection: [AuditEntry(**row) for row in connection.execute(asked).mappings()]
        )
        return page(found, limit, lambda entry: entry.id)


def note(connection: sa.Connection, now: datetime, actor: str, action: str, target: str, detail: str = "") -> None:
    """Keep it together with what was done."""
    row = {"at": now, "actor": actor, "action": action, "target": target, "detail": detail}
    connection.execute(sa.insert(AUDIT).values(row))
