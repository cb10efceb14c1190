"""The steps of a submission, each one exchange with the site: folders, ticket, sbatch."""

import asyncio
import contextlib
from collections.abc import Callable

from kernels.fragment import Fragment
from kernels.shell import Shell, quote
from profiles.catalogue.site import Site
from profiles.offer.launch import Launch
from slurm_ssh import delivery
from slurm_ssh.delivery import Delivered
from slurm_ssh.errors import Broken, LaunchError, Refused, SubmitRefused, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh.jobs import folders
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed, ConnectionLost
from slurm_ssh_spawner.launch import script
from slurm_ssh_spawner.launch.script import JobScript, ServerProcess

_HOME_REFUSED = 10
_LOOKS_FOR_LOST_JOB = 3
# squeue gives up on a silent controller after some 18 s by itself.
_SILENCES = 6
_LOOK_AGAIN_SECONDS = 1
_FULL = ("no space left", "quota exceeded")

Tell = Callable[[str], None]
"""Is told, in one sentence each, how a launch goes on."""


async def submit(
    remote: Remote,
    launch: Launch,
    launch_id: LaunchId,
    mark: str,
    process: ServerProcess,
    ticket: bytes,
    tell: Tell,
) -> tuple[JobScript, str]:
    """Submit the launch and return what was sent and Slurm's job id.

    Raises Refused, SubmitRefused, Unavailable or Broken.
    """
    await _prepare(remote, launch)
    place = delivery.of(launch.site)
    delivered = await place.place(remote.run, launch.owner, launch_id, ticket)
    if delivered.notice:
        tell(delivered.notice)
    try:
        built = _build(launch, launch_id, mark, process, delivered.fragment)
        program, data = _program(launch.site, process, built, delivered)
        return built, await _sbatch(remote, launch, mark, program, data, tell)
    except LaunchError:
        # There is no job that would use the ticket or remove it; one that turns up later ends itself.
        with contextlib.suppress(LaunchError):
            await place.release(remote.run, launch.owner, launch_id)
        raise


async def _sbatch(remote: Remote, launch: Launch, mark: str, program: Shell, data: bytes, tell: Tell) -> str:
    try:
        answer = await remote.run_once(program, data)
    except (ConnectionLost, Unavailable) as error:
        lost = f"The connection to {launch.site.title} was lost while the job was submitted. Start again."
        return await _find(remote, launch.owner, mark, Unavailable(lost, str(error)))
    if answer.status and slurm_jobs.is_unreachable(answer.stderr):
        # A controller that was too slow for sbatch may have taken the job all the same.
        tell(f"Slurm at {launch.site.title} is slow to answer; still trying.")
        silent = f"Slurm at {launch.site.title} does not answer. Try again in a few minutes."
        return await _find(remote, launch.owner, mark, Unavailable(silent, answer.stderr.strip()))
    return _job_id(launch, answer, tell)


async def _prepare(remote: Remote, launch: Launch) -> None:
    """Make the job folder, and see that the home can be written: JupyterLab does not start in a full one."""
    folder = quote(folders.job_folder(launch.site, launch.owner))
    answer = await remote.run(
        Shell(
            f'umask 077; probe="$HOME/.jupyter-sites-$$"\n'
            f'head -c 4096 /dev/zero > "$probe"; s=$?; rm -f -- "$probe"\n'
            f"[ $s = 0 ] || exit {_HOME_REFUSED}\n"
            f"mkdir -p -- {folder}"
        )
    )
    if not answer.status:
        return
    title, said = launch.site.title, _last_line(answer.stderr)
    what = (
        "Your home directory"
        if answer.status == _HOME_REFUSED
        else f"The folder {folders.job_folder(launch.site, launch.owner)}"
    )
    if any(words in said.lower() for words in _FULL):
        raise Refused(
            f"{what} at {title} is full, so no notebook can start there. "
            f"Delete files you no longer need or ask for more space, then start again."
        )
    raise Refused(f"{what} at {title} cannot be written ({said}). Contact the support of {title}.")


def _build(
    launch: Launch, launch_id: LaunchId, mark: str, process: ServerProcess, fragment: Fragment
) -> JobScript:
    try:
        return script.build(launch, launch_id, mark, process, (fragment,))
    except ValueError as error:
        raise Broken("This profile cannot be started: an administrator has to mend it.", str(error)) from error


def _program(site: Site, process: ServerProcess, built: JobScript, delivered: Delivered) -> tuple[Shell, bytes]:
    """Return the program that submits, and its data: one line a secret, then the script for sbatch."""
    reads = "".join(f"IFS= read -r {name}; export {name}\n" for name in process.secrets)
    lines = "".join(f"{value}\n" for value in process.secrets.values())
    # What was set for Slurm's commands, and the front end's own ticket, mean nothing on a node.
    clean = " ".join(("unset LC_ALL TZ SLURM_TIME_FORMAT KRB5CCNAME", *delivered.unset)) + "\n"
    command = slurm_jobs.submit(site, delivered.sbatch_options)
    return Shell(reads + clean + command), (lines + built.text).encode()


def _job_id(launch: Launch, answer: Completed, tell: Tell) -> str:
    site = launch.site
    if answer.status:
        why = slurm_jobs.refusal(answer.stderr, launch.project, launch.partition)
        raise SubmitRefused(f"{site.title} did not accept the job: {why}.", answer.stderr.strip())
    if advice := slurm_jobs.advice(answer.stderr):
        tell(f"{site.title} says: {advice}")
    try:
        return slurm_jobs.parse_submit(answer.stdout)
    except slurm_jobs.UnreadableAnswer as error:
        raise Broken(f"{site.title} answered in a way that was not understood.", str(error)) from error


async def _find(remote: Remote, owner: str, mark: str, otherwise: Unavailable) -> str:
    """Return the id of a job whose submission was not answered, if Slurm has it after all.

    Raises `otherwise` once Slurm has said several times that it has no such job, or has said nothing for long.
    A job that turns up even later ends itself: the hub does not know its launch any more.
    """
    absences = silences = 0
    while absences < _LOOKS_FOR_LOST_JOB and silences < _SILENCES:
        rows = _rows(await remote.run(slurm_jobs.queue(remote.site, owner, (mark,))))
        if rows is None:
            silences += 1
        else:
            absences += 1
            for row in rows:
                if (row.mark, row.owner) == (mark, owner):
                    return row.job_id
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    raise otherwise


def _rows(answer: Completed) -> tuple[slurm_jobs.Row, ...] | None:
    try:
        return slurm_jobs.parse_queue(answer.stdout) if answer.status == 0 else None
    except slurm_jobs.UnreadableAnswer:
        return None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no reason was given"
