"""Launches that nobody waits for: stops that are owed, jobs that are looked for, what is left at a site."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from slurm_ssh.core import Core
from slurm_ssh.errors import LaunchError, Unavailable
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.jobs.watch import ABSENT_SECONDS
from slurm_ssh.scheduler import Row
from slurm_ssh.tunnels.tunnel import Keeper
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch.endings import Endings
from slurm_ssh_spawner.launch.leftovers import Leftovers
from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.reports import Reports

_DAY_SECONDS = 24 * 3600

_log = logging.getLogger(__name__)


class Unattended:
    """Owner of what is done in the background for launches.

    `when_left` hears of a person when something of theirs could not be removed from a site: to see to it later.
    """

    def __init__(
        self, core: Core, records: LaunchRecords, reports: Reports, endings: Endings, tunnels: Keeper
    ) -> None:
        self._core = core
        self._records = records
        self._reports = reports
        self._endings = endings
        self._tunnels = tunnels
        self._leftovers = Leftovers(core, records)
        self._tasks: set[asyncio.Task[None]] = set()
        self.when_left: Callable[[str], None] = lambda _user: None

    def do(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Do something whether or not anybody waits for it; what goes wrong unforeseen is in the log."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def keep_records_for(self, time: timedelta) -> None:
        """Remove scripts and stages of launches that ended longer ago, now and once a day."""
        self.do(self._forget_old(time))

    async def _forget_old(self, time: timedelta) -> None:
        while True:
            try:
                await self._records.forget_before(datetime.now(UTC) - time)
            except LaunchError as error:
                _log.warning("records of old launches stay until tomorrow: %s", error)
            await asyncio.sleep(_DAY_SECONDS)

    def owe_stop(self, job: Job) -> None:
        """Stop a job as soon as that can be done, and remove what it has left."""
        self._core.upkeep.owe_stop(job, lambda stopped: self.do(self.clean_up(stopped)))

    async def give_up(self, job: Job, reason: str = "") -> None:
        """Have a launch stopped that nobody wants any more; `reason` is why, "" if that is not known."""
        if reason:
            self._records.will_end(job.launch_id, reason)
        await self._records.want_stop(job.launch_id)
        self._reports.refuse(job.launch_id)
        self.owe_stop(job)

    async def stop_what_is_owed(self, user: str, hub_name: str) -> None:
        """Stop what a person wanted to be stopped; `hub_name` is in older marks."""
        try:
            owed = await self._records.to_stop(user)
        except LaunchError as error:
            _log.error("what %s wanted to stop is not known: %s", user, error)
            return
        for record in owed:
            self.owe_stop(record.job(hub_name))

    async def found(self, job: Job) -> Job | None:
        """Return the handle with Slurm's number, also if its submission was never answered.

        None, and the launch is over, if Slurm says twice that it has no job with the mark.  Raises Unavailable if
        it cannot be asked.
        """
        if job.job_id:
            return job
        for pause in (0, ABSENT_SECONDS):
            await asyncio.sleep(pause)
            rows = await self._core.list(job, frozenset({job.mark}))
            if rows is None:
                raise Unavailable(sentences.NOT_FOUND_YET.format(site=self._core.site(job).title))
            for row in rows:
                if (row.mark, row.owner) == (job.mark, job.owner):
                    self._records.submitted(job.launch_id, row.job_id)
                    return replace(job, job_id=row.job_id)
        told = sentences.NEVER_SUBMITTED.format(scheduler=self._core.scheduler(job.site_key))
        self._endings.over(job, told)
        await self.clean_up(job)
        return None

    async def marked(self, job: Job, beginning: str) -> tuple[Row, ...] | None:
        """Return the rows of all jobs that go on of a job's owner at its site and whose mark begins so."""
        return await self._core.marked(job, beginning)

    def release(self, job: Job) -> None:
        """Hear a launch no more, and remove what it has left; of a job that is still to be stopped, after that."""
        self._reports.end(job.launch_id)
        if not self._core.upkeep.owes_stop(job):
            self.do(self.clean_up(job))

    def abandon(self, job: Job) -> None:
        """Hear no more of a launch of which there is no job, as far as is known, and remove what it has left.

        An answer that was lost may have been that to its ticket.
        """
        self._reports.end(job.launch_id)
        self.do(self._forgotten(job) if self._core.upkeep.owes_stop(job) else self.clean_up(job))

    def ticket_removed(self, launch_id: LaunchId) -> None:
        """Know that a launch has left no ticket at its site."""
        self._leftovers.ticket_removed(launch_id)

    async def clean_up(self, job: Job) -> None:
        """Remove what a launch that is over has left at its site, as far as that can be done now."""
        self._tunnels.close(job.launch_id)
        if not await self._leftovers.remove(job):
            self.when_left(job.user)
        await self._forgotten(job)

    async def _forgotten(self, job: Job) -> None:
        # Until its record says that it is over, its job's reports have to be told so by us.
        await self._records.settled()
        self._reports.forget(job.launch_id)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        # Whoever waited for it, and was cancelled, does not look any more.
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, LaunchError):
            _log.error("a piece of work failed", exc_info=error)
