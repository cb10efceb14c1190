"""What Slurm still knows of a job that is over: a command line to send, an answer to parse.  Pure."""

import re
from dataclasses import replace

from kernels.shell import Shell, join
from profiles.catalogue.site import Site
from slurm_ssh.job import Job
from slurm_ssh.scheduler import Ending
from slurm_ssh.slurm import jobs
from slurm_ssh.text import one_line

_FIELD = re.compile(r"(?:^| )([A-Za-z]{1,30})=(\S{0,300})")
_MOST_FIELDS = 100
_STATUS = re.compile(r"([0-9]{1,3}):([0-9]{1,3})")
_LIMIT = re.compile(r"(?:([0-9]{1,4})-)?([0-9]{1,2}):([0-9]{2}):[0-9]{2}")
_MEMORY = re.compile(r"\bmem=([0-9.]{1,12}[KMGT]?)\b")
_CANCELLED_BY = re.compile(r"CANCELLED by ([0-9]{1,10})")
_NODES = re.compile(r"[A-Za-z0-9][A-Za-z0-9.,\[\]-]{0,99}")
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")
_LONGEST_WORD = 30
_ACCOUNTING = "JobIDRaw,JobName,State,ExitCode,TimelimitRaw,NodeList"
_COLUMNS = 6


def question(site: Site, job: Job) -> Shell:
    """Return the program that prints what the controller and the accounting say of a job; each may say nothing.

    The controller knows a job for MinJobAge seconds after its end, and who cancelled it not at all.
    """
    controller = jobs.command(site, "scontrol", "show", "job", "-o", job.job_id)
    accounting = jobs.command(site, "sacct", "-nPX", "-j", job.job_id, "-o", _ACCOUNTING)
    return Shell(f"{controller} 2>/dev/null\n{accounting} 2>/dev/null\ntrue")


def parse(stdout: str, job: Job) -> Ending:
    """Return what the answer of `question` says of the job.

    Whatever is of another shape, or of a job with another name, is passed over.
    """
    ending = Ending()
    for line in stdout.splitlines():
        if line.startswith("JobId="):
            ending = _of_controller(line, job) or ending
        elif found := _of_accounting(line.split("|"), job):
            ending = _both(ending, found)
    return ending


def _of_controller(line: str, job: Job) -> Ending | None:
    # Text that its owner may choose stands further on, so the first of a name counts.
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(line)[:_MOST_FIELDS]:
        fields.setdefault(name, value)
    if (fields.get("JobId"), fields.get("JobName")) != (job.job_id, job.mark):
        return None
    status, signal = _exit(fields.get("ExitCode", ""))
    memory = _MEMORY.search(fields.get("TRES", ""))
    return Ending(
        word=one_line(fields.get("JobState", ""), _LONGEST_WORD),
        status=status,
        signal=signal,
        nodes=_nodes(fields.get("NodeList", "")),
        minutes=_minutes(fields.get("TimeLimit", "")),
        memory=memory[1] if memory else "",
    )


def _of_accounting(columns: list[str], job: Job) -> Ending | None:
    if len(columns) != _COLUMNS or columns[:2] != [job.job_id, job.mark]:
        return None
    _, _, state, code, minutes, nodes = columns
    status, signal = _exit(code)
    by, word = _CANCELLED_BY.fullmatch(state), state.partition(" ")[0]
    return Ending(
        word=one_line(word, _LONGEST_WORD),
        status=status,
        signal=signal,
        cancelled_by=by[1] if by else "",
        nodes=_nodes(nodes),
        minutes=int(minutes) if re.fullmatch(r"[0-9]{1,7}", minutes) else None,
        is_late=not is_over(word),
    )


def _both(controller: Ending, accounting: Ending) -> Ending:
    """Return what either says; the accounting may still take the job for running."""
    known = controller if controller.word else accounting
    return replace(known, cancelled_by=accounting.cancelled_by, is_late=accounting.is_late)


def is_over(word: str) -> bool:
    """Return whether Slurm's word for a state is that of a job which is over."""
    return jobs.state_of(word).is_over


def _exit(text: str) -> tuple[int, int]:
    found = _STATUS.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _minutes(text: str) -> int | None:
    found = _LIMIT.fullmatch(text)
    return int(found[1] or 0) * 1440 + int(found[2]) * 60 + int(found[3]) if found else None


def _nodes(text: str) -> str:
    return text if _NODES.fullmatch(text) else ""


def login_of(uid: str) -> Shell:
    """Return the command that prints the login name of a uid, which is digits."""
    return join(("id", "-nu", "--", uid))


def parse_login(stdout: str) -> str:
    """Return the login name in the answer of `login_of`, "" if there is none."""
    name = stdout.strip()
    return name if _LOGIN.fullmatch(name) else ""
