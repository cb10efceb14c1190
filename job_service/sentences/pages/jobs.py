"""What people read on the list of their jobs."""

from languages import counted, speaks
from languages import sentence as _

STAGES = {
    "NEW": _("Not started"),
    "STAGINGIN": _("Waits for its files"),
    "READY": _("Is being sent"),
    "QUEUED": _("Waits in the queue"),
    "HELD": _("Held"),
    "RUNNING": _("Runs"),
    "STAGINGOUT": _("Ends"),
    "SUCCESSFUL": _("Done"),
    "FAILED": _("Failed"),
    "CANCELED": _("Cancelled"),
    "DELETED": _("Removed"),
    "live": _("All that go on"),
    "over": _("All that are over"),
}

ANY = _("Any")
STATE = _("State")
SEARCH = _("Title, job id or number at the cluster")
SHOW = _("Show")
JOB = _("Job")
REASON = _("Reason")
SENT = _("Sent")
CHOOSE = _("Choose {title}")
CANCEL_CHOSEN = _("Cancel the chosen ones")
NO_JOBS = _("You have no jobs yet.")
HOW_TO_BEGIN = _("Choose what to run, fill in one form, and watch it here.")
NONE_FOUND = _("No job is like that.")
SHOW_ALL = _("Show all")
NOT_ALL_CANCELLED = _("Some of the jobs could not be cancelled.")
NONE_CHOSEN = _("You have not chosen a job.")
STALE = _("May be old: the cluster cannot be asked.")


def tasks(count: int) -> str:
    """Return how many tasks an array has."""
    return counted("{count} task", "{count} tasks", count).format(count=count)


speaks(__name__)
