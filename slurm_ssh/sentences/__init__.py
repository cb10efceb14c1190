"""Every sentence about sites and jobs that people read, but for tunnels and waiting jobs, which are told beside.

Said in the reader's language, see `languages`.  Names in braces stay as they are.  `{site}` is a site's title,
`{reason}` what a program said; `{problem}` is another of these sentences, whole.

What does not answer is said without "try again": the same sentence reaches people who have nothing to try, such
as the owner of a running job.  The driver adds it for those who can.
"""

from languages import sentence as _
from languages import speaks

# -- reaching a site -------------------------------------------------------------------------------------
SITE_UNREACHABLE = _("{site} cannot be reached.")
NO_SUCH_HOST = _(
    "{site} cannot be reached, because this hub finds no host of the names that it knows for it. "
    "Please tell the administrators of this hub."
)
NOT_REACHED_IN_TIME = _("{site} cannot be reached: none of its login hosts let you in within {seconds} seconds.")
CONNECTION_LOST = _("The connection to {site} was lost.")
COMMAND_KILLED = _("A command of the hub was ended at {site} before it was done.")
SESSION_REFUSED = _("{site} let you in, but did not open a session for a command of the hub.")
NO_ANSWER = _("{site} did not answer within {seconds} seconds.")
TOO_SLOW = _("{site} answers too slowly: what had to be done there took longer than {seconds} seconds.")
SITE_GONE = _("The site {site} is no longer in the catalogue. Please contact the administrators.")
HOST_KEY_UNKNOWN = _(
    "{host} shows a host key that is not in the catalogue, so the hub does not trust it. "
    "Please tell the administrators: they compare the key and, if it is right, add it to the catalogue."
)

# -- a login that was refused ----------------------------------------------------------------------------
NOT_LET_IN = _(
    "{site} did not let you in with your ticket. You may have no account there; contact the support of {site}."
)
TAKES_NO_TICKETS = _(
    "{host} does not let anybody in by Kerberos ticket, which is the only way of the hub. "
    "Contact the support of {site}."
)
NO_TICKET_FOR = _("The login servers gave no ticket for {host}. Please contact the administrators of this hub.")
LOGIN_SERVERS_SILENT = _("The login servers do not answer, so the hub cannot log in to {site} with your ticket.")
NOT_LET_IN_SAYING = _("{host} did not let you in and says:")
SECOND_FACTOR = _(
    "{host} asks for a second factor after your ticket, which the hub cannot give. "
    "Ask the support of {site} to let the hub log you in by ticket alone."
)
CERTIFICATE_NOT_TAKEN = _(
    "{site} did not let you in with a certificate of the hub. You may have no account there; contact the support "
    "of {site}."
)
TAKES_NO_CERTIFICATES = _(
    "{host} does not let anybody in by certificate, which is the only way of the hub. "
    "Contact the support of {site}."
)
SECOND_FACTOR_AFTER_CERTIFICATE = _(
    "{host} asks for a second factor after the certificate, which the hub cannot give. "
    "Ask the support of {site} to let the hub log you in by certificate alone."
)
NO_CERTIFICATE_NOW = _(
    "The certificate authority of {site} gave the hub no certificate for you, so it cannot log in there."
)
NO_CERTIFICATE = _(
    "The hub cannot make certificates for {site}. This is a configuration error; "
    "please contact the administrators."
)
NO_CERTIFICATE_FOR = _(
    "The hub does not log you in to {site} as {login}, which may be the login of somebody else. "
    "Please contact the administrators: they decide who has which login there."
)
NO_COMMANDS = _(
    "{host} let you in, but your shell there ended before it ran a command of the hub. See whether one of its "
    "start-up files (such as .bashrc or .cshrc) ends it: by exit, or by a command that fails after set -e. "
    "If none does, your account may run no commands there: contact its support."
)
SHELL_REPLACED = _(
    "{host} let you in, but a start-up file of your shell there (such as .bashrc or .cshrc) starts another shell "
    "in its place, so no command of the hub is run. Let it do that in interactive shells only."
)
INPUT_TAKEN = _(
    "{host} let you in, but a start-up file of your shell there (such as .bashrc or .cshrc) reads what the hub "
    "sends to its command. Let it read in interactive shells only."
)
ANSWER_TOO_LONG = _(
    "{host} sent more text than the hub reads ({kilobytes} kB). Most likely a start-up file of your shell there "
    "prints without end: fix it, or contact its support."
)
TRANSFER_STALLED = _(
    "No data moved between the hub and {host} for {seconds} seconds, so the transfer was ended. "
    "It is not complete."
)
TRANSFERS_BUSY = _(
    "{count} of your transfers with {host} are under way already, and none ended within {seconds} seconds."
)
NOT_FORWARDABLE = _(
    "Your ticket may not be passed on, so no cluster takes it; logging in again does not help. "
    "Please tell the administrators of this hub."
)
NOT_FORWARDED = _(
    "Your ticket was not forwarded to {host}, so a job could not reach files that need it. "
    "Log out and log in again; if that does not help, contact support."
)
NO_TICKETS_HERE = _(
    "This site asks for a Kerberos ticket, and nobody has one on this hub. "
    "This is a configuration error; please contact the administrators."
)

