"""The page of what a person's jobs count against, and what was booked there."""

from typing import Annotated

from fastapi import Query, Request, Response

from job_service.accepting.chargeable import DEFAULT
from job_service.errors import NotFound
from job_service.http.caller import Reading
from job_service.http.given import TheService
from job_service.http.pages import rendering
from job_service.http.pages.route import router
from job_service.http.v1.jobs import Word
from job_service.sentences import accepting as refusals
from profiles.catalogue.gateway import Gateway

pages = router()

_ROWS = 50


@pages.get("/projects")
async def projects(request: Request, caller: Reading, service: TheService) -> Response:
    """Show what is left in each."""
    found = await service.accepting.offered.projects(caller.person)
    sites = service.catalogue.current.jobs.sites
    quotas = {
        (each.project.system, each.project.name): each
        for each in await service.accepting.offered.quotas(caller.person)
    }
    return rendering.page(
        request,
        "projects.html",
        projects=found,
        unnamed=DEFAULT,
        quotas=quotas,
        titles={key: site.title for key, site in sites.items()},
        gateways={key for key, site in sites.items() if isinstance(site, Gateway)},
    )


@pages.get("/projects/{system}/{name}")
async def ledger(
    request: Request,
    caller: Reading,
    service: TheService,
    system: Word,
    name: Word,
    cursor: Annotated[Word | None, Query()] = None,
) -> Response:
    """Show what was given to a person in a project, held for their jobs, and charged."""
    quotas = await service.accepting.offered.quotas(caller.person, system)
    quota = next((each for each in quotas if each.project.name == name), None)
    if quota is None:
        raise NotFound(refusals.NO_PROJECT.format(project=name[:60], system=system[:60]))
    page = await service.store.ledger.entries(quota.project, caller.name, _ROWS, cursor or None)
    return rendering.page(request, "ledger.html", quota=quota, rows=page.items, next=page.next_cursor)
