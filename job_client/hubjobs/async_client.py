"""The client for asyncio: `AsyncJobs`, with the methods of `Jobs`."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from hubjobs import calls, models, session, transfers, watching
from hubjobs.archive import Unpacked
from hubjobs.calls import Call, Stream
from hubjobs.engine import Engine
from hubjobs.passwords import hub_of
from hubjobs.transfers import Progress, quietly
from hubjobs.transport import Waiting

T = TypeVar("T")


class AsyncJobs:
    """Jobs of the owner of a token, at the hub with an address.

    `patience_s` is for how long a call is repeated while the service is away.  All methods raise HubJobsError:
    Problem if the service refuses, Away if it cannot be reached.  A text that is no job id, or no path, is a
    ValueError.  With `async with`, or by `close`, the connections are closed.
    """

    def __init__(self, url: str, token: str, *, patience_s: float = 30) -> None:
        self._engine = Engine(hub_of(url), token, Waiting(), patience_s)

    @classmethod
    def logged_in(cls, *, patience_s: float = 30) -> Self:
        """Return a client for whoever has logged in by `hubjobs login`.  Raises NotLoggedIn."""
        kept = session.kept()
        return cls(kept.url, kept.token, patience_s=patience_s)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._engine.url!r})"

    async def close(self) -> None:
        """Let all connections go."""
        await self._engine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def do(self, call: Call[T]) -> T:
        """Return what a call gives."""
        return await self._engine.do(call)

    async def said(self, call: Call[Any]) -> str:
        """Return the text that a call gives, as the service wrote it: JSON, for most."""
        return await self._engine.said(call)

    async def me(self) -> models.Me:
        """Return whose the token is, and what it may."""
        return await self.do(calls.me())

    async def systems(self) -> tuple[models.System, ...]:
        """Return where jobs can run."""
        return await self.do(calls.systems())

    async def system(self, key: str) -> models.System:
        """Return one of the systems."""
        return await self.do(calls.system(key))

    async def job_types(self) -> tuple[models.JobType, ...]:
        """Return what can be run."""
        return await self.do(calls.types())

    async def job_type(self, key: str, datasets: Sequence[str] = ()) -> models.JobType:
        """Return one of the job types, with what can be chosen for all of these datasets."""
        return await self.do(calls.job_type(key, datasets))

    async def projects(self, system: str | None = None) -> tuple[models.Project, ...]:
        """Return what jobs may count against."""
        return await self.do(calls.projects(system))

    async def quotas(self) -> tuple[models.Project, ...]:
        """Return the projects that have a quota."""
        return await self.do(calls.quotas())

    async def preview(self, spec: models.Spec) -> models.Preview:
        """Return what would become of a job; nothing is sent to a site."""
        return await self.do(calls.preview(spec))

    async def submit(self, spec: models.Spec) -> models.Job:
        """Ask for a job.  One with inputs begins once they have been `put`."""
        return await self.do(calls.submit(spec))

    async def submit_each(self, spec: models.Spec) -> models.Group:
        """Ask for a job for each dataset of the spec; what can be accepted is."""
        return await self.do(calls.submit_each(spec))

    async def start_server(self, spec: models.Spec) -> models.Server:
        """Start a server of an interactive type; of the spec, what a job has besides counts for nothing."""
        return await self.do(calls.start_server(spec))

    async def datasets(
        self,
        q: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's word
        cursor: str | None = None,
    ) -> models.Datasets:
        """Return what jobs can work on: with a text in its name or id, of a type."""
        return await self.do(calls.datasets(q, type, cursor))

    async def jobs(
        self,
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
    ) -> models.Page:
        """Return some jobs, newest first: of these stages, made since a moment, with `q` in title or id."""
        return await self.do(
            calls.jobs(
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
        )

    def every_job(
        self,
        *,
        stage: str | Sequence[str] | None = None,
        system: str | None = None,
        project: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's word
        q: str | None = None,
        since: str | None = None,
    ) -> AsyncGenerator[models.Job, None]:
        """Give all jobs of these, newest first."""
        return watching.every(
            self._engine, stage=stage, system=system, project=project, type=type, q=q, since=since
        )

    async def job(self, job_id: str) -> models.Job:
        """Return a job as it is."""
        return await self.do(calls.job(job_id))

    async def rename(self, job_id: str, title: str) -> models.Job:
        """Give a job another title."""
        return await self.do(calls.rename(job_id, title))

    async def start(self, job_id: str) -> models.Job:
        """Start a job that waits for that."""
        return await self.do(calls.act(job_id, "start"))

    async def cancel(self, job_id: str) -> models.Job:
        """Cancel a job.  Its stage changes when its system says so."""
        return await self.do(calls.act(job_id, "cancel"))

    async def hold(self, job_id: str) -> models.Job:
        """Keep a job that waits from running."""
        return await self.do(calls.act(job_id, "hold"))

    async def release(self, job_id: str) -> models.Job:
        """Let a job run that was held."""
        return await self.do(calls.act(job_id, "release"))

    async def resubmit(self, job_id: str) -> models.Job:
        """Ask for a new job, of the same request and inputs."""
        return await self.do(calls.resubmit(job_id))

    async def delete(self, job_id: str) -> models.Job:
        """Remove a job that is over, and its folder."""
        return await self.do(calls.delete(job_id))

    async def events(self, job_id: str) -> tuple[models.Event, ...]:
        """Return what happened to a job, oldest first."""
        return await self.do(calls.events(job_id))

    async def files(self, job_id: str) -> models.Files:
        """Return what lies in a job's folder."""
        return await self.do(calls.files(job_id))

    async def delete_file(self, job_id: str, path: str) -> None:
        """Remove a file from a job's folder."""
        await self.do(calls.delete_file(job_id, path))

    async def script(self, job_id: str) -> str:
        """Return what Slurm was sent."""
        return await self.said(calls.script(job_id))

    async def put(
        self, job_id: str, source: str | Path, name: str | None = None, progress: Progress = quietly
    ) -> models.File:
        """Put a file into a job's folder, under its own name or another."""
        return await transfers.put(self._engine, job_id, Path(source), name, progress)

    async def get(self, job_id: str, path: str, target: str | Path, progress: Progress = quietly) -> None:
        """Fetch a file of a job's to a file here, whole or not at all."""
        await transfers.get(self._engine, job_id, path, Path(target), progress)

    async def get_all(self, job_id: str, folder: str | Path, progress: Progress = quietly) -> Unpacked:
        """Fetch all of a job's folder to a folder here; links that lead out of it, and devices, are left out."""
        return await transfers.get_all(self._engine, job_id, Path(folder), progress)

    def log(self, job_id: str, stream: Stream = "stdout", tail: int | None = None) -> AsyncGenerator[bytes, None]:
        """Give what a job has printed, at most its last `tail` lines."""
        return transfers.log(self._engine, job_id, stream, tail)

    def follow(
        self, job_id: str, stream: Stream = "stdout", tail: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Give what a job prints until it is over, from its begin, or its last `tail` lines, on."""
        return transfers.follow(self._engine, job_id, stream, tail)

    def watch(self, job_id: str) -> AsyncGenerator[models.Job, None]:
        """Give a job as it is, and after each change, until it is over."""
        return watching.watch(self._engine, job_id)

    async def wait(self, job_id: str) -> models.Job:
        """Return a job once it is over."""
        return await watching.wait(self._engine, job_id)