# -- before a job is submitted ---------------------------------------------------------------------------
HOME_FULL = _(
    "Your home directory at {site} is full. Delete files there, or ask for more space, then start again."
)
HOME_NOT_WRITABLE = _(
    "Your home directory at {site} cannot be written to ({reason}). Contact the support of {site}."
)
FOLDER_FULL = _(
    "There is no space left for {folder} at {site}. Delete files there, or ask for more space, then start again."
)
FOLDER_NOT_WRITABLE = _(
    "The folder {folder} at {site} cannot be made ({reason}). "
    "Please tell the administrators of this hub, who chose that folder."
)
FOLDER_FOREIGN = _(
    "The folder {folder} at {site} does not belong to you, so nothing was started there. "
    "Contact the support of {site}."
)
FOLDER_OPEN = _(
    "Others may enter the folder {folder} at {site}, so nothing was started there. Set its mode to 0700."
)
FOLDER_REPLACEABLE = _(
    "Others may write to the folder {folder} at {site}, so nothing was started there. "
    "If it is yours, run chmod go-w on it; otherwise contact the support of {site}."
)
PROFILE_UNUSABLE = _(
    "This profile cannot be started. This is a configuration error; please contact the administrators."
)
EXIT_STATUS = _("exit status {status}")
NO_NODE_NOW = _(
    "{site} has no node for this now: none is large enough, or those that are large enough are down, drained or "
    "reserved."
)

# -- while a job is submitted ----------------------------------------------------------------------------
SUBMISSION_LOST = _("The connection to {site} was lost while the job was submitted.")
SCHEDULER_SLOW = _("{scheduler} at {site} is slow to answer; still trying.")
SCHEDULER_SILENT = _("{scheduler} at {site} does not answer.")
NO_MONITOR = _("The monitor of {site} cannot ask at present.")
SLURM_SAYS = _("{site} says: {reason}")
SUBMIT_NOT_UNDERSTOOD = _(
    "The answer of {program} at {site} could not be understood. Please contact the administrators."
)

# -- a job that was not accepted -------------------------------------------------------------------------
JOB_REFUSED = _("{site} did not accept the job: {reason}.")
JOB_REFUSED_WITHOUT_REASON = _("{site} did not accept the job and gave no reason. Contact the support of {site}.")
PROJECT_REFUSED = _(
    "{site} did not accept the job: you may not charge the project {project} there. "
    "Choose another project or partition."
)
NO_DEFAULT_PROJECT = _(
    "{site} did not accept the job: you have no default project that may be charged there. "
    "Choose a project or another partition."
)
NO_SUCH_PARTITION = _(
    "{site} did not accept the job: the partition {partition} does not exist there. Choose another partition."
)
NO_DEFAULT_PARTITION = _("{site} did not accept the job: there is no default partition there. Choose a partition.")
NO_SUCH_NODE = _(
    "{site} did not accept the job: no node there has what you asked for. "
    "Ask for less, or choose another partition."
)
TIME_TOO_LONG = _(
    "{site} did not accept the job: the time is longer than the partition {partition} allows. Ask for less time."
)
TIME_TOO_LONG_FOR_DEFAULT = _(
    "{site} did not accept the job: the time is longer than the default partition allows. Ask for less time."
)
PARTITION_FORBIDDEN = _(
    "{site} did not accept the job: your groups may not use the partition {partition}. Choose another partition."
)
DEFAULT_PARTITION_FORBIDDEN = _(
    "{site} did not accept the job: your groups may not use the default partition. Choose another partition."
)
TOO_MANY_JOBS = _(
    "{site} did not accept the job: you already have as many jobs there as you may. "
    "Wait until one has ended, or cancel one."
)
LIMIT_REACHED = _(
    "{site} did not accept the job: it exceeds a limit of your project or quality of service. "
    "Ask for less, or wait until other jobs have ended."
)
QOS_REFUSED = _(
    "{site} did not accept the job: you may not use this quality of service there. Choose another one."
)
RESERVATION_REFUSED = _(
    "{site} did not accept the job: you may not use this reservation now. Choose another one, or none."
)
NO_AUKS_PLUGIN = _(
    "{site} did not accept the job: its Slurm lacks the plug-in of auks. "
    "This is a configuration error; please contact the administrators."
)

