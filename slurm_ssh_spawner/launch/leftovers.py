"""What a launch may leave at its site: its ticket, its folder, and what its hooks had started."""

import logging
from collections.abc import Awaitable

from slurm_ssh import delivery
from slurm_ssh.core import Core
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.jobs import log as job_log
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner.launch.records import LaunchRecords

_log = logging.getLogger(__name__)


class Leftovers:
    """Removes what jobs that are over have left."""

    def __init__(self, core: Core, records: LaunchRecords) -> None:
        self._core = core
        self._records = records
        self._without_ticket: set[LaunchId] = set()

    def ticket_removed(self, launch_id: LaunchId) -> None:
        """Know that a launch has left no ticket: its submission has removed it."""
        self._without_ticket.add(launch_id)

    async def remove(self, job: Job) -> bool:
        """Remove it step by step, one that fails holds no other up; return, and note, whether nothing is left."""
        # A delivery that ends later would leave a ticket that nobody removes.
        await self._core.upkeep.settled(job)
        try:
            remote = self._core.remote(job)
        except LaunchError as error:
            _log.warning("%s: nothing that it left can be removed: %s", job.mark, error)
            return False
        hooks = await self._try(job, "what its hooks started", self._end_hooks(job, remote))
        ticket = await self._try(job, "its ticket", self._remove_ticket(job, remote))
        removed = remote.run(job_log.remove_folder(remote.site, job.owner, job.launch_id))
        folder = await self._try(job, "its folder", removed)
        is_removed = hooks and ticket and folder
        if is_removed:
            self._records.released(job.launch_id)
            self._without_ticket.discard(job.launch_id)
        return is_removed

    async def _remove_ticket(self, job: Job, remote: Remote) -> None:
        if job.launch_id not in self._without_ticket:
            await delivery.of(remote.site).release(remote.run, job.owner, job.launch_id)

    async def _end_hooks(self, job: Job, remote: Remote) -> None:
        """End what a hook had started: its job may have been killed before it could do so itself."""
        failure = None
        for command in await self._records.releases(job.launch_id):
            try:
                await remote.run(command)
            except LaunchError as error:
                failure = error
        if failure:
            raise failure

    @staticmethod
    async def _try(job: Job, what: str, step: Awaitable[object]) -> bool:
        """Return whether a step succeeded; if not, the log says so."""
        try:
            await step
        except LaunchError as error:
            _log.warning("%s: %s at %s may be left over: %s", job.mark, what, job.site_key, error)
            return False
        return True
