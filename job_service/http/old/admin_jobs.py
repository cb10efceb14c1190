"""The old paths of admins to everybody's jobs: a first part that is the name of a system is one, else a user."""

from fastapi import Response

from job_service.http.caller import Administering
from job_service.http.given import A_LIST, TheService
from job_service.http.old import named
from job_service.http.old.listing import MOST, Limit, Offset, listed, shown
from job_service.http.old.lists import TAG
from job_service.http.old.shapes import OldJob
from job_service.http.route import Route
from job_service.http.route import router as made
from job_service.http.v1.jobs import Word
from job_service.service import Service
from job_service.store.values import JobFilter

router = made(TAG, Route, A_LIST)


@router.get("/admin/jobs/", summary="Everybody's jobs")
async def jobs(
    _: Administering, service: TheService, response: Response, limit: Limit = MOST, offset: Offset = 0
) -> list[OldJob]:
    """List everybody's jobs, the newest first; `X-Total-Count` says how many there are."""
    return await listed(service, response, JobFilter(), (limit, offset))


@router.get("/admin/jobs/{first}/", summary="Jobs at a system, or of a user")
async def jobs_at(
    _: Administering, service: TheService, response: Response, first: Word, limit: Limit = MOST, offset: Offset = 0
) -> list[OldJob]:
    """List the jobs at a system, or those of a user."""
    window = (limit, offset)
    if named.is_system(service, first):
        return await listed(service, response, JobFilter(), window, first)
    return await listed(service, response, JobFilter(await named.person(service, first)), window)


@router.get("/admin/jobs/{first}/{second}/", summary="Jobs of a project, or of a user at a system")
async def jobs_of(
    _: Administering,
    service: TheService,
    response: Response,
    first: Word,
    second: Word,
    limit: Limit = MOST,
    offset: Offset = 0,
) -> list[OldJob]:
    """List the jobs of a system's project, or those of a user at a system."""
    window = (limit, offset)
    if named.is_system(service, first):
        return await listed(service, response, JobFilter(), window, first, second)
    return await listed(service, response, JobFilter(await named.person(service, first)), window, second)


@router.get(
    "/admin/jobs/{first}/{second}/{third}/",
    response_model=OldJob | list[OldJob],
    summary="A job, or those of a user, system and project",
)
async def job_or_jobs(
    _: Administering,
    service: TheService,
    response: Response,
    first: Word,
    second: Word,
    third: Word,
    limit: Limit = MOST,
    offset: Offset = 0,
) -> OldJob | list[OldJob]:
    """Show the job of a system, project and id; or list those of a user, at a system, of a project."""
    if named.is_system(service, first):
        return await _one(service, first, second, third, None)
    owner = await named.person(service, first)
    return await listed(service, response, JobFilter(owner), (limit, offset), second, third)


@router.get("/admin/jobs/{user}/{hpc}/{project}/{job_id}/", summary="A job of a user")
async def job(_: Administering, service: TheService, user: Word, hpc: Word, project: Word, job_id: Word) -> OldJob:
    """Show one job of a user."""
    return await _one(service, hpc, project, job_id, await named.person(service, user))


async def _one(service: Service, hpc: str, project: str, job_id: str, owner: str | None) -> OldJob:
    record = await named.job(service, hpc, project, job_id, owner)
    return (await shown(service, [record]))[0]
