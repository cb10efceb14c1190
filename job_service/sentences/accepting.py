"""Why a job is not accepted, and what admins cannot do."""

from languages import counted, speaks
from languages import sentence as _

# -- what was sent, field by field --------------------------------------------------------------------------
TITLE = _("The title must be one line of at most {most} printable characters.")
NO_TYPE = _("Say which job type it is.")
COMMAND_NEEDED = _("{type} needs a command: the line that it runs. With hubjobs it stands behind --.")
NO_COMMAND = _("{type} runs a program of its own. Omit the command.")
COMMAND_TOO_LONG = _("The command must have at most {kilobytes} kB. Send a longer one as a file, and run that.")
COMMAND_CONTROLS = _(
    "The command must not have control characters, but tabs and ends of lines. A file from Windows has one at the "
    "end of each line."
)
ARGUMENTS_IN_COMMAND = _("{type} takes no arguments of its own. Write them into the command.")
ONE_INPUT = _("A job at {system} has exactly one file: send a zip with all that it needs.")
TOO_MANY_INPUTS = _("At most {most} inputs can be named. Send an archive instead.")
INPUT_NAME = _(
    "{name} cannot be the name of an input. Write a path in the job's folder, without .., control characters or "
    "backslashes, at most {part} bytes a part and {most} in all, and not in {ours}."
)
INPUT_TWICE = _("The input {name} is named twice.")
INPUTS_ELSEWHERE = _(
    "Where this job would run, as {login} at {system}, the files of the earlier one are not found: its job type, "
    "or the place of its folder, has changed since."
)
SEND_WITH_FILES = _("Send it anew, with its files.")
START = _("{start} is no way to start a job. Choose one of: {ways}.")
START_WITHOUT_INPUTS = _(
    "The job would start before its inputs are there. Choose when-complete, or later, or name no inputs."
)
OUTSIDE_CHOICES = _("This is not among the choices. Send it as {field}.")
KEY = _("An idempotency key must be one line of 1 to {most} printable characters.")
TOO_MANY_CHOICES = _("At most {most} choices can be made.")
IS_INTERACTIVE = _("{type} is interactive: it starts a server of yours, and is no batch job.")
START_A_SERVER = _("Start it on the page of new jobs, or by POST to /servers.")
BANNED_FROM_SERVERS = _("You may start no servers of job types at present: {reason}")
ASK_ADMINS = _("Ask the administrators.")
NOT_INTERACTIVE = _("{type} is a batch job, and starts no server. Send it as a job.")
NO_DATASETS = _("{type} takes no datasets.")
TOO_FEW_DATASETS = _("{type} needs more datasets. Choose at least this many: {least}.")
TOO_MANY_DATASETS = _("{type} takes fewer datasets at once. Choose at most this many: {most}.")
MOST_DATASETS = _("At most {most} datasets can be chosen at once.")
DATASET_TWICE = _("The dataset {dataset} is chosen twice.")
NO_DATASET = _("There is no dataset {dataset}, or you cannot see it.")
DATASET_TYPE = _("{dataset} is of the type {found}, and {type} takes others: {types}.")
DATASET_ELSEWHERE = _("{dataset} is at {there}, and the job would run at {system}.")
MODE = _("{mode} is no way in which {type} works on several datasets. Choose one of: {modes}.")
NO_MODE = _("{mode} is no way to work on several datasets. Choose one of: {modes}.")
MODE_WITHOUT_DATASETS = _("Choose datasets: nothing else says how many jobs these are.")
UNPACK_IN_ARRAY = _("All tasks of an array would unpack the same files at once. Send them unpacked.")
NONE_ACCEPTED = _("None of the {count} datasets can have a job. {sentences}")
SEVERAL_WRONG = _("{count} things are wrong. {sentences}")

# -- systems ------------------------------------------------------------------------------------------------
AWAY = _("{system} has not answered since {time}. Jobs are accepted, and sent once it does.")
NO_SYSTEM = _("There is no system {system}, or it is not offered to you.")
NO_JOB_TYPE = _("There is no job type {type}, or it is not offered to you.")

NO_SCRIPT = _(
    "No script can be made for {type} at {system}. This is a configuration error; "
    "please contact the administrators."
)

# -- tickets ------------------------------------------------------------------------------------------------
LOG_IN = _("Log in at the hub, then send the job again.")


def ticket_ends(minutes: int) -> str:
    """Return that somebody's ticket is good for so many minutes only."""
    return counted(
        "Your Kerberos ticket ends in {minutes} minute, too soon for a new job.",
        "Your Kerberos ticket ends in {minutes} minutes, too soon for a new job.",
        minutes,
    ).format(minutes=minutes)


# -- projects -----------------------------------------------------------------------------------------------
NOT_YOURS = _("You have no project {project} at {system}. Yours there: {projects}.")
OF_OTHER_JOBS = _(
    "Jobs of this type do not count against the project {project} at {system}. Yours for them: {projects}."
)
NONE_YOURS = _("You have no project at {system} that takes jobs. Ask the administrators for one.")
NONE_YOURS_OF_SERVICE = _(
    "Jobs of this type run as an account of {system} and count against a project for such jobs. You have none: "
    "ask the administrators for one."
)
NO_PROJECT = _("You have no project {project} at {system}.")
ARRAY_TOO_LARGE = _(
    "{system} takes arrays of up to {most} tasks, and this has {count}. Choose fewer datasets, or a job for each."
)
NO_ARRAYS = _("{system} takes no arrays. Choose a job for each dataset.")
LIMITS = {
    "nodes": _("A job of the project {project} may have at most this many nodes: {most}."),
    "cores": _("A job of the project {project} may have at most this many cores on a node: {most}."),
    "array": _("An array of the project {project} may have at most this many tasks: {most}."),
    "time": _("A job of the project {project} may run for at most {most}."),
}
"""By the names that the limits of a project have."""

# -- what admins send ---------------------------------------------------------------------------------------
NO_FIELD = _("There is no field {name}. Fields are {names}.")
NAME = _("{value} is not a valid name. Use at most 64 letters, digits, _, . and -, no . or - as the first.")
PERSON = _("{value} cannot be the name of a person or group. Write 1 to {most} printable characters.")
TEXT = _("This must be one line of at most {most} printable characters.")
NUMBER = _("{value} is not accepted. Write a whole number from {least} to {most}.")
FLAG = _("{value} is not accepted. Write true or false.")
ONE_OF = _("{value} is not accepted. Choose one of: {names}.")
NO_LIMITS = _("Limits are names with whole numbers. The names are {names}.")
NO_ACCOUNTS = _("{system} does not charge accounts. Omit the account.")
NO_RUN_AS = _("No account of {system} is known as which jobs could run. Omit the identity.")
NO_MEMBER = _("{member} is not a member of the project {project}.")
GRANT_OF_NOTHING = _("A grant of 0 seconds changes nothing.")
NOT_SO_MUCH_LEFT = _("Only {left} seconds are left, so {seconds} cannot be taken.")
OWN_BAN = _("You cannot ban yourself.")
NO_REASON = _("an administrator has decided so.")
SYSTEM_AND_PROJECT = _("A project is named by its system and its name. Send both, or none.")

speaks(__name__)
