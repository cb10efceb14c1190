"""Everybody's jobs.  Their files stay their owners': nobody else reads them here."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response

from job_service.http import answers, models
from job_service.http.admin.actor import Actor
from job_service.http.caller import Administering
from job_service.http.given import A_LIST, TheService, TheViews
from job_service.http.route import router as made
from job_service.http.v1.jobs import Sought, Word
from job_service.http.views import event
from job_service.record import JobRecord
from job_service.service import Service
from job_service.stages import Stage

router = made("admin")

_LATER: dict[int | str, dict[str, Any]] = {
    202: {"model": models.Job, "description": "Wanted; it is done as soon as the system can be told"}
}


async def _anybodys(
    _: Administering, service: TheService, job_id: Annotated[Word, Path(description="The job's id.")]
) -> JobRecord:
    return await service.store.jobs.get(job_id)


AnyJob = Annotated[JobRecord, Depends(_anybodys)]
"""A job of anybody's."""


@router.get("/jobs", response_model=models.JobPage, summary="List everybody's jobs", dependencies=[A_LIST])
async def listed(
    request: Request,
    _: Administering,
    service: TheService,
    views: TheViews,
    wanted: Sought,
    owner: Annotated[Word | None, Query(description="Only this person's.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 50,
    cursor: Annotated[Word | None, Query(description="`next` of the answer before.")] = None,
) -> Response:
    """The newest first, as their owners see them."""
    page = await service.store.jobs.page(replace(wanted, owner=owner or None), limit, cursor or None)
    return answers.tagged(request, views.page(page))


@router.get("/jobs/{job_id}", response_model=models.Job, summary="Look at anybody's job")
async def one(record: AnyJob, views: TheViews) -> Response:
    """As its owner sees it."""
    return answers.of(views.job(record), ETag=views.etag(record))


@router.get("/jobs/{job_id}/events", response_model=models.Events, summary="History of anybody's job")
async def history(request: Request, record: AnyJob, service: TheService) -> Response:
    """What happened to a job, the oldest first."""
    events = await service.store.jobs.events(record.job_id)
    return answers.tagged(request, models.Events(items=[event(each) for each in events]))


@router.post("/jobs/{job_id}/cancel", response_model=models.Job, responses=_LATER, summary="Cancel anybody's job")
async def cancel(record: AnyJob, actor: Actor, service: TheService, views: TheViews) -> Response:
    """As if its owner did; one that is over is 409."""
    wanted = await service.running.cancel(record)
    await _audited(service, actor, "cancel", record)
    return answers.of(views.job(wanted), 200 if wanted.stage.is_over else 202)


@router.post("/jobs/{job_id}/hold", response_model=models.Job, responses=_LATER, summary="Hold anybody's job")
async def hold(record: AnyJob, actor: Actor, service: TheService, views: TheViews) -> Response:
    """As if its owner did, with their ticket: without one it is 409."""
    wanted = await service.running.hold(record)
    await _audited(service, actor, "hold", record)
    return answers.of(views.job(wanted), 200 if wanted.stage is Stage.HELD else 202)


@router.post(
    "/jobs/{job_id}/release", response_model=models.Job, responses=_LATER, summary="Release anybody's job"
)
async def release(record: AnyJob, actor: Actor, service: TheService, views: TheViews) -> Response:
    """As if its owner did, with their ticket: without one it is 409."""
    wanted = await service.running.release(record)
    await _audited(service, actor, "release", record)
    return answers.of(views.job(wanted), 202 if wanted.stage is Stage.HELD else 200)


@router.delete("/jobs/{job_id}", response_model=models.Job, responses=_LATER, summary="Remove anybody's job")
async def remove(record: AnyJob, actor: Actor, service: TheService, views: TheViews) -> Response:
    """A job that is over, and its folder; another one is 409."""
    removed = await service.running.remove(record)
    await _audited(service, actor, "remove", record)
    return answers.of(views.job(removed), 200 if removed.removed else 202)


async def _audited(service: Service, actor: str, action: str, record: JobRecord) -> None:
    await service.store.audit.add(actor, f"{action} job", record.job_id, record.owner)
