"""What a site's accounting knows of jobs: what is sent, how the answer is read.  Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh.slurm import jobs
from slurm_ssh.text import one_line

AT_ONCE = 500
"""About how many jobs one question may be."""

_FIELDS = "JobID,JobName,User,State,ExitCode,Start,End,ElapsedRaw,NodeList"
_COLUMNS = 9
_END = "END|"
_DISABLED = "accounting storage is disabled"
_MISSING = (126, 127)
# `7`; of a task of an array `7_3`, and of several that never began `7_[4-6]`.
_NUMBER = re.compile(r"[0-9]{1,10}(?:_(?:[0-9]{1,7}|\[[0-9,:%.-]{1,200}\]))?")
_EXIT = re.compile(r"([0-9]{1,3}):([0-9]{1,3})")
_ELAPSED = re.compile(r"[0-9]{1,9}")
_NODES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,\[\]-]{0,199}")
_LONGEST_WORD = 30


@dataclass(frozen=True)
class Past:
    """A job as the accounting knows it, whose word may still be that of one that goes on.

    `word` is Slurm's for its state, `status` and `signal` are those of its script; it `began` and `ended` then and
    ran for `elapsed_seconds`, each None if that is not said.  `nodes` is Slurm's list, "" for none.  A task of an
    array has the `job_id` `7_3`; those that never began share one, `7_[4-6]`.
    """

    job_id: str
    mark: str
    owner: str
    word: str
    status: int
    signal: int
    began: datetime | None
    ended: datetime | None
    elapsed_seconds: int | None
    nodes: str


def numbered(site: Site, job_ids: Iterable[str]) -> Shell:
    """Return the program that tells of jobs by their numbers."""
    return _asked(site, "-j", ",".join(job_ids))


def marked(site: Site, owner: str, marks: Iterable[str], since: datetime) -> Shell:
    """Return the program that tells of an owner's jobs with these marks that were there then or later."""
    begin = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return _asked(site, "-S", begin, "-u", owner, f"--name={','.join(marks)}")


def _asked(site: Site, *words: str) -> Shell:
    asked = jobs.command(site, "sacct", "-nPX", *words, "-o", _FIELDS)
    return Shell(f"{asked} 2>&1\nprintf '\\n{_END}%s\\n' $?\n")


def parse(stdout: str) -> tuple[Past, ...] | None:
    """Return what the accounting said, nothing if there is none, None if it did not answer.

    A line of another shape is passed over.
    """
    lines = stdout.splitlines()
    if f"{_END}0" not in lines:
        is_there = _DISABLED not in stdout and not any(f"{_END}{status}" in lines for status in _MISSING)
        return None if is_there else ()
    return tuple(past for line in lines if (past := _past(line.split("|"))))


def _past(columns: list[str]) -> Past | None:
    if len(columns) != _COLUMNS or not _NUMBER.fullmatch(columns[0]):
        return None
    job_id, mark, owner, state, code, began, ended, elapsed, nodes = columns
    exited = _EXIT.fullmatch(code)
    status, signal = (int(exited[1]), int(exited[2])) if exited else (0, 0)
    return Past(
        job_id,
        mark,
        owner,
        # `CANCELLED by 1001`.
        one_line(state.partition(" ")[0], _LONGEST_WORD),
        status,
        signal,
        _time(began),
        _time(ended),
        int(elapsed) if _ELAPSED.fullmatch(elapsed) else None,
        nodes if _NODES.fullmatch(nodes) else "",
    )


def _time(text: str) -> datetime | None:
    """Return a time as Slurm writes it where TZ is UTC, None for a word such as Unknown."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
