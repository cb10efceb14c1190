"""Pages for administrators: everybody's jobs, people, bans, projects, and how the systems are followed."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from job_service.errors import Invalid, ScopeMissing
from job_service.http.admin.actor import Actor
from job_service.http.caller import Administering
from job_service.http.given import TheService, TheViews
from job_service.http.pages import rendering
from job_service.http.pages.jobs import STANDS, Stand, everybodys
from job_service.http.pages.route import Fields, Page, one, router, seen
from job_service.http.problems import Problem
from job_service.http.v1.jobs import Word
from job_service.sentences.pages import admin as say
from job_service.service import Service


class AdminPage(Page):
    """A page for administrators; whoever else finds its address is told so."""

    def refused(self, request: Request, problem: Problem) -> Response:
        """Return the page that says what went wrong."""
        if problem.code == ScopeMissing.code:
            problem = Problem(problem.status_code, problem.code, say.ADMINS_ALONE)
        return super().refused(request, problem)


pages = router(AdminPage)

_AT_ONCE = 50

Cursor = Annotated[Word | None, Query()]


@pages.get("/admin")
async def jobs(
    request: Request,
    _: Administering,
    service: TheService,
    views: TheViews,
    stage: Stand = "",
    system: Word = "",
    owner: Word = "",
    q: Word = "",
    cursor: Cursor = None,
) -> Response:
    """Show how the systems are followed, and everybody's jobs."""
    page = await service.store.jobs.page(everybodys(stage, system, q, owner), _AT_ONCE, cursor or None)
    menu = service.catalogue.current.jobs
    sought = {"stage": stage if stage in STANDS else "", "system": system, "owner": owner, "q": q}
    return rendering.page(
        request,
        "admin.html",
        jobs=[views.job(each) for each in page.items],
        stands=tuple(STANDS),
        sought=sought,
        next=urlencode({**sought, "cursor": page.next_cursor}) if page.next_cursor else "",
        systems=[service.running.stand(key) for key in menu.taking],
        titles={key: site.title for key, site in menu.sites.items()},
        types={key: entry.name for key, entry in menu.entries.items()},
    )


@pages.post("/admin/jobs/{job_id}/cancel")
async def cancel(request: Request, actor: Actor, service: TheService, job_id: Word) -> Response:
    """Cancel anybody's job, as if its owner did."""
    record = await service.store.jobs.get(job_id)
    await service.running.cancel(record)
    await service.store.audit.add(actor, "cancel job", record.job_id, record.owner)
    return seen(request, "/admin")


@pages.get("/admin/people")
async def people(
    request: Request, _: Administering, service: TheService, q: Word = "", cursor: Cursor = None
) -> Response:
    """Show who has used the service, who is banned, and the projects."""
    return await _people(request, service, q, cursor)


async def _people(
    request: Request,
    service: Service,
    q: str = "",
    cursor: str | None = None,
    refused: Invalid | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    found = await service.administration.people(_AT_ONCE, cursor or None, q or None)
    values: dict[str, Any] = {
        "people": found.items,
        "next": urlencode({"q": q, "cursor": found.next_cursor}) if found.next_cursor else "",
        "q": q,
        "bans": await service.administration.bans(),
        "projects": await service.store.projects.all(),
        "refused": refused,
        "typed": typed or {},
    }
    return rendering.page(request, "people.html", 422 if refused else 200, **values)


@pages.post("/admin/bans")
async def ban(request: Request, actor: Actor, service: TheService, fields: Fields) -> Response:
    """Keep somebody from sending jobs, to one project or at all."""
    system, project = _place(one(fields, "project"))
    try:
        await service.administration.ban(actor, one(fields, "user"), system, project, one(fields, "reason"))
    except Invalid as error:
        return await _people(request, service, refused=error, typed=_typed("ban", fields))
    return seen(request, "/admin/people")


@pages.post("/admin/bans/lift")
async def lift(request: Request, actor: Actor, service: TheService, fields: Fields) -> Response:
    """End a ban."""
    system, project = _place(one(fields, "project"))
    await service.administration.unban(actor, one(fields, "user"), system, project)
    return seen(request, "/admin/people")


@pages.post("/admin/grants")
async def grant(request: Request, actor: Actor, service: TheService, fields: Fields) -> Response:
    """Give hours to a project, or to somebody in it, or take some."""
    system, project = _place(one(fields, "project"))
    try:
        if system is None or project is None:
            raise Invalid(say.PICK_A_PROJECT, {"project": say.PICK_A_PROJECT})
        await service.administration.grant(
            actor,
            system,
            project,
            one(fields, "user") or None,
            _seconds(one(fields, "hours")),
            one(fields, "note"),
        )
    except Invalid as error:
        return await _people(request, service, refused=error, typed=_typed("grant", fields))
    return seen(request, "/admin/people")


def _place(written: str) -> tuple[str | None, str | None]:
    system, found, project = written.partition("/")
    return (system, project) if found else (None, None)


def _seconds(hours: str) -> int:
    try:
        seconds = float(hours.replace(",", ".")) * 3600
        return round(seconds) if abs(seconds) < 10**12 else 10**13
    except (ValueError, OverflowError) as error:
        raise Invalid(say.NOT_HOURS, {"hours": say.NOT_HOURS}) from error


def _typed(form: str, fields: dict[str, list[str]]) -> dict[str, str]:
    return {f"{form}-{name}": values[0] for name, values in fields.items()}
