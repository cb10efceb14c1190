"""The old paths to the caller's own jobs."""

from fastapi import Response

from job_service.http.caller import Reading, Submitting
from job_service.http.given import A_LIST, TheService
from job_service.http.old import named
from job_service.http.old.listing import MOST, Limit, Offset, listed, shown
from job_service.http.old.lists import TAG
from job_service.http.old.shapes import OldJob
from job_service.http.route import router as made
from job_service.http.v1.jobs import Word
from job_service.stages import Stage
from job_service.store.values import JobFilter

router = made(TAG)


@router.get("/jobs/", summary="Your jobs", dependencies=[A_LIST])
async def jobs(
    caller: Reading, service: TheService, response: Response, limit: Limit = MOST, offset: Offset = 0
) -> list[OldJob]:
    """List your jobs, the newest first; `X-Total-Count` says how many there are."""
    return await listed(service, response, JobFilter(caller.name), (limit, offset))


@router.get("/jobs/{hpc}/", summary="Your jobs at a system", dependencies=[A_LIST])
async def jobs_at(
    caller: Reading, service: TheService, response: Response, hpc: Word, limit: Limit = MOST, offset: Offset = 0
) -> list[OldJob]:
    """List your jobs at one system."""
    return await listed(service, response, JobFilter(caller.name), (limit, offset), hpc)


@router.get("/jobs/{hpc}/{project}/", summary="Your jobs of a project", dependencies=[A_LIST])
async def jobs_of(
    caller: Reading,
    service: TheService,
    response: Response,
    hpc: Word,
    project: Word,
    limit: Limit = MOST,
    offset: Offset = 0,
) -> list[OldJob]:
    """List your jobs of one project."""
    return await listed(service, response, JobFilter(caller.name), (limit, offset), hpc, project)


@router.get("/jobs/{hpc}/{project}/{job_id}/", summary="One of your jobs")
async def job(caller: Reading, service: TheService, hpc: Word, project: Word, job_id: Word) -> OldJob:
    """Show one of your jobs."""
    record = await named.job(service, hpc, project, job_id, caller.name)
    return (await shown(service, [record]))[0]


@router.delete(
    "/jobs/{hpc}/{project}/{job_id}/", responses={202: {"model": OldJob}}, summary="Cancel or remove a job"
)
async def delete(
    caller: Submitting, service: TheService, response: Response, hpc: Word, project: Word, job_id: Word
) -> OldJob:
    """Remove a job that is over, with its folder: its stage is then DELETED.  Any other one is cancelled, 202."""
    record = await named.job(service, hpc, project, job_id, caller.name)
    if not record.stage.is_over:
        record = await service.running.cancel(record)
        response.status_code = 202
    elif record.stage is not Stage.DELETED:
        record = await service.running.remove(record)
    return (await shown(service, [record]))[0]
