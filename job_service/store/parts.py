"""What the parts of the store have in common."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from job_service.errors import Invalid
from job_service.sentences import store as say
from job_service.store.clock import Clock
from job_service.store.database import Database
from job_service.store.values import Page

Answer = TypeVar("Answer")
Item = TypeVar("Item")
_DIGITS = 18


class Part:
    """A part of the store: its transactions, and what time it is in them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def _read(self, work: Callable[[sa.Connection], Answer]) -> Answer:
        return await self._database.read(work)

    async def _write(self, work: Callable[[sa.Connection, datetime], Answer]) -> Answer:
        return await self._database.write(lambda connection: work(connection, self._clock()))


def before(cursor: str | None) -> int | None:
    """Return the number of the last row that a page has shown.  Raises Invalid."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= _DIGITS):
        raise Invalid(say.NOT_A_CURSOR, {"cursor": say.NOT_A_CURSOR})
    return int(cursor)


def page(items: Sequence[Item], limit: int, number: Callable[[Item], int]) -> Page[Item]:
    """Return the first `limit` of the items, one more of which was asked for."""
    shown = tuple(items[:limit])
    return Page(shown, str(number(shown[-1])) if shown and len(items) > limit else None)
