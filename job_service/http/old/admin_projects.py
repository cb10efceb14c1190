"""The old paths of admins to projects and quotas."""

from typing import Any

from pydantic import Field

from job_service.errors import Invalid
from job_service.http.admin.actor import Actor
from job_service.http.admin.models import Count, Text
from job_service.http.caller import Administering
from job_service.http.given import TheService
from job_service.http.old import named, told
from job_service.http.old.lists import TAG
from job_service.http.old.shapes import OldProject, OldQuota
from job_service.http.route import router as made
from job_service.http.sent import Sent
from job_service.http.v1.jobs import Word
from job_service.sentences import old_paths as sentences
from job_service.service import Service
from job_service.store import accounting

router = made(TAG)


class _Fields(Sent):
    """What an admin may say of a project; what is not said stays, or is 0."""

    init_time: Count = Field(0, description="Seconds that it has in all.")
    init_space: Count = 0
    user_time: Count = Field(0, description="Seconds that each member begins with.")
    user_space: Count = 0


class OldNewProject(_Fields):
    """A project that is to be made."""

    hpc: Text
    name: Text


class OldProjectChanges(_Fields):
    """What is to be changed of a project: a whole one may be sent back, if what cannot be changed is as it was."""

    id: int | None = None
    hpc: Text | None = None
    name: Text = ""
    time_left: int | None = None
    space_left: int | None = None


class OldTimeLeft(Sent):
    """What somebody is to have left, in seconds; without, what members begin with."""

    time_left: Count | None = None


class OldTimeLeftOf(OldTimeLeft):
    """The same of a user, who is named here."""

    user: Text


@router.get("/admin/projects/", summary="All projects")
async def projects(_: Administering, service: TheService) -> list[OldProject]:
    """List all projects of the service."""
    return [told.project(service, each) for each in await service.administration.projects()]


@router.post("/admin/projects/", status_code=201, summary="Make a project")
async def create(actor: Actor, service: TheService, new: OldNewProject) -> OldProject:
    """Make a project."""
    wanted = new.model_dump(exclude={"hpc"}, exclude_unset=True)
    wanted["system"] = named.known_system(service, new.hpc)
    return told.project(service, await service.administration.create_project(actor, wanted))


@router.get("/admin/projects/{hpc}/", summary="All projects at a system")
async def projects_at(_: Administering, service: TheService, hpc: Word) -> list[OldProject]:
    """List those at one system."""
    found = await service.administration.projects(named.known_system(service, hpc))
    return [told.project(service, each) for each in found]


@router.get("/admin/projects/{hpc}/{project}/", summary="One project")
async def project(_: Administering, service: TheService, hpc: Word, project: Word) -> OldProject:
    """Show one of them."""
    return told.project(service, await service.administration.project(named.system(service, hpc), project))


@router.put("/admin/projects/{hpc}/{project}/", summary="Change a project")
async def change(
    actor: Actor, service: TheService, hpc: Word, project: Word, changes: OldProjectChanges
) -> OldProject:
    """Change a project."""
    found = await service.administration.project(named.system(service, hpc), project)
    wanted = changes.model_dump(exclude_unset=True)
    present = told.project(service, found).model_dump()
    _refuse_others(wanted, present, ("id", "hpc", "time_left", "space_left"))
    new = {name: value for name, value in wanted.items() if value != present[name]}
    if not new:
        return told.project(service, found)
    return told.project(service, await service.administration.change_project(actor, found.system, found.name, new))


@router.delete("/admin/projects/{hpc}/{project}/", status_code=204, summary="Take a project away")
async def remove(actor: Actor, service: TheService, hpc: Word, project: Word) -> None:
    """Take a project away whose jobs are all over."""
    await service.administration.remove_project(actor, named.system(service, hpc), project)


@router.get("/admin/quotas/", summary="All quotas")
async def quotas(_: Administering, service: TheService) -> list[OldQuota]:
    """List all quotas."""
    return await _quotas(service, await service.administration.projects())


