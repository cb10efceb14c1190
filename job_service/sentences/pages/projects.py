"""What people read of the projects that their jobs count against."""

from languages import sentence as _
from languages import speaks

NO_PROJECTS = _("You have no project that takes jobs. Ask the administrators for one.")
NO_QUOTA = _("Has no quota here.")
UNNAMED = _("For jobs that name no project: {system} itself decides what is charged, and no quota is kept here.")
YOU_HAVE = _("You have {left} of {all} left.")
PROJECT_HAS = _("The project has {left} of {all} left.")
COUNTS = {
    "wall": _("Each second of a job counts one."),
    "node": _("Each second of a job counts one for each node."),
    "core": _("Each second of a job counts one for each core."),
}
IS_DEFAULT = _("your default there")
IS_DEFAULT_OF_SERVICE = _("your default there for jobs that run as its account")
LEDGER = _("What was booked")
LEDGER_OF = _("What was booked in {project}")
WHEN = _("When")
BOOKED = _("Booked")
TIME = _("Time")
NOTE = _("Note")
NOTHING_BOOKED = _("Nothing yet.")
ENTRIES = {
    "grant": _("Given"),
    "hold": _("Held for a job"),
    "release": _("Given back"),
    "charge": _("Used by a job"),
    "adjust": _("Set anew"),
}

speaks(__name__)
