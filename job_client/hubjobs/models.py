"""What the service says, as frozen values.

Times have a zone; `..._s` are seconds, `memory_mib` MiB.  Texts are as the service gave them: whoever writes them
to a terminal passes them through `hubjobs.text` first.  None means that it is not known, or does not apply.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_OVER = frozenset({"SUCCESSFUL", "FAILED", "CANCELED", "DELETED"})

CANCELED_STATUS = 130
"""What `wait` ends with for a cancelled job: a shell's status of a program that was interrupted."""


@dataclass(frozen=True)
class Ticket:
    """The valid Kerberos ticket that the hub keeps, with which jobs are sent."""

    principal: str = ""
    expires: datetime | None = None
    renewable_until: datetime | None = None


@dataclass(frozen=True)
class Me:
    """Whose the token is, and what it may; without a ticket nothing can be sent.  `version` is the service's."""

    name: str
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    is_admin: bool = False
    ticket: Ticket | None = None
    version: str = ""


@dataclass(frozen=True)
class Hub:
    """The hub that the service belongs to: JupyterHub's version."""

    version: str = ""


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
class Dataset:
    """Something that jobs can work on, a path at a system (None: at every one); `id` names it in requests."""

    id: str
    name: str = ""
    type: str = ""
    location: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None


@dataclass(frozen=True)
class Datasets:
    """Some datasets; `next` is the cursor of those after them, `problems` say what could not be asked."""

    items: tuple[Dataset, ...] = ()
    next: str | None = None
    problems: tuple[str, ...] = ()


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
class Partition:
    """A part of a system that can be chosen."""

    name: str
    title: str = ""
    is_up: bool | None = None
    time_max_s: int | None = None
    nodes: int | None = None


@dataclass(frozen=True)
class System:
    """Where jobs can run: `state` is open, closed, away or refused, and `reason` says why it is not open."""

    key: str
    title: str = ""
    support: str = ""
    state: str = ""
    reason: str = ""
    partitions: tuple[Partition, ...] = ()
    projects: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Option:
    """One value of a choice."""

    value: str
    title: str = ""


@dataclass(frozen=True)
class Choice:
    """Something that may be set in a job type: one of `options`, a number from `least` to `most`, or a text.

    `default` says in words what a job gets that leaves it out.
    """

    name: str
    label: str = ""
    options: tuple[Option, ...] | None = None
    least: int | str | None = None
    most: int | str | None = None
    default: str = ""
    hint: str = ""


@dataclass(frozen=True)
class OnLine:
    """What a choice puts on the command line of a type's program.

    That is `argument` before its value (None: the value is not put there so), or the `words` of its value.
    """

    name: str
    argument: tuple[str, ...] | None = None
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A job type at one system: what may be set there, and whether a job would start at once.

    It runs there as you (`identity` "person"), or as an account of the system ("service").
    """

    system: str
    title: str = ""
    state: str = ""
    news: str = ""
    age: str = ""
    identity: str = "person"
    fields: tuple[Choice, ...] = ()
    on_line: tuple[OnLine, ...] = ()


@dataclass(frozen=True)
class WantedDatasets:
    """Which datasets the jobs of a type take; `modes` say what may become of several, the default first."""

    types: tuple[str, ...] = ()
    min: int = 0
    max: int = 0
    modes: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobType:
    """Something that can be run; `runs` is "line" if that is a line of one's own, else "program"."""

    key: str
    name: str = ""
    description: str = ""
    runs: str = ""
    systems: tuple[Place, ...] = ()
    datasets: WantedDatasets | None = None


@dataclass(frozen=True)
class Quota:
    """What is left of a project, in its seconds: for you, and for all.

    `charge` says what a second of a job counts: `wall` one, `node` one for each node, `core` one for each core.
    """

    charge: str = ""
    time_left_s: int = 0
    project_time_left_s: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """What jobs count against; `quota` None: there is no limit here."""

    system: str
    name: str
    title: str = ""
    account: str | None = None
    is_default: bool = False
    quota: Quota | None = None


@dataclass(frozen=True)
class Preview:
    """What would become of a job that nobody has sent.

    It is the first of so many `jobs`, one for each of some datasets but those in `errors`; all would hold
    `total_cost_s`.  `cost_s` are the seconds it would hold of its project, `left_s` those that are left.
    `begins` is when Slurm expects it to start; `obstacles` are the sentences why it would not be accepted now.
    `script` is what Slurm would get.
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


@dataclass(frozen=True)
class Ban:
    """Somebody may not send jobs, to one project or at all."""

    user: str
    id: int | None = None
    system: str | None = None
    project: str | None = None
    reason: str = ""
    by: str = ""
    at: datetime | None = None
    lifted: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """Seconds that somebody in a project, or (`user` None) the project itself, gained, or lost if negative."""

    kind: str
    seconds: int
    user: str | None = None
    at: datetime | None = None
    by: str = ""
    note: str = ""


@dataclass(frozen=True)
class PersonalQuota:
    """What somebody has left of a project, in its seconds."""

    user: str
    system: str
    project: str
    time_left: int


@dataclass(frozen=True)
class Member:
    """Somebody (`user`), or everybody in a group of the hub (`group`), who may use a project."""

    kind: str
    name: str


@dataclass(frozen=True)
class Stand:
    """How the jobs at a system are followed: as whom it was asked, when it answered, how many jobs there are.

    `doubts` are jobs of which nobody knows whether Slurm has them, `owed` what could not be carried out yet.
    """

    key: str
    observer: str = ""
    asked: datetime | None = None
    away_since: datetime | None = None
    reason: str = ""
    stale: bool = False
    live: int = 0
    doubts: int = 0
    owed: int = 0


@dataclass(frozen=True)
class ServiceProject:
    """A project as admins see it: what it has in all, each member begins with, and is left, in its seconds.

    `limits` bind one job (`nodes`, `cores` of a node, `time` in seconds) and a person (`active` jobs).  Its jobs
    run as people (`identity` "person"), or as the account of the system ("service").
    """

    system: str
    name: str
    title: str = ""
    account: str | None = None
    charge: str = ""
    init_time: int = 0
    user_time: int = 0
    time_left: int = 0
    is_default: bool = False
    is_open: bool = False
    identity: str = "person"
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Deed:
    """What an admin did, and to what."""

    actor: str
    action: str
    target: str = ""
    detail: str = ""
    at: datetime | None = None
