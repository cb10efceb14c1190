"""One attempt to submit a job: prepared any number of times, sent once, and what its answer means.

A submission that was not answered in words that we know is in doubt; whoever has sent it finds out by the job's
mark.
"""

import contextlib
from dataclasses import dataclass, replace

from kernels.fragment import Fragment
from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import delivery, schedulers, sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.delivery import Delivered
from slurm_ssh.errors import (
    AnswerUnreadable,
    Broken,
    InDoubt,
    LaunchError,
    NoAnswer,
    SubmissionLost,
    SubmitRefused,
    Unavailable,
)
from slurm_ssh.job import Job
from slurm_ssh.job_request import Build, JobRequest
from slurm_ssh.jobs import steps
from slurm_ssh.jobs.steps import Step
from slurm_ssh.scheduler import Scheduler, UnreadableAnswer
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed, ConnectionLost, NotBegun, ProgramKilled

# Beyond the deadline of the submission: the ticket of a job that there is not must not stay.
_CLEAN_UP_SECONDS = 60.0
# A shell says by such a status that a signal has ended the program.
_SIGNALLED = 128


@dataclass(frozen=True)
class Prepared:
    """A job that only has to be sent: `script` is what sbatch reads, `delivered` how its ticket reaches it."""

    request: JobRequest
    script: str
    delivered: Delivered


@dataclass(frozen=True)
class Accepted:
    """Slurm has the job: its number as text, and on one line what it said besides, "" if nothing."""

    native_id: str
    advice: str = ""


def built(site: Site, build: Build, fragment: Fragment) -> tuple[JobRequest, str]:
    """Return a job of a site with what its ticket adds to it, and its script as it is sent.  Raises Broken."""
    try:
        request = build(fragment)
        return request, schedulers.of(site).script(site, request)
    except ValueError as error:
        raise Broken(sentences.PROFILE_UNUSABLE, str(error)) from error


async def prepare(remote: Remote, job: Job, build: Build, ticket: bytes) -> Prepared:
    """Return the job whose handle is `job` as it is sent; submits nothing, and may be done again.

    Raises Refused, Unavailable or Broken.
    """
    delivered = await place(remote, job, ticket)
    return Prepared(*built(remote.site, build, delivered.fragment), delivered)


async def place(remote: Remote, job: Job, ticket: bytes) -> Delivered:
    """Return how a job's ticket reaches it; may be done again.  Raises as `prepare` does."""
    try:
        return await delivery.of(remote.site).place(remote.run, job.owner, job.launch_id, ticket)
    except LaunchError:
        # What was not answered may have been done.
        await clean_up(remote, job)
        raise


async def sbatch(remote: Remote, job: Job, prepared: Prepared) -> Accepted:
    """Send a prepared job to Slurm, once, in one exchange with the steps before it.

    Raises SubmitRefused if Slurm says no, Unavailable, Refused or Broken if the job was surely not sent, and
    InDoubt if it may have been.  Whether its ticket is gone again, `is_ticket_removed` of the error
    says; a job is prepared anew.
    """
    program, data = steps.program(remote.site, job.owner, prepared.request, prepared.script, prepared.delivered)
    step, answer = steps.parse(await answered(remote, program, data))
    if answer.status and step is not Step.SBATCH:
        error = steps.error(remote.site, job.owner, prepared.delivered, step, answer)
        if step is Step.TICKET:
            error.is_ticket_removed = await clean_up(remote, job)
        raise error
    return await outcome(remote, job, prepared, answer)


async def outcome(remote: Remote, job: Job, prepared: Prepared, answer: Completed) -> Accepted:
    """Return what sbatch's own answer means; of a job that is none, the ticket is removed.  Raises as `sbatch`."""
    try:
        return _accepted(remote.site, prepared.request, answer)
    except InDoubt:
        raise
    except LaunchError as refused:
        refused.is_ticket_removed = await clean_up(remote, job)
        raise


async def clean_up(remote: Remote, job: Job) -> bool:
    """Take the ticket away, and return whether that was done: there is no job that would use or remove it."""
    later = replace(remote, deadline=Deadline.after(_CLEAN_UP_SECONDS))
    try:
        await delivery.of(remote.site).release(later.run, job.owner, job.launch_id)
    except LaunchError:
        return False
    return True


async def answered(remote: Remote, program: Shell, data: bytes) -> Completed:
    """Return the answer of a program that submits.

    Raises InDoubt if that was lost: then it may have come to any of its steps.  Raises else what `sbatch` does.
    """
    title = remote.site.title
    try:
        return await remote.run_once(program, data)
    except AnswerUnreadable as error:
        raise InDoubt(error, is_likely=False) from error
    except NoAnswer as error:
        # Its next word ends it; but that may have been on its way.
        if steps.may_have_submitted(error.heard):
            raise InDoubt(SubmissionLost(error.message, error.detail)) from error
        raise InDoubt(Unavailable(error.message, error.detail), is_likely=False) from error
    except NotBegun as error:
        raise Unavailable(error.sentence.format(site=title), str(error)) from error
    except ProgramKilled as error:
        raise InDoubt(SubmissionLost(error.sentence.format(site=title), str(error))) from error
    except ConnectionLost as error:
        raise InDoubt(SubmissionLost(sentences.SUBMISSION_LOST.format(site=title), str(error))) from error


def _accepted(site: Site, request: JobRequest, answer: Completed) -> Accepted:
    """Return what sbatch's answer means.  Pure; raises as `sbatch` does."""
    if answer.status:
        raise _refusal(site, request, answer)
    scheduler = schedulers.of(site)
    try:
        return Accepted(scheduler.parse_submit(answer.stdout), scheduler.advice(answer.stderr))
    except UnreadableAnswer as error:
        # Maybe those of a wrapper around sbatch: then the job is there all the same.
        strange = sentences.SUBMIT_NOT_UNDERSTOOD.format(program=scheduler.names.submits, site=site.title)
        raise InDoubt(Broken(strange, str(error))) from error


def _refusal(site: Site, request: JobRequest, answer: Completed) -> LaunchError:
    """Return what it means that sbatch, or a wrapper around it, has failed."""
    scheduler, detail = schedulers.of(site), answer.stderr.strip()
    if scheduler.is_unreachable(detail):
        # A controller that was too slow for sbatch may have taken the job all the same.
        named = {"scheduler": site.scheduler.name, "site": site.title}
        silent = sentences.SCHEDULER_SILENT.format(**named)
        if scheduler.is_unasked(detail) and not _has_number(scheduler, answer.stdout):
            return Unavailable(silent, detail)
        return InDoubt(SubmissionLost(silent, detail), meanwhile=sentences.SCHEDULER_SLOW.format(**named))
    why = scheduler.refusal(site.title, detail, request.project, request.partition)
    if scheduler.is_unauthenticated(detail):
        return Unavailable(why, detail)
    refused = SubmitRefused(why, detail, choice=scheduler.choice(detail))
    return InDoubt(refused) if answer.status >= _SIGNALLED or _has_number(scheduler, answer.stdout) else refused


def _has_number(scheduler: Scheduler, stdout: str) -> bool:
    with contextlib.suppress(UnreadableAnswer):
        return bool(scheduler.parse_submit(stdout))
    return False
