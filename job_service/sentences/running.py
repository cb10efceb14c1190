"""Sentences about jobs at their sites: why they wait, how they ended, what could not be done yet.

`{site}` is a site's title, `{problem}` another sentence, whole, `{reason}` what Slurm, or a program there, says.
"""

from collections.abc import Mapping

from languages import sentence as _
from languages import speaks

# -- before Slurm has a job ------------------------------------------------------------------------------
IS_STARTED = _("The job is started: it is sent to {site}.")
INPUTS_AWAITED = _("The job is sent once all its inputs are there.")
INPUTS_LACK = _("The job is sent once these files are there: {names}.")
INPUTS_MORE = _("{names} and {count} more")
INPUTS_THERE = _("All inputs are there.")
IS_SENT_TO = _("The job is being sent to {site}.")
NOT_SENT_YET = _("The job could not be sent yet, and will be: {problem}")
TICKET_AWAITED = _("The job is sent once you have a ticket again: log in to the hub.")
ACCOUNT_AWAITED = _("The job will be sent by itself. {problem}")
ACCOUNT_WITHOUT_TICKET = _(
    "The account of {site} as which the job runs has no ticket now. If that lasts, contact the administrators."
)
ACCOUNT_GONE = _("Jobs do not run as an account of {site} any more. Please contact the administrators.")
IN_DOUBT = _("Whether the job has arrived is not known yet. It is found out before anything is sent again.")
SENT_AGAIN = _("{site} does not have the job, so it is sent again.")
NEVER_ARRIVED = _(
    "The job was sent to {site} {count} times, and never arrived. Send it again, or ask their support."
)
FOLDER_FULL = _(
    "There is no space left for the folder of the job at {site}: {reason}. "
    "Delete files there, or ask for more space, then send it again."
)
TYPE_GONE = _("What this job runs is not offered any more: {problem}")
CANNOT_BE_SENT = _("No script can be made for this job as it is. Please contact the administrators.")

# -- while Slurm has it ----------------------------------------------------------------------------------
QUEUED = _("The job waits in the queue of {site}.")
QUEUED_SAYING = _("The job waits in the queue of {site}, which says: {reason}.")
RUNS = _("The job runs on {nodes}.")
RUNS_SOMEWHERE = _("The job runs.")
ENDS = _("The job has ended, and {site} cleans up after it.")
HELD = _("The job is held, and does not start until it is released.")
HELD_BY_ADMIN = _("The job is held by {site}. Ask their support.")
SUSPENDED = _("{site} has suspended the job.")
WAITS_AGAIN = _("{site} has put the job back into the queue: it begins again, in the same folder.")
SAID = _("Slurm calls the job {word}.")

# -- how it ended ----------------------------------------------------------------------------------------
SUCCEEDED = _("The job has done its work.")
CANCELED = _("The job was cancelled.")
FORGOTTEN = _("The job was not started within a day, so it was cancelled, and its files are removed.")
INPUTS_FORGOTTEN = _("Not all inputs came within a week, so the job was cancelled. Lacking: {names}.")
CANCELED_BEFORE = _("The job was cancelled before it was sent.")
CANCELED_ELSEWHERE = _("The job was cancelled at the site.")
VANISHED = _("The job vanished: its node failed, or it was killed.")
NEVER_BEGAN = _("The job never started, and {site} does not know it any more.")
FOLDER_GONE = _("How the job ended is not known: its folder at {site} is gone.")

# -- who is asked ----------------------------------------------------------------------------------------
NOBODY_TO_ASK = _("Nobody who has jobs at {site} has a ticket now, so it cannot be asked about them.")

# -- what is owed ----------------------------------------------------------------------------------------
CANCEL_WANTED = _("The job is to be cancelled.")
CANCEL_OWED = _("The job will be cancelled as soon as {site} can be told.")
REMOVAL_OWED = _("The folder of the job will be removed as soon as {site} can be told.")
END_OWED = _("The job is over. How it ended is known at your next login.")
LOOKED_FOR_AGAIN = _("What became of the job is not known yet. It is looked for again.")
REMOVED = _("The job was deleted.")
FOLDER_REMOVED = _("The folder of the job at its site was removed.")
FOLDER_STRANGE = _("The folder of the job at its site is not as it was made, so it was left alone.")

# -- what cannot be done ---------------------------------------------------------------------------------
ALREADY_OVER = _("The job is over already.")
NOT_OVER = _("The job is not over: cancel it first.")
ALREADY_STARTED = _("The job has been started already.")
NOT_WAITING = _("Only a job that waits in the queue can be held.")
NOT_HELD = _("The job is not held.")
NOT_DONE = _("Slurm at {site} did not do it: {reason}.")

# -- arrays -------------------------------------------------------------------------------------------------
OF_AN_ARRAY = _("This is a task of the array {array}. Do that with the array.")
GOES_ON = _("The array goes on.")
_TASKS = _("Of its tasks {parts}.")
_PARTS = {
    "NEW": _("{count} are not sent yet"),
    "STAGINGIN": _("{count} wait for inputs"),
    "READY": _("{count} are on their way"),
    "QUEUED": _("{count} wait"),
    "HELD": _("{count} are held"),
    "RUNNING": _("{count} run"),
    "STAGINGOUT": _("{count} are about to end"),
    "SUCCESSFUL": _("{count} were successful"),
    "FAILED": _("{count} failed"),
    "CANCELED": _("{count} were cancelled"),
    "DELETED": _("{count} are removed"),
}


def tasks(counts: Mapping[str, int]) -> str:
    """Return how many tasks of an array are in which stage."""
    parts = ", ".join(_PARTS[stage].format(count=counts[stage]) for stage in _PARTS if counts.get(stage))
    return _TASKS.format(parts=parts)


speaks(__name__)
