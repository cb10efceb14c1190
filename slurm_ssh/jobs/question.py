"""One question to a site's Slurm, put for everybody who wants to know at the same time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slurm_ssh.errors import LaunchError, Refused
from slurm_ssh.slurm.jobs import Row

Ask = Callable[[], Awaitable[tuple[Row, ...]]]
"""Puts the question.  Raises Refused if whoever is to ask may not, another LaunchError if nobody can be asked."""

# Of the time, what questions may take: a controller that is slow is asked less often.
_SHARE = 0.2
_LONGEST_REST_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What was answered to a question that `began` then (loop time); `rows` is None if nobody could be asked."""

    began: float
    rows: tuple[Row, ...] | None
    is_refused: bool = False


class SharedQuestion:
    """Owner of one question, which is put once at a time; `name` is what the log calls it."""

    def __init__(self, ask: Ask, name: str) -> None:
        self._ask = ask
        self._name = name
        self._last: Answer | None = None
        self._asking: asyncio.Task[Answer] | None = None
        self._began = 0.0
        self._next: asyncio.Task[Answer] | None = None
        self._not_before = 0.0
        self._problem = ""

    async def answered(self, since: float) -> Answer:
        """Return the answer to a question that was put then or later (loop time), put now if there was none.

        Who waits no longer does not stop it for the others.
        """
        if self._last and self._last.began >= since:
            return self._last
        if self._asking and not self._asking.done() and self._began >= since:
            return await asyncio.shield(self._asking)
        if self._next is None:
            self._next = asyncio.create_task(self._put(self._asking))
        return await asyncio.shield(self._next)

    def is_out_for(self, seconds: float) -> bool:
        """Return whether the question was put longer ago than that, and there is no answer."""
        is_out = self._asking is not None and not self._asking.done()
        return is_out and asyncio.get_running_loop().time() - self._began > seconds

    async def close(self) -> None:
        """Ask no more."""
        tasks = [task for task in (self._next, self._asking) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _put(self, before: "asyncio.Task[Answer] | None") -> Answer:
        clock = asyncio.get_running_loop().time
        if before:
            await asyncio.wait((before,))
        await asyncio.sleep(max(0.0, self._not_before - clock()))
        # Whoever asks from here on may know of a job that this question does not.
        self._asking, self._next, self._began = asyncio.current_task(), None, clock()
        self._last = answer = await self._answer(self._began)
        rest = (clock() - self._began) / _SHARE
        self._not_before = self._began + min(rest, _LONGEST_REST_SECONDS)
        return answer

    async def _answer(self, began: float) -> Answer:
        problem, rows, is_refused = "", None, False
        try:
            rows = await self._ask()
        except LaunchError as error:
            problem, is_refused = str(error), isinstance(error, Refused)
        if bool(problem) != bool(self._problem):
            # One line for all who hear of it, however long it lasts.
            _log.warning("%s: %s", self._name, problem or "answers again")
        self._problem = problem
        return Answer(began, rows, is_refused)
