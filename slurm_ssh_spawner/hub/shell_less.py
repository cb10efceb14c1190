"""What batchspawner does by shell, and our spawner does not: it runs no command on the hub."""

from typing import Any, cast

from batchspawner import JobStatus

from slurm_ssh.deadline import Deadline
from slurm_ssh.job import Job, JobState
from slurm_ssh_spawner.hub.shared import SETTING, Hub

POLL_SECONDS = 60.0
"""For a question about one job."""

_BATCHSPAWNERS_WORDS = {
    JobState.PENDING: JobStatus.PENDING,
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.ENDING: JobStatus.RUNNING,
    JobState.ENDED: JobStatus.NOTFOUND,
    JobState.GONE: JobStatus.NOTFOUND,
}


class ShellLess:
    """Goes before batchspawner's class."""

    user: Any
    _job: Job | None

    @property
    def _hub(self) -> Hub:
        """What all spawners of this hub share."""
        return cast(Hub, self.user.settings[SETTING])

    async def run_command(self, *_args: Any, **_kwargs: Any) -> str:
        """Refuse: this spawner owns no shell."""
        raise NotImplementedError("SlurmSSHSpawner runs no commands on the hub; see slurm_ssh_spawner.launch.")

    async def query_job_status(self) -> JobStatus:
        """Return batchspawner's word for the state of the job."""
        job: Job | None = self._job
        if job is None or not job.job_id:
            return JobStatus.NOTFOUND
        report = await self._hub.launcher.report(job, Deadline.after(POLL_SECONDS))
        return _BATCHSPAWNERS_WORDS.get(report.state, JobStatus.UNKNOWN)
