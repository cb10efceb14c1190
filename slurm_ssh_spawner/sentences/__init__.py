"""Every sentence about servers and their hub that people read; what is no sentence stands in `labels`.

Said in the reader's language, see `languages`.  Names in braces stay as they are.  `{site}` is a site's title,
`{problem}` another sentence, whole.  Texts of jobs are in their scripts.
"""

from languages import sentence as _
from languages import speaks

# -- how a start goes on ---------------------------------------------------------------------------------
CONNECTING = _("Connecting to {site} as {owner}.")
ACCEPTED = _("{site} has accepted job {job_id}.")
QUEUED = _("The job waits in the queue.")
QUEUED_BECAUSE = _("The job waits in the queue ({reason}).")
HUB = _("the hub")
HUB_AT = _("the hub at {url}")
HUB_UNREACHABLE_BECAUSE = _(
    "The job runs on {node}, which cannot reach {hub}: {reason}. Please tell the administrators of the hub."
)
HUB_UNREACHABLE = _(
    "The job runs on {node}, but what it reports does not reach {hub}. Please tell the administrators of the hub."
)
NOT_HEARD_OF = _("The job runs on {node}, but has not been heard of yet. See the last lines of its log.")
NOT_HEARD_OF_AND_LOG_EMPTY = _(
    "The job runs on {node}, but has not been heard of yet, and its log, {path}, is empty or missing."
)
SERVER_UNREACHABLE = _(
    "The hub cannot reach the server on {node} at {address}: {reason}. Please tell the administrators of the hub."
)
NO_ANSWER = _("no answer")
WAITS_UNTIL = _("The hub waits for it until {until} at most.")
RUNNING = _("The job runs on {node}.")
SERVER_STARTING = _("The notebook server is starting.")
SERVER_UP = _("The server is up on {node}.")

# -- a stage of a job, a line each -----------------------------------------------------------------------
STAGE_LASTS = _("{name}: {text}")
STAGE_DONE = _("{name}: {text} ({seconds:.0f} s)")
STAGE_FAILED = _("{name}: {text} ({seconds:.0f} s, failed)")

# -- a start that came to nothing ------------------------------------------------------------------------
START_BY_LINK = _("A server is not started by a link. Use the form below.")
HOOK_FAILED = _(
    "This profile cannot be started: its hook {hook} failed. "
    "This is a configuration error; please contact the administrators."
)
NOT_RESOLVED = _("The hub did not check the choices before the start. Please tell the administrators.")
TRY_AGAIN = _("{problem} Try again in a few minutes.")
JOB_ENDED = _("The job at {site} ended before the notebook was up ({state}).")
JOB_GONE = _("The job at {site} ended before the notebook was up (gone from {scheduler}).")
WAITED_TOO_LONG = _(
    "Your job waited in the queue of {site} for {time}, and is cancelled. "
    "Start it again, or ask for less: smaller and shorter jobs begin sooner."
)
NOT_UP_IN_TIME = _("The job at {site} ran, but its server was not up by {until}. The job is cancelled.")
PACKAGE_HIDES = _(
    "The package {package} in {folder} hides the server's own. "
    "Move it away (pip uninstall {package}), and install it in an environment of its own."
)
LOG_TITLE = _("The last lines of its log")
LOG_FOLLOWS = _("These are the last lines of its log, {path}:")
LOG_UNREADABLE = _("Its log, {path}, could not be read. {problem}")
DATABASE_AWAY = _("The hub cannot use its database of launches.")
HUB_DATABASE_AWAY = _("The hub cannot use its database.")
SERVERS_GO_ON = _("{problem} Try again in a few minutes. Servers that run go on.")
NOTHING_STARTED = _("{problem} Nothing was started.")
LOG_EMPTY = _(
    "Its log, {path}, is empty or missing. If that is so for each job, tell the administrators: the nodes may not "
    "share that folder with the front ends."
)

