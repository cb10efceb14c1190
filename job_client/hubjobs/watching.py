"""What becomes of a job, over the engine."""

from collections.abc import AsyncGenerator, Sequence

from hubjobs import calls, models
from hubjobs.engine import Engine

POLL_S = 30
"""How long the service may wait with an answer until something has changed."""

PAUSE_S = 1.0
"""How long we wait ourselves where nothing has changed, whatever the service does."""


async def watch(engine: Engine, job_id: str) -> AsyncGenerator[models.Job, None]:
    """Give a job as it is, and again after each change, until it is over."""
    etag = ""
    while True:
        found = await engine.newer(calls.job(job_id, POLL_S if etag else None), etag)
        job, etag = found
        if job is not None:
            yield job
            if job.is_over:
                return
        if job is None or not etag:
            await engine.transport.sleep(PAUSE_S)


async def wait(engine: Engine, job_id: str) -> models.Job:
    """Return a job once it is over."""
    async for job in watch(engine, job_id):
        last = job
    return last


async def every(
    engine: Engine,
    *,
    stage: str | Sequence[str] | None = None,
    system: str | None = None,
    project: str | None = None,
    type: str | None = None,  # noqa: A002 - the API's word
    q: str | None = None,
    since: str | None = None,
) -> AsyncGenerator[models.Job, None]:
    """Give all jobs that there are, newest first."""
    cursor: str | None = None
    while True:
        page = await engine.do(
            calls.jobs(
                stage=stage, system=system, project=project, type=type, q=q, since=since, limit=500, cursor=cursor
            )
        )
        for job in page.items:
            yield job
        if not (cursor := page.next):
            return
