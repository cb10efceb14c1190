"""Projects and quotas as the old paths show them, with what they call the systems."""

from job_service.http.old import named
from job_service.http.old.shapes import OldProject, OldQuota
from job_service.service import Service
from job_service.store import accounting


def project(service: Service, found: accounting.Project) -> OldProject:
    """Return a project of the service."""
    return OldProject.of(found, named.hpc_of(service, found.system))


def quota(service: Service, found: accounting.Quota) -> OldQuota:
    """Return somebody's quota."""
    return OldQuota.of(found, named.hpc_of(service, found.project.system))
