"""Access to the sites of jobs, as whom they run there, while they have a ticket if one is needed."""

from job_service.errors import TicketNeeded
from job_service.record import JobRecord
from job_service.running.places import Places
from kerberos_auth.errors import AuthFailed
from slurm_ssh.errors import Unavailable
from slurm_ssh.ssh.remote import Remote


class Access:
    """Access to jobs' sites as their owners, who need a ticket: an open connection would do without one.

    Where people come by certificate nobody does.

    For a job that runs as its site's account it is that which needs one, and never the owner.
    """

    def __init__(self, places: Places) -> None:
        self._places = places

    def remote(self, record: JobRecord) -> Remote:
        """Return access to a job's site as whom it runs, who has a ticket now.

        Raises TicketNeeded, or Unavailable if it is the account's, Broken.
        """
        try:
            self._places.ticket(record)
        except AuthFailed as error:
            if record.identity == "service":
                raise Unavailable(error.message, error.detail) from error
            raise TicketNeeded(error.message) from error
        return self._places.remote(record)
