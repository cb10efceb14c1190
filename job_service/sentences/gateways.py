"""What people read about gateways, `{site}` being a gateway's title; some of it only admins."""

from languages import sentence as _
from languages import speaks

# -- what an admin has to mend ---------------------------------------------------------------------------------
NO_CREDENTIALS = _("The service has no credentials for {site} that it can use. Please contact the administrators.")
WRONG_CREDENTIALS = _(
    "{site} does not take the credentials of the service. Nothing can be done there until the administrators have "
    "mended that."
)
NO_AUTHORITY = _("What vouches for {site} cannot be read. Please contact the administrators.")
OTHER_CERTIFICATE = _(
    "What answers in place of {site} could not prove that it is {site}, so it was told nothing. It will be tried "
    "again."
)
SENT_ELSEWHERE = _("{site} sends to another address, which is not followed. It will be tried again.")
NOT_UNDERSTOOD = _("The answer of {site} could not be understood.")
NOT_THERE = _("{site} is not in the catalogue any more. Please contact the administrators.")

# -- what may be otherwise later ---------------------------------------------------------------------------
AWAY = _("{site} does not answer at present.")
BUSY = _("{site} is busy or being repaired.")
NO_ANSWER = _("{site} did not answer in time.")
MANY_ARE_THERE = _("{site} has more jobs of this name than can be looked at.")

# -- what a gateway will not do ------------------------------------------------------------------------------
REFUSED = _("{site} did not accept the job: {reason}.")
NOT_DONE = _("{site} did not do it: {reason}.")
NOT_HELD_THERE = _("{site} cannot hold jobs, or release them.")
STATUS = _("status {status}")

# -- while it has a job ----------------------------------------------------------------------------------------
QUEUED = _("The job waits at {site}.")
STAGES_IN = _("{site} gathers what the job needs.")
RUNS = _("The job runs at {site}.")
ENDS = _("The job has ended, and {site} keeps its results.")
CALLED = _("{site} calls the job {word}.")

# -- how it ended ----------------------------------------------------------------------------------------------
FAILED = _("The job failed at {site}.")
FAILED_WITH = _("The job failed with exit code {code}.")
FAILED_SAYING = _("The job failed at {site}, which says: {reason}.")
GONE = _("{site} does not know the job any more, so how it ended is not known.")
CANCELED_ELSEWHERE = _("The job was cancelled at {site}.")
FILES_REMOVED = _("The job and its files at {site} were removed.")

speaks(__name__)
