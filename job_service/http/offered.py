"""The bodies of answers about what people are offered, as the OpenAPI document describes them.

`accepting.offers` makes them, as JSON values; what they are is said here for whoever reads the document.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from profiles.catalogue.identity import Identity


class Maintenance(BaseModel):
    """When a system takes no jobs."""

    begins: datetime
    ends: datetime


class Partition(BaseModel):
    """A part of a system that can be chosen."""

    name: str
    title: str
    is_up: bool | None = Field(description="None while it is not known.")
    time_max_s: int | None
    nodes: int | None


class SystemLimits(BaseModel):
    """What a system takes of one person."""

    active_jobs: int = Field(description="Jobs that are not over.")
    upload_bytes: int = Field(description="Of one file.")
    keep_s: int = Field(description="For how long the folder of a job that is over is kept.")


class System(BaseModel):
    """Where jobs can run."""

    key: str
    title: str
    support: str = Field(description="Whom to ask for help with it.")
    state: Literal["open", "closed", "away", "refused"] = Field(
        description="`closed`: it takes no jobs, or none of yours; `away`: it does not answer, jobs wait here; "
        "`refused`: it did not let you in lately."
    )
    reason: str = Field(description="A sentence: why it is not open.")
    maintenance: Maintenance | None = Field(description="The next one.")
    partitions: list[Partition]
    limits: SystemLimits
    projects: list[str] = Field(description="What your jobs may count against, the default first.")
    projects_known: bool = Field(description="Whether there are no others.")
    capabilities: list[str]
    asked_at: datetime | None = Field(description="When it was last asked how it is.")
    is_stale: bool


class Systems(BaseModel):
    """Where you may have jobs, the default first."""

    items: list[System]


class Option(BaseModel):
    """One value of a choice."""

    value: str
    title: str


class Choice(BaseModel):
    """What can be chosen: one of `options`, a number from `least` to `most`, or a text."""

    name: str
    label: str
    options: list[Option] | None
    least: int | str | None
    most: int | str | None
    default: str = Field(description="What a job gets that leaves it out, in words.")
    usual: str = Field(description="The value that means the same, if one does.")
    hint: str


class OnLine(BaseModel):
    """What a choice puts on the command line of the program, also one that is for some datasets only."""

    name: str
    argument: list[str] | None = Field(
        description="What stands before its value, which stands alone behind `[]`; null: see `words`."
    )
    words: dict[str, list[str]] = Field(
        description="What stands there for a value, instead of it; nothing for others."
    )


class Place(BaseModel):
    """A job type at one system."""

    system: str
    title: str
    identity: Identity = Field(
        description="`service`: its jobs run as an account of the system, which you need not have one at; they "
        "count against projects for such. `person`: as you."
    )
    state: str = Field(description="`free` if a job would start at once; `busy closed away refused unknown`.")
    news: str = Field(description="The same in words.")
    age: str = Field(description="How old that is, in words.")
    fields: list[Choice]
    on_line: list[OnLine]


class WantedDatasets(BaseModel):
    """Which datasets the jobs of a type take."""

    types: list[str]
    min: int
    max: int
    modes: list[str] = Field(description="What may become of several, the default first.")


class JobType(BaseModel):
    """What can be run."""

    key: str
    name: str
    description: str = Field(description="Markdown.")
    icon: str | None
    runs: Literal["program", "line", "server"] = Field(
        description="`line`: one of your own, sent as `command`. `server`: no job, but a server of the hub, which "
        "`/servers` starts."
    )
    systems: list[Place]
    datasets: WantedDatasets | None = Field(description="None: it takes no datasets.")


class JobTypes(BaseModel):
    """The job types that you may have, the default first."""

    items: list[JobType]


class Quota(BaseModel):
    """What is left, in seconds of the project's."""

    charge: Literal["wall", "node", "core"] = Field(
        description="What a second of a job counts: one, one for each node, or one for each core of each node."
    )
    time_left_s: int = Field(description="For you.")
    project_time_left_s: int = Field(description="For all.")
    limits: dict[str, int] = Field(
        description="Most `nodes`, `cores` of a node and `time` (seconds) of one job; `active` jobs of a person, "
        "tasks of one `array`."
    )


class Project(BaseModel):
    """What jobs may count against."""

    system: str
    name: str
    title: str
    account: str | None = Field(description="What Slurm charges; none: its default.")
    identity: Identity = Field(description="`service`: for jobs that run as an account of the system.")
    is_default: bool = Field(description="Whether jobs that name none count against it.")
    quota: Quota | None = Field(description="None: there is no limit here.")


class Projects(BaseModel):
    """What your jobs may count against."""

    items: list[Project]


class Dataset(BaseModel):
    """What a job can work on."""

    id: str = Field(description="Its name in requests.", examples=["scans:run-17"])
    name: str
    type: str
    location: str = Field(description="Its path at the system.")
    parameters: dict[str, bool | int | float | str]
    system: str | None = Field(description="The only system that has it; none: it is the same everywhere.")


class Datasets(BaseModel):
    """Some datasets that you can choose."""

    items: list[Dataset]
    next: str | None = Field(description="The `cursor` for the next ones; none if these were the last.")
    problems: list[str] = Field(description="Sentences: what could not be asked, so that there may be more.")


class NotAccepted(BaseModel):
    """Why there is no job for a dataset."""

    dataset: str = Field(description="Its id.")
    code: str = Field(description="A word for programs.", examples=["quota_exceeded"])
    detail: str = Field(description="A sentence for you.")


class Preview(BaseModel):
    """What would become of a job."""

    type: str
    system: str
    project: str
    account: str | None = Field(description="What Slurm would charge; none: its default.")
    title: str
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    limit_s: int
    cost_s: int = Field(description="Seconds of the project's that it would hold.")
    left_s: int | None = Field(description="Seconds of the project's that you have left; none: it has no quota.")
    script: str = Field(description="What Slurm would be sent.")
    begins: datetime | None = Field(description="When Slurm expects it to start, if that is known.")
    ask_again: bool = Field(
        description="Whether Slurm is being asked: the same request in some seconds tells more."
    )
    obstacles: list[str] = Field(description="Sentences: why it would not be accepted now, or refused by Slurm.")
    jobs: int = Field(description="How many jobs these would be, the first of which this is.")
    total_cost_s: int = Field(description="Seconds of the project's that all of them would hold.")
    errors: list[NotAccepted] = Field(description="Of which datasets there would be no job, and why.")
    costs: str = Field(
        description="A sentence: what all of it costs as the catalogue weighs it; empty where it weighs nothing."
    )
