"""The jobs of whoever calls: sent, listed, looked at, named anew, removed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Response
from pydantic import AfterValidator, StringConstraints

from job_service.accepting import asked
from job_service.errors import Invalid
from job_service.http import answers, models
from job_service.http.caller import Reading, Submitting
from job_service.http.given import A_JOB, A_LIST, Kept, OwnJob, OwnJobToChange, TheKept, TheViews
from job_service.http.route import router as made
from job_service.http.views import Views
from job_service.record import JobRecord
from job_service.sentences import http as sentences
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.errors import Outdated
from job_service.store.jobs import Jobs
from job_service.store.values import JobFilter

router = made("jobs")

_LONGEST_WAIT = 60
_TRIES = 5

Word = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Wait = Annotated[int, Query(ge=0, le=_LONGEST_WAIT, description="How many seconds to wait.")]
IdempotencyKey = Annotated[
    str | None,
    Header(description="A name that you made for this request: it may then be sent again, and is done once."),
]


def _utc(moment: datetime) -> datetime:
    """Return a moment with a zone; ValueError for one that no job can be of."""
    if not 2000 <= moment.year <= 9000:
        raise ValueError
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]


@router.post(
    "/jobs",
    response_model=models.Job | models.JobGroup,
    status_code=201,
    summary="Send a job, or one for each of some datasets",
    dependencies=[A_JOB],
    responses={
        200: {"model": models.Job | models.JobGroup, "description": "What came of this key before"},
    },
)
async def send(
    body: models.NewJob,
    caller: Submitting,
    kept: TheKept,
    views: TheViews,
    idempotency_key: IdempotencyKey = None,
    wait: Wait = 0,
) -> Response:
    """The answer waits for no system, unless `wait` says for how long the job may be on its way to Slurm.

    With an `Idempotency-Key` that came within the last week for the same body, it is the job of then; for another
    body it is refused (422). With another `mode` than single the answer is a JobGroup: what can be accepted is.
    """
    if body.mode != "single":
        group, are_new = await kept.service.accepting.accept_each(caller.person, body.spec(), idempotency_key)
        if are_new:
            begun(kept, *group.jobs)
        return answers.of(views.group(group), 201 if are_new else 200)
    record, is_new = await kept.service.accepting.accept(caller.person, body.spec(), idempotency_key)
    return await accepted(kept, views, record, is_new, wait)


async def accepted(kept: Kept, views: Views, record: JobRecord, is_new: bool, wait: int = 0) -> Response:
    """Return the answer with a job that was accepted now, or had been before."""
    if is_new:
        begun(kept, record)
    if wait:
        with kept.waiting.one(record.owner):
            record = await until(kept, record, wait, lambda each: each.stage is not Stage.READY)
    return answers.of(views.job(record), 201 if is_new else 200, Location=views.place(record))


def begun(kept: Kept, *records: JobRecord) -> None:
    """Have jobs that are new, and came with one request, go on their way; each of their datasets counts as one."""
    tasks = sum(len(each.spec.datasets) if each.kind == "array" else 1 for each in records)
    kept.pace.further(records[0].owner, tasks - 1)
    for each in records:
        kept.service.running.wake(each)
        kept.news.tell(each)


async def _sought(
    stage: Annotated[
        list[Stage] | None, Query(description="Only these stages; without: all but DELETED.", max_length=20)
    ] = None,
    system: Annotated[Word | None, Query(description="Only this system.")] = None,
    project: Annotated[Word | None, Query(description="Only this project.")] = None,
    type: Annotated[Word | None, Query(description="Only this job type.")] = None,  # noqa: A002 - the API's word
    q: Annotated[
        Word | None, Query(description="A part of the title, the beginning of a job id, or Slurm's number.")
    ] = None,
    since: Annotated[Moment | None, Query(description="Only those sent then or later.")] = None,
    parent: Annotated[Word | None, Query(description="The tasks of this array; without: no tasks.")] = None,
) -> JobFilter:
    """Return which jobs are looked for, whosever they are."""
    stages = frozenset(stage) if stage else None
    return JobFilter(None, stages, system or None, project or None, type or None, q or None, since, parent or None)


Sought = Annotated[JobFilter, Depends(_sought)]
"""Which jobs a list is of, but for their owner."""


@router.get("/jobs", response_model=models.JobPage, summary="List your jobs", dependencies=[A_LIST])
async def listed(
    request: Request,
    caller: Reading,
    kept: TheKept,
    views: TheViews,
    wanted: Sought,
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 50,
    cursor: Annotated[Word | None, Query(description="`next` of the answer before.")] = None,
) -> Response:
    """The newest first, from the service's own database. `ETag` and `If-None-Match` spare what has not changed."""
    page = await kept.service.store.jobs.page(replace(wanted, owner=caller.name), limit, cursor or None)
    async with kept.showing.one():
        return answers.tagged(request, views.page(page))


@router.get(
    "/jobs/{job_id}",
    response_model=models.Job,
    summary="Look at a job",
    responses={304: {"description": "Nothing has changed"}},
)
async def one(request: Request, record: OwnJob, kept: TheKept, views: TheViews, wait: Wait = 0) -> Response:
    """`ETag` is its version. With `If-None-Match` and `wait` the answer comes at the next change, or is 304."""
    if wait and answers.is_known(request, views.etag(record)):
        with kept.waiting.one(record.owner):
            record = await until(kept, record, wait, lambda each: not answers.is_known(request, views.etag(each)))
    etag = views.etag(record)
    if answers.is_known(request, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return answers.of(views.job(record), ETag=etag)


@router.patch("/jobs/{job_id}", response_model=models.Job, summary="Give a job another title")
async def change(body: models.TitleChange, record: OwnJobToChange, kept: TheKept, views: TheViews) -> Response:
    """Nothing else of a job can be changed."""
    if wrong := dict(asked.problems(JobSpec(record.type, title=body.title))):
        raise Invalid(sentences.WRONG_FIELDS, wrong)
    changed = await _retitled(kept.service.store.jobs, record, body.title)
    kept.news.tell(changed)
    return answers.of(views.job(changed), ETag=views.etag(changed))


@router.delete(
    "/jobs/{job_id}",
    response_model=models.Job,
    summary="Remove a job that is over",
    responses={202: {"model": models.Job, "description": "Removed; its folder goes once its system can be told"}},
)
async def remove(record: OwnJobToChange, kept: TheKept, views: TheViews) -> Response:
    """The job and its folder go. One that is not over is not removed (409): cancel it first."""
    removed = await kept.service.running.remove(record)
    return answers.of(views.job(removed), 200 if removed.removed else 202)


async def _retitled(jobs: Jobs, record: JobRecord, title: str) -> JobRecord:
    for _ in range(_TRIES):
        try:
            return await jobs.change(record, {"title": title})
        except Outdated:
            record = await jobs.get(record.job_id)
    raise Outdated(record.job_id)


async def until(kept: Kept, record: JobRecord, seconds: int, done: Callable[[JobRecord], bool]) -> JobRecord:
    """Return a job once it is `done`, or as it is after some seconds."""
    jobs = kept.service.store.jobs
    return await kept.news.until(record.job_id, seconds, lambda: jobs.get(record.job_id, record.owner), done)
