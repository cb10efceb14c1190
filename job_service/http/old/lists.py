"""The old paths that tell what there is for the caller: systems, projects, quotas."""

from job_service.errors import NotFound
from job_service.http.caller import Caller, Reading
from job_service.http.given import A_LIST, TheService
from job_service.http.old import named, told
from job_service.http.old.shapes import OldProject, OldQuota, OldSystem
from job_service.http.route import OpenRoute, Route
from job_service.http.route import router as made
from job_service.http.v1.jobs import Word
from job_service.sentences import old_paths as sentences
from job_service.service import Service
from job_service.store import accounting
from profiles.sentences import shown

TAG = "old paths"

status = made(TAG, OpenRoute)
router = made(TAG, Route, A_LIST)


@status.get("/status/", summary="Whether the service is there")
async def is_up() -> dict[str, int]:
    """Say that the service is there, as the old one did."""
    return {"bsp-service-account-status": 1}


@router.get("/hpc/", summary="Systems")
async def systems(caller: Reading, service: TheService) -> list[OldSystem]:
    """List the systems where you may have jobs, the default first."""
    found = await service.accepting.offered.systems(caller.person)
    return [OldSystem(id=number, name=named.hpc_of(service, each["key"])) for number, each in enumerate(found, 1)]


@router.get("/hpc/{hpc}/", summary="One system")
async def system(caller: Reading, service: TheService, hpc: Word) -> OldSystem:
    """Show one of them."""
    wanted = named.hpc_of(service, named.system(service, hpc))
    for each in await systems(caller, service):
        if each.name == wanted:
            return each
    raise NotFound(sentences.NO_SUCH_HPC.format(hpc=shown(hpc)))


@router.get("/projects/", summary="Your projects")
async def projects(caller: Reading, service: TheService) -> list[OldProject]:
    """List the projects of the service that you may use; Slurm's own accounts have no quota and are not here."""
    return [told.project(service, each) for each in await _projects(service, caller)]


@router.get("/projects/{hpc}/", summary="Your projects at a system")
async def projects_at(caller: Reading, service: TheService, hpc: Word) -> list[OldProject]:
    """List those at one system."""
    system = named.known_system(service, hpc)
    return [told.project(service, each) for each in await _projects(service, caller, system)]


@router.get("/projects/{hpc}/{project}/", summary="One of your projects")
async def project_at(caller: Reading, service: TheService, hpc: Word, project: Word) -> OldProject:
    """Show one of them."""
    for each in await _projects(service, caller, named.known_system(service, hpc)):
        if each.name == project:
            return told.project(service, each)
    raise _no_project(project)


@router.get("/quotas/", summary="Your quotas")
async def quotas(caller: Reading, service: TheService) -> list[OldQuota]:
    """List what you have left."""
    return [told.quota(service, each) for each in await _quotas(service, caller)]


@router.get("/quotas/{hpc}/", summary="Your quotas at a system")
async def quotas_at(caller: Reading, service: TheService, hpc: Word) -> list[OldQuota]:
    """List what you have left at one system."""
    return [told.quota(service, each) for each in await _quotas(service, caller, named.known_system(service, hpc))]


@router.get("/quotas/{hpc}/{project}/", summary="One of your quotas")
async def quota_at(caller: Reading, service: TheService, hpc: Word, project: Word) -> OldQuota:
    """Show what you have left of one project."""
    for each in await _quotas(service, caller, named.known_system(service, hpc)):
        if each.project.name == project:
            return told.quota(service, each)
    raise _no_project(project)


async def _projects(service: Service, caller: Caller, system: str | None = None) -> tuple[accounting.Project, ...]:
    return await service.store.projects.of_person(caller.name, caller.groups, system)


async def _quotas(service: Service, caller: Caller, system: str | None = None) -> tuple[accounting.Quota, ...]:
    return await service.store.ledger.quotas(caller.name, caller.groups, system)


def _no_project(project: str) -> NotFound:
    return NotFound(sentences.NO_SUCH_PROJECT.format(project=shown(project)))
