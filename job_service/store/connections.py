"""Connections to a database that are alike: some transactions go on at once, others wait for their turn."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

TURN_SECONDS = 20.0
"""How long a transaction waits for its turn."""

Answer = TypeVar("Answer")
Work = Callable[[sa.Connection], Answer]
"""Uses a connection within one transaction, and nothing else that may change: it may run in another thread."""


class Connections(Protocol):
    """What runs transactions."""

    sync_engine: sa.Engine
    """Where SQLAlchemy tells what happens to the connections."""

    async def within(self, work: Work[Answer]) -> Answer:
        """Return what `work` returns, whose transaction is then committed; if it raises, it is rolled back.

        Raises what `work` does, what the driver does, and TimeoutError (SQLAlchemy's, or Python's) for one whose
        turn did not come.
        """

    async def close(self) -> None:
        """Close the connections, none of which is in use."""


class InThreads:
    """Connections of a driver that waits: each transaction runs in a thread, from its begin to its commit.

    A driver that is asked by the event loop statement by statement takes longer to be asked than to answer: a job
    that is accepted is some hundred calls of SQLite's.
    """

    def __init__(self, engine: sa.Engine, at_once: int) -> None:
        self.sync_engine = engine
        self._turns = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="database")

    async def within(self, work: Work[Answer]) -> Answer:
        """Do it, as the Protocol says."""
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        async with self._turn():
            return await loop.run_in_executor(self._threads, context.run, self._do, work)

    async def close(self) -> None:
        """Close them."""
        self.sync_engine.dispose()
        self._threads.shutdown(wait=False)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with asyncio.timeout(TURN_SECONDS):
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()

    def _do(self, work: Work[Answer]) -> Answer:
        with self.sync_engine.begin() as connection:
            return work(connection)


class OnTheLoop:
    """Connections of a driver that is asynchronous by itself."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.sync_engine = engine.sync_engine
        self._engine = engine

    async def within(self, work: Work[Answer]) -> Answer:
        """Do it, as the Protocol says."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close them."""
        await self._engine.dispose()
