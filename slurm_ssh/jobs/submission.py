"""A submission whose outcome is wanted now: sent once, and a search for the job if its answer was lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from slurm_ssh import schedulers, sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import InDoubt, LaunchError, SubmissionAbsent, SubmissionLost
from slurm_ssh.job import Job
from slurm_ssh.job_request import Build
from slurm_ssh.jobs import attempt
from slurm_ssh.scheduler import Row, UnreadableAnswer
from slurm_ssh.ssh.remote import Remote

_LOOKS_FOR_LOST_JOB = 3
# squeue gives up on a silent controller after some 18 s by itself.
_SILENCES = 6
_LOOK_AGAIN_SECONDS = 1
# Beyond the deadline of the submission: whether there is a job has to be found out whatever it was late for.
_FIND_SECONDS = 60.0

Tell = Callable[[str], None]
"""Is told, in one sentence each, how a launch goes on."""


async def submit(remote: Remote, job: Job, build: Build, ticket: bytes, tell: Tell) -> tuple[str, str]:
    """Submit the job whose handle is `job` and return the script that was sent and Slurm's job id.

    Raises Refused, SubmitRefused, Unavailable or Broken; SubmissionLost if there may be a job nevertheless,
    SubmissionAbsent if the submission was not answered and there is none.
    """
    prepared = await attempt.prepare(remote, job, build, ticket)
    if prepared.delivered.notice:
        tell(prepared.delivered.notice)
    try:
        accepted = await attempt.sbatch(remote, job, prepared)
    except InDoubt as doubt:
        return prepared.script, await _settled(remote, job, doubt, tell)
    if accepted.advice:
        tell(sentences.SLURM_SAYS.format(site=remote.site.title, reason=accepted.advice))
    return prepared.script, accepted.native_id


async def _settled(remote: Remote, job: Job, doubt: InDoubt, tell: Tell) -> str:
    """Return the id of a job that may have been sent, if there is one.  Raises what is to be told if not."""
    if doubt.meanwhile:
        tell(doubt.meanwhile)
    try:
        if not doubt.is_likely:
            raise doubt.otherwise from None
        return await _find(remote, job, doubt.otherwise)
    except LaunchError:
        # A job that turns up later ends itself, without its ticket.
        await attempt.clean_up(remote, job)
        raise


async def _find(remote: Remote, job: Job, otherwise: LaunchError) -> str:
    """Return the id of a job whose submission was not answered in words that we know, if Slurm has it after all.

    Once Slurm has said several times that it has no such job, raises SubmissionAbsent in the place of a lost
    submission, else `otherwise`; SubmissionLost if it has said nothing for long.  A job that turns up even later
    ends itself: the hub does not know its launch any more.
    """
    absences = silences = 0
    remote = replace(remote, deadline=Deadline.after(_FIND_SECONDS))
    while absences < _LOOKS_FOR_LOST_JOB and silences < _SILENCES and remote.deadline.left:
        rows = await _look(remote, job)
        if rows is None:
            silences += 1
        else:
            absences += 1
            for row in rows:
                if (row.mark, row.owner) == (job.mark, job.owner):
                    return row.job_id
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    if absences < _LOOKS_FOR_LOST_JOB:
        raise SubmissionLost(otherwise.message, otherwise.detail) from otherwise
    if isinstance(otherwise, SubmissionLost):
        raise SubmissionAbsent(otherwise.message, otherwise.detail) from otherwise
    raise otherwise


async def _look(remote: Remote, job: Job) -> tuple[Row, ...] | None:
    """Return the rows of the job, None if nobody could be asked."""
    scheduler = schedulers.of(remote.site)
    try:
        answer = await remote.run(scheduler.queue(remote.site, job.owner, (job.mark,)))
        return scheduler.parse_queue(answer.stdout) if answer.status == 0 else None
    except (LaunchError, UnreadableAnswer):
        return None
