"""What is asked of the service: each call of its API as a value, with how its answer is read.  Pure.

Nothing is sent here.  Names that would lead out of the API's own paths are refused with ValueError.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote, urlencode

from hubjobs import models, sentences
from hubjobs.reading import read, read_all

T = TypeVar("T")

Json = Any
Act = Literal["start", "cancel", "hold", "release"]
Stream = Literal["stdout", "stderr"]

API = "services/jobs/api/v1/"
HUB_API = "hub/api/"

_JOB_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request below the service's API, or another `root` at the hub, and what its answer is.

    `repeats` says that it may be sent again when nobody knows whether the service has done it.
    """

    method: str
    path: str
    parse: Callable[[Json], T]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    repeats: bool = True
    root: str = API

    @property
    def target(self) -> str:
        """The path with its query, below the hub's address."""
        path = f"{self.root}{self.path}"
        return f"{path}?{urlencode(self.query)}" if self.query else path

    @property
    def content(self) -> bytes | None:
        """The body as it is sent."""
        return None if self.body is None else json.dumps(self.body).encode()

    def with_headers(self, **headers: str) -> "Call[T]":
        """Return the same with more headers; `_` in a name stands for `-`."""
        return replace(self, headers={**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}})


@dataclass(frozen=True)
class Upload:
    """Chunks that can be had any number of times, how many bytes they are, and their sha256 digest in base64."""

    chunks: Callable[[], Iterator[bytes]]
    length: int
    digest: str


def is_job_id(text: str) -> bool:
    """Whether a text may be the id of a job."""
    return _JOB_ID.fullmatch(text) is not None


def part(text: str) -> str:
    """Return one part of a path, quoted.  Raises ValueError for one that would lead elsewhere."""
    if text in {"", ".", ".."}:
        raise ValueError(sentences.NO_NAME.format(text=text))
    return quote(text, safe="")


def job_path(job_id: str) -> str:
    """Return the path of a job.  Raises ValueError for what is no job id."""
    if not is_job_id(job_id):
        raise ValueError(sentences.NO_JOB_ID.format(text=job_id))
    return f"jobs/{job_id}"


def _file(job_id: str, path: str) -> str:
    return "/".join((job_path(job_id), "files", *map(part, path.split("/"))))


def one_of(model: type[T]) -> Callable[[Json], T]:
    """Return how one of these is read."""
    return lambda value: read(model, value)


def items_of(model: type[T]) -> Callable[[Json], tuple[T, ...]]:
    """Return how a list is read: the API gives `{items: [...]}`, or the array itself."""
    return lambda value: read_all(model, value.get("items") if isinstance(value, dict) else value)


def nothing(_value: Json) -> None:
    """Read an answer that says no more than that it was done."""


def query(**given: object) -> tuple[tuple[str, str], ...]:
    """Return a query of what is given, of which a list is asked for each."""
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        each = value if isinstance(value, (list, tuple)) else [value]
        pairs.extend((name, str(one)) for one in each if one is not None and one != "")
    return tuple(pairs)


def new_key() -> dict[str, str]:
    """Return the header with which a request may be sent again and is done once."""
    return {"Idempotency-Key": uuid.uuid4().hex}


# -- who, where, what ------------------------------------------------------------------------------------
def me() -> Call[models.Me]:
    """Ask whose the token is."""
    return Call("GET", "", one_of(models.Me))


def hub() -> Call[models.Hub]:
    """Ask the hub itself which it is."""
    return Call("GET", "", one_of(models.Hub), root=HUB_API)


def systems() -> Call[tuple[models.System, ...]]:
    """Ask where jobs can run."""
    return Call("GET", "systems", items_of(models.System))


def system(key: str) -> Call[models.System]:
    """Ask about one of them."""
    return Call("GET", f"systems/{part(key)}", one_of(models.System))


def types() -> Call[tuple[models.JobType, ...]]:
    """Ask what can be run."""
    return Call("GET", "types", items_of(models.JobType))


def job_type(key: str, datasets: Sequence[str] = ()) -> Call[models.JobType]:
    """Ask about one of them: with what can be chosen for all of these datasets."""
    return Call("GET", f"types/{part(key)}", one_of(models.JobType), query(dataset=datasets))


def projects(system: str | None = None) -> Call[tuple[models.Project, ...]]:
    """Ask what jobs may count against."""
    path = f"projects/{part(system)}" if system else "projects"
    return Call("GET", path, items_of(models.Project))


def quotas() -> Call[tuple[models.Project, ...]]:
    """Ask for those that have a quota."""
    return Call("GET", "quotas", items_of(models.Project))


# -- jobs ------------------------------------------------------------------------------------------------
def preview(spec: models.Spec) -> Call[models.Preview]:
    """Ask what would become of a job; nothing is sent to a site."""
    return Call("POST", "preview", one_of(models.Preview), body=spec.to_json())


