"""What running jobs need besides watching: new tickets are delivered to them, stops that failed are owed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import chain, repeat

from kerberos_auth.errors import AuthFailed
from slurm_ssh import delivery, sentences
from slurm_ssh.credentials import Credentials
from slurm_ssh.errors import LaunchError, Unavailable
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.ssh.remote import Remote

_PAUSES_SECONDS = (30.0, 120.0, 600.0)

_log = logging.getLogger(__name__)


class Upkeep:
    """Owner of the deliveries and the owed stops under way.

    `stop` sees a job ended or raises; `remote_of` gives access to a job's site as its owner.
    """

    def __init__(
        self,
        credentials: Credentials,
        remote_of: Callable[[Job], Remote],
        stop: Callable[[Job], Awaitable[None]],
    ) -> None:
        self._credentials = credentials
        self._remote_of = remote_of
        self._stop_now = stop
        self._live: dict[LaunchId, Job] = {}
        self._owed: dict[LaunchId, asyncio.Task[None]] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self._notices: dict[LaunchId, str] = {}
        self._remarks: dict[LaunchId, tuple[str, ...]] = {}

    def add(self, job: Job) -> None:
        """Keep up a job that runs or waits; a job known already is only noted again."""
        self._live[job.launch_id] = job

    def forget(self, job: Job) -> None:
        """Keep a job up no longer."""
        self._live.pop(job.launch_id, None)
        self._notices.pop(job.launch_id, None)
        self._remarks.pop(job.launch_id, None)

    def remark(self, job: Job, remarks: tuple[str, ...]) -> None:
        """Show these to the job's owner for as long as it is kept up."""
        self._remarks[job.launch_id] = remarks

    def notices(self, user: str) -> tuple[str, ...]:
        """Return what a person should know about their running jobs, a sentence each."""
        jobs = [job for job in self._live.values() if job.user == user]
        tickets = tuple(self._notices[job.launch_id] for job in jobs if job.launch_id in self._notices)
        return tickets + tuple(chain.from_iterable(self._remarks.get(job.launch_id, ()) for job in jobs))

    def ticket_changed(self, user: str, stops: list[Job]) -> None:
        """Deliver a person's new ticket to their jobs, and carry out the stops that had to wait for it."""
        for job in stops:
            self.owe_stop(job)
        for job in [job for job in self._live.values() if job.user == user and job.launch_id not in self._owed]:
            task = asyncio.create_task(self._deliver(job), name=job.mark)
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    async def close(self) -> None:
        """End the deliveries and stops under way; a stop that is owed stays in its record."""
        under_way = [*self._deliveries, *self._owed.values()]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def settled(self, job: Job) -> None:
        """Return when no delivery to a forgotten job is under way any more."""
        under_way = [task for task in self._deliveries if task.get_name() == job.mark]
        if under_way:
            await asyncio.wait(under_way)

    def owe_stop(self, job: Job) -> None:
        """Cancel a job, whose record says that its stop is wanted, as soon as its site can be told."""
        if job.launch_id not in self._owed:
            task = self._owed[job.launch_id] = asyncio.create_task(self._stop(job))
            task.add_done_callback(lambda _: self._owed.pop(job.launch_id))

    async def _deliver(self, job: Job) -> None:
        try:
            remote = self._remote_of(job)
            ticket = self._credentials.read(job.user)
            notice = await delivery.of(remote.site).renew(remote.run, job.owner, job.launch_id, ticket)
        except (LaunchError, AuthFailed) as error:
            _log.warning("%s: the new ticket did not reach it: %s", job.mark, error)
            notice = sentences.TICKET_NOT_RENEWED.format(site=job.site_key, problem=error.message)
        else:
            _log.info("%s: %s", job.mark, notice or "has a new ticket")
        self._notices.pop(job.launch_id, None)
        if notice and job.launch_id in self._live:
            self._notices[job.launch_id] = notice

    async def _stop(self, job: Job) -> None:
        """Try while the site cannot be told.  Without a ticket there is no use: the next one starts this again."""
        for pause in chain((0.0, *_PAUSES_SECONDS), repeat(_PAUSES_SECONDS[-1])):
            await asyncio.sleep(pause)
            try:
                await self._stop_now(job)
            except Unavailable as error:
                _log.warning("%s: could not be stopped yet: %s", job.mark, error)
                continue
            except LaunchError as error:
                _log.warning("%s: will be stopped when %s has a ticket: %s", job.mark, job.user, error)
            return
