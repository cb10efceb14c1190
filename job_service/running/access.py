"""Access to the sites of jobs, for their owners while they have a ticket."""

from job_service.errors import TicketNeeded
from job_service.record import JobRecord
from job_service.running.places import Places
from job_service.running.tickets import Tickets
from kerberos_auth.errors import AuthFailed
from slurm_ssh.ssh.remote import Remote


class Access:
    """Access to jobs' sites as their owners, who need a ticket: an open connection would do without one."""

    def __init__(self, places: Places, tickets: Tickets) -> None:
        self._places = places
        self._tickets = tickets

    def remote(self, record: JobRecord) -> Remote:
        """Return access to a job's site as its owner, who has a ticket now.  Raises TicketNeeded, Broken."""
        try:
            self._tickets.get(record.owner)
        except AuthFailed as error:
            raise TicketNeeded(error.message) from error
        return self._places.remote(record)