# -- a server that ended, and whose owner may not know ---------------------------------------------------
SERVER_ENDED = _("Your server at {site} ended at {ended}. {problem}")
NAMED_SERVER_ENDED = _("Your server {server} at {site} ended at {ended}. {problem}")
SERVER_NEVER_UP = _("Your server at {site} did not come up; the start was over at {ended}. {problem}")
NAMED_SERVER_NEVER_UP = _(
    "Your server {server} at {site} did not come up; the start was over at {ended}. {problem}"
)
# Who has stopped it, by the word in its record; administrators alone read the name of one.
STOPPED_BY = {
    "you": _("You stopped it."),
    "stopped": _("It was stopped."),
    "stopped by its owner": _("Its owner stopped it."),
    "stopped by the hub": _("It was stopped by the hub."),
    "stopped by an administrator": _("It was stopped by an administrator of the hub."),
    "stopped by an administrator: {name}": _("It was stopped by {name}, an administrator of the hub."),
    "stopped by a service": _("It was stopped by a service of the hub."),
    "stopped by a service: {name}": _("It was stopped by {name}, a service of the hub."),
}
CANCELLED_BY = {
    "you": _("You cancelled the start."),
    "stopped": _("The start was cancelled."),
    "stopped by its owner": _("Its owner cancelled the start."),
    "stopped by the hub": _("The start was cancelled by the hub."),
    "stopped by an administrator": _("The start was cancelled by an administrator of the hub."),
    "stopped by an administrator: {name}": _("The start was cancelled by {name}, an administrator of the hub."),
    "stopped by a service": _("The start was cancelled by a service of the hub."),
    "stopped by a service: {name}": _("The start was cancelled by {name}, a service of the hub."),
}

# -- a server that runs ----------------------------------------------------------------------------------
STILL_SUBMITTING = _("{site} has not answered yet whether it accepts the job.")
NOT_FOUND_YET = _("{site} cannot say yet whether it has the job.")
BEGUN_BY_AN_OLDER_HUB = _("The hub was updated and could not go on with this start. Start the server again.")
NEVER_SUBMITTED = _("The hub was restarted, and {scheduler} does not have the job.")
CAME_TO_ITS_END = _("The job at {site} has ended ({state}).")
GONE_FROM_SLURM = _("The job at {site} has ended: {scheduler} does not list it any more.")
NO_SUCH_PERSON = _("{user} does not use this hub any more.")
STILL_BEING_STOPPED = _("{user} still has a server that runs or is being stopped. Remove {user} in a minute.")
FORMER_USER = _("{user} (removed {day})")
NOT_RENAMED = _(
    "{user} cannot be renamed: a person here is the account of that name at the sites, and their jobs run as it. "
    "Let the new account log in, and then remove {user}."
)
NOT_STARTED_AGAIN = _("The server of {user} could not be started again yet.")
TOKEN_AWAITED = _("The hub was restarted. It waits until the server reports again, some minutes at most.")
SUBMITTED_AGAIN = _("{site} does not have the job. The hub submits it once more.")
STOP_IS_OWED = _("{problem} The hub stops the job as soon as that is possible.")
STOP_NEEDS_TICKET = _("{problem} The hub stops the server as soon as its owner has a new ticket.")

