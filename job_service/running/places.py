"""Where jobs are: their handles, their sites as they were sent there, their owners' access to them."""

from collections.abc import Mapping

from job_service.record import JobRecord
from kerberos_auth.tickets import Ticket
from profiles.catalogue.site import Site
from slurm_ssh import job as jobs
from slurm_ssh.core import Core
from slurm_ssh.deadline import Deadline
from slurm_ssh.job import Job, LaunchId
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.started import StartedWith


class Places:
    """What is where; `service` is the name in the marks of its jobs, `sites` may change at any time."""

    def __init__(self, core: Core, sites: Mapping[str, Site], service: str) -> None:
        self.core = core
        self.sites = sites
        self._service = service
        self._started_with: dict[str, tuple[Site, dict[str, StartedWith]]] = {}
        self.marks = jobs.marks("job", service)
        """What the marks of all jobs of the service begin with."""

    def mark(self, record: JobRecord) -> str:
        """Return the job's name in Slurm; that of a task is its array's."""
        return f"{self.marks}{record.sent_as}"

    def job_id(self, mark: str) -> str | None:
        """Return the id of the job whose name in Slurm this is, None if no job of this service has such a one."""
        return jobs.marked_launch("job", self._service, mark)

    def title(self, system: str) -> str:
        """Return the name of a system for people."""
        return self.core.title(system)

    def job(self, record: JobRecord) -> Job:
        """Return the handle of a job, in whose site its own folder's parent is the folder of jobs."""
        site = self.sites.get(record.system)
        return Job(
            launch_id=LaunchId(record.job_id),
            job_id=record.native_id or "",
            mark=self.mark(record),
            user=record.whom,
            owner=record.login,
            site_key=record.system,
            started_with=self._started_at(site, record) if site else None,
        )

    def _started_at(self, site: Site, record: JobRecord) -> StartedWith:
        """Return what a job was started with: the same value for all jobs of a folder, which may be many."""
        folder = parent(record)
        of_site, known = self._started_with.get(record.system, (None, {}))
        if of_site is not site:
            _, known = self._started_with[record.system] = (site, {})
        if folder not in known:
            known[folder] = StartedWith.at(site).model_copy(update={"job_folder": folder})
        return known[folder]

    def ticket(self, record: JobRecord) -> Ticket | None:
        """Return the valid ticket of whom a job runs as, None where its site asks for none.  Raises AuthFailed."""
        return self.core.ticket(record.whom, record.system)

    def remote(self, record: JobRecord, deadline: Deadline | None = None) -> Remote:
        """Return access to a job's site as its owner.  Raises Broken if the site is no longer in the catalogue."""
        return self.core.remote(self.job(record), deadline)


def parent(record: JobRecord) -> str:
    """Return the folder in which the job's is."""
    return record.folder.rpartition("/")[0]
