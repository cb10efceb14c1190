"""A Backend: one gateway, as all that is done for jobs there is asked of it.  Frozen values.

Its methods raise `Refused` (it will never do this, and says why), `Unavailable` (later it may be done), `Broken`
(an admin has to mend something), and `submit` alone `InDoubt` (it may have been done: with the other errors of it
surely nothing was).  Whatever else was asked without an answer may be asked again.  Of files they also raise
NotFound, Invalid (what is no folder), NotAFile, TooLarge and NoSpace of `job_service.errors`.  What a gateway says
is read within bounds, cut and made printable before it is in a value or an error; none of these holds what lets
anybody in there.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, Protocol

from job_service.files.info import FileInfo, Listing
from job_service.record import JobRecord
from job_service.stages import Stage
from slurm_ssh.errors import Broken, InDoubt, Refused, Unavailable
from slurm_ssh.job import LaunchId, mark

__all__ = ["Accepted", "Backend", "Broken", "Handle", "InDoubt", "Order", "Refused", "Seen", "Unavailable"]

Capability = Literal["cancel", "files", "hold", "log"]
"""What can be done with a job: without `hold`, for one, nobody can hold one."""


@dataclass(frozen=True)
class Handle:
    """A job as a gateway may know it.

    `mark` is its name there, alike for no other job of any service; `owner` a name on the hub.  `native_id` is
    what the gateway calls it, "" while that is not known: then it is looked for by its mark.
    """

    job_id: str
    mark: str
    owner: str
    native_id: str = ""


def handle_of(record: JobRecord, service: str) -> Handle:
    """Return a job as its gateway may know it; `service` is the name in the marks of its jobs."""
    return Handle(
        record.job_id, mark("job", service, LaunchId(record.job_id)), record.owner, record.native_id or ""
    )


@dataclass(frozen=True)
class Order:
    """What a gateway is asked for.

    `program` are the words that are run, a tool's name first where there are tools; `script` is a bash script that
    runs them in the job's folder, for a gateway that takes one, else what there is to show of what is sent.
    `files` are ours, by their paths in that folder, the script among them as `script_path`; `inputs` are the paths
    of those that the job's owner sends before.
    `cores`, `memory_mib` and `gpus` are for each of `nodes`.  `queue` and `project` None leave that to the
    gateway.
    """

    handle: Handle
    title: str
    program: tuple[str, ...]
    script: str
    script_path: str
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    limit_s: int
    queue: str | None = None
    project: str | None = None
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Accepted:
    """A job that was sent: what the gateway calls it, and what it said to that, "" for nothing."""

    native_id: str
    advice: str = ""


@dataclass(frozen=True)
class Seen:
    """What a gateway says of a job that it has.

    `stage` is None for a word that means nothing to us; `word` is its own for it, `message` what it says besides.
    `exit_code` is None while there is none, or none is known.  Times are the gateway's, None where it does not
    say.  An end as FAILED of a job that was cancelled is `is_abort` if it may well be because of that.
    """

    stage: Stage | None
    word: str
    message: str = ""
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    is_abort: bool = False


class Backend(Protocol):
    """One gateway.  Any method may be called while another is under way, also for the same job.

    `pause_s` is how long at least to wait between two questions of `observe`, in seconds.
    """

    capabilities: frozenset[Capability]
    pause_s: float

    async def prepare(self, order: Order) -> None:
        """Make the place where the job's files go, with those of ours; nothing runs, and no time is counted.

        Any number of times, before `submit`.
        """

    async def put(
        self, handle: Handle, path: str, chunks: AsyncIterator[bytes], length: int | None = None
    ) -> FileInfo:
        """Put a file into the job's folder: whole, or not at all.

        Chunks are taken no faster than the gateway takes them; what they raise comes out.
        """

    async def submit(self, order: Order) -> Accepted:
        """Have a job run that was prepared.  It is called again only for a job that `find` did not find."""

    async def find(self, handles: Sequence[Handle]) -> Mapping[str, str]:
        """Return which of these jobs were submitted, by job id: what the gateway calls each.

        Who is not in it, of those asked for, was not: the gateway has answered for all.
        """

    async def observe(self, handles: Sequence[Handle]) -> Mapping[str, Seen]:
        """Return what is known of these jobs, which were submitted, by job id; a missing one is not mentioned."""

    async def conclude(self, handle: Handle) -> Seen | None:
        """Return how a job ended that is over, or was not mentioned; None if the gateway has none such."""

    async def cancel(self, handle: Handle) -> None:
        """Have a job end that was submitted; nothing if it is over.  What comes of it, `observe` says."""

    async def files(self, handle: Handle, path: str = "") -> Listing:
        """Return what lies in the job's folder, or in one in it, and in the folders there; nothing of ours."""

    def read(
        self, handle: Handle, path: str, start: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[tuple[FileInfo, AsyncIterator[bytes]]]:
        """Give a file, and its bytes from `start` on (a negative one counts from the end), at most `length`.

        There are exactly as many as the file's size then says, or the iterator raises.
        """

    async def remove(self, handle: Handle, path: str = "") -> None:
        """Remove a file or a folder, for "" the job with all its files: nothing if that is not there."""

    async def close(self) -> None:
        """Let go of connections."""
