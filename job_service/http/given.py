"""What routes are given beside what was sent: the service, the caller's own job, what a long answer needs."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import Depends, Path, Request

from job_service.errors import NotFound
from job_service.http.at_once import AtOnce, InTurn
from job_service.http.caller import Caller, Reading, Submitting
from job_service.http.news import News
from job_service.http.pace import Pace
from job_service.http.views import Views
from job_service.record import JobRecord
from job_service.sentences import http as sentences
from job_service.service import Service
from slurm_ssh.text import one_line

UPLOADS_AT_ONCE = 10
TRANSFERS_AT_ONCE = 10
WAITING_AT_ONCE = 50
LISTS_AT_ONCE = 20
"""How many requests of one person may be under way: files that come, files that go, who waits for news, and lists
and looks at what there is."""

FORMS_AT_ONCE = 20
"""How many forms are read at once of people who are not logged in any more."""

_JOB_ID = re.compile(r"[0-9a-f]{12}")


class Kept:
    """What the application keeps while it runs: the service, who waits for what, and how much is under way."""

    def __init__(self, service: Service, jobs_a_minute: int) -> None:
        self.service = service
        self.pace = Pace(jobs_a_minute)
        self.news = News(service.closing)
        self.uploads = AtOnce(UPLOADS_AT_ONCE)
        self.transfers = AtOnce(TRANSFERS_AT_ONCE)
        self.waiting = AtOnce(WAITING_AT_ONCE)
        self.lists = AtOnce(LISTS_AT_ONCE)
        self.showing = InTurn()
        self.forms = AtOnce(FORMS_AT_ONCE)
        service.running.subscribe(self.news.tell)


# FastAPI runs what is not `async` in threads, and there and back takes longer than what these do.
async def _kept(request: Request) -> Kept:
    kept: Kept = request.app.state.kept
    return kept


TheKept = Annotated[Kept, Depends(_kept)]
"""What the application keeps while it runs."""


# Who calls is asked of the request: admins' routes are also for those who are no person.
async def _paced(request: Request, kept: TheKept) -> None:
    kept.pace.step(request.state.caller.name)


async def _listing(request: Request, kept: TheKept) -> AsyncIterator[None]:
    with kept.lists.one(request.state.caller.name):
        yield


A_JOB = Depends(_paced)
"""What a route depends on that takes a job: a person sends so many a minute."""

A_LIST = Depends(_listing)
"""What a route depends on that looks for much, or asks sites: a person has so many under way."""


async def _service(kept: TheKept) -> Service:
    return kept.service


TheService = Annotated[Service, Depends(_service)]
"""The service that the application is over."""


async def _views(request: Request, service: TheService) -> Views:
    return Views(service.running, request.scope.get("root_path", ""))


TheViews = Annotated[Views, Depends(_views)]
"""Shows jobs with the addresses that whoever asks can use."""

_JobId = Annotated[str, Path(description="The job's id: 12 hex digits.", examples=["0a1b2c3d4e5f"])]


async def _own(job_id: str, caller: Caller, service: Service) -> JobRecord:
    if not _JOB_ID.fullmatch(job_id):
        raise NotFound(sentences.NO_SUCH_JOB.format(job_id=one_line(job_id, 20)))
    return await service.store.jobs.get(job_id, caller.name)


async def _to_see(job_id: _JobId, caller: Reading, service: TheService) -> JobRecord:
    return await _own(job_id, caller, service)


async def _to_change(job_id: _JobId, caller: Submitting, service: TheService) -> JobRecord:
    return await _own(job_id, caller, service)


OwnJob = Annotated[JobRecord, Depends(_to_see)]
"""A job of the caller's, whose token may see it; somebody else's is not found."""

OwnJobToChange = Annotated[JobRecord, Depends(_to_change)]
"""A job of the caller's, whose token may change it."""


async def _while_answering() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


WhileAnswering = Annotated[AsyncExitStack, Depends(_while_answering)]
"""A stack of what is needed until the last byte of the answer has gone."""
