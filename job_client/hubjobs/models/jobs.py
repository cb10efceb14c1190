"""Jobs: asked for, looked at, what became of them, and what lies in their folders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

_OVER = frozenset({"SUCCESSFUL", "FAILED", "CANCELED", "DELETED"})

CANCELED_STATUS = 130
"""What `wait` ends with for a cancelled job: a shell's status of a program that was interrupted."""


@dataclass(frozen=True)
class Job:
    """A job: what was asked for, and where it is on its way.

    `stage` is one of NEW, STAGINGIN, READY, QUEUED, HELD, RUNNING, STAGINGOUT, SUCCESSFUL, FAILED, CANCELED,
    DELETED; `reason` says why it waits, failed or was cancelled.  `cores`, `memory_mib` and `gpus` are for each of
    `nodes`.  `exit_code` and `signal` are those of its program.  `stale`: since `observed`, nobody could ask.
    """

    job_id: str
    stage: str
    id: int | None = None
    title: str = ""
    owner: str = ""
    system: str = ""
    project: str = ""
    type: str = ""
    kind: str = ""
    parent: str | None = None
    task: int | None = None
    reason: str = ""
    failed: bool = False
    exit_code: int | None = None
    signal: int | None = None
    created: datetime | None = None
    queued: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    elapsed_s: int | None = None
    limit_s: int | None = None
    nodes: int | None = None
    cores: int | None = None
    memory_mib: int | None = None
    gpus: int | None = None
    native_id: str | None = None
    native_state: str = ""
    observed: datetime | None = None
    stale: bool = False
    folder: str = ""
    datasets: tuple[str, ...] = ()
    group: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it will never run again."""
        return self.stage in _OVER

    @property
    def exit_status(self) -> int:
        """What a program that stands for the job ends with: 0, its own status, 128 and a signal, 130, or 1."""
        if self.stage == "CANCELED":
            return CANCELED_STATUS
        if not self.failed and self.stage in {"SUCCESSFUL", "DELETED"}:
            return 0
        if self.signal:
            return 128 + self.signal % 128
        return self.exit_code % 256 or 1 if self.exit_code else 1


@dataclass(frozen=True)
class NotAccepted:
    """Why there is no job for a dataset: `detail` is a sentence, `code` a word for programs."""

    dataset: str
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Group:
    """What became of several datasets: a job for each that could have one, or the array; why others have none."""

    group: str
    jobs: tuple[Job, ...] = ()
    errors: tuple[NotAccepted, ...] = ()


@dataclass(frozen=True)
class Server:
    """A server of an interactive type: its `name` on the hub, and the `url` there, as a path, that leads to it."""

    name: str
    url: str
    type: str = ""
    system: str = ""
    datasets: tuple[str, ...] = ()

    def address(self, hub: str) -> str:
        """Return the whole URL, by the hub's address."""
        parts = urlsplit(hub)
        return f"{parts.scheme}://{parts.netloc}/{self.url.lstrip('/')}"


@dataclass(frozen=True)
class Page:
    """Some jobs, newest first; `next` is the cursor of those after them."""

    items: tuple[Job, ...] = ()
    next: str | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened to a job."""

    at: datetime
    stage: str = ""
    text: str = ""
    id: int | None = None
    job_id: str = ""


@dataclass(frozen=True)
class File:
    """A file, folder, link or something else in the folder of a job; `path` is relative to it."""

    path: str
    size: int = 0
    modified: datetime | None = None
    kind: str = "file"
    etag: str = ""


@dataclass(frozen=True)
class Files:
    """What lies in a folder of a job; there is more if it `is_cut`."""

    items: tuple[File, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True)
class Preview:
    """What would become of a job that nobody has sent.

    It is the first of so many `jobs`, one for each of some datasets but those in `errors`; all would hold
    `total_cost_s`.  `cost_s` are the seconds it would hold of its project, `left_s` those that are left.
    `begins` is when Slurm expects it to start; `obstacles` are the sentences why it would not be accepted now.
    `script` is what Slurm would get.  `costs` is a sentence, "" unless the administrators say what jobs cost.
    """

    type: str = ""
    system: str = ""
    project: str = ""
    account: str | None = None
    title: str = ""
    nodes: int | None = None
    cores: int | None = None
    memory_mib: int | None = None
    gpus: int | None = None
    limit_s: int | None = None
    cost_s: int | None = None
    left_s: int | None = None
    script: str = ""
    begins: datetime | None = None
    obstacles: tuple[str, ...] = ()
    jobs: int = 1
    total_cost_s: int | None = None
    errors: tuple[NotAccepted, ...] = ()
    costs: str = ""


@dataclass(frozen=True)
class Spec:
    """A job as it is asked for.

    `type` is a job type's key, `system` a system's (None: the first that can be had), `project` one of yours there
    (None: your default).  `choices` are those of the type, such as `{"time": "2h", "cores": "4"}`.  `command` is
    the line of a type that runs any, `arguments` come behind a program's own.  `inputs` are the names of files
    that will be put; the job starts "when-complete", or only "later", by `start`.  With `unpack` it unpacks the
    zips among them.  `datasets` are ids of what it works on; with the `mode` "each" each of them gets a job, with
    "array" a task of one array: both are sent by `submit_each`.
    """

    type: str
    system: str | None = None
    project: str | None = None
    title: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None
    arguments: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    start: str | None = None
    unpack: bool = False
    datasets: tuple[str, ...] = ()
    mode: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the API wants: only what is set."""
        start = self.start or ("when-complete" if self.inputs else None)
        lists = {"arguments": list(self.arguments), "inputs": list(self.inputs), "datasets": list(self.datasets)}
        given = {**self.__dict__, **lists, "choices": dict(self.choices), "start": start}
        return {name: value for name, value in given.items() if name == "type" or value}
