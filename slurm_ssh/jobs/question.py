"""One question to a site's Slurm, put for everybody who wants to know at the same time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from slurm_ssh import sentences
from slurm_ssh.errors import Broken, LaunchError, Unavailable
from slurm_ssh.scheduler import Listing

Ask = Callable[[], Awaitable[Listing]]
"""Puts the question.  Raises LaunchError if nobody can be asked."""

# Of the time, what questions may take.  Only one is ever under way, so a slow controller is asked less often
# anyway, and launches wait for its answers.
_SHARE = 0.5
_FIRST_REST_SECONDS, _LONGEST_REST_SECONDS = 1.0, 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What was answered to a question that `began` then (loop time), or the error if nobody could be asked."""

    began: float
    listing: Listing | None
    error: LaunchError | None = None


class SharedQuestion:
    """Owner of one question, which is put once at a time; `name` is what the log calls it.

    `away_since` is when it was first not answered by a site that could not be reached, None if the last one was.
    """

    def __init__(self, ask: Ask, name: str) -> None:
        self.last: Answer | None = None
        self.away_since: datetime | None = None
        self._ask = ask
        self._name = name
        self._asking: asyncio.Task[Answer] | None = None
        self._began = 0.0
        self._next: asyncio.Task[Answer] | None = None
        self._not_before = 0.0
        self._failures = 0
        self._problem = ""

    async def answered(self, since: float) -> Answer:
        """Return the answer to a question that was put then or later (loop time), put now if there was none.

        Who waits no longer does not stop it for the others.
        """
        if self.last and self.last.began >= since:
            return self.last
        if self._asking and not self._asking.done() and self._began >= since:
            return await asyncio.shield(self._asking)
        if self._next is None:
            self._next = asyncio.create_task(self._put(self._asking))
        return await asyncio.shield(self._next)

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
        self.last = answer = await self._answer(self._began)
        self._not_before = clock() + self._rest(clock() - self._began, answer)
        return answer

    def _rest(self, took: float, answer: Answer) -> float:
        """Return for how long Slurm is left alone after a question that took so long."""
        self._failures = self._failures + 1 if answer.error else 0
        rest = took * (1 / _SHARE - 1)
        if self._failures:
            rest = max(rest, _FIRST_REST_SECONDS * 2 ** min(self._failures - 1, 8))
        return min(rest, _LONGEST_REST_SECONDS)

    async def _answer(self, began: float) -> Answer:
        try:
            answer = Answer(began, await self._ask())
        except LaunchError as error:
            answer = Answer(began, None, error)
        except Exception as error:  # noqa: BLE001 - a defect here must not end everybody's starts
            _log.exception("%s cannot be asked", self._name)
            strange = sentences.QUEUE_NOT_UNDERSTOOD.format(program="squeue", site=self._name)
            answer = Answer(began, None, Broken(strange, repr(error)))
        self._tell(answer.error)
        is_away = isinstance(answer.error, Unavailable)
        self.away_since = (self.away_since or datetime.now(UTC)) if is_away else None
        return answer

    def _tell(self, error: LaunchError | None) -> None:
        """Log a problem once for as long as it stays the same, whoever hears of it, however its details change."""
        problem = error.message if error else ""
        if error and problem != self._problem:
            _log.warning("%s: %s", self._name, error)
        elif self._problem and not error:
            _log.info("%s: answers again", self._name)
        self._problem = problem
