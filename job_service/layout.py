"""What lies in the folder of a batch job at its site: where, and what is written there.  Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Self

from profiles.catalogue.site import SiteJobs

OURS = ".job"
"""The folder of the service's own files in that of a job."""

COMMAND = f"{OURS}/command"
"""The line of the job's owner: a file that bash runs in the job's folder."""

STARTED = f"{OURS}/started"
"""Slurm's number of the job that began here, on its first line; a second one that finds it ends at once.

It was written when the job began, or began again.
"""

END = f"{OURS}/end"
"""How the job has ended, see End; it is whole if it is there.  Of a job that waits again: its last run."""

DATASETS = f"{OURS}/datasets.json"
"""What is known of the job's datasets: a list, each with `id name type location parameters system`."""

STAGES = f"{OURS}/stages"
"""What the job said that it does, a line each: epoch second, name, text."""

STDOUT, STDERR = "stdout", "stderr"

LONGEST_PART, LONGEST_PATH = 255, 1000
"""Bytes of a name, and of a path in a job's folder."""

TAKE_AWAY = r"""take_away() {
  rm -rf -- "./$1" 2>/dev/null && return
  # Programs leave folders that are closed to their owner, which keep what is in them.
  find "./$1" -type d ! -perm -700 -exec chmod u+rwx '{}' ';'
  rm -rf -- "./$1"
}
"""
"""A function of sh that removes what has a name here, whatever the modes in it are; it follows no link."""

_NUMBER = "[0-9]{1,10}(?:_[0-9]{1,7})?"
_STARTED = re.compile(rf"({_NUMBER})\n.*", re.DOTALL)
_END = re.compile(rf"({_NUMBER}) ([0-9]{{1,3}}) ([0-9]{{1,11}})\n")

# Control characters, a backslash, and halves of characters that stand for no byte.
_NO_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udc7f\udd00-\udfff]")
_BYTES = re.compile(r"[\udc80-\udcff]")

Flaw = Literal["missing", "absolute", "character", "leaves", "long", "ours"]
"""Why a path cannot be one: it is empty, begins with a slash, has a character that none has, an empty part, `.` or
`..`, too many bytes, or is the service's own."""


def flaw(path: str) -> Flaw | None:
    """Return why no file of a job has that path, relative to its folder; None for one that it may have.

    Lone surrogates from U+DC80 on stand for bytes that are no UTF-8, as Python's `os` has them.
    """
    if not path:
        return "missing"
    if path.startswith("/"):
        return "absolute"
    if _NO_CHARACTER.search(path):
        return "character"
    names = path.split("/")
    if any(name in {"", ".", ".."} for name in names):
        return "leaves"
    if len(encoded(path)) > LONGEST_PATH or any(len(encoded(name)) > LONGEST_PART for name in names):
        return "long"
    return "ours" if names[0] == OURS else None


def is_path(path: str) -> bool:
    """Return whether a file of a job may have that path, and it can be said in any text: it is whole UTF-8."""
    return flaw(path) is None and not _BYTES.search(path)


def encoded(path: str) -> bytes:
    """Return the bytes that a path is at a site."""
    return path.encode(errors="surrogateescape")


def of_task(path: str, task: int | None) -> str:
    """Return the path that a task of an array has in place of this one; the same for any other job (None)."""
    return path if task is None else f"{path}.{task}"


def parent(jobs: SiteJobs, owner: str) -> str:
    """Return the folder in which those of the owner's jobs at a site are."""
    return jobs.folder.replace("{owner}", owner).rstrip("/")


def folder(jobs: SiteJobs, owner: str, job_id: str) -> str:
    """Return the folder of a job of the owner's at a site."""
    return f"{parent(jobs, owner)}/{job_id}"


@dataclass(frozen=True)
class End:
    """Which job has ended, with which status of its script, and when.

    The status is that of its program, and 143 if the job was told to end, by scancel or because its time was up,
    whatever its program made of that; it is also if somebody ended the program alone by SIGTERM.  A job that was
    killed at once has no end.
    """

    native_id: str
    status: int
    at: datetime

    @classmethod
    def of(cls, text: str) -> Self | None:
        """Return what a job's END says, None if that is not what a job writes."""
        found = _END.fullmatch(text)
        return cls(found[1], int(found[2]), datetime.fromtimestamp(int(found[3]), UTC)) if found else None


def started(text: str) -> str | None:
    """Return the number in a job's STARTED, None if that is not what a job writes."""
    found = _STARTED.fullmatch(text)
    return found[1] if found else None
