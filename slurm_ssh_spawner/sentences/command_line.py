"""What the command `jupyterhub-sites` says; what it finds in catalogues is worded in `profiles`."""

from languages import sentence as _
from languages import speaks

# -- launches --------------------------------------------------------------------------------------------
NO_LAUNCHES = _("No launch is like that.")
MORE_LAUNCHES = _("There are more. --limit says how many are printed, --since and --until which.")
RECORDS_UNREADABLE = _(
    "The launch records at {url} cannot be read ({reason}). --records is what records_url is in the hub's "
    "configuration; run it as the hub's account."
)
RECORDS_OF_ANOTHER_VERSION = _(
    "The launch records at {url} are those of another version. Run the `jupyterhub-sites` that is installed "
    "with the hub; a hub brings older ones to its own version when it starts."
)
NO_STATE = _("{text} is no state. Write one of: {states}.")
NO_MOMENT = _("{text} is no time. Write a date such as 2026-11-26, or how long ago, such as 7d or 12h.")
ONE_FORMAT = _("Write --json or --csv, not both.")
BEGAN = _("BEGUN")
LASTED = _("LASTED")
PERSON = _("PERSON")
CLUSTER = _("SITE")
PROFILE = _("PROFILE")
JOB = _("JOB")
NODE = _("NODE")
STATE = _("STATE")
WHY = _("WHY")

speaks(__name__)
