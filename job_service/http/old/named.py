"""What names in the old paths stand for: systems, also by former names, people and projects by number too."""

import re

from job_service.errors import Invalid, NotFound
from job_service.record import JobRecord
from job_service.sentences import old_paths as sentences
from job_service.service import Service
from job_service.store.accounting import Project
from profiles.catalogue.gateway import Gateway
from profiles.sentences import shown

_JOB_ID = re.compile(r"[0-9a-f]{12}")
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def is_system(service: Service, hpc: str) -> bool:
    """Return whether a part of a path is a system that is, or lately was, in the catalogue."""
    key = system(service, hpc)
    return key in service.catalogue.sites or key in service.catalogue.gateways


def system(service: Service, hpc: str) -> str:
    """Return the key of a system; of one that there is not, its name in lower case."""
    name = hpc.lower()
    found = (key for key, gateway in service.catalogue.gateways.items() if gateway.old_name == name)
    return next(found, name)


def hpc_of(service: Service, key: str) -> str:
    """Return what a system is called here: in upper case, by its former name if it has one."""
    gateway = _gateway(service, key)
    return ((gateway and gateway.old_name) or key).upper()


def has_tools(service: Service, key: str) -> bool:
    """Return whether a system runs tools of its own, and no lines of anybody's."""
    gateway = _gateway(service, key)
    return gateway is not None and gateway.kind == "nsg"


def _gateway(service: Service, key: str) -> Gateway | None:
    """Return a gateway, also one that lately was in the catalogue; None for a site, whatever it was before."""
    return None if key in service.catalogue.current.sites else service.catalogue.gateways.get(key)


def known_system(service: Service, hpc: str) -> str:
    """Return the key of a system.  Raises NotFound."""
    if not is_system(service, hpc):
        raise NotFound(sentences.NO_SUCH_HPC.format(hpc=shown(hpc)))
    return system(service, hpc)


async def job(service: Service, hpc: str, project: str, job_id: str, owner: str | None) -> JobRecord:
    """Return a job at its place, of this owner (None: anybody's).  Raises NotFound."""
    wanted = job_id.lower()
    record = await service.store.jobs.get(wanted, owner) if _JOB_ID.fullmatch(wanted) else None
    if record is None or (record.system, record.project) != (system(service, hpc), project):
        said = sentences.NO_SUCH_JOB.format(job_id=shown(job_id), project=shown(project), hpc=shown(hpc))
        raise NotFound(said)
    return record


async def person(service: Service, user: str) -> str:
    """Return the name of somebody who has used the service, of which `user` is the name or the number.

    Where a name is another one's number, it is the name.  Raises NotFound.
    """
    people = service.store.people
    try:
        return (await people.get(user)).name
    except NotFound:
        if not _NUMBER.fullmatch(user):
            raise
    return (await people.by_number(int(user))).name


async def project(service: Service, text: str) -> Project:
    """Return a project by its number, or by its name if only one has it.  Raises NotFound, Invalid."""
    projects = await service.store.projects.all()
    of_number = [each for each in projects if str(each.id) == text]
    found = of_number or [each for each in projects if each.name == text]
    if not found:
        raise NotFound(sentences.NO_SUCH_PROJECT.format(project=shown(text)))
    if len(found) > 1:
        numbers = ", ".join(str(each.id) for each in found)
        said = sentences.SEVERAL_PROJECTS.format(project=shown(text), numbers=numbers)
        raise Invalid(said, {"project": said})
    return found[0]
