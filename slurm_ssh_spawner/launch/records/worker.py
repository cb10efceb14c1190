"""Reads and writes a database off the event loop, and keeps what nobody waits for until it can be written."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from slurm_ssh.errors import Unavailable
from slurm_ssh_spawner import sentences

# A little more than the database may be busy with the write before, and then with this one.
PATIENCE_SECONDS = 15.0
AGAIN_SECONDS = 5.0
_READERS = 2
_MOST_WAITING = 10_000

Answer = TypeVar("Answer")
Work = Callable[[sa.Connection], Answer]
"""Uses one connection within one transaction, in a thread of its own."""

_log = logging.getLogger(__name__)


class DatabaseAway(Unavailable):
    """The database is locked, full, gone or silent; `for_good` if it would never take that value."""

    def __init__(self, detail: str, *, for_good: bool = False) -> None:
        super().__init__(sentences.DATABASE_AWAY, detail)
        self.for_good = for_good


class Worker:
    """Owner of the threads that use `engine`: one writes, so that writes never wait for each other's locks."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._file = _file_of(engine.url)
        self._was = _identity(self._file)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="records-write")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="records-read")
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="records-search")
        self._waiting: deque[tuple[str, Work[object]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._under_way: set[Future[Any]] = set()
        self.revision = 0

    async def read(self, work: Work[Answer]) -> Answer:
        """Return what `work` returns.  Raises DatabaseAway."""
        return await self._answer(self._readers, self._read, work)

    async def search(self, work: Work[Answer]) -> Answer:
        """Return what `work` returns, which may take long: reads wait for no search.  Raises DatabaseAway."""
        return await self._answer(self._searcher, self._read, work)

    async def write(self, work: Work[Answer]) -> Answer:
        """Return what `work` returns, once it is written.  Raises DatabaseAway; then it may be written or not."""
        return await self._answer(self._writer, self._write, work)

    def soon(self, what: str, work: Work[object]) -> None:
        """Write it without anybody waiting, in order with the others, as soon as the database can be used.

        `what` names it for the log.
        """
        if len(self._waiting) >= _MOST_WAITING:
            _log.error("not written to the database of launches, which was away for too long: %s", what)
            return
        self._waiting.append((what, work))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_up())

    async def settled(self) -> None:
        """Return when nothing waits to be written any more, or nothing more will be."""
        while self._waiting and self._task and not self._task.done():
            await asyncio.wait((self._task,))

    async def close(self) -> None:
        """Write what still waits if that can be done at once, then close the database."""
        if self._task:
            self._task.cancel()
            await asyncio.wait((self._task,))
        try:
            while self._waiting:
                await self.write(self._waiting[0][1])
                self._waiting.popleft()
        except DatabaseAway as error:
            lost = ", ".join(what for what, _ in self._waiting)
            _log.error("never written to the database of launches: %s: %s", lost, error)
        # What nobody waits for any more may still run; a thread that hangs does not hold up the end of the hub.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*map(asyncio.wrap_future, list(self._under_way)), return_exceptions=True)
        for executor in (self._writer, self._readers, self._searcher):
            executor.shutdown(wait=False)
        self._engine.dispose()

    async def _keep_up(self) -> None:
        is_told = False
        while self._waiting:
            what, work = self._waiting[0]
            try:
                await self.write(work)
            except DatabaseAway as error:
                if not error.for_good:
                    if not is_told:
                        _log.error("the database of launches cannot be written; the hub keeps trying: %s", error)
                    is_told = True
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
                _log.error("not written to the database of launches: %s: %s", what, error)
            self._waiting.popleft()
        if is_told:
            _log.info("the database of launches can be written again")

    async def _answer(
        self, executor: ThreadPoolExecutor, call: Callable[[Work[Answer]], Answer], work: Work[Answer]
    ) -> Answer:
        try:
            submitted = executor.submit(call, work)
        except RuntimeError as error:
            raise DatabaseAway(str(error), for_good=True) from error
        self._under_way.add(submitted)
        submitted.add_done_callback(self._under_way.discard)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                # What has not begun when nobody waits any more is not done.
                return await asyncio.wrap_future(submitted)
        except TimeoutError as error:
            raise DatabaseAway(f"no answer within {PATIENCE_SECONDS:.0f} seconds") from error
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseAway(str(getattr(error, "orig", None) or error), for_good=_is_for_good(error)) from error

    def _read(self, work: Work[Answer]) -> Answer:
        self._look_for_file()
        with self._engine.connect() as connection:
            return work(connection)

    def _write(self, work: Work[Answer]) -> Answer:
        self._look_for_file()
        try:
            with self._engine.begin() as connection:
                return work(connection)
        finally:
            # What failed may be written all the same.
            self.revision += 1

    def _look_for_file(self) -> None:
        """Raise OSError if the file was removed or replaced: connections would go on with the one of before."""
        if _identity(self._file) != self._was:
            raise FileNotFoundError(f"{self._file} was removed or replaced while the hub ran; restart the hub")


def _is_for_good(error: Exception) -> bool:
    """Return whether the values are what the database does not take."""
    is_ours = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    return is_ours or isinstance(error, DataError | IntegrityError)


def _file_of(url: sa.URL) -> Path | None:
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _identity(file: Path | None) -> tuple[int, int] | None:
    try:
        found = file and file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None
