"""The page of a person's jobs: found, looked at while they go on, cancelled."""

import re
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from job_service.errors import JobError
from job_service.http.caller import Caller, Reading, Submitting
from job_service.http.given import A_LIST, Kept, TheKept, TheViews
from job_service.http.pages import rendering
from job_service.http.pages.route import Fields, Part, one, router, seen
from job_service.http.v1.jobs import Word
from job_service.http.views import Views
from job_service.sentences.pages import frame
from job_service.sentences.pages import jobs as say
from job_service.stages import Stage
from job_service.store.values import JobFilter
from profiles.offer.offer import sites_for

pages, parts = router(), router(Part)

_AT_ONCE = 50
_MOST_CHOSEN = 500
_JOB_ID = re.compile(r"[0-9a-f]{12}")

STANDS = {
    "live": frozenset(stage for stage in Stage if not stage.is_over),
    "over": frozenset({Stage.SUCCESSFUL, Stage.FAILED, Stage.CANCELED}),
    **{stage.value: frozenset({stage}) for stage in Stage if stage is not Stage.DELETED},
}
"""By what lists are narrowed: all that goes on, all that is over, or one stage."""

Stand = Annotated[str, Query(alias="stage", max_length=20)]
Cursor = Annotated[Word | None, Query()]
Id = Annotated[str, Query(pattern=r"^([0-9a-f]{12})?$")]


@dataclass(frozen=True)
class _Sought:
    """Which jobs are looked for, as the page's address says it."""

    stage: str
    system: str
    q: str
    group: str
    parent: str


async def _sought(stage: Stand = "", system: Word = "", q: Word = "", group: Id = "", parent: Id = "") -> _Sought:
    return _Sought(stage, system, q, group, parent)


Sought = Annotated[_Sought, Depends(_sought)]


@pages.get("/", dependencies=[A_LIST])
async def listed(
    request: Request, caller: Reading, kept: TheKept, views: TheViews, sought: Sought, cursor: Cursor = None
) -> Response:
    """Show the jobs of whoever opens the page, the newest first."""
    values = await _list(kept, views, caller, sought, cursor)
    async with kept.showing.one():
        return rendering.page(request, "jobs.html", **values)


@parts.get("/parts/jobs", dependencies=[A_LIST])
async def live(
    request: Request, caller: Reading, kept: TheKept, views: TheViews, sought: Sought, cursor: Cursor = None
) -> Response:
    """Return the same list alone, as it is now."""
    values = await _list(kept, views, caller, sought, cursor)
    async with kept.showing.one():
        return HTMLResponse(rendering.rendered(request, "jobs_list.html", **values))


async def _list(kept: Kept, views: Views, caller: Caller, sought: _Sought, cursor: str | None) -> dict[str, Any]:
    wanted = JobFilter(
        caller.name,
        STANDS.get(sought.stage),
        sought.system or None,
        q=sought.q or None,
        group=sought.group or None,
        parent=sought.parent or None,
    )
    page = await kept.service.store.jobs.page(wanted, _AT_ONCE, cursor or None)
    narrowed = {**asdict(sought), "stage": sought.stage if sought.stage in STANDS else ""}
    menu = kept.service.catalogue.current.jobs
    theirs = sites_for(menu, caller.person)
    return {
        "jobs": [views.job(each) for each in page.items],
        "sought": narrowed,
        "query": _query(narrowed, cursor),
        "next": _query(narrowed, page.next_cursor) if page.next_cursor else "",
        "is_first": cursor is None,
        "stands": tuple(STANDS),
        "systems": {key: menu.sites[key].title for key in menu.taking if key in theirs},
        "types": {key: entry.name for key, entry in menu.entries.items()},
    }


def _query(narrowed: dict[str, str], cursor: str | None) -> str:
    return urlencode({name: value for name, value in {**narrowed, "cursor": cursor}.items() if value})


@pages.post("/cancel")
async def cancel(request: Request, caller: Submitting, kept: TheKept, fields: Fields) -> Response:
    """Cancel the jobs that were chosen; of those that cannot be cancelled it is said why."""
    said = []
    chosen = [each for each in fields.get("job", ())[:_MOST_CHOSEN] if _JOB_ID.fullmatch(each)]
    for job_id in chosen:
        try:
            await kept.service.running.cancel(await kept.service.store.jobs.get(job_id, caller.name))
        except JobError as error:
            said.append((job_id, error.message))
    if said or not chosen:
        detail = say.NOT_ALL_CANCELLED if chosen else say.NONE_CHOSEN
        return rendering.page(request, "problem.html", 409, title=frame.JOBS, detail=detail, hint="", each=said)
    of = one(fields, "of")
    return seen(request, f"/jobs/{of}" if _JOB_ID.fullmatch(of) else f"/?{one(fields, 'back')}")


def everybodys(stage: str, system: str, q: str, owner: str) -> JobFilter:
    """Return which jobs an administrator looks for."""
    return replace(JobFilter(owner or None, STANDS.get(stage), system or None), q=q or None)
