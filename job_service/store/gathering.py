"""What comes while a transaction is under way is done together in the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from job_service.errors import StoreAway
from job_service.sentences import store as say
from job_service.store.database import PATIENCE_SECONDS

MOST = 50
"""So many are done in one transaction, which others wait for."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gathered(Generic[Item, Result]):
    """Owner of what waits to be done by `do`, in the order in which it came.

    `do` returns for each what came of it, or the error of that one; if it raises, nothing is done of any.
    """

    def __init__(self, do: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]) -> None:
        self._do = do
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def one(self, item: Item) -> Result:
        """Return what came of it once the transaction in which it was done is committed; raises its error.

        What nobody waits for any more is not begun.  Raises StoreAway: then it may be done or not, but wholly.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await future
        except TimeoutError as error:
            raise StoreAway(say.DATABASE_AWAY) from error

    async def close(self) -> None:
        """Begin nothing more, and finish what is under way."""
        while self._waiting:
            _, future = self._waiting.popleft()
            _tell(future, StoreAway(say.DATABASE_AWAY))
        if self._worker:
            await asyncio.wait((self._worker,))

    async def _work(self) -> None:
        try:
            while taken := self._taken():
                await self._together(taken)
        finally:
            self._worker = None

    def _taken(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        taken: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(taken) < MOST:
            item, future = self._waiting.popleft()
            if not future.done():
                taken.append((item, future))
        return taken

    async def _together(self, taken: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._do([item for item, _ in taken])
        except StoreAway as error:
            # Nobody knows of any whether it is written.
            results = [_away(error) for _ in taken]
        except Exception as error:  # noqa: BLE001 - what is wrong with one is nothing to the others
            if len(taken) > 1:
                for each in taken:
                    await self._together([each])
                return
            results = [error]
        for (_, future), result in zip(taken, results, strict=True):
            _tell(future, result)


def _away(error: StoreAway) -> StoreAway:
    """Return the error for one of several who get it, each of whom adds to it where it comes by."""
    each = StoreAway(error.message, error.hint)
    each.__cause__ = error.__cause__
    return each


def _tell(future: "asyncio.Future[Result]", result: "Result | Exception") -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
