"""Projects, and what is left of their quotas."""

from fastapi import Request, Response

from job_service.http import answers, offered
from job_service.http.caller import Reading
from job_service.http.given import A_LIST, TheService
from job_service.http.route import Route
from job_service.http.route import router as made

router = made("projects", Route, A_LIST)


@router.get("/projects", response_model=offered.Projects, summary="What your jobs may count against")
async def projects(request: Request, caller: Reading, service: TheService) -> Response:
    """At each system the default first."""
    return answers.offered(request, {"items": await service.accepting.offered.projects(caller.person)})


@router.get("/projects/{system}", response_model=offered.Projects, summary="The same at one system")
async def at_system(request: Request, system: str, caller: Reading, service: TheService) -> Response:
    """The default first."""
    return answers.offered(request, {"items": await service.accepting.offered.projects(caller.person, system)})


@router.get("/projects/{system}/{project}", response_model=offered.Project, summary="One project")
async def one(request: Request, system: str, project: str, caller: Reading, service: TheService) -> Response:
    """What is left of it, and what one job of it may have."""
    return answers.offered(request, await service.accepting.offered.project(caller.person, system, project))


@router.get("/quotas", response_model=offered.Projects, summary="Your quotas")
async def quotas(request: Request, caller: Reading, service: TheService) -> Response:
    """Those of your projects that have a quota."""
    found = await service.accepting.offered.projects(caller.person)
    return answers.offered(request, {"items": [each for each in found if each["quota"]]})
