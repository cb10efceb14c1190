"""Threads for the calls of a login that may never return."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

Answer = TypeVar("Answer")


class LoginThreads:
    """Runs blocking calls in at most `limit` threads of their own.

    Neither libkrb5 nor PAM can be interrupted: a call that outlives its time-out keeps its thread until it
    returns, and its answer is dropped.  The threads are daemons, so a hub can stop while some hang; an
    executor would wait for them.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left_behind = 0
        self._free = asyncio.Semaphore(limit)

    async def run(self, call: Callable[[], Answer], timeout_seconds: float) -> Answer:
        """Return what `call` returns or raise what it raises.

        Raises TimeoutError after `timeout_seconds`, waiting for a free thread included, and at once while
        every thread is left behind in a call that nobody waits for.
        """
        if self._left_behind >= self._limit:
            raise TimeoutError
        async with asyncio.timeout(timeout_seconds):
            await self._free.acquire()
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            try:
                threading.Thread(target=self._work, args=(call, answer), daemon=True, name="login").start()
            except RuntimeError:  # the machine has no thread left
                self._free.release()
                raise
            try:
                return await answer
            finally:
                self._left_behind += answer.cancelled()

    def _work(self, call: Callable[[], Answer], answer: asyncio.Future[Answer]) -> None:
        deliver: Callable[[], None]
        try:
            deliver = partial(answer.set_result, call())
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits
            deliver = partial(answer.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop ended before this call did
            answer.get_loop().call_soon_threadsafe(self._hand_over, answer, deliver)

    def _hand_over(self, answer: asyncio.Future[Answer], deliver: Callable[[], None]) -> None:
        self._free.release()
        if answer.cancelled():
            self._left_behind -= 1
        else:
            deliver()
