"""What stands around every page of batch jobs, and what a page says of which something went wrong."""

from languages import sentence as _
from languages import speaks

JOBS = _("Batch jobs")
SKIP_TO_CONTENT = _("Skip to content")
HOME = _("Home")
LOG_OUT = _("Logout")
TO_HUB = _("To the hub")
DARK_MODE = _("Toggle dark mode")
MY_JOBS = _("My jobs")
NEW_JOB = _("New job")
PROJECTS = _("Projects")
ADMIN = _("Administration")
SECONDS = _("{count} s")
MORE = _("Older ones")
NEWEST = _("The newest")
BACK_TO_JOBS = _("Back to the jobs")
PROBLEMS = {
    401: _("You are logged out"),
    403: _("This may not be"),
    404: _("There is no such page"),
    409: _("Not now"),
    422: _("Something is wrong"),
    429: _("Too much at once"),
    500: _("Something went wrong"),
    502: _("The cluster did not take it"),
    503: _("Not at present"),
    507: _("No space left"),
}

speaks(__name__)
