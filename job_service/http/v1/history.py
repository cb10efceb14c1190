"""What happened to jobs: of one of them, and as it happens of all."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from job_service.errors import JobError, NotFound
from job_service.http import answers, models, views
from job_service.http.caller import Caller, Reading, identify
from job_service.http.given import A_LIST, OwnJob, TheKept, TheService, WhileAnswering
from job_service.http.problems import Problem
from job_service.http.route import router as made
from job_service.sentences import http as sentences
from profiles.errors import ChoiceRefused
from slurm_ssh.errors import Refused

router = made("jobs")

_AT_ONCE = 100
_NUMBER = re.compile(r"[0-9]{1,18}")


@router.get(
    "/jobs/{job_id}/events", response_model=models.Events, summary="History of a job", dependencies=[A_LIST]
)
async def history(request: Request, record: OwnJob, service: TheService) -> Response:
    """What happened to a job, the oldest first."""
    events = await service.store.jobs.events(record.job_id)
    return answers.tagged(request, models.Events(items=[views.event(each) for each in events]))


@router.get("/jobs/{job_id}/script", response_class=PlainTextResponse, summary="Script of a job")
async def script(record: OwnJob, service: TheService) -> Response:
    """What was sent to Slurm, or would be now."""
    try:
        return PlainTextResponse(await service.running.script(record))
    except (ChoiceRefused, Refused) as error:
        raise NotFound(sentences.NO_SCRIPT.format(reason=error.message)) from error


async def _begin(
    caller: Reading,
    kept: TheKept,
    stack: WhileAnswering,
    last_event_id: Annotated[
        str | None, Header(description="The `id` of the last event that came; without: from now on.")
    ] = None,
) -> int:
    """Return the event after which to begin."""
    stack.enter_context(kept.waiting.one(caller.name))
    if last_event_id and _NUMBER.fullmatch(last_event_id):
        return int(last_event_id)
    return await kept.service.store.jobs.last_event()


@router.get("/events", response_class=EventSourceResponse, summary="All changes of your jobs, as they happen")
async def stream(
    request: Request, caller: Reading, kept: TheKept, last: Annotated[int, Depends(_begin)]
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `event: job`, `id`, and an Event as `data`.

    After a lost connection send `Last-Event-ID`: nothing is missed. The stream ends when your token does.
    """
    jobs = kept.service.store.jobs
    with kept.news.of_owner(caller.name) as woken:
        is_told = True
        while True:
            try:
                newest = last if is_told else await kept.news.newest(jobs.last_event)
                events = await jobs.events_after(caller.name, last, _AT_ONCE) if is_told or newest > last else ()
            except JobError:
                return
            for each in events:
                last = each.id
                yield ServerSentEvent(data=views.event(each), event="job", id=str(last))
            if kept.news.closing.is_set() or not await _may_go_on(request, caller):
                return
            if len(events) < _AT_ONCE:
                last = max(last, newest)
                is_told = await woken()


async def _may_go_on(request: Request, caller: Caller) -> bool:
    """Return whether the token still is the caller's; while the hub is away nobody knows, and it goes on."""
    try:
        return await identify(request) == caller
    except Problem as problem:
        return problem.status_code == 503