# -- a person's servers ----------------------------------------------------------------------------------
NO_SERVERS = _("You have no servers yet.")
TOO_MANY_SERVERS = _("You have {most} named servers, and no more are allowed. Forget one that you no longer need.")
NAME_TAKEN = _("You already have a server {name}. Choose another name.")
EXPECTED = _("{site} expects it to start at about {begins}.")
GOES_ON = _("{site} cannot be reached since {since}. Your job still runs. Wait before you start it again.")
MAY_GO_ON = _("{site} cannot be reached since {since}. Your job may still run. Wait before you start it again.")
OWED = _("The job still runs and is charged. The hub stops it as soon as {site} lets it.")
STOPS_SOON = _("This page changes when the server has ended. You can start it again then.")
STOPS_SINCE = _("It has been ending since {since}.")
OWED_SINCE = _(
    "{site} cannot be reached since {since}. The job still runs and is charged; "
    "the hub stops it as soon as {site} answers."
)
FILES_STAY = _("Files that you saved are still at {site}.")
ENDED_AT = _("Ended at {ended}.")
LOGGED_OUT = _("You are logged out, or the hub cannot be reached. This page is no longer updated.")
USED_AGO = _("It was used {time} ago.")
USED_NOW = _("It was used within the last minute.")
ONE_BUSY = _("A kernel is busy: what it computes would be lost.")
BUSY = _("{kernels} kernels are busy: what they compute would be lost.")
NO_SUCH_SERVER = _("You have no such server.")
NOT_ALLOWED = _("You may not do that with this server. Ask the administrators of the hub.")
NO_NAMED_SERVERS = _("This hub has no named servers. Start your default one.")
NOT_RUNNING = _("It is not running.")
NOBODY_THERE = _(
    "The server does not answer. It may have ended, its cluster may be unreachable, or it may still be starting."
)
UNSAVED = _("If its job still runs, your work is still there. Wait before you start it again.")
LOOKS_AGAIN = _("This page looks again by itself.")
NO_SUCH_PAGE = _("There is nothing at this address, or it is not for you.")
WERE_LOGGED_OUT = _("You were logged out meanwhile, so nothing was done. Log in and come back.")
TELL_ADMINS = _("If it happens again, tell the administrators of the hub what you did and when.")
NOT_FORGETTABLE = _("Only a named server that does not run can be forgotten.")

# -- what JupyterLab shows of its job ----------------------------------------------------------------------
LAB_PLACE = _("{site} · {node}")
LAB_MINUTES_LEFT = _("{place} · {minutes} min left")
LAB_HOURS_LEFT = _("{place} · {hours} h {minutes} min left")
LAB_AWAY = _("{site} · cannot be reached now")
LAB_JOB = _("Job {job} at {site}, on {node}. Its time is up at {ends}.")
LAB_SOON = _("This server ends in {minutes} min, at {ends}. Save your work: its kernels and terminals end too.")
LAB_WAS_UP = _("The time of its job was up at {ends}.")
LAB_OVER = _("This server has ended")
LAB_SAVE_ALL = _("Save all")
LAB_START_AGAIN = _("Start again")
LAB_DISMISS = _("Dismiss")

# -- the pages of a start --------------------------------------------------------------------------------
CLOSE_PAGE = _("You can close this page: the start goes on.")
GIVES_UP = _("The hub waits until {until}, then cancels the job.")
HUB_AWAY = _("The hub is away for a moment. Your start goes on, and so does this page.")
IS_CANCELLED = _("The start is being cancelled.")
IS_READY = _("Your server is ready.")
FAILED_UNSAID = _("The start failed, and the hub cannot say why. If it happens again, tell the administrators.")
FAULT_OF_CHOICE = _("Other choices may help.")
FAULT_OF_PROFILE = _(
    "This may be a mistake in the profile, and not in what you chose. "
    "If it happens again, tell the administrators."
)
FAULT_OF_CLUSTER = _("This is up to {site}, not to what you chose. Try again later, or choose another cluster.")
FAULT_OF_HUB = _("This is a fault of the hub, not of what you chose. Please tell the administrators.")

# -- programs that use the hub ---------------------------------------------------------------------------
NO_SUCH_LAUNCH = _("There is no such launch.")
NOT_THIS_SERVERS_TOKEN = _("Only a server's own token may report about its launch.")
NOT_A_REPORT = _('A report is {"stage": "modules", "text": ""} or {"port": 1024 to 65535}, nothing else.')
NOT_THEIR_LAUNCHES = _("You can see your own launches only, and only with a token that may read your servers.")
NOT_THEIR_SERVERS = _(
    "You can see only what is offered to you, and only with a token that may start your servers."
)
NOT_A_NUMBER = _("{name} must be a number from {least} to {most}.")
NO_LAUNCH_FOUND = _("No launch was found.")
NOTHING_KEPT = _("Nothing of it is kept, or nothing was reported.")
NOT_STARTED_FOR_YOU = _("You asked for the server of {server}, and it was not started: {problem}")
NOT_CHANGEABLE = _("Only {names} of a server can be changed.")
NOT_TEXT = _("The {name} of a server must be text.")

