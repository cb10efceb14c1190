"""What has to be done, or asked, at a site as the owner of jobs: one person's trouble never delays another's."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from job_service.errors import StoreAway
from job_service.record import JobRecord
from job_service.running.board import Board
from job_service.running.clock import Clock
from job_service.running.lanes import PAUSES_SECONDS, Key
from job_service.sentences import running as say
from kerberos_auth.errors import AuthFailed
from languages import for_log
from slurm_ssh.core import Core
from slurm_ssh.errors import LaunchError
from slurm_ssh.scheduler import Row

AGAIN = timedelta(seconds=30)
"""How long after a question, or after a cancellation that had no effect, it is put again."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Errand:
    """What is wanted of one person's jobs at one site, besides what their records say; each by job id.

    All is done and asked as `whom` JobRecord says: as that person, or as the site's account for them.

    Those `to_ask` of may be hidden from who was asked, or are said to be over by others.  Those `gone` are listed
    no more: how often, and when last, their end was asked.  Of `twins` Slurm has several jobs.  `told` is when a
    cancellation was, `doubts` how often, and when last, a job in doubt was absent.  `ended` are over, and may have
    left a ticket, or have more to say; of `removals` the folders are to go; `strays` are over, and Slurm has jobs
    with these numbers for them.  `problem` is a sentence while nothing can be done, and nothing is tried before
    `not_before`.
    """

    system: str
    whom: str
    to_ask: dict[str, JobRecord] = field(default_factory=dict)
    gone: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)
    twins: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    told: dict[str, datetime] = field(default_factory=dict)
    doubts: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    ended: dict[str, JobRecord] = field(default_factory=dict)
    removals: dict[str, JobRecord] = field(default_factory=dict)
    strays: dict[str, tuple[JobRecord, tuple[str, ...]]] = field(default_factory=dict)
    problem: str = ""
    failures: int = 0
    not_before: datetime | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def forget_all_but(self, live: Container[str]) -> None:
        """Drop what was wanted of jobs that are over meanwhile."""
        wanted: tuple[dict[str, Any], ...] = (self.to_ask, self.gone, self.twins, self.told, self.doubts)
        for jobs in wanted:
            for job_id in [job_id for job_id in jobs if job_id not in live]:
                del jobs[job_id]

    def cancel_at(self, record: JobRecord, now: datetime) -> datetime | None:
        """Return when Slurm is to be told, or told again, to cancel a job; None if it is not."""
        if not record.cancel_wanted or record.submission == "none":
            return None
        told = self.told.get(record.job_id)
        # What was told before Slurm had the job may have come too early.
        return now if told is None or (record.queued and record.queued > told) else told + AGAIN

    def doubt_at(self, record: JobRecord, now: datetime) -> datetime | None:
        """Return when to ask for a job that is in doubt; None for any other."""
        if record.submission != "in_doubt":
            return None
        return self.doubts[record.job_id][1] + AGAIN if record.job_id in self.doubts else now

    def end_at(self, record: JobRecord, now: datetime) -> datetime | None:
        """Return when to ask how a job ended that is listed no more; None for any other."""
        if record.job_id not in self.gone:
            return None
        asked = self.gone[record.job_id][1]
        return asked + AGAIN if asked else now


Visit = Callable[[Errand, datetime], Awaitable[None]]
"""Does what is due then, as the owner at the site.  Raises LaunchError, StoreAway."""


class Errands:
    """Owner of the errands under way: for each person and site one task, while there is something to do."""

    def __init__(
        self,
        board: Board,
        visit: Visit,
        core: Core,
        clock: Clock,
    ) -> None:
        self._board = board
        self._visit = visit
        self._core = core
        self._clock = clock
        self._errands: dict[Key, Errand] = {}
        self._is_closed = False

    def of(self, system: str, whom: str) -> Errand:
        """Return the errand of a person at a site, to which something may be added before it is woken."""
        return self._errands.setdefault((system, whom), Errand(system, whom))

    def known(self, system: str, whom: str) -> Errand | None:
        """Return the errand of a person at a site, None if nothing is wanted."""
        return self._errands.get((system, whom))

    def wake(self, errand: Errand) -> None:
        """See what is to be done, and do it."""
        errand.news.set()
        if errand.task is None and not self._is_closed:
            errand.task = asyncio.create_task(self._run(errand), name=f"{errand.whom} at {errand.system}")

    def hurry(self, user: str) -> None:
        """Wait no longer with what could not be done for somebody: they have a new ticket."""
        for errand in self._errands.values():
            if errand.whom == user:
                errand.not_before, errand.failures = None, 0
                errand.news.set()

    def at(self, system: str) -> list[Errand]:
        """Return the errands at a system."""
        return [errand for errand in self._errands.values() if errand.system == system]

    async def close(self) -> None:
        """End what is under way, and begin nothing more; what is owed stays in the records."""
        self._is_closed = True
        tasks = [errand.task for errand in self._errands.values() if errand.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, errand: Errand) -> None:
        while (pause := self._pause(errand)) is not None:
            errand.news.clear()
            if pause:
                await self._clock.wait(pause, errand.news)
            else:
                await self._try(errand)
        # Nothing is awaited since it was seen that there is nothing to do.
        errand.task = None
        del self._errands[errand.system, errand.whom]

    def _pause(self, errand: Errand) -> float | None:
        """Return after how many seconds there is something to do, None if there is nothing."""
        now = self._clock.now()
        is_waited_for = errand.to_ask or errand.twins or errand.ended or errand.removals or errand.strays
        moments = [now] if is_waited_for else []
        for record in self._board.of(errand.system, errand.whom).values():
            due = (errand.cancel_at(record, now), errand.doubt_at(record, now), errand.end_at(record, now))
            moments += filter(None, due)
        if not moments:
            return None
        first = max(min(moments), errand.not_before or now)
        return max(0.0, (first - now).total_seconds())

    async def _try(self, errand: Errand) -> None:
        now = self._clock.now()
        try:
            self._core.ticket(errand.whom, errand.system)
            await self._visit(errand, now)
        except AuthFailed as error:
            self._put_off(errand, error.message, PAUSES_SECONDS[-1])
        except LaunchError as error:
            self._tell(errand, str(error), error.message)
            self._put_off(errand, error.message)
        except StoreAway as error:
            self._put_off(errand, error.message)
        except Exception:  # noqa: BLE001 - a defect here must not end what is owed to somebody
            _log.exception("%s at %s: what was to be done failed", errand.whom, errand.system)
            self._put_off(errand, say.LOOKED_FOR_AGAIN)
        else:
            errand.problem, errand.failures, errand.not_before = "", 0, None

    def _put_off(self, errand: Errand, problem: str, seconds: float | None = None) -> None:
        if seconds is None:
            seconds = PAUSES_SECONDS[min(errand.failures, len(PAUSES_SECONDS) - 1)]
        errand.failures += 1
        errand.problem = problem
        errand.not_before = self._clock.now() + timedelta(seconds=seconds)

    @staticmethod
    def _tell(errand: Errand, problem: str, message: str) -> None:
        """Log a problem once for as long as it stays the same."""
        if errand.problem != message:
            _log.warning("%s at %s: %s", errand.whom, errand.system, for_log(problem))
