"""Submissions under way: each goes on whether or not anybody waits for it."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from kerberos_auth.errors import AuthFailed
from kernels.fragment import Fragment
from languages import for_keeping
from profiles.offer.launch import NotebookLaunch
from slurm_ssh.core import Core
from slurm_ssh.credentials import Credentials
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError, Refused, SubmissionLost
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import submission
from slurm_ssh.jobs.submission import Tell
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch import script
from slurm_ssh_spawner.launch.endings import NOT_SUBMITTED
from slurm_ssh_spawner.launch.patience import Patience
from slurm_ssh_spawner.launch.records import LaunchRecords
from slurm_ssh_spawner.launch.reports import token_hash
from slurm_ssh_spawner.launch.script import ServerProcess
from slurm_ssh_spawner.launch.unattended import Unattended

# For a connection, the exchange, and those of a delivery that needs some of its own.
_SUBMIT_SECONDS = 240.0

_log = logging.getLogger(__name__)


class Submissions:
    """Owner of the submissions under way.  To `unattended` is left what may be there of those that failed."""

    def __init__(
        self,
        core: Core,
        credentials: Credentials,
        records: LaunchRecords,
        unattended: Unattended,
    ) -> None:
        self._core = core
        self._credentials = credentials
        self._records = records
        self._unattended = unattended
        self._under_way: dict[LaunchId, asyncio.Task[Job]] = {}

    async def close(self) -> None:
        """Let them go; their jobs have marks."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def under_way(self, job: Job) -> "asyncio.Task[Job] | None":
        """Return the submission of a launch if it has not been answered yet."""
        return self._under_way.get(job.launch_id)

    async def submit(
        self,
        launch: NotebookLaunch,
        job: Job,
        process: ServerProcess,
        patience: Patience,
        save: Callable[[Job], None],
        tell: Tell,
    ) -> Job:
        """Do what Launcher.submit does."""
        task = asyncio.create_task(self._submit(launch, job, process, patience, save, tell))
        self._under_way[job.launch_id] = task
        task.add_done_callback(lambda done: self._submitted(job, done))
        return await asyncio.shield(task)

    async def _submit(
        self,
        launch: NotebookLaunch,
        job: Job,
        process: ServerProcess,
        patience: Patience,
        save: Callable[[Job], None],
        tell: Tell,
    ) -> Job:
        releases = script.releases(launch, job.launch_id, job.mark)
        told = {"server": process.server, "mark": job.mark, "token_hash": token_hash(process.token)}
        await self._records.begin(job.launch_id, launch, releases, wait_until=patience.until, **told)
        tell(sentences.CONNECTING.format(site=launch.site.title, owner=launch.owner))
        try:
            known = self._core.ticket(launch.user, launch.site_key)
            ticket = self._credentials.read(launch.user) if known else b""
        except AuthFailed as error:
            raise Refused(error.message) from error

        def build(fragment: Fragment) -> JobRequest:
            return script.build(launch, job.launch_id, job.mark, process, (fragment,))

        remote = Remote(self._core.pool, Login.of(job), launch.site, Deadline.after(_SUBMIT_SECONDS))
        try:
            text, job_id = await submission.submit(remote, job, build, ticket, tell)
        except SubmissionLost:
            await self._unattended.give_up(job)
            raise
        job = replace(job, job_id=job_id)
        # Before anything else: from now on there is a job that somebody has to stop.
        save(job)
        self._records.submitted(job.launch_id, job_id)
        self._records.note_script(job.launch_id, text)
        self._core.upkeep.begin(job, known.end if known else None)
        _log.info("%s is job %s at %s for %s", job.mark, job_id, job.site_key, job.user)
        tell(sentences.ACCEPTED.format(site=launch.site.title, job_id=job_id))
        return job

    def _submitted(self, job: Job, task: "asyncio.Task[Job]") -> None:
        del self._under_way[job.launch_id]
        if not task.cancelled() and (error := task.exception()):
            if isinstance(error, LaunchError) and error.is_ticket_removed:
                self._unattended.ticket_removed(job.launch_id)
            # Of a lost one there may be a job; its record stays open until that has been stopped.
            if not isinstance(error, SubmissionLost):
                self._records.end(job.launch_id, _not_submitted(error))
            _log.warning("%s was not submitted for %s: %s", job.mark, job.user, error)


def _not_submitted(error: BaseException) -> str:
    """Return the reason that is kept: with the sentence for the person, and for the log what was seen."""
    if not isinstance(error, LaunchError):
        return f"{NOT_SUBMITTED}: {error}"
    detail = f" [{error.detail}]" if error.detail else ""
    return f"{NOT_SUBMITTED}: {for_keeping(error.message)}{detail} {error.quoted}".strip()