# -- the start of the hub --------------------------------------------------------------------------------
CANNOT_START = _("JupyterHub cannot start: {problem}")
NO_CREDENTIALS = _(
    "JupyterHub cannot start: SlurmSSHSpawner needs people's Kerberos tickets for {sites}. "
    "Set c.JupyterHub.authenticator_class = 'kerberos-pam', or have people come there by certificate (`login` in "
    "the catalogue)."
)
CATALOGUE_UNUSABLE = _("JupyterHub cannot start: the catalogue cannot be used.\n{problem}")
RECORDS_UNUSABLE = _(
    "JupyterHub cannot start: the database of launches, {url}, cannot be opened: {reason}. "
    "Fix it, or set c.SlurmSSHSpawner.records_url."
)
URL_UNREADABLE = _("it is no URL of a database; write postgresql://user:password@host/name")
URL_PASSWORD_BARE = _(
    "its password has characters that end it; write %40 for @, %2F for /, %3A for : and %25 for %"
)
RECORDS_NEWER = _(
    "JupyterHub cannot start: the database of launches, {url}, was used by a newer version of jupyterhub-sites "
    "(its revision is {revision}). Install that version, or set c.SlurmSSHSpawner.records_url to another database."
)
NO_SUCH_LANGUAGE = _(
    "SlurmSSHSpawner.default_language: there are no sentences in {language}. Use en, fr, or a language of which "
    "you have put jupyterhub-sites.mo into its folder."
)
PORTS_UNUSABLE = _("SlurmSSHSpawner.tunnel_ports: {problem}.")

# -- the command line ------------------------------------------------------------------------------------
CHECKED = _("{file}: no problem found (sites: {sites}, profiles: {profiles}, job types: {job_types}).")
CHECKED_TYPE = _("{file}: no problem found in the job type.")
CHECKED_TEXT = _(
    "{file}: no problem found in what is written (sites: {sites}, profiles: {profiles}, job types: {job_types})."
)
JOB_TYPES = _("Job types:")
FACTS_AGREE = _("{file}: what runs jobs at {sites} has all of it.")
NOT_ASKED = _("{site} could not be asked, so nothing is proven about it; the reason is above")
NOT_ASKED_WITHOUT = _("was not asked, so nothing is proven about it: {reason}")
CHOICE_TWICE = _("A choice is given more than once. Give each once.")
NO_DAEMON = _("No tunnel daemon answers at {path} ({reason}).")
SOCKET_UNUSABLE = _("The socket {path} cannot be made ({reason}).")
NOT_A_CHOICE = _("The choice {text} is not NAME=VALUE. Write one such as time=2h.")

# -- the page around the options form ---------------------------------------------------------------------------
START_FOR = _("It will run as {name}.")
START_FOR_KNOWN = _(
    "You see what the hub already knows. The hub asks no cluster as {name} before you press Start, "
    "so profiles and projects may be missing."
)
SERVER_NAME_HINT = _("Without a name it is your default server.")

# -- a person's own settings for the form ------------------------------------------------------------------------
FILLED_BY_SETTINGS = _("Filled in from your settings {name}. Check them and press Start.")
NO_SUCH_SETTINGS = _("You have no settings called {name}.")
NAME_SETTINGS = _("Give these settings a name.")
SETTINGS_SAVED = _("Saved as {name}. It fills in this form and starts nothing.")
TOO_MANY_SETTINGS = _("You have {most} settings, and no more can be kept. Remove one that you no longer need.")
SETTINGS_REMOVED = _("{name} is removed.")
SETTINGS_NOT_SAVED = _("The hub did not answer, so nothing was changed. Try again.")

# -- the job script before it is sent -----------------------------------------------------------------------------
SCRIPT_IS = _("This is what Start would send to the cluster now. Secrets are not shown.")

speaks(__name__)