# -- why a job ended ------------------------------------------------------------------------------------
TIME_WAS_UP = _("The job's time limit of {time} was up.")
SOME_TIME_WAS_UP = _("The job's time limit was up.")
MEMORY_USED_UP = _("The job used more memory than its {memory}. Ask for more, or load less at once.")
SOME_MEMORY_USED_UP = _("The job used more memory than it had. Ask for more, or load less at once.")
NODE_FAILED = _("The node {node} failed.")
SOME_NODE_FAILED = _("A node of the job failed.")
PREEMPTED = _("{site} needed the node for a job that goes before (preemption).")
CANCELLED_BY = _("The job was cancelled at {site} by {login}.")
CANCELLED_BY_SOMEBODY = _("The job was cancelled at {site}; {scheduler} does not say by whom.")
DISK_WAS_FULL = _(
    "There was no space left to write to. "
    "Delete files in your home directory at {site}, or ask for more space, then start again."
)
KILLED = _("The job's program was killed ({signal}). It may have used more memory than it had.")
SIGNALLED = _("The job's program was ended by a signal ({signal}).")
EXITED = _("The job's program failed (exit status {status}).")
ENDED_BY_ITSELF = _("The job's program ended by itself.")
END_IN_A_WORD = _("{scheduler} at {site} calls the job {word} and says no more.")
END_NOT_SAID = _("{scheduler} at {site} does not say why the job ended.")

# -- stopping a job --------------------------------------------------------------------------------------
STOP_FAILED = _("{scheduler} at {site} did not carry out the request to stop the job.")
STOP_UNFINISHED = _("The job at {site} was told to stop but has not ended yet.")

# -- the ticket of a job ---------------------------------------------------------------------------------
TICKET_NOT_RENEWED = _(
    "Your jobs at {site} do not have your new ticket yet and use the one they have; the hub keeps trying. "
    "{problem}"
)
TICKET_ENDS = _(
    "Your job's ticket could not be extended past {end:%H:%M} UTC on {end:%-d %B}. Save your work before then."
)
TICKET_FOLDER_FOREIGN = _(
    "The folder {folder} at {site} does not belong to you, so your ticket was not put there. "
    "Contact the support of {site}."
)
TICKET_FOLDER_OPEN = _(
    "Others may enter the folder {folder} at {site}, so your ticket was not put there. Set its mode to 0700."
)
TICKET_FOLDER_REPLACEABLE = _(
    "Others may write to the folder {folder} at {site}, so your ticket was not put there. "
    "If it is yours, run chmod go-w on it; otherwise contact the support of {site}."
)
TICKET_NOT_COPIED = _("Your ticket could not be put into {folder} at {site}: {reason}.")
TICKET_NOT_PUSHED = _("Your ticket could not be passed on at {site}: {reason}.")
TICKET_NOT_REMOVED = _("Your ticket could not be removed at {site}.")
TICKET_PROGRAM_MISSING = _(
    "The program {program}, which passes your ticket on, cannot be run at {site}. "
    "This is a configuration error; please contact the administrators."
)

# -- the ticket server of a site -------------------------------------------------------------------------
SERVER_UNREACHABLE = _("The ticket server of {site} cannot be reached, so it has no new ticket for your job.")
SERVER_REFUSED = _(
    "The ticket server of {site} did not take your ticket, or did not show it afterwards. "
    "You may not be allowed to use it; contact the support of {site}."
)
SERVER_FAILED = _("Your ticket could not be passed to the ticket server of {site}. Contact the support of {site}.")
SERVER_UNREADABLE = _(
    "The ticket that the ticket server of {site} keeps could not be read back. Contact the support of {site}."
)
SERVER_HAS_ANOTHERS = _(
    "The ticket server of {site} keeps somebody else's ticket in your place. Contact the support of {site}."
)
SERVER_HAS_EXPIRED = _(
    "The ticket server of {site} keeps a ticket of yours that has expired, and did not take the new one. "
    "Log in again, which gives you one that it takes; if that does not help, contact the support of {site}."
)
JOB_WITHOUT_TICKET = _(
    "The job runs without a Kerberos ticket, so it cannot reach files that need one: "
    "Slurm at {site} did not give it the one that the hub passed on. "
    "Stop the server and start it again; if that does not help, contact the support of {site}."
)

# -- what a site has -------------------------------------------------------------------------------------
FACTS_REFUSED = _("{scheduler} at {site} did not say what is free.")
FACTS_NOT_UNDERSTOOD = _("The answer of {program} at {site} could not be understood.")
QUEUE_REFUSED = _("{program} failed at {site}.")
QUEUE_NOT_UNDERSTOOD = _("The answer of {program} at {site} could not be understood.")

# -- commands --------------------------------------------------------------------------------------------
OUTPUT_NOT_WRITTEN = _("What this command says cannot be written: {reason}.")

speaks(__name__)