def submit(spec: models.Spec) -> Call[models.Job]:
    """Ask for a job."""
    return Call("POST", "jobs", one_of(models.Job), headers=new_key(), body=spec.to_json())


def submit_each(spec: models.Spec) -> Call[models.Group]:
    """Ask for a job for each dataset, or with that mode for an array with a task for each."""
    body = replace(spec, mode="array" if spec.mode == "array" else "each").to_json()
    return Call("POST", "jobs", one_of(models.Group), headers=new_key(), body=body)


def start_server(spec: models.Spec) -> Call[models.Server]:
    """Ask for a server of an interactive type; the hub starts it with the token, which has to be allowed to."""
    said = spec.to_json()
    body = {name: said[name] for name in ("type", "system", "project", "choices", "datasets") if name in said}
    return Call("POST", "servers", one_of(models.Server), headers=new_key(), body=body)


def datasets(
    q: str | None = None,
    type: str | None = None,  # noqa: A002 - the API's word
    cursor: str | None = None,
) -> Call[models.Datasets]:
    """Ask what jobs can work on: with a text in its name or id, of a type."""
    return Call("GET", "datasets", one_of(models.Datasets), query(q=q, type=type, cursor=cursor))


def jobs(
    *,
    stage: str | Sequence[str] | None = None,
    system: str | None = None,
    project: str | None = None,
    type: str | None = None,  # noqa: A002 - the API's word
    q: str | None = None,
    since: str | None = None,
    parent: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[models.Page]:
    """Ask for jobs, newest first: of these stages, with a text in their title, made since a moment.

    With a `parent` they are the tasks of an array; without, no tasks.
    """
    asked = query(
        stage=stage,
        system=system,
        project=project,
        type=type,
        q=q,
        since=since,
        parent=parent,
        limit=limit,
        cursor=cursor,
    )
    return Call("GET", "jobs", one_of(models.Page), asked)


def job(job_id: str, wait_s: int | None = None) -> Call[models.Job]:
    """Ask for one job; with an ETag, the answer may wait so long for its next change."""
    return Call("GET", job_path(job_id), one_of(models.Job), query(wait=wait_s))


def rename(job_id: str, title: str) -> Call[models.Job]:
    """Give a job another title."""
    return Call("PATCH", job_path(job_id), one_of(models.Job), body={"title": title})


def act(job_id: str, what: Act) -> Call[models.Job]:
    """Start, cancel, hold or release a job."""
    return Call("POST", f"{job_path(job_id)}/{what}", one_of(models.Job), headers=new_key())


def resubmit(job_id: str) -> Call[models.Job]:
    """Ask for a new job as that one was."""
    return Call("POST", f"{job_path(job_id)}/resubmit", one_of(models.Job), headers=new_key())


def delete(job_id: str) -> Call[models.Job]:
    """Remove a job that is over, and its folder."""
    return Call("DELETE", job_path(job_id), one_of(models.Job), repeats=False)


def events(job_id: str) -> Call[tuple[models.Event, ...]]:
    """Ask what happened to a job."""
    return Call("GET", f"{job_path(job_id)}/events", items_of(models.Event))


def script(job_id: str) -> Call[Any]:
    """Ask for what Slurm was sent; the answer is a text, not JSON."""
    return Call("GET", f"{job_path(job_id)}/script", nothing)


# -- files -----------------------------------------------------------------------------------------------
def files(job_id: str) -> Call[models.Files]:
    """Ask what lies in a job's folder, and in the folders there."""
    return Call("GET", f"{job_path(job_id)}/files", one_of(models.Files))


def file(job_id: str, path: str) -> Call[Any]:
    """Ask for a file's bytes."""
    return Call("GET", _file(job_id, path), nothing)


def put_file(job_id: str, path: str) -> Call[models.File]:
    """Put a file into a job's folder."""
    return Call("PUT", _file(job_id, path), one_of(models.File))


def delete_file(job_id: str, path: str) -> Call[None]:
    """Remove a file from a job's folder."""
    return Call("DELETE", _file(job_id, path), nothing, repeats=False)


def log(job_id: str, stream: Stream, tail: int | None) -> Call[Any]:
    """Ask for what a job has printed, at most its last `tail` lines."""
    return Call("GET", f"{job_path(job_id)}/log", nothing, query(stream=stream, tail=tail))


def follow(job_id: str, stream: Stream, wait_s: int, tail: int | None, offset: int | None) -> Call[Any]:
    """Ask for what a job prints, for so many seconds: from its last `tail` lines on, or behind `offset` bytes."""
    asked = query(stream=stream, follow="true", wait=wait_s, tail=tail, offset=offset)
    return Call("GET", f"{job_path(job_id)}/log", nothing, asked)


def archive(job_id: str) -> Call[Any]:
    """Ask for a job's folder as a tar."""
    return Call("GET", f"{job_path(job_id)}/archive.tar", nothing)
