"""All jobs of a hub at a site, asked for by one program: what is sent, how its answer is read.  Pure."""

import re
from dataclasses import replace
from datetime import UTC, datetime

from kernels.shell import Shell, quote
from profiles.catalogue.site import Site
from slurm_ssh.scheduler import Listing, Row, Task, UnreadableAnswer
from slurm_ssh.slurm import jobs

# A width of 0 cuts nothing off.  Of the last two no more than they need: with a line break in it, a longer one
# could hold a row about a job of somebody else.
_FIELDS = (
    "JobID",
    "State",
    "BatchHost",
    "UserName",
    "SubmitTime",
    "StartTime",
    "EndTime",
    "TimeUsed",
    "exit_code",
    "ArrayJobID",
    "ArrayTaskID",
    "NodeList",
)
_BEFORE_THE_NAME = (*(f"{field}:0|" for field in _FIELDS), "Reason:60|")
_HEADER = "JOBID|STATE|"
_END = "END|"
_STATUS = re.compile(r"[0-9]{1,3}")
_ID_LENGTH = 12
_WAIT_STATUS = re.compile(r"[0-9]{1,5}")
_TASK = re.compile(r"[0-9]{1,7}")
_NODES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,\[\]-]{0,199}")
_USED = re.compile(r"(?:(?:([0-9]{1,5})-)?([0-9]{1,2}):)?([0-9]{1,2}):([0-9]{2})")


def listing(site: Site, marks: str, owner: str | None = None) -> Shell:
    """Return the program that lists jobs whose mark begins with `marks`, everybody's or one owner's.

    In every state that Slurm remembers, and then squeue's exit status.  Slurm itself cannot choose by a part of a
    name, and of everybody's jobs only ours are sent.
    """
    whose = ("-u", owner) if owner else ()
    columns = ",".join((*_BEFORE_THE_NAME, f"Name:{len(marks) + _ID_LENGTH}"))
    # Else tasks that wait share a row, with the reasons of all, and a list of them that is cut off.
    asked = jobs.command(site, "squeue", "-r", "-t", "all", *whose, "-O", columns)
    patterns = " ".join(f"-e {quote(each)}" for each in (f"^{_HEADER}", f"|{marks}", f"^{_END}"))
    # Bytes, whatever the site's locale: what is no letter in it would end the list.
    return Shell(f"{{ {asked}; printf '{_END}%s\\n' $?; }} | LC_ALL=C grep -a {patterns}")


def parse(stdout: str, marks: str) -> tuple[int, Listing]:
    """Return squeue's exit status, and the rows in the answer of `listing`.

    Rows of another shape that end with one of the `marks` are odd; all others are of jobs that are not ours.

    Raises UnreadableAnswer if the end is missing, or squeue's own header where it has succeeded.
    """
    lines = stdout.splitlines()
    status = lines.pop().removeprefix(_END) if lines and lines[-1].startswith(_END) else ""
    if not _STATUS.fullmatch(status) or (status == "0" and not any(line.startswith(_HEADER) for line in lines)):
        raise UnreadableAnswer(f"squeue answered {stdout[:200]!r}")
    rows, odd = [], set()
    for line in lines:
        fields, bar, name = line.rpartition("|")
        mark = name.rstrip()
        if not bar or not mark.startswith(marks):
            continue
        row = _row(fields.split("|", maxsplit=len(_FIELDS)), mark)
        if row:
            rows.append(row)
        else:
            odd.add(mark)
    return int(status), Listing(tuple(rows), frozenset(odd))


def _row(fields: list[str], mark: str) -> Row | None:
    if len(fields) != len(_FIELDS) + 1 or not jobs.is_job_id(fields[0]):
        return None
    job_id, word, node, owner, submitted, begins, ends, used, status, array, task, nodes, reason = fields
    seen = jobs.report(word, node, reason.strip())
    seen = replace(
        seen,
        submitted=_time(submitted),
        begins=_time(begins),
        ends=_time(ends),
        used_seconds=_seconds(used),
        # Of a job that goes on it is 0.
        wait_status=int(status) if seen.state.is_over and _WAIT_STATUS.fullmatch(status) else None,
        nodes=nodes if _NODES.fullmatch(nodes) else "",
    )
    return Row(job_id, owner, mark, seen, _task(array, task))


def _task(array: str, task: str) -> Task | None:
    """Return which task a row is about; None for a job that is no array, or of which no task is left to begin."""
    return Task(array, int(task)) if jobs.is_job_id(array) and _TASK.fullmatch(task) else None


def _time(text: str) -> datetime | None:
    """Return a time as Slurm writes it where TZ is UTC, None for a word such as N/A."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def _seconds(text: str) -> int | None:
    """Return how long a job has run, which Slurm writes as `1-02:03:04` or `0:07`, None for a word."""
    found = _USED.fullmatch(text)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds if found else None
