"""Jobs followed: one question to a site for everybody's, put often while something happens there."""

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from job_service.errors import StoreAway
from job_service.record import JobRecord
from job_service.running.board import Board
from job_service.running.clock import Clock
from job_service.running.errands import Errand, Errands
from job_service.running.observers import Observers
from job_service.running.sightings import Question, Sightings
from job_service.running.strays import Strays
from slurm_ssh.errors import LaunchError
from slurm_ssh.scheduler import Listing

OFTEN_SECONDS = 3.0
"""Between two questions while something has changed in the last minute, or is in doubt."""

SELDOM_SECONDS = 30.0
"""Between two questions when nothing has changed for long."""

LONGEST_SECONDS = 300.0
"""Between two questions to a site that does not answer."""

_GROWTH = 1.5
_BUSY = timedelta(seconds=60)

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Followed:
    """How a site is followed: who was asked last and when; since when it does not answer, and why.

    It has `answered` so often, and `unanswered` so many questions; all took `asking_s` seconds.
    `is_written`: whether the database took what it said last.
    """

    system: str
    observer: str = ""
    asked: datetime | None = None
    answered: int = 0
    unanswered: int = 0
    asking_s: float = 0.0
    away_since: datetime | None = None
    reason: str = ""
    failures: int = 0
    is_written: bool = True
    pause: float = OFTEN_SECONDS
    busy_until: datetime | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Followers:
    """Owner of the questions: for each site one task, while Slurm has, or may have, a job there."""

    def __init__(
        self,
        board: Board,
        observers: Observers,
        sightings: Sightings,
        strays: Strays,
        errands: Errands,
        clock: Clock,
    ) -> None:
        self._board = board
        self._observers = observers
        self._sightings = sightings
        self._strays = strays
        self._errands = errands
        self._clock = clock
        self._followed: dict[str, Followed] = {}
        self._is_closed = False

    def of(self, system: str) -> Followed:
        """Return how a site is followed."""
        return self._followed.setdefault(system, Followed(system))

    def wake(self, system: str) -> None:
        """Ask often from here on: something has changed at a site, or is about to."""
        followed = self.of(system)
        followed.busy_until = self._clock.now() + _BUSY
        followed.pause = OFTEN_SECONDS
        if not followed.failures:
            followed.news.set()
        if followed.task is None and not self._is_closed:
            followed.task = asyncio.create_task(self._follow(followed), name=f"follows {system}")

    def hurry(self, user: str) -> None:
        """Ask now where somebody has jobs: they have a new ticket."""
        self._observers.forgive(user)
        for system, followed in self._followed.items():
            if self._board.of(system, user):
                followed.news.set()

    async def close(self) -> None:
        """Ask no more."""
        self._is_closed = True
        tasks = [followed.task for followed in self._followed.values() if followed.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, followed: Followed) -> None:
        while any(True for _ in self._asked_about(followed.system)):
            followed.news.clear()
            await self._round(followed)
            await self._clock.wait(OFTEN_SECONDS)
            if followed.pause > OFTEN_SECONDS:
                await self._clock.wait(followed.pause - OFTEN_SECONDS, followed.news)
        followed.task = None
        followed.failures, followed.away_since, followed.reason = 0, None, ""

    def _asked_about(self, system: str) -> Iterator[JobRecord]:
        return (job for job in self._board.at(system).values() if job.submission in {"sent", "in_doubt"})

    async def _round(self, followed: Followed) -> None:
        try:
            asked, listing = await self._answer(followed)
            await self._take(asked, listing)
        except LaunchError as error:
            self._is_away(followed, error)
        except StoreAway as error:
            if followed.is_written:
                _log.warning("What jobs at %s do cannot be written down: %s", followed.system, error)
            followed.is_written = False
        except Exception:  # noqa: BLE001 - a defect with one answer must not end the questions
            _log.exception("Jobs at %s cannot be followed", followed.system)
            followed.pause = SELDOM_SECONDS
        else:
            self._has_answered(followed, asked)

    async def _answer(self, followed: Followed) -> tuple[Question, Listing]:
        """Return a site's answer, and count it, or that there was none.  Raises LaunchError."""
        began = time.monotonic()
        try:
            answer = await self._observers.answer(followed.system)
        except LaunchError:
            followed.unanswered += 1
            raise
        finally:
            followed.asking_s += time.monotonic() - began
        followed.answered += 1
        return answer

    async def _take(self, asked: Question, listing: Listing) -> None:
        """Write down what an answer says, and have asked what it leaves open."""
        records = list(self._asked_about(asked.system))
        judged = self._sightings.judge(records, listing, asked)
        await self._board.change_all(judged.changes)
        for record in judged.to_ask:
            self._errand(record).to_ask[record.job_id] = record
        for record in judged.gone:
            errand = self._errand(record)
            if record.job_id not in errand.gone:
                errand.gone[record.job_id] = (0, None)
                # Slurm may show whoever asked less than before: the owner asks once more before that is an end.
                errand.to_ask[record.job_id] = record
        for record, rows in judged.twins:
            self._errand(record).twins[record.job_id] = rows
        open_questions = (*judged.to_ask, *judged.gone, *judged.doubts, *(record for record, _ in judged.twins))
        for whom in {record.whom for record in open_questions}:
            self._errands.wake(self._errands.of(asked.system, whom))
        await self._strays.look(asked, listing)
        await self._board.keep_observed(self._sightings.unwritten(asked.system, records, self._clock.now()))

    def _errand(self, record: JobRecord) -> Errand:
        return self._errands.of(record.system, record.whom)

    def _has_answered(self, followed: Followed, asked: Question) -> None:
        if followed.away_since:
            _log.info("%s: answers again", followed.system)
        followed.is_written = True
        followed.observer, followed.asked = asked.observer, asked.began
        followed.away_since, followed.reason, followed.failures = None, "", 0
        is_busy = followed.busy_until and self._clock.now() < followed.busy_until
        in_doubt = any(job.submission == "in_doubt" for job in self._board.at(followed.system).values())
        followed.pause = OFTEN_SECONDS if is_busy or in_doubt else min(followed.pause * _GROWTH, SELDOM_SECONDS)

    def _is_away(self, followed: Followed, error: LaunchError) -> None:
        """Ask less and less often, and say so once in the log for as long as the problem stays the same."""
        if followed.reason != error.in_one_line:
            _log.warning("%s: cannot be asked about jobs: %s", followed.system, error)
        followed.away_since = followed.away_since or self._clock.now()
        followed.reason = error.in_one_line
        followed.pause = min(OFTEN_SECONDS * 2.0**followed.failures, LONGEST_SECONDS)
        followed.failures = min(followed.failures + 1, 10)
