"""What people read where they choose a job type and fill in its form."""

from languages import sentence as _
from languages import speaks

FIND_TYPE = _("Find among {count} job types")
FIND = _("Find")
NO_TYPES = _("Nothing is offered to you here. Contact the administrators.")
NO_TYPE_FOUND = _("No job type is like that.")
CHOOSE_TYPE = _("Choose {name}")
OTHER_TYPE = _("Choose another job type")
NEW_JOB_OF = _("New job: {name}")
TITLE = _("Title")
TITLE_HINT = _("One line that you will know it by.")
COMMAND = _("Command")
COMMAND_HINT = _("Run by bash in the job's folder.")
WHAT = _("What")
SERVED = _(
    "At {sites} this runs as one account for everybody who sends it, so you need none there. Send nothing that "
    "others must not see: there nothing is private among you."
)
PROJECT_HINT = _("What it counts against.")
DEFAULT_PROJECT = _("Your default project")
LEFT = _("{time} left")
FILE = _("Files")
FILE_HINT = _("They are put into the job's folder before the job begins.")
UNPACK = _("Have the job unpack the zips among the files")
PICK_AGAIN = _("Pick the files again: a browser forgets them.")
FILES_OF_EACH = _(
    "A job for each dataset takes no files here. Choose an array, whose tasks share them, or no files."
)
SEND = _("Send the job")
START = _("Start the server")
STARTS_SERVER = _(
    "This is no job: it starts a server of yours, which stands on the hub's page Home too. You come to it once it "
    "has started."
)
PREVIEW = _("Look at it first")
WHAT_WOULD_BE = _("What would become of it")
NOTHING_SENT = _("Nothing is sent yet.")
COST = _("Cost")
COST_OF = _("{cost} of {left} that you have left in {project}.")
COST_OF_ALL = _("{cost} each, {total} in all, of {left} that you have left in {project}.")
COSTS_TOO_MUCH = _("Not all of them can be paid.")
COST_NONE = _("Nothing is counted in {project}.")
BEGINS = _("Would begin")
BEGINS_UNKNOWN = _("{system} does not say.")
OBSTACLES = _("It would not be accepted now:")
SCRIPT = _("The script")
WOULD_BE_SENT = _("What {system} would be sent")
SAME_AS = _("The same from a shell")

speaks(__name__)