@router.get("/admin/quotas/{first}/", summary="Quotas at a system, or of a user")
async def quotas_at(_: Administering, service: TheService, first: Word) -> list[OldQuota]:
    """List the quotas at a system, or those of a user."""
    if named.is_system(service, first):
        return await _quotas(service, await service.administration.projects(named.system(service, first)))
    return await _of_user(service, first)


@router.get("/admin/quotas/{first}/{second}/", summary="Quotas of a project, or of a user at a system")
async def quotas_of(_: Administering, service: TheService, first: Word, second: Word) -> list[OldQuota]:
    """List the quotas of a system's project, or those of a user at a system."""
    if named.is_system(service, first):
        found = await service.administration.project(named.system(service, first), second)
        return await _quotas(service, (found,))
    return await _of_user(service, first, named.known_system(service, second))


@router.post("/admin/quotas/{hpc}/{project}/", status_code=201, summary="Set what a user has left")
@router.put("/admin/quotas/{hpc}/{project}/", summary="Set what a user has left")
async def set_time_left_of(
    actor: Actor, service: TheService, hpc: Word, project: Word, wanted: OldTimeLeftOf
) -> OldQuota:
    """Have a user have exactly so many seconds left of a project."""
    return await _set(service, actor, wanted.user, hpc, project, wanted.time_left)


@router.get("/admin/quotas/{user}/{hpc}/{project}/", summary="A quota of a user")
async def quota(_: Administering, service: TheService, user: Word, hpc: Word, project: Word) -> OldQuota:
    """Show what a user has left of a project, or would begin with."""
    found = await service.administration.project(named.system(service, hpc), project)
    return told.quota(service, await service.store.ledger.quota(found, await named.person(service, user)))


@router.put("/admin/quotas/{user}/{hpc}/{project}/", summary="Set what a user has left")
async def set_time_left(
    actor: Actor, service: TheService, user: Word, hpc: Word, project: Word, wanted: OldTimeLeft
) -> OldQuota:
    """Have a user have exactly so many seconds left of a project."""
    return await _set(service, actor, user, hpc, project, wanted.time_left)


@router.delete("/admin/quotas/{user}/{hpc}/{project}/", status_code=204, summary="Take what a user has left")
async def take_all(actor: Actor, service: TheService, user: Word, hpc: Word, project: Word) -> None:
    """Have a user have nothing left of a project."""
    await _set(service, actor, user, hpc, project, 0)


async def _set(service: Service, actor: str, user: str, hpc: str, project: str, seconds: int | None) -> OldQuota:
    name = await named.person(service, user)
    found = await service.administration.project(named.system(service, hpc), project)
    left = found.user_time if seconds is None else seconds
    changed = await service.administration.set_time_left(actor, found.system, found.name, name, left)
    return told.quota(service, changed)


async def _quotas(service: Service, projects: tuple[accounting.Project, ...]) -> list[OldQuota]:
    found = [await service.administration.quotas(each.system, each.name) for each in projects]
    return [told.quota(service, each) for quotas in found for each in quotas]


async def _of_user(service: Service, user: str, system: str | None = None) -> list[OldQuota]:
    name = await named.person(service, user)
    found = await _quotas(service, await service.administration.projects(system))
    return [each for each in found if each.user == name]


def _refuse_others(wanted: dict[str, Any], present: dict[str, Any], names: tuple[str, ...]) -> None:
    """Take out of what is wanted what cannot be changed; raises Invalid where it is not as it was."""
    sent = {name: wanted.pop(name) for name in names if name in wanted}
    if isinstance(hpc := sent.get("hpc"), str):
        sent["hpc"] = hpc.upper()
    wrong = [name for name, value in sent.items() if value is not None and value != present[name]]
    if wrong:
        raise Invalid(sentences.CANNOT_CHANGE, dict.fromkeys(wrong, sentences.STAYS))
