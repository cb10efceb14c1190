"""The steps of a submission, each one exchange with the site: folders, ticket, sbatch."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from kernels.fragment import Fragment
from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import delivery, private_folder, sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.delivery import Delivered
from slurm_ssh.errors import (
    Broken,
    LaunchError,
    Refused,
    SiteUnreachable,
    SubmissionAbsent,
    SubmissionLost,
    SubmitRefused,
    Unavailable,
)
from slurm_ssh.job import Job
from slurm_ssh.job_request import Build, JobRequest
from slurm_ssh.jobs import folders
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.slurm import refusals
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed, ConnectionLost, SessionRefused
from slurm_ssh.text import one_line

_HOME_REFUSED = 20
_WRONG_FOLDER = {
    private_folder.FOREIGN: sentences.FOLDER_FOREIGN,
    private_folder.OPEN: sentences.FOLDER_OPEN,
    private_folder.REPLACEABLE: sentences.FOLDER_REPLACEABLE,
}
_LOOKS_FOR_LOST_JOB = 3
# squeue gives up on a silent controller after some 18 s by itself.
_SILENCES = 6
_LOOK_AGAIN_SECONDS = 1
# Beyond the deadline of the submission: whether there is a job has to be found out whatever it was late for, and
# the ticket of a job that there is not must not stay.
_FIND_SECONDS = 60.0
_CLEAN_UP_SECONDS = 60.0
_FULL = ("no space left", "quota exceeded")

UMASK = "JUPYTERHUB_SITES_UMASK"
"""The variable that tells a job the umask that its files are to have."""

Tell = Callable[[str], None]
"""Is told, in one sentence each, how a launch goes on."""


async def submit(remote: Remote, job: Job, build: Build, ticket: bytes, tell: Tell) -> tuple[str, str]:
    """Submit the job whose handle is `job` and return the script that was sent and Slurm's job id.

    Raises Refused, SubmitRefused, Unavailable or Broken; SubmissionLost if there may be a job nevertheless,
    SubmissionAbsent if the submission was not answered and there is none.
    """
    await _prepare(remote, job.owner)
    place = delivery.of(remote.site)
    try:
        delivered = await place.place(remote.run, job.owner, job.launch_id, ticket)
        if delivered.notice:
            tell(delivered.notice)
        request, text = _built(build, delivered.fragment)
        program, data = _program(remote.site, request, text, delivered)
        return text, await _sbatch(remote, job, request, program, data, tell)
    except LaunchError:
        # There is no job that would use the ticket or remove it; one that turns up later ends itself.
        with contextlib.suppress(LaunchError):
            later = replace(remote, deadline=Deadline.after(_CLEAN_UP_SECONDS))
            await place.release(later.run, job.owner, job.launch_id)
        raise


async def _sbatch(remote: Remote, job: Job, request: JobRequest, program: Shell, data: bytes, tell: Tell) -> str:
    title = remote.site.title
    try:
        answer = await remote.run_once(program, data)
    except SiteUnreachable:
        raise
    except Unavailable as error:
        return await _find(remote, job, SubmissionLost(error.message, error.detail))
    except SessionRefused as error:
        raise Unavailable(error.sentence.format(site=title), str(error)) from error
    except ConnectionLost as error:
        lost = sentences.SUBMISSION_LOST.format(site=title)
        return await _find(remote, job, SubmissionLost(lost, str(error)))
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


async def _prepare(remote: Remote, owner: str) -> None:
    """Make the job folder, and see that the home can be written: JupyterLab does not start in a full one."""
    # A folder that is everybody's is made by nobody: it would be the first person's.
    look = private_folder.enter(folders.job_folder(remote.site, owner), "{owner}" in remote.site.job_folder)
    answer = await remote.run(
        Shell(
            f'umask 077; probe="$HOME/.jupyter-sites-$$"\n'
            f'head -c 4096 /dev/zero > "$probe"; s=$?; rm -f -- "$probe"\n'
            f"[ $s = 0 ] || exit {_HOME_REFUSED}\n{look}"
        )
    )
    if answer.status:
        raise _not_writable(remote.site, owner, answer)


def _not_writable(site: Site, owner: str, answer: Completed) -> Refused:
    if wrong := _WRONG_FOLDER.get(answer.status):
        return Refused(wrong.format(site=site.title, folder=private_folder.named(answer.stderr)))
    said = _last_line(answer)
    is_full = any(words in said.lower() for words in _FULL)
    if answer.status == _HOME_REFUSED:
        sentence = sentences.HOME_FULL if is_full else sentences.HOME_NOT_WRITABLE
    else:
        sentence = sentences.FOLDER_FULL if is_full else sentences.FOLDER_NOT_WRITABLE
    return Refused(sentence.format(site=site.title, folder=folders.job_folder(site, owner), reason=said))


def _built(build: Build, fragment: Fragment) -> tuple[JobRequest, str]:
    try:
        request = build(fragment)
        return request, slurm_jobs.batch_script(request)
    except ValueError as error:
        raise Broken(sentences.PROFILE_UNUSABLE, str(error)) from error


def _program(site: Site, request: JobRequest, text: str, delivered: Delivered) -> tuple[Shell, bytes]:
    """Return the program that submits, and its data: one line a secret, then the script for sbatch."""
    reads = "".join(f"IFS= read -r {name}; export {name}\n" for name in request.secrets)
    lines = "".join(f"{value}\n" for value in request.secrets.values())
    # What was set for Slurm's commands, and the front end's own ticket, mean nothing on a node.
    clean = " ".join(("unset LC_ALL TZ SLURM_TIME_FORMAT KRB5CCNAME", *delivered.unset)) + "\n"
    # The log is the owner's alone; the job itself goes on with the login's own umask.
    umask = f"{UMASK}=$(umask); export {UMASK}; umask 077\n"
    command = slurm_jobs.submit(site, delivered.sbatch_options)
    return Shell(reads + clean + umask + command), (lines + text).encode()


def _job_id(site: Site, request: JobRequest, answer: Completed, tell: Tell) -> str:
    if answer.status:
        why = refusals.refusal(site.title, answer.stderr, request.project, request.partition)
        raise SubmitRefused(why, answer.stderr.strip())
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


def _last_line(answer: Completed) -> str:
    lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
    return one_line(lines[-1], 300) if lines else sentences.EXIT_STATUS.format(status=answer.status)
