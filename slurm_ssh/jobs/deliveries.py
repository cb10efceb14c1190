"""Running jobs keep their tickets fresh: a newer ticket than the one they have is delivered to them."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Protocol

from kerberos_auth.errors import AuthFailed
from languages import for_log
from slurm_ssh import delivery, sentences
from slurm_ssh.credentials import Credentials
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.ssh.remote import Remote

PAUSES_SECONDS = (30.0, 120.0, 600.0)
"""After a failure, after the next one, and after each further one."""

_log = logging.getLogger(__name__)


class TicketLedger(Protocol):
    """What is written down of jobs' tickets, so that it outlives the process."""

    async def ticket_ends(self, launch_id: LaunchId) -> datetime | None:
        """Return the end of the ticket that a job was last given, None if that is not known.

        Raises LaunchError if it cannot be read now.
        """

    def ticket_given(self, launch_id: LaunchId, ends: datetime) -> None:
        """Write down the end of the ticket that a job was given."""


@dataclass(eq=False, slots=True)
class _Kept:
    """A job that is kept up; the ticket that it was last given `ends` then (epoch seconds, None: not read yet).

    There is `news` for a delivery that is under way: it is waited for between two tries.
    """

    job: Job
    ends: float | None = None
    notice: str = ""
    news: asyncio.Event | None = None


class Deliveries:
    """Owner of the deliveries under way: for each job one task, which ends when the job has what its person has.

    `remote_of` gives access to a job's site as its owner, as the job was started there.
    """

    def __init__(self, credentials: Credentials, remote_of: Callable[[Job], Remote], ledger: TicketLedger) -> None:
        self._credentials = credentials
        self._remote_of = remote_of
        self._ledger = ledger
        self._kept: dict[LaunchId, _Kept] = {}
        self._tasks: dict[LaunchId, asyncio.Task[None]] = {}

    def begin(self, job: Job, ends: float) -> None:
        """Keep up a job that was submitted with a ticket that ends then."""
        kept = self._kept[job.launch_id] = _Kept(job)
        self._given(kept, ends)
        self._look(kept)

    def keep(self, job: Job) -> None:
        """Keep up a job that runs or waits, and deliver what it lacks; one known already is only looked at.

        One that was started to have no ticket lacks none.
        """
        if job.started_with and job.started_with.ticket.delivery == "none":
            return
        self._look(self._kept.setdefault(job.launch_id, _Kept(job)))

    def forget(self, job: Job) -> None:
        """Keep a job up no longer; a delivery under way goes on to its end."""
        if kept := self._kept.pop(job.launch_id, None):
            _wake(kept)

    def ticket_changed(self, user: str) -> None:
        """Look at a person's jobs now."""
        for kept in [kept for kept in self._kept.values() if kept.job.user == user]:
            _wake(kept)
            self._look(kept)

    def notices(self, user: str) -> tuple[str, ...]:
        """Return what a person should know about their jobs' tickets: a sentence for each site."""
        told = {
            kept.job.site_key: kept.notice for kept in self._kept.values() if kept.job.user == user and kept.notice
        }
        return tuple(told.values())

    async def settled(self, job: Job) -> None:
        """Return when no delivery to a forgotten job is under way any more."""
        if task := self._tasks.get(job.launch_id):
            await asyncio.wait((task,))

    async def close(self) -> None:
        """End the deliveries under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, kept: _Kept) -> None:
        launch_id = kept.job.launch_id
        if launch_id not in self._tasks and self._is_due(kept):
            task = self._tasks[launch_id] = asyncio.create_task(self._bring(kept), name=kept.job.mark)
            task.add_done_callback(lambda _: self._tasks.pop(launch_id))

    def _is_due(self, kept: _Kept) -> bool:
        if self._kept.get(kept.job.launch_id) is not kept:
            return False
        try:
            return self._credentials.get(kept.job.user).end > (kept.ends or 0)
        except AuthFailed:
            return False

    async def _bring(self, kept: _Kept) -> None:
        """Deliver until the job has what its person has, however often that fails."""
        kept.news = news = asyncio.Event()
        if kept.ends is None:
            kept.ends = await self._written(kept.job)
        pauses = chain(PAUSES_SECONDS, repeat(PAUSES_SECONDS[-1]))
        has_failed = False
        while self._is_due(kept):
            news.clear()
            has_failed = not await self._deliver(kept)
            if has_failed:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(next(pauses)):
                        await news.wait()
        if has_failed:
            # There is nothing to deliver any more: the person has no ticket.
            kept.notice = ""
        kept.news = None

    async def _written(self, job: Job) -> float:
        """Return when the ticket ends that the job was last given; 0, so that it gets one, if nobody knows."""
        try:
            ends = await self._ledger.ticket_ends(job.launch_id)
        except LaunchError as error:
            _log.warning("%s: which ticket it has is not known: %s", job.mark, error)
            return 0
        return ends.timestamp() if ends else 0

    async def _deliver(self, kept: _Kept) -> bool:
        job, title = kept.job, kept.job.site_key
        try:
            remote = self._remote_of(job)
            title = remote.site.title
            ticket, data = self._credentials.get(job.user), self._credentials.read(job.user)
            kept.notice = await delivery.of(remote.site).renew(remote.run, job.owner, job.launch_id, data)
        except (LaunchError, AuthFailed) as error:
            _log.warning("%s: its new ticket could not be delivered yet: %s", job.mark, error)
            kept.notice = sentences.TICKET_NOT_RENEWED.format(site=title, problem=error.message)
            return False
        _log.info("%s: %s", job.mark, for_log(kept.notice) or "its new ticket was delivered")
        self._given(kept, ticket.end)
        return True

    def _given(self, kept: _Kept, ends: float) -> None:
        kept.ends = ends
        self._ledger.ticket_given(kept.job.launch_id, datetime.fromtimestamp(ends, UTC))


def _wake(kept: _Kept) -> None:
    """Let a delivery that waits for its next try, if any, look anew."""
    if kept.news:
        kept.news.set()
