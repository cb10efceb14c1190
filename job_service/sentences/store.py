"""What people read of jobs that are not accepted, of what is not there, and, if admins, of the database."""

from languages import counted, speaks
from languages import sentence as _

# -- a job's history ------------------------------------------------------------------------------------
ACCEPTED = _("The job was accepted.")

# -- a job that is not accepted -------------------------------------------------------------------------
BANNED = _("You may not send jobs at present: {reason}")
BANNED_FROM = _("You may not send jobs to the project {project} at present: {reason}")
ASK_ADMINS = _("Ask the administrators.")
NOT_A_MEMBER = _("You may not use the project {project} at {system}.")
NOT_A_MEMBER_HINT = _("Choose one of your projects there, or ask the administrators to make you a member.")
TOO_MANY_HINT = _("Wait until some are over, or cancel some.")
QUOTA_EXCEEDED = _(
    "The job may take {needed} seconds of the project {project}; "
    "you have {left} seconds left there, and the project has {project_left}."
)
QUOTA_EXCEEDED_HINT = _("Ask for less time or fewer nodes or cores, or ask the administrators for more.")
KEY_REUSED = _("This Idempotency-Key was used within the last {days} days for another request.")
KEY_REUSED_HINT = _("Use a new key for each new request.")


def too_many(count: int, system: str) -> str:
    """Return that somebody has that many jobs already, which is all they may have."""
    return counted(
        "{count} job of yours is under way at {system}; you may not have more at once.",
        "{count} jobs of yours are under way at {system}; you may not have more at once.",
        count,
    ).format(count=count, system=system)


# -- what is not there, or cannot be done ---------------------------------------------------------------
NO_SUCH_JOB = _("There is no job {job} of yours.")
NOBODYS_JOB = _("There is no job {job}.")
NO_SUCH_PROJECT = _("There is no project {project}.")
NO_SUCH_PERSON = _("{person} has never used this service.")
NO_SUCH_QUOTA = _("There is no quota {number}.")
NO_SUCH_BAN = _("{person} is not banned from that.")
WRONG_STAGE = _("The job {job} is {stage}, so it cannot become {wanted}.")
PROJECT_IN_USE = _("Jobs of the project {project} are not over yet.")
PROJECT_IN_USE_HINT = _("Wait for them or cancel them first.")
NAME_TAKEN = _("There is a project {project} at {system} already.")
NOT_A_CURSOR = _("This is not where a page begins. Use the cursor that came with the page before.")

# -- the database ---------------------------------------------------------------------------------------
DATABASE_AWAY = _("The database of this service does not answer at present. Try again in a moment.")
DATABASE_BEHIND = _(
    "The database has the tables of an earlier version, or none. "
    "Make a copy of it, then run: jupyterhub-jobs upgrade-database"
)
DATABASE_NEWER = _(
    "The database was used by a later version of this service (its revision is {revision}). "
    "Install that version again, or bring back the copy from before the upgrade."
)
DATABASE_OPEN = _("Others than this account may use {file}. Give it to this account, and set its mode to 0600.")
DATABASE_TAKEN = _("Another service uses the database. Stop it first.")
NO_SUCH_DATABASE = _(
    "This is no URL of a database. "
    "Write --database sqlite:////var/lib/jupyterhub-jobs/jobs.sqlite or postgresql://user@host/name."
)
PASSWORD_BARE = _(
    "The password in the URL of the database has characters that end it. "
    "Write %40 for @, %2F for /, %3A for : and %25 for %."
)
NEEDS_A_FILE = _("SQLite needs the path of a file, such as sqlite:////var/lib/jupyterhub-jobs/jobs.sqlite")
NO_DRIVER = _("{name} is not installed, which this kind of database needs. PostgreSQL needs [jobs-postgresql].")

speaks(__name__)
