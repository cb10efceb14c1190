"""What the owner of a job can have done with it."""

from typing import Any

from fastapi import Response

from job_service.http import answers, models
from job_service.http.caller import Submitting
from job_service.http.given import A_JOB, OwnJobToChange, TheKept, TheViews
from job_service.http.route import router as made
from job_service.http.v1.jobs import IdempotencyKey, accepted
from job_service.http.views import Views
from job_service.record import JobRecord
from job_service.stages import Stage

router = made("jobs")

_LATER: dict[int | str, dict[str, Any]] = {
    202: {"model": models.Job, "description": "Wanted; the stage changes when the system says so"}
}


@router.post("/jobs/{job_id}/start", response_model=models.Job, summary="Start a job")
async def start(record: OwnJobToChange, kept: TheKept, views: TheViews) -> Response:
    """Sends a job that is NEW, once its inputs have come. Another one is 409."""
    return _answer(views, await kept.service.running.start(record), is_done=True)


@router.post("/jobs/{job_id}/cancel", response_model=models.Job, responses=_LATER, summary="Cancel a job")
async def cancel(record: OwnJobToChange, kept: TheKept, views: TheViews) -> Response:
    """At once if it was never sent. Otherwise its system is told, later if it is away; one that is over is 409."""
    wanted = await kept.service.running.cancel(record)
    return _answer(views, wanted, is_done=wanted.stage.is_over)


@router.post("/jobs/{job_id}/hold", response_model=models.Job, responses=_LATER, summary="Hold a job")
async def hold(record: OwnJobToChange, kept: TheKept, views: TheViews) -> Response:
    """Slurm does not begin a waiting job until it is released. Another one is 409."""
    wanted = await kept.service.running.hold(record)
    return _answer(views, wanted, is_done=wanted.stage is Stage.HELD)


@router.post("/jobs/{job_id}/release", response_model=models.Job, responses=_LATER, summary="Release a held job")
async def release(record: OwnJobToChange, kept: TheKept, views: TheViews) -> Response:
    """Slurm may begin it. A job that is not held is 409."""
    wanted = await kept.service.running.release(record)
    return _answer(views, wanted, is_done=wanted.stage is not Stage.HELD)


@router.post(
    "/jobs/{job_id}/resubmit",
    response_model=models.Job,
    status_code=201,
    summary="Send a job again",
    dependencies=[A_JOB],
)
async def resubmit(
    caller: Submitting,
    record: OwnJobToChange,
    kept: TheKept,
    views: TheViews,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A new job of the same request and with the same inputs; the old one stays as it is."""
    again, is_new = await kept.service.accepting.resubmit(caller.person, record, idempotency_key)
    return await accepted(kept, views, again, is_new)


def _answer(views: Views, record: JobRecord, *, is_done: bool) -> Response:
    return answers.of(views.job(record), 200 if is_done else 202, ETag=views.etag(record))
