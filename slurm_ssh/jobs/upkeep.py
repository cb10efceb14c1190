"""What running jobs need besides watching: their tickets are kept fresh, stops that failed are owed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import chain, repeat

from slurm_ssh.errors import LaunchError, Unavailable
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.jobs.deliveries import PAUSES_SECONDS, Deliveries

_log = logging.getLogger(__name__)


class Upkeep:
    """Owner of the owed stops under way.  `stop` sees a job ended or raises."""

    def __init__(self, deliveries: Deliveries, stop: Callable[[Job], Awaitable[None]]) -> None:
        self._deliveries = deliveries
        self._stop_now = stop
        self._live: dict[LaunchId, Job] = {}
        self._owed: dict[LaunchId, asyncio.Task[None]] = {}
        self._remarks: dict[LaunchId, tuple[str, ...]] = {}

    def begin(self, job: Job, ticket_ends: float | None) -> None:
        """Keep up a job that was submitted with a ticket that ends then, in epoch seconds; None for without."""
        self._live[job.launch_id] = job
        if ticket_ends is not None:
            self._deliveries.begin(job, ticket_ends)

    def add(self, job: Job) -> None:
        """Keep up a job that was seen to run or to wait; one known already gets the ticket that it lacks."""
        self._live[job.launch_id] = job
        if job.launch_id not in self._owed:
            self._deliveries.keep(job)

    def forget(self, job: Job) -> None:
        """Keep a job up no longer."""
        self._live.pop(job.launch_id, None)
        self._deliveries.forget(job)
        self._remarks.pop(job.launch_id, None)

    def remark(self, job: Job, remarks: tuple[str, ...]) -> None:
        """Show these to the job's owner for as long as it is kept up."""
        self._remarks[job.launch_id] = remarks

    def notices(self, user: str) -> tuple[str, ...]:
        """Return what a person should know about their running jobs, a sentence each."""
        jobs = [job for job in self._live.values() if job.user == user]
        return self._deliveries.notices(user) + tuple(
            chain.from_iterable(self._remarks.get(job.launch_id, ()) for job in jobs)
        )

    def ticket_changed(self, user: str) -> None:
        """Deliver a person's new ticket to their jobs."""
        self._deliveries.ticket_changed(user)

    async def close(self) -> None:
        """End the deliveries and stops under way; a stop that is owed stays in its record."""
        stops = list(self._owed.values())
        for task in stops:
            task.cancel()
        await asyncio.gather(self._deliveries.close(), *stops, return_exceptions=True)

    async def settled(self, job: Job) -> None:
        """Return when no delivery to a forgotten job is under way any more."""
        await self._deliveries.settled(job)

    def owes_stop(self, job: Job) -> bool:
        """Return whether the stop of a job is under way."""
        return job.launch_id in self._owed

    def owe_stop(self, job: Job, then: Callable[[Job], object] | None = None) -> None:
        """Cancel a job, whose record says that its stop is wanted, as soon as its site can be told.

        `then` is called once it has ended.
        """
        if job.launch_id not in self._owed:
            self._deliveries.forget(job)
            task = self._owed[job.launch_id] = asyncio.create_task(self._stop(job, then))
            task.add_done_callback(lambda _: self._owed.pop(job.launch_id))

    async def _stop(self, job: Job, then: Callable[[Job], object] | None) -> None:
        """Try while the site cannot be told.  Without a ticket there is no use: the next one starts this again."""
        for pause in chain((0.0, *PAUSES_SECONDS), repeat(PAUSES_SECONDS[-1])):
            await asyncio.sleep(pause)
            try:
                await self._stop_now(job)
            except Unavailable as error:
                _log.warning("%s: could not be stopped yet: %s", job.mark, error)
                continue
            except LaunchError as error:
                _log.warning("%s: will be stopped when %s has a ticket: %s", job.mark, job.user, error)
            else:
                if then:
                    then(job)
            return
