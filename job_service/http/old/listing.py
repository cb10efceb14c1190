"""Lists of jobs as the old paths give them: the newest first, at most a thousand, and how many there are."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated

from fastapi import Query, Response

from job_service.http.old import named
from job_service.http.old.shapes import OldJob
from job_service.record import JobRecord
from job_service.service import Service
from job_service.store.values import JobFilter

MOST = 1000

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="How many of the newest are passed over.")]


async def shown(service: Service, records: Iterable[JobRecord]) -> list[OldJob]:
    """Return jobs as the old paths show them, with the numbers of their projects."""
    numbers = {(each.system, each.name): each.id for each in await service.store.projects.all()}
    return [
        OldJob.of(record, numbers.get((record.system, record.project)), named.hpc_of(service, record.system))
        for record in records
    ]


async def listed(
    service: Service,
    response: Response,
    wanted: JobFilter,
    window: tuple[int, int],
    hpc: str | None = None,
    project: str | None = None,
) -> list[OldJob]:
    """Return jobs at a place; `window` is limit and offset.  Raises NotFound for a system that there is not."""
    system = None if hpc is None else named.known_system(service, hpc)
    wanted = replace(wanted, system=system, project=project)
    limit, offset = window
    found = await service.store.jobs.page(wanted, limit, offset=offset)
    response.headers["X-Total-Count"] = str(await service.store.jobs.count(wanted))
    return await shown(service, found.items)
