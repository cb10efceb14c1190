"""What lies in the folder of a batch job at its site: where, and what is written there.  Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from profiles.catalogue.site import SiteJobs

OURS = ".job"
"""The folder of the service's own files in that of a job."""

COMMAND = f"{OURS}/command"
"""The line of the job's owner: a file that bash runs in the job's folder."""

STARTED = f"{OURS}/started"
"""Slurm's number of the job that began here; a second one that finds it ends at once."""

END = f"{OURS}/end"
"""How the job has ended, see End; it is whole if it is there.  Of a job that waits again: its last run."""

STAGES = f"{OURS}/stages"
"""What the job said that it does, a line each: epoch second, name, text."""

STDOUT, STDERR = "stdout", "stderr"

_STARTED = re.compile(r"([0-9]{1,10})\n")
_END = re.compile(r"([0-9]{1,10}) ([0-9]{1,3}) ([0-9]{1,12})\n")


def folder(jobs: SiteJobs, owner: str, job_id: str) -> str:
    """Return the folder of a job of the owner's at a site."""
    return f"{jobs.folder.replace('{owner}', owner).rstrip('/')}/{job_id}"


@dataclass(frozen=True)
class End:
    """Which job has ended, with which status of its script (143: it was told to end), and when."""

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
