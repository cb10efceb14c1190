"""What people read on the pages of batch jobs, but for what the catalogue's form says.

Said in the reader's language, see `languages`.
"""

from languages import counted, speaks
from languages import sentence as _

# -- around every page -------------------------------------------------------------------------------------
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

# -- datasets of a new job ----------------------------------------------------------------------------------
DATASETS = _("Datasets")
DATASET = _("Dataset")
DATASETS_OF = _("New job: datasets for {name}")
FIND_DATASETS = _("A part of the name or id")
KIND = _("Kind")
FOUND = _("Found")
CHOSEN = _("Chosen")
NO_DATASET_FOUND = _("No dataset is like that.")
ALL_OF_THEM_CHOSEN = _("All that are shown here are chosen.")
CHOOSE_ALL = _("Choose all that are found")
CHOOSE_TICKED = _("Choose the ticked ones")
MORE_DATASETS = _("Show further ones")
UNTICK = _("Untick what you do not want.")
TO_FORM = _("Go on")
CHOOSE_DATASETS = _("Choose datasets")
NONE_OF_THEM = _("None is chosen.")
MODE_OF_THEM = _("What becomes of them")
MODES = {
    "single": _("One job that works on all of them"),
    "each": _("A job of its own for each"),
    "array": _("One array: a task for each, which wait in the queue as one and share a folder"),
}
SERVER_OF_THEM = _("The server knows all of them.")
NOT_FOR_ALL = _("Not all datasets have a job")
SENT_FOR = _("Jobs were sent for {count} of {all} datasets.")
TO_THE_SENT = _("See what was sent")
WHY_NOT = _("Why not")
TRY_OTHERS = _("Try it again with these")


def chosen(count: int) -> str:
    """Return how many datasets are chosen."""
    return counted("{count} dataset is chosen", "{count} datasets are chosen", count).format(count=count)


def tasks(count: int) -> str:
    """Return how many tasks an array has."""
    return counted("{count} task", "{count} tasks", count).format(count=count)


def none_for(count: int) -> str:
    """Return that there is no job for so many datasets."""
    return counted(
        "{count} dataset has no job:",
        "{count} datasets have no job:",
        count,
    ).format(count=count)


def takes(least: int, most: int) -> str:
    """Return how many datasets may be chosen."""
    if least == most:
        return counted("Choose {count} dataset.", "Choose {count} datasets.", most).format(count=most)
    return _RANGE.format(least=least, most=most)


_RANGE = _("Choose {least} to {most} datasets.")

# -- login ---------------------------------------------------------------------------------------------------
LOGGED_OUT = _("You are not logged in any more, so nothing was done.")
LOG_IN_ELSEWHERE = _(
    "Log in at the hub in another tab. Then go back to the page that you come from, load it again, and send it."
)
OTHER_LOGIN = _("You have logged in anew since this page was shown, so nothing was done.")
NOT_SENT = _("Nothing was sent")
TYPED_IS_KEPT = _("What you have typed is kept here; files have to be picked again.")
LOG_IN_AND_ON = _("Log in and go on with the form")
LOG_IN_BESIDE = _("Log in in another tab, then come back to this one.")
LOG_IN_HERE = _("Log in in another tab")
SHOW_FORM = _("Show the form again")
LOGIN_FAILED = _("The hub did not log you in.")
LOGIN_UNKNOWN = _("This login was begun by another browser, or more than ten minutes ago.")
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

# -- stages --------------------------------------------------------------------------------------------------
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

# -- the list ------------------------------------------------------------------------------------------------
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

# -- a new job -----------------------------------------------------------------------------------------------
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

# -- one job -------------------------------------------------------------------------------------------------
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

# -- projects ------------------------------------------------------------------------------------------------
NO_PROJECTS = _("You have no project that takes jobs. Ask the administrators for one.")
NO_QUOTA = _("Has no quota here.")
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

# -- administration ------------------------------------------------------------------------------------------
EVERYBODYS_JOBS = _("Everybody's jobs")
PEOPLE = _("People, projects and bans")
PERSON = _("Person")
FOLLOWED = _("How the clusters are followed")
OBSERVER = _("Asked as {name}, last at {time}")
NOT_ASKED = _("Nobody was asked yet.")
AWAY = _("Away since {time}: {reason}")
COUNTED = _("Jobs that go on: {live}. In doubt: {doubts}. Cancellations or removals that are owed: {owed}.")
CANCEL_OF = _("Cancel {title} of {owner}")
LAST_SEEN = _("Last seen")
FIRST_SEEN = _("First seen")
BANS = _("Bans")
NO_BANS = _("Nobody is banned.")
BAN = _("Ban")
BAN_SOMEBODY = _("Ban somebody")
ALL_PROJECTS = _("All projects")
LIFT = _("Lift the ban of {name}")
GRANT = _("Give time")
GRANT_TIME = _("Give")
HOURS = _("Hours")
HOURS_HINT = _("A negative number takes some back.")
TO_PROJECT = _("Empty: to the project itself.")
PICK_A_PROJECT = _("Choose a project.")
NOT_HOURS = _("Write a number of hours, such as 10 or 0.5.")
FIND_PEOPLE = _("Find people")
NO_PEOPLE = _("Nobody has used the service.")

speaks(__name__)
