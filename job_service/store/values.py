"""What goes into the store and comes out of it, but for JobRecord.  Frozen values; times are UTC, with a zone."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypedDict, TypeVar

from job_service.errors import JobError
from job_service.record import JobRecord, Kind, Submission
from job_service.spec import JobSpec
from job_service.stages import Stage
from profiles.catalogue.dataset import Dataset
from profiles.catalogue.identity import Identity

Item = TypeVar("Item")


def new_job_id() -> str:
    """Return 12 hex digits that no job has."""
    return secrets.token_hex(6)


@dataclass(frozen=True)
class NewJob:
    """A job that has passed the gate: all that is known of it before it is accepted.  Fields as in JobRecord.

    `groups` are the owner's on the hub, for memberships.  `project_id` is the number of a project of the service,
    which has a quota; None if `project` is one of Slurm's accounts, or `default`, which have none.  `stage` is one
    of the first three.  `active_max` is how many of the owner's jobs may be under way at the system at once.
    `datasets` are what it works on.
    """

    job_id: str
    owner: str
    groups: frozenset[str]
    login: str
    system: str
    project: str
    project_id: int | None
    account: str | None
    spec: JobSpec
    title: str
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    limit_s: int
    folder: str
    active_max: int
    stage: Stage = Stage.NEW
    datasets: tuple[Dataset, ...] = ()
    group: str | None = None
    kind: Kind = "batch"
    parent: str | None = None
    task: int | None = None
    identity: Identity = "person"


@dataclass(frozen=True)
class NotAccepted:
    """Why there is no job for a dataset, whose id this is: a word for programs, and a sentence."""

    dataset: str
    code: str
    detail: str

    @classmethod
    def of(cls, dataset: str, error: JobError) -> "NotAccepted":
        """Return the same for what went wrong."""
        return cls(dataset, error.code, error.message)


@dataclass(frozen=True)
class Group:
    """What one request for several datasets became: the jobs, in the order of the datasets, and what did not.

    `id` is the job id of the first.  Of an array it is that of the array, and `jobs` is the array alone.
    """

    id: str
    jobs: tuple[JobRecord, ...]
    errors: tuple[NotAccepted, ...] = ()


@dataclass(frozen=True)
class IdempotencyKey:
    """What makes a repeated request the same one: a name that the client made, and the digest of what it sent."""

    key: str
    digest: str


class Changes(TypedDict, total=False):
    """What may change of a job; fields as in JobRecord.

    `native_id` is there exactly while `submission` is "sent".  `failed` follows from the stage.  `ended` is when
    it ended at the site; the store sets it for a job that comes to its end without.
    """

    stage: Stage
    title: str
    submission: Submission
    attempts: int
    sent: datetime | None
    native_id: str | None
    native_state: str
    reason: str
    exit_code: int | None
    signal: int | None
    cancel_wanted: datetime | None
    remove_after: datetime | None
    removed: datetime | None
    queued: datetime | None
    started: datetime | None
    ended: datetime
    elapsed_s: int | None
    observed: datetime | None
    observed_by: str


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are wanted: those for which all holds that is given.

    `owner` None: everybody's.  `stages` None: all but DELETED.  `q` is a part of the title, in any case, the
    beginning of a job id, or Slurm's number.  `since`: created then or later.  With a `parent` they are its tasks;
    without, tasks are left out.  `group`: those that one request has made.
    """

    owner: str | None = None
    stages: frozenset[Stage] | None = None
    system: str | None = None
    project: str | None = None
    type: str | None = None
    q: str | None = None
    since: datetime | None = None
    parent: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some of many, the newest first; `next_cursor` is where the rest begins, None if these were the last."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Event:
    """What happened to a job; `id` grows over all jobs, `text` is a sentence, `stage` the one after it."""

    id: int
    job_id: str
    owner: str
    at: datetime
    stage: Stage
    text: str
