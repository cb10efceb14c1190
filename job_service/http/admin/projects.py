"""Projects: what they have, who may use them, what each has left."""

from typing import Annotated

from fastapi import Path, Query

from job_service.http.admin import models
from job_service.http.admin.actor import Actor
from job_service.http.admin.models import Listed, ServiceProject, listed, paged
from job_service.http.caller import Administering
from job_service.http.given import A_LIST, TheService
from job_service.http.route import router as made
from job_service.http.v1.jobs import Word
from job_service.store.accounting import LedgerEntry, Member, MemberKind

router = made("admin")

_PROJECT = "/projects/{system}/{project}"
_MEMBERS = "/members/{system}/{project}"
_QUOTA = "/quotas/{user}/{system}/{project}"

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the answer before.")]
_Kind = Annotated[MemberKind, Path(description="`user`, or `group` for all in a group of the hub.")]


@router.get("/projects", summary="All projects")
async def projects(_: Administering, service: TheService, system: Word | None = None) -> Listed[ServiceProject]:
    """List all projects of the service, or those at one system."""
    return listed(tuple(map(ServiceProject.model_validate, await service.administration.projects(system))))


@router.post("/projects", status_code=201, summary="Make a project")
async def create(actor: Actor, service: TheService, new: models.NewProject) -> ServiceProject:
    """Make a project."""
    made = await service.administration.create_project(actor, new.model_dump(exclude_unset=True))
    return ServiceProject.model_validate(made)


@router.get(_PROJECT, summary="One project")
async def one(_: Administering, service: TheService, system: Word, project: Word) -> ServiceProject:
    """Show a project."""
    return ServiceProject.model_validate(await service.administration.project(system, project))


@router.patch(_PROJECT, summary="Change a project")
async def change(
    actor: Actor, service: TheService, system: Word, project: Word, changes: models.ProjectChanges
) -> ServiceProject:
    """Change what is named of a project."""
    wanted = changes.model_dump(exclude_unset=True)
    changed = await service.administration.change_project(actor, system, project, wanted)
    return ServiceProject.model_validate(changed)


@router.delete(_PROJECT, status_code=204, summary="Take a project away")
async def remove(actor: Actor, service: TheService, system: Word, project: Word) -> None:
    """Take a project away whose jobs are all over; its ledger stays."""
    await service.administration.remove_project(actor, system, project)


@router.post(f"{_PROJECT}/grants", status_code=201, summary="Give seconds, or take some back")
async def grant(
    actor: Actor, service: TheService, system: Word, project: Word, grant: models.Grant
) -> LedgerEntry:
    """Give a person, or the project itself, seconds, or take some back."""
    return await service.administration.grant(actor, system, project, grant.user, grant.seconds, grant.note)


@router.get(f"{_PROJECT}/ledger", summary="Ledger of a project", dependencies=[A_LIST])
async def ledger(
    _: Administering,
    service: TheService,
    system: Word,
    project: Word,
    user: Word | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[LedgerEntry]:
    """Show what was given, held and charged, the newest first."""
    found = await service.administration.project(system, project)
    return paged(await service.store.ledger.entries(found, user, limit, cursor))


@router.get(f"{_PROJECT}/quotas", summary="Quotas of a project")
async def quotas(_: Administering, service: TheService, system: Word, project: Word) -> Listed[models.QuotaOf]:
    """List what each has left who has begun to use a project, or is named as its member."""
    found = await service.administration.quotas(system, project)
    return listed(tuple(models.QuotaOf.of(each) for each in found))


@router.get(_QUOTA, summary="Somebody's quota")
async def quota(_: Administering, service: TheService, user: Word, system: Word, project: Word) -> models.QuotaOf:
    """Show what somebody has left of a project, or would begin with."""
    found = await service.administration.project(system, project)
    return models.QuotaOf.of(await service.store.ledger.quota(found, user))


@router.put(_QUOTA, summary="Set what somebody has left")
async def set_quota(
    actor: Actor, service: TheService, user: Word, system: Word, project: Word, wanted: models.TimeLeft
) -> models.QuotaOf:
    """Have somebody have exactly so many seconds left."""
    done = await service.administration.set_time_left(actor, system, project, user, wanted.time_left, wanted.note)
    return models.QuotaOf.of(done)


@router.get(_MEMBERS, summary="Members of a project")
async def members(_: Administering, service: TheService, system: Word, project: Word) -> Listed[Member]:
    """List who may use a project, unless it is open to everybody."""
    return listed(await service.administration.members(system, project))


@router.put(f"{_MEMBERS}/{{kind}}/{{member}}", summary="Add a member")
async def add_member(
    actor: Actor, service: TheService, system: Word, project: Word, kind: _Kind, member: Word
) -> Listed[Member]:
    """Let somebody, or everybody in a group of the hub, use a project."""
    return listed(await service.administration.add_member(actor, system, project, kind, member))


@router.delete(f"{_MEMBERS}/{{kind}}/{{member}}", summary="Take a member out")
async def remove_member(
    actor: Actor, service: TheService, system: Word, project: Word, kind: _Kind, member: Word
) -> Listed[Member]:
    """Take that back; their jobs go on."""
    return listed(await service.administration.remove_member(actor, system, project, kind, member))
