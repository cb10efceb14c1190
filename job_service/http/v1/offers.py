"""Systems, job types, and what would become of a job."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Query, Request, Response

from job_service.http import answers, models, offered
from job_service.http.caller import Reading
from job_service.http.given import A_LIST, TheService
from job_service.http.route import Route
from job_service.http.route import router as made
from job_service.http.v1.jobs import Word

router = made("offers", Route, A_LIST)


@router.get("/systems", response_model=offered.Systems, summary="Where jobs can run")
async def systems(request: Request, caller: Reading, service: TheService) -> Response:
    """The systems where you may have jobs, the default first."""
    return answers.offered(request, {"items": await service.accepting.offered.systems(caller.person)})


@router.get("/systems/{system}", response_model=offered.System, summary="One system")
async def system(request: Request, system: str, caller: Reading, service: TheService) -> Response:
    """How it is, and what it takes."""
    return answers.offered(request, await service.accepting.offered.system(caller.person, system))


@router.get("/types", response_model=offered.JobTypes, summary="What can be run")
async def types(request: Request, caller: Reading, service: TheService) -> Response:
    """The job types that you may have, the default first."""
    return answers.offered(request, {"items": await service.accepting.offered.types(caller.person)})


@router.get("/types/{type}", response_model=offered.JobType, summary="One job type")
async def job_type(
    request: Request,
    type: str,  # noqa: A002
    caller: Reading,
    service: TheService,
    dataset: Annotated[
        list[Word] | None, Query(description="Id of a dataset that is chosen; may be repeated.", max_length=500)
    ] = None,
) -> Response:
    """What it runs, where, and what can be chosen: for the datasets that are named, if some are.

    Some choices are offered only if a condition holds for each of the datasets.
    """
    return answers.offered(request, await service.accepting.type(caller.person, type, dataset or ()))


@router.post("/preview", response_model=offered.Preview, summary="What would become of a job")
async def preview(body: models.NewJob, caller: Reading, service: TheService) -> Response:
    """Looks at all that a job is looked at for, and keeps nothing. What is wrong is 422, as when it is sent."""
    seen = await service.accepting.preview(caller.person, body.spec())
    return answers.of(offered.Preview(**asdict(seen)))
