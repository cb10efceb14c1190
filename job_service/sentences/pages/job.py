"""What people read on the page of one job."""

from languages import sentence as _
from languages import speaks

JOB_ID = _("Job id")
CLUSTER_NUMBER = _("Slurm's number")
AT_GATEWAY = _("At {system}")
TYPE = _("Job type")
ASKED_FOR = _("Asked for")
STARTED = _("Started")
ENDED = _("Ended")
RAN = _("Ran")
FOLDER = _("Folder")
ENDED_WITH = _("Ended with")
EXIT_CODE = _("status {code}")
SIGNAL = _("signal {number}")
HISTORY = _("What happened")
ACTS = {
    "start": _("Start"),
    "cancel": _("Cancel"),
    "hold": _("Hold"),
    "release": _("Release"),
    "resubmit": _("Send again"),
    "remove": _("Delete"),
}
TASKS = _("Its tasks")
TASKS_OF_ARRAY = _("The tasks of one array.")
TASKS_BEFORE = _("Tasks before")
TASKS_AFTER = _("Further tasks")
ARRAY = _("Array")
TASK_OF = _("Task {number} of this array")
REQUEST = _("Sent together")
ALL_OF_REQUEST = _("All jobs of the same request")
OF_ONE_REQUEST = _("Only the jobs that were sent together.")
AFTER = _("after {time}")
STDOUT_OF = _("Output of {name}")
STDERR_OF = _("Errors of {name}")
REMOVE_HINT = _("Its folder goes, with all files in it.")
SEND_CHANGED = _("Change and send again")
PRINTED = _("What it has printed")
STDOUT = _("Output")
STDERR = _("Errors")
FOLLOW = _("Follow it here")
FOLLOWS = _("Following …")
FOLLOW_ENDED = _("That is all.")
FOLLOW_BROKE = _("It cannot be followed at present. Try again.")
FOLLOW_AGAIN = _("The connection was lost; it goes on by itself.")
FILES = _("Files")
ALL_FILES = _("All files as one archive")
NO_FILES = _("There are no files.")
FILES_CUT = _("There are more files than can be shown here. Open one of the folders.")
FILES_OF = _("Files of {title}")
NAME = _("Name")
SIZE = _("Size")
CHANGED = _("Changed")
COMMAND_LINE = _("Its command")
SCRIPT_LINK = _("The script that Slurm has")
SENT_LINK = _("What {system} is sent")

speaks(__name__)
