"""Threads for the calls of a login that may never return."""

import asyncio
import contextlib
import queue
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Answer = TypeVar("Answer")
_Work = Callable[[], None]


class LoginThreads:
    """Runs blocking calls in at most `limit` threads of their own.

    Neither libkrb5 nor PAM can be interrupted: a call that outlives its time-out keeps its thread until it
    returns, and its answer is dropped.  The threads are daemons, so a hub can stop while some hang; an
    executor would wait for them.  A thread that is done waits for the next call: on a busy machine it takes the
    loop some milliseconds to begin one.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left_behind = self._idle = 0
        self._free = asyncio.Semaphore(limit)
        self._calls: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        weakref.finalize(self, _end, self._calls, limit)

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
                self._begin(partial(_work, call, answer, self._hand_over))
            except RuntimeError:  # the machine has no thread left
                self._free.release()
                raise
            try:
                return await answer
            finally:
                self._left_behind += answer.cancelled()

    def _begin(self, work: _Work) -> None:
        if self._idle:
            self._idle -= 1
        else:
            threading.Thread(target=_do_each, args=(self._calls,), daemon=True, name="login").start()
        self._calls.put(work)

    def _hand_over(self, answer: asyncio.Future[Any], deliver: Callable[[], None]) -> None:
        self._free.release()
        self._idle += 1
        if answer.cancelled():
            self._left_behind -= 1
        else:
            deliver()


def _do_each(calls: "queue.SimpleQueue[_Work | None]") -> None:
    while work := calls.get():
        work()
        # Nothing of it, such as a password, stays while the next is waited for.
        del work


def _end(calls: "queue.SimpleQueue[_Work | None]", threads: int) -> None:
    for _ in range(threads):
        calls.put(None)


def _work(
    call: Callable[[], Answer],
    answer: asyncio.Future[Answer],
    hand_over: Callable[[asyncio.Future[Any], Callable[[], None]], None],
) -> None:
    deliver: Callable[[], None]
    try:
        deliver = partial(answer.set_result, call())
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits
        deliver = partial(answer.set_exception, error)
    with contextlib.suppress(RuntimeError):  # the loop ended before this call did
        answer.get_loop().call_soon_threadsafe(hand_over, answer, deliver)
