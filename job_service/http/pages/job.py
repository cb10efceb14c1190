"""The page of one job: what became of it, why it waits, what it printed, its files, what can be done with it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse

from job_service.gateways import kinds
from job_service.http import models
from job_service.http.caller import Submitting
from job_service.http.given import (
    A_JOB,
    A_LIST,
    OwnJob,
    OwnJobToChange,
    TheKept,
    TheService,
    TheViews,
    WhileAnswering,
)
from job_service.http.pages import rendering
from job_service.http.pages.route import Fields, Part, one, router, seen
from job_service.http.v1 import files as of_api
from job_service.http.v1 import history
from job_service.http.v1.files import FilePath, with_folder
from job_service.http.v1.jobs import accepted
from job_service.http.views import Views
from job_service.http.views import event as shown
from job_service.record import JobRecord
from job_service.service import Service
from job_service.stages import Stage
from profiles.catalogue.dataset import MOST
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.system import System

pages, parts = router(), router(Part)

_TASKS_AT_ONCE = 50
_CANCELLABLE = frozenset(stage for stage in Stage if not stage.is_over)
_ACTS: dict[str, frozenset[Stage]] = {
    "start": frozenset({Stage.NEW}),
    "cancel": _CANCELLABLE,
    "hold": frozenset({Stage.QUEUED}),
    "release": frozenset({Stage.HELD}),
    "resubmit": frozenset(Stage) - {Stage.DELETED, Stage.NEW},
    "remove": frozenset({Stage.SUCCESSFUL, Stage.FAILED, Stage.CANCELED}),
}
_HOLDS = frozenset({"hold", "release"})
_OF_ARRAYS = frozenset({"start", "remove"})


From = Annotated[int, Query(alias="from", ge=0, le=MOST)]


@pages.get("/jobs/{job_id}", dependencies=[A_LIST])
async def one_job(request: Request, record: OwnJob, kept: TheKept, views: TheViews, first: From = 0) -> Response:
    """Show a job, an array with its tasks from one of them on; its page waits for no system."""
    told = await _told(kept.service, views, record, first)
    async with kept.showing.one():
        return rendering.page(request, "job.html", **told)


@parts.get("/parts/jobs/{job_id}", dependencies=[A_LIST])
async def live(request: Request, record: OwnJob, kept: TheKept, views: TheViews, first: From = 0) -> Response:
    """Return what changes of that page, as it is now."""
    told = await _told(kept.service, views, record, first)
    async with kept.showing.one():
        return HTMLResponse(rendering.rendered(request, "job_live.html", **told))


async def _told(service: Service, views: Views, record: JobRecord, first: int) -> dict[str, Any]:
    menu = service.catalogue.current.jobs
    jobs = service.store.jobs
    tasks = await jobs.tasks(record.job_id, first, _TASKS_AT_ONCE) if record.kind == "array" else ()
    counts = await jobs.stages_of_tasks(record.job_id) if record.kind == "array" else {}
    datasets = await jobs.datasets(record.job_id) if record.spec.datasets else ()
    entry, site = menu.entries.get(record.type), menu.sites.get(record.system)
    return {
        "job": views.job(record),
        "spec": record.spec,
        "is_over": record.stage.is_over,
        "has_files": record.stage is not Stage.DELETED and record.removed is None,
        "type_name": entry.name if entry else record.type,
        "system_title": site.title if site else record.system,
        "is_gateway": isinstance(site, Gateway),
        "events": [shown(each) for each in await jobs.events(record.job_id)],
        "acts": [act for act in _acts(record) if act not in _HOLDS or _can_hold(site)],
        "datasets": {each.id: each.name for each in datasets},
        "tasks": [views.job(each) for each in tasks],
        "first": first,
        "before": max(0, first - _TASKS_AT_ONCE) if first else None,
        "after": first + _TASKS_AT_ONCE if first + _TASKS_AT_ONCE < sum(counts.values()) else None,
        "counts": {stage.value: count for stage, count in counts.items()},
    }


def _acts(record: JobRecord) -> list[str]:
    """Return what can be done with a job where it is on its way."""
    others = _OF_ARRAYS if record.kind == "task" else frozenset[str]()
    return [act for act, stages in _ACTS.items() if record.stage in stages and act not in others]


def _can_hold(system: System | None) -> bool:
    return not isinstance(system, Gateway) or "hold" in kinds.capabilities(system.kind)


@pages.post("/jobs/{job_id}/resubmit", dependencies=[A_JOB])
async def resubmit(
    request: Request, caller: Submitting, record: OwnJobToChange, kept: TheKept, views: TheViews, fields: Fields
) -> Response:
    """Send a job again, as a new one."""
    key = one(fields, "key") or None
    again, is_new = await kept.service.accepting.resubmit(caller.person, record, key)
    await accepted(kept, views, again, is_new)
    return seen(request, f"/jobs/{again.job_id}")


@pages.post("/jobs/{job_id}/remove")
async def remove(request: Request, record: OwnJobToChange, kept: TheKept) -> Response:
    """Remove a job that is over, and its folder."""
    await kept.service.running.remove(record)
    return seen(request, "/")


@pages.post("/jobs/{job_id}/{act}")
async def change(
    request: Request, record: OwnJobToChange, kept: TheKept, act: Literal["start", "cancel", "hold", "release"]
) -> Response:
    """Start, cancel, hold or release a job."""
    running = kept.service.running
    acts: dict[str, Callable[[JobRecord], Awaitable[JobRecord]]] = {
        "start": running.start,
        "cancel": running.cancel,
        "hold": running.hold,
        "release": running.release,
    }
    await acts[act](record)
    return seen(request, f"/jobs/{record.job_id}")


# -- what lies at its system ---------------------------------------------------------------------------------


@pages.get("/jobs/{job_id}/files")
async def files(
    request: Request,
    record: OwnJob,
    service: TheService,
    views: TheViews,
    under: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    """Show what lies in a job's folder; its system is asked for it."""
    listing = await service.files.list(with_folder(record), under)
    found: models.Files = views.files(record, listing)
    values: dict[str, Any] = {
        "job": views.job(record),
        "files": found,
        "under": under,
        "api": f"{views.place(record)}/files/",
    }
    return rendering.page(request, "files.html", **values)


@pages.get("/jobs/{job_id}/files/{path:path}")
async def file(request: Request, record: OwnJob, path: FilePath, kept: TheKept, stack: WhileAnswering) -> Response:
    """Give one file, to be saved."""
    return await of_api.get(request, record, path, kept, stack, None)


@pages.get("/jobs/{job_id}/archive.tar")
async def archive(record: OwnJob, kept: TheKept, stack: WhileAnswering) -> Response:
    """Give all files, to be saved."""
    return await of_api.archive(record, kept, stack)


@pages.get("/jobs/{job_id}/log")
async def log(
    record: OwnJob,
    kept: TheKept,
    stack: WhileAnswering,
    stream: Annotated[Literal["stdout", "stderr"], Query()] = "stdout",
) -> Response:
    """Show what a job has printed until now, as text."""
    return await of_api.log(record, kept, stack, stream)


@pages.get("/jobs/{job_id}/script")
async def script(record: OwnJob, service: TheService) -> Response:
    """Show what was sent to Slurm, as text."""
    return await history.script(record, service)
