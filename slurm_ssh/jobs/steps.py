"""The one program of a submission: its steps at the front end, and how far it came.  Pure.

Before each step but the first it says on both outputs which one begins.  So what follows is that step's own, and
the exit status is that of the step it ended in.  A program that the hub has left is ended by the next word that it
says: what hangs before sbatch submits nothing later.
"""

from enum import StrEnum

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import private_folder, schedulers, sentences
from slurm_ssh.delivery import Delivered
from slurm_ssh.errors import LaunchError, Refused
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import folders
from slurm_ssh.ssh.transport import Completed
from slurm_ssh.text import one_line, tells_of_no_space

UMASK = "JUPYTERHUB_SITES_UMASK"
"""The variable that tells a job the umask that its files are to have."""

_WRONG_FOLDER = {
    private_folder.FOREIGN: sentences.FOLDER_FOREIGN,
    private_folder.OPEN: sentences.FOLDER_OPEN,
    private_folder.REPLACEABLE: sentences.FOLDER_REPLACEABLE,
}

# JupyterLab does not start in a home that is full.
_HOME = """\
umask 077; probe="$HOME/.jupyter-sites-$$"
head -c 4096 /dev/zero > "$probe"; s=$?; rm -f -- "$probe"; exit $s"""
# A start-up file may have closed stderr.
_SAY = "say() { printf '\\n== %s\\n' \"$1\" || return; printf '\\n== %s\\n' \"$1\" >&2 || :; }\n"


class Step(StrEnum):
    """What is done at the front end, in this order: there is no ticket to place at every site.

    SBATCH is the submission, by whatever the site's scheduler has for it.
    """

    HOME = "home"
    FOLDER = "folder"
    TICKET = "ticket"
    SBATCH = "sbatch"


def program(site: Site, owner: str, request: JobRequest, script: str, delivered: Delivered) -> tuple[Shell, bytes]:
    """Return the program that submits, and its data: the ticket, one line a secret, the script for sbatch.

    It goes no further than to a step that fails.
    """
    steps, data = beginning(site, owner), b""
    if placing := delivered.placing:
        steps += [says(Step.TICKET), alone(placing.program)]
        data = placing.data
    # Whoever has sent less has been cut off.
    reads = "".join(f"IFS= read -r {name} || exit\nexport {name}\n" for name in request.secrets)
    lines = "".join(f"{value}\n" for value in request.secrets.values())
    submit = schedulers.of(site).submit(site, delivered.sbatch_options, tuple(request.secrets))
    steps += [reads, settings(delivered), says(Step.SBATCH), submit]
    return Shell("".join(steps)), data + (lines + script).encode()


def beginning(site: Site, owner: str) -> list[str]:
    """Return what is done before anything is placed: home and folder are looked at."""
    # A folder that is everybody's is made by nobody: it would be the first person's.
    look = private_folder.enter(folders.job_folder(site, owner), "{owner}" in site.job_folder)
    return [_SAY, alone(_HOME), says(Step.FOLDER), alone(look)]


def says(step: Step) -> Shell:
    """Return what says that a step begins."""
    return Shell(f"say {step} || exit\n")


def alone(step: str) -> Shell:
    """Return a step that leaves neither its folder nor its umask to those after it."""
    return Shell(f"(\n{step}\n) || exit\n")


def settings(delivered: Delivered) -> Shell:
    """Return what sbatch, and all that comes after it, finds in its environment."""
    # What was set for Slurm's commands, and the front end's own ticket, mean nothing on a node.
    clean = " ".join(("unset LC_ALL TZ SLURM_TIME_FORMAT KRB5CCNAME", *delivered.unset)) + "\n"
    # The log is the owner's alone; the job itself goes on with the login's own umask.
    return Shell(f"{clean}{UMASK}=$(umask); export {UMASK}; umask 077\n")


def parse(answer: Completed) -> tuple[Step, Completed]:
    """Return the step that the program ended in, and how that ended."""
    step, stdout, stderr = Step.HOME, answer.stdout, answer.stderr
    for later in (Step.FOLDER, Step.TICKET, Step.SBATCH):
        says = f"\n== {later}\n"
        if says in stdout:
            step, stdout, stderr = later, _behind(says, stdout), _behind(says, stderr)
    return step, Completed(answer.status, stdout, stderr)


def may_have_submitted(stdout: str) -> bool:
    """Return whether a program that was left, and had said so much until then, may have come to sbatch.

    Its next word ends it.
    """
    return f"\n== {Step.SBATCH}\n" in stdout


def _behind(says: str, text: str) -> str:
    """Return what follows the first of such lines, all if there is none."""
    before, _, said = text.partition(says)
    return text if before == text else said


def error(site: Site, owner: str, delivered: Delivered, step: Step, said: Completed) -> LaunchError:
    """Return what to tell of a step before sbatch that has failed."""
    if step is Step.TICKET and delivered.placing:
        return delivered.placing.error(said)
    if step is Step.FOLDER and (wrong := _WRONG_FOLDER.get(said.status)):
        return Refused(wrong.format(site=site.title, folder=private_folder.named(said.stderr)))
    reason = _last_line(said)
    is_full = tells_of_no_space(reason)
    if step is Step.FOLDER:
        sentence = sentences.FOLDER_FULL if is_full else sentences.FOLDER_NOT_WRITABLE
    else:
        sentence = sentences.HOME_FULL if is_full else sentences.HOME_NOT_WRITABLE
    return Refused(sentence.format(site=site.title, folder=folders.job_folder(site, owner), reason=reason))


def _last_line(said: Completed) -> str:
    lines = [line.strip() for line in said.stderr.splitlines() if line.strip()]
    return one_line(lines[-1], 300) if lines else sentences.EXIT_STATUS.format(status=said.status)
