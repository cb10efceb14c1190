"""The bodies of requests and answers about jobs, as the OpenAPI document describes them.

Times are ISO 8601 in UTC; `..._s` are seconds, `..._mib` MiB; `cores`, `memory_mib` and `gpus` are for each node.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from job_service.http.offered import NotAccepted
from job_service.http.sent import Sent
from job_service.record import Kind
from job_service.spec import JobSpec, Start
from job_service.stages import Stage
from profiles.catalogue.dataset import Mode

_MOST_NUMBER = 10**15

Number = (
    Annotated[StrictInt, Field(ge=-_MOST_NUMBER, le=_MOST_NUMBER)]
    | Annotated[StrictFloat, Field(allow_inf_nan=False)]
)


class NewJob(Sent):
    """A job that somebody wants, or wants to see a preview of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "command",
                    "system": "geneva",
                    "choices": {"cores": 2, "time": "30m"},
                    "command": "hostname",
                }
            ]
        }
    )

    type: str = Field(description="Key of a job type, see `/types`.")
    system: str | None = Field(default=None, description="Key of a system; without: the first that can be had.")
    project: str | None = Field(default=None, description="What it counts against; without: your default there.")
    title: str = Field(default="", description="One line that you will know it by.")
    choices: dict[str, StrictStr | Number] = Field(
        default_factory=dict,
        description="What the type lets you choose, such as `cores` or `time`; numbers may be numbers.",
    )
    command: str | None = Field(default=None, description="The line to run, for a type that runs one of your own.")
    arguments: list[str] = Field(
        default_factory=list, description="Words behind a program's own, for a type that takes some."
    )
    inputs: list[str] = Field(default_factory=list, description="Names of files that you will send.")
    start: Start = Field(
        default="now",
        description="When it is sent: `now`, `when-complete` (once all inputs are there), `later` (by `/start`).",
    )
    unpack: bool = Field(default=False, description="Whether the job unpacks the zips among its inputs.")

    datasets: list[str] = Field(default_factory=list, description="Ids of datasets to work on, see `/datasets`.")
    mode: Mode = Field(
        default="single",
        description="What becomes of them: `single`, one job with all; `each`, one for each; `array`, a task for "
        "each of one array.",
    )

    def spec(self) -> JobSpec:
        """Return the same for the gate."""
        return JobSpec(
            type=self.type,
            system=self.system,
            project=self.project,
            title=self.title,
            choices=_texts(self.choices),
            command=self.command,
            arguments=tuple(self.arguments),
            inputs=tuple(self.inputs),
            start=self.start,
            unpack=self.unpack,
            datasets=tuple(self.datasets),
            mode=self.mode,
        )


