"""A submission: one program in one exchange with the site, and a search for the job if its answer was lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from kernels.fragment import Fragment
from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import delivery, sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import (
    AnswerUnreadable,
    Broken,
    LaunchError,
    NoAnswer,
    SubmissionAbsent,
    SubmissionLost,
    SubmitRefused,
    Unavailable,
)
from slurm_ssh.job import Job
from slurm_ssh.job_request import Build, JobRequest
from slurm_ssh.jobs import steps
from slurm_ssh.jobs.steps import Step
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm import refusals
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed, ConnectionLost, NotBegun, ProgramKilled

_LOOKS_FOR_LOST_JOB = 3
# squeue gives up on a silent controller after some 18 s by itself.
_SILENCES = 6
_LOOK_AGAIN_SECONDS = 1
# Beyond the deadline of the submission: whether there is a job has to be found out whatever it was late for, and
# the ticket of a job that there is not must not stay.
_FIND_SECONDS = 60.0
_CLEAN_UP_SECONDS = 60.0

Tell = Callable[[str], None]
"""Is told, in one sentence each, how a launch goes on."""


async def submit(remote: Remote, job: Job, build: Build, ticket: bytes, tell: Tell) -> tuple[str, str]:
    """Submit the job whose handle is `job` and return the script that was sent and Slurm's job id.

    Raises Refused, SubmitRefused, Unavailable or Broken; SubmissionLost if there may be a job nevertheless,
    SubmissionAbsent if the submission was not answered and there is none.
    """
    try:
        delivered = await delivery.of(remote.site).place(remote.run, job.owner, job.launch_id, ticket)
    except LaunchError:
        # What was not answered may have been done.
        await _clean_up(remote, job)
        raise
    if delivered.notice:
        tell(delivered.notice)
    request, script = built(build, delivered.fragment)
    program, data = steps.program(remote.site, job.owner, request, script, delivered)
    answer = await _answer(remote, job, program, data)
    if isinstance(answer, Completed):
        step, answer = steps.parse(answer)
        if answer.status and step is not Step.SBATCH:
            error = steps.error(remote.site, job.owner, delivered, step, answer)
            if step is Step.TICKET:
                error.is_ticket_removed = await _clean_up(remote, job)
            raise error
    try:
        return script, await _submitted(remote, job, request, answer, tell)
    except LaunchError as error:
        # A program that was not heard to its end may put the ticket there later.
        error.is_ticket_removed = await _clean_up(remote, job) and isinstance(answer, Completed)
        raise


async def _answer(remote: Remote, job: Job, program: Shell, data: bytes) -> Completed | SubmissionLost:
    """Return the program's answer, or how it was lost: then it may have come to any of its steps."""
    title = remote.site.title
    try:
        return await remote.run_once(program, data)
    except AnswerUnreadable:
        # It may have come to any step; a job without a launch ends itself.
        await _clean_up(remote, job)
        raise
    except NoAnswer as error:
        if steps.may_have_submitted(error.heard):
            return SubmissionLost(error.message, error.detail)
        await _clean_up(remote, job)
        raise Unavailable(error.message, error.detail) from error
    except NotBegun as error:
        raise Unavailable(error.sentence.format(site=title), str(error)) from error
    except ProgramKilled as error:
        return SubmissionLost(error.sentence.format(site=title), str(error))
    except ConnectionLost as error:
        return SubmissionLost(sentences.SUBMISSION_LOST.format(site=title), str(error))


async def _clean_up(remote: Remote, job: Job) -> bool:
    """Take the ticket away: there is no job that would use or remove it; one that turns up later ends itself.

    Returns whether that was done.
    """
    later = replace(remote, deadline=Deadline.after(_CLEAN_UP_SECONDS))
    try:
        await delivery.of(remote.site).release(later.run, job.owner, job.launch_id)
    except LaunchError:
        return False
    return True


async def _submitted(
    remote: Remote, job: Job, request: JobRequest, answer: Completed | SubmissionLost, tell: Tell
) -> str:
    """Return the job id in sbatch's answer, or what Slurm says of a job where that is none."""
    title = remote.site.title
    if isinstance(answer, SubmissionLost):
        return await _find(remote, job, answer)
    if answer.status and refusals.is_unreachable(answer.stderr):
        # A controller that was too slow for sbatch may have taken the job all the same.
        tell(sentences.SLURM_SLOW.format(site=title))
        silent = sentences.SLURM_SILENT.format(site=title)
        return await _find(remote, job, SubmissionLost(silent, answer.stderr.strip()))
    try:
        return _job_id(remote.site, request, answer, tell)
    except slurm_jobs.UnreadableAnswer as error:
        # Maybe those of a wrapper around sbatch: then the job is there all the same.
        strange = sentences.SUBMIT_NOT_UNDERSTOOD.format(site=title)
        return await _find(remote, job, Broken(strange, str(error)))


def built(build: Build, fragment: Fragment) -> tuple[JobRequest, str]:
    """Return a job with what its ticket adds to it, and its script as it is sent.  Raises Broken."""
    try:
        request = build(fragment)
        return request, slurm_jobs.batch_script(request)
    except ValueError as error:
        raise Broken(sentences.PROFILE_UNUSABLE, str(error)) from error


def _job_id(site: Site, request: JobRequest, answer: Completed, tell: Tell) -> str:
    if answer.status:
        why = refusals.refusal(site.title, answer.stderr, request.project, request.partition)
        raise SubmitRefused(why, answer.stderr.strip(), choice=refusals.choice(answer.stderr))
    if advice := refusals.advice(answer.stderr):
        tell(sentences.SLURM_SAYS.format(site=site.title, reason=advice))
    return slurm_jobs.parse_submit(answer.stdout)


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


async def _look(remote: Remote, job: Job) -> tuple[slurm_jobs.Row, ...] | None:
    """Return the rows of the job, None if nobody could be asked."""
    try:
        answer = await remote.run(slurm_jobs.queue(remote.site, job.owner, (job.mark,)))
        return slurm_jobs.parse_queue(answer.stdout) if answer.status == 0 else None
    except (LaunchError, slurm_jobs.UnreadableAnswer):
        return None
