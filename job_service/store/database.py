"""The database as the store uses it: one transaction writes at a time, others read, each in one piece."""

import asyncio
import sqlite3
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from job_service.errors import StoreAway
from job_service.sentences import store as say
from job_service.store.connections import Answer, Connections, Work
from job_service.store.engines import Engines
from job_service.store.errors import DatabaseTaken

# More than those before in the queue may take, and then this transaction.
PATIENCE_SECONDS = 30.0


class Database:
    """Runs the store's transactions.  Whatever keeps the database from answering is StoreAway."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._under_way: set[asyncio.Task[Any]] = set()

    async def read(self, work: Work[Answer]) -> Answer:
        """Return what `work` returns, which sees the database as it is at one moment.  Raises StoreAway."""
        return await self._finished(self._engines.reading, work)

    async def write(self, work: Work[Answer]) -> Answer:
        """Return what `work` returns once all of it is written; if it raises, nothing is.

        Raises StoreAway: then it may be written or not, but wholly.
        """
        return await self._finished(self._engines.writing, work)

    async def first(self, work: Work[None]) -> None:
        """Write for the first time: if that is not done, let the database go.  Raises DatabaseTaken, StoreAway."""
        try:
            await self.write(work)
        except BaseException as error:
            await self.close()
            if isinstance(error.__cause__, DatabaseTaken):
                raise error.__cause__ from None
            raise

    async def close(self) -> None:
        """Finish what is under way, then let the database go."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=PATIENCE_SECONDS)
        await self._engines.close()

    async def _finished(self, there: Connections, work: Work[Answer]) -> Answer:
        """Do the work in a task of its own: if its caller is cancelled, a driver is never left half-way."""
        task = asyncio.create_task(self._within(there, work))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(task)
        except TimeoutError as error:
            raise StoreAway(say.DATABASE_AWAY) from error

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waits for it gets it; it is no news for the log

    async def _within(self, there: Connections, work: Work[Answer]) -> Answer:
        try:
            self._engines.look_for_file()
            return await there.within(work)
        except (OSError, PoolTimeoutError, DatabaseTaken) as error:
            raise StoreAway(say.DATABASE_AWAY) from error
        except DBAPIError as error:
            if _is_ours(error):
                raise
            raise StoreAway(say.DATABASE_AWAY) from error


def _is_ours(error: DBAPIError) -> bool:
    """Return whether the statement or a value is wrong, rather than the database away, locked or full.

    SQLite's driver has no class of its own for a wrong statement, PostgreSQL's none for a wrong value (22...).
    """
    return (
        isinstance(error, IntegrityError | ProgrammingError | DataError)
        or getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
        or str(getattr(error.orig, "sqlstate", "")).startswith("22")
    )
