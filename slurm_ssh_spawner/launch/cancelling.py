"""How one launch is cancelled, whether or not its submission has been answered, and seen to end."""

import asyncio

from slurm_ssh.core import Core
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, Refused, Unavailable
from slurm_ssh.job import Job
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.reports import Reports
from slurm_ssh_spawner.launch.submissions import Submissions
from slurm_ssh_spawner.launch.unattended import Unattended

# For a stop, the wait for a submission under way included.
_STOP_SECONDS = 150.0
# Of the time for a stop, what a cancellation needs.
_CANCEL_SECONDS = 60.0


class Cancelling:
    """Cancels launches; what cannot be done now is left to `unattended`."""

    def __init__(
        self,
        core: Core,
        records: LaunchRecords,
        reports: Reports,
        submissions: Submissions,
        unattended: Unattended,
    ) -> None:
        self._core = core
        self._records = records
        self._reports = reports
        self._submissions = submissions
        self._unattended = unattended

    async def cancel(self, job: Job, reason: str) -> None:
        """Do what Launcher.cancel does."""
        deadline = Deadline.after(_STOP_SECONDS)
        under_way = self._submissions.under_way(job)
        if under_way:
            await asyncio.wait((under_way,), timeout=deadline.left - _CANCEL_SECONDS)
        if reason:
            self._records.will_end(job.launch_id, reason)
        await self._records.want_stop(job.launch_id)
        self._reports.end(job.launch_id)
        if under_way and not under_way.done():
            # What is told Slurm now would come before the job.
            under_way.add_done_callback(lambda _: self._unattended.owe_stop(job))
            problem = sentences.STILL_SUBMITTING.format(site=self._core.site(job).title)
            raise Unavailable(sentences.STOP_IS_OWED.format(problem=problem))
        try:
            await self._core.stop(job, deadline)
        except Refused as error:
            self._unattended.owe_stop(job)
            owed = sentences.STOP_NEEDS_TICKET.format(problem=error.message)
            raise Refused(owed, error.detail, quoted=error.quoted) from error
        except (Unavailable, Broken) as error:
            self._unattended.owe_stop(job)
            family = Broken if isinstance(error, Broken) else Unavailable
            raise family(sentences.STOP_IS_OWED.format(problem=error.message), error.detail) from error