class NewServer(Sent):
    """A server of an interactive job type that somebody wants."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "look", "datasets": ["scans:run-17"], "choices": {"time": "2h"}}]}
    )

    type: str = Field(description="Key of a job type that runs a `server`, see `/types`.")
    system: str | None = Field(default=None, description="Key of a system; without: the first that can be had.")
    project: str | None = Field(
        default=None, description="The account of Slurm's that is charged; without: the default one."
    )
    choices: dict[str, StrictStr | Number] = Field(
        default_factory=dict, description="What its profile lets you choose, such as `cores` or `time`."
    )
    datasets: list[str] = Field(default_factory=list, description="Ids of datasets to work on, see `/datasets`.")

    def spec(self) -> JobSpec:
        """Return the same for the gate."""
        return JobSpec(
            type=self.type,
            system=self.system,
            project=self.project,
            choices=_texts(self.choices),
            datasets=tuple(self.datasets),
        )


class Server(BaseModel):
    """A server that starts."""

    name: str = Field(description="Its name on the hub.")
    type: str
    system: str
    datasets: list[str]
    url: str = Field(description="The page that follows its start and leads to it, as a path on the hub.")


def _texts(choices: Mapping[str, str | float]) -> dict[str, str]:
    """Return choices as somebody would type them."""
    return {name: value if isinstance(value, str) else _text(value) for name, value in choices.items()}


def _text(value: float) -> str:
    """Return a number as somebody would type it: 5, never 5.0."""
    return str(int(value)) if value == int(value) else repr(value)


class TitleChange(Sent):
    """What may change of a job."""

    title: str = Field(description="One line that you will know it by.")


class Links(BaseModel):
    """Where more of a job is, as paths on the hub."""

    self: str
    events: str
    files: str
    log: str
    script: str
    archive: str


class Job(BaseModel):
    """A batch job."""

    job_id: str = Field(description="12 hex digits, its name for ever.", examples=["0a1b2c3d4e5f"])
    id: int = Field(description="A number that counts up over all jobs.")
    title: str
    owner: str = Field(description="Whose it is, as on the hub.")
    system: str
    project: str
    type: str
    kind: Kind = Field(description="`array`: it is several tasks, see `/jobs?parent=`; `task`: one of these.")
    parent: str | None = Field(description="The array that it is a task of.")
    task: int | None = Field(description="Its number in the array.")
    group: str | None = Field(description="The first of the jobs that one request has made; none if it made one.")
    stage: Stage
    reason: str = Field(
        description="A sentence: why it waits, failed or was cancelled, or what is still to be done."
    )
    failed: bool
    exit_code: int | None = Field(description="With which status its script ended.")
    signal: int | None = Field(description="The signal that ended it.")
    created: datetime
    queued: datetime | None = Field(description="When Slurm took it.")
    started: datetime | None
    ended: datetime | None
    elapsed_s: int | None
    limit_s: int
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    native_id: str | None = Field(description="The number that Slurm gave it.")
    native_state: str = Field(description="The word that Slurm last said of it.")
    observed: datetime | None = Field(description="When Slurm last spoke of it.")
    stale: bool = Field(
        description="Whether it may be in another stage: its system, or you there, cannot be asked."
    )
    folder: str = Field(description="Where its files are at the site; empty at a gateway.")
    datasets: list[str] = Field(description="Ids of the datasets that it works on.")
    links: Links


class JobGroup(BaseModel):
    """What became of the datasets of one request."""

    group: str = Field(description="The `group` of the jobs.")
    jobs: list[Job] = Field(
        description="A job for each dataset that could have one, in their order; or the array."
    )
    errors: list[NotAccepted] = Field(description="Why there is none for the others.")


class JobPage(BaseModel):
    """Some of your jobs, the newest first."""

    items: list[Job]
    next: str | None = Field(description="The `cursor` for the next ones; none if these were the last.")


class Event(BaseModel):
    """What happened to a job."""

    id: int = Field(description="Grows over all jobs.")
    job_id: str
    at: datetime
    stage: Stage = Field(description="The stage after it.")
    text: str = Field(description="A sentence.")


class Events(BaseModel):
    """The history of a job, the oldest first."""

    items: list[Event]


class File(BaseModel):
    """What lies in a job's folder."""

    path: str = Field(description="Its path in the job's folder.", examples=["results/slice-001.txt"])
    kind: Literal["file", "folder", "link", "other"]
    size: int = Field(description="Bytes.")
    modified: datetime
    etag: str = Field(description="Another one once it has changed.")
    href: str = Field(description="Where it can be had, as a path on the hub; right for any name.")


class Files(BaseModel):
    """What lies in a job's folder and in the folders there, by path."""

    items: list[File]
    is_cut: bool = Field(description="Whether there is more than can be listed: ask for the folders in it.")


class Ticket(BaseModel):
    """What the hub has of you to get you to the systems."""

    principal: str
    expires: datetime
    renewable_until: datetime | None = None


class Me(BaseModel):
    """Who you are for the service, and what your token may."""

    name: str
    groups: list[str]
    scopes: list[str]
    is_admin: bool
    ticket: Ticket | None = Field(description="None: nothing can be sent until you log in to the hub again.")
    version: str = Field(description="The version of the service.")


class Health(BaseModel):
    """That the service is there, and reaches its database."""

    status: Literal["ok"] = "ok"


class Problem(BaseModel):
    """What went wrong: `application/problem+json`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Forbidden"])
    status: int = Field(examples=[403])
    detail: str = Field(description="A sentence for you.")
    code: str = Field(description="A word for programs.", examples=["quota_exceeded"])
    field: str | None = Field(default=None, description="The first field that is wrong.")
    fields: dict[str, str] | None = Field(default=None, description="All that are wrong, each with a sentence.")
    hint: str | None = Field(default=None, description="A sentence: what to do.")
    request_id: str = Field(description="For the administrators: it is in their log.")
