"""Every sentence of this package that people read; no other module words one."""

# -- the service -----------------------------------------------------------------------------------------
AWAY = "{host} cannot be reached."
AWAY_HINT = "Check the address and your network, or try again in a few minutes."
LOST = "The connection to {host} was lost."
LOST_HINT = "What you asked for may have been done: look before you ask again."
UNTRUSTED = "The certificate of {host} is not trusted, so nothing was sent to it."
UNTRUSTED_HINT = "If your institute has a certificate authority of its own, name its file in SSL_CERT_FILE."
BUSY = "{host} has too much to do at present. Try again in a minute."
REFUSED = "{host} refused that (HTTP status {status})."
NOT_THERE = "There is no such thing at {host}, or no service for jobs."
MOVED = "{host} sends you on to {place}, and hubjobs does not follow."
MOVED_HINT = "Log in again with the address that stands there."
UNREADABLE = "The answer of the service cannot be read: {what}."
NEWER_CLIENT = "Another program may answer at that address, or the service is newer than this hubjobs: update it."

# -- who you are -----------------------------------------------------------------------------------------
NOT_LOGGED_IN = "You are not logged in."
LOG_IN = "Log in: hubjobs login https://ADDRESS-OF-THE-HUB"
LOG_IN_AGAIN = "Log in again: hubjobs login"
TOKEN_REFUSED = "{host} does not know your token, or its time is up."  # noqa: S105
OPEN_TO_OTHERS = "Others may read {path}, so the token in it is not used."
SESSION_BROKEN = "{path} holds no login, or its token is no longer in the keyring."
NO_ADDRESS = "{url} is not the address of a hub."
NOT_SAFE = "http://{host} would send your password and your files in clear text. Use https://{host}."
NO_HUB = "There is no hub at {url}."
NO_HUB_HINT = "Give the address that you see in your browser, up to /hub."
LOGIN_REFUSED = "{host} gave no token for {user}: the password is wrong, or the hub has never seen you."
LOGIN_REFUSED_HINT = (
    "Type both again. If you have never logged in to {hub} with a browser, do that once. "
    "Where one logs in without a password, make a token at {hub}/hub/token and use: hubjobs login --token {hub}"
)
TOKEN_NOT_GIVEN = "{host} gives no such token: {reason}."  # noqa: S105
LOGIN_FAILED = "{host} could not log you in (HTTP status {status})."
WHICH_HUB = "Which hub?"
WHICH_HUB_HINT = "Give its address: hubjobs login https://ADDRESS-OF-THE-HUB"

# -- names and files -------------------------------------------------------------------------------------
NO_NAME = "“{text}” cannot be a name here."
NO_JOB_ID = "“{text}” is not a job: an id has 12 digits and letters from a to f, such as 0a1b2c3d4e5f."
NO_FILE = "{path} is not a file, or not there."
IN_THE_WAY = "{path} is in the way: it is a link, or not a folder."
BAD_ARCHIVE = "What came is not a whole archive: {reason}."
BAD_ARCHIVE_HINT = "Files that have come whole are there. Try again."
CUT_SHORT = "it ends too early"
LONG_NAME = "it has a name that is too long"

# -- the command -----------------------------------------------------------------------------------------
A_FILE = "A file"
NOT_WRITTEN = "What this command says cannot be written: {reason}."
NO_TIME = "“{text}” is no time. Write 90m, 2h, 1d12h or 45s."
NO_SETTING = "“{text}” sets nothing. Write --set NAME=VALUE."
NO_PROJECT = "“{text}” is no project. Write SYSTEM/NAME, such as geneva/proj3."
NO_LIMIT = "“{text}” is no limit. Write nodes=4, cores=16, time=8h or active=10; none alone is no limit."
REMOVED_PROJECT = "{project} is no project any more. What was counted against it stays in the books."
STALE = "As of {moment}: the system, or you there, cannot be asked at present."
RUNS = {
    "line": "a line of your own: hubjobs submit TYPE -- LINE",
    "program": "a program",
    "server": "a server of yours, which hubjobs submit TYPE starts",
}
NO_TASK = "{job_id} has no task {number}. Those of an array are listed by: hubjobs status --tasks {job_id}"
STARTS_A_SERVER = "{type} is interactive: its server takes --on, --project, --set and --dataset, and nothing else."
NO_JOBS = "No jobs. Send one: hubjobs submit TYPE, see: hubjobs types"
MORE_JOBS = "There are more: --limit shows them, or --stage, --system and --search find one."
MORE_FILES = "There is more than can be listed."
EACH_OR_ARRAY = "Say --each or --array, not both."
NOT_ACCEPTED = "{dataset}: {reason}"
MORE_DATASETS = "There are more. Give a part of their names, or a type."
CHOOSE_DATASETS = "Name each that it is to work on: --dataset ID. They are listed by: hubjobs datasets"
WANTED_DATASETS = "{least} to {most}, of the types {types}"
ANY_TYPE = "any"
WITH_SEVERAL = {"single": "one job with all", "each": "a job for each", "array": "an array"}
NOTHING = "Nothing."
LOGGED_IN = "{user} is logged in to {url}. The token is in {place}, and good until {until}."
KEYRING = "the keyring"
FOR_EVER = "you revoke it"
LOGGED_OUT = (
    "{user} is logged out here. The token itself ends on {until}; revoke it at {url}/hub/token to end it now."
)
WAS_NOT = "You were not logged in."
NO_TICKET = "none: nothing can be sent. Log in again: hubjobs login"
TOKEN_OVER = "The token's time is up."  # noqa: S105
WAITS_FOR_INPUT = "Job {job_id} waits for its inputs. Send them again: hubjobs put {job_id} FILE"
LEFT_OUT = "Left out, because it leads out of the folder, or is neither a file, folder nor link: {name}"
UNPACKED = "{files} files, {size}, in {folder}"
GET_WHAT = "Name the files to get, or give --all. They are listed by: hubjobs files {job_id}"
ONE_TARGET = "Several files need a folder that is there: --to FOLDER"
ENDED = "{job_id}: {stage}"
NO_BAN = "{user} is not banned."
BANNED = "{user} may send no jobs to {where} from now on. Jobs that were sent go on."
UNBANNED = "{user} may send jobs to {where} again."
GRANTED = "{who} got {time} of {project}."
TAKEN_BACK = "{time} of {project} were taken back from {who}."
ALL_OF_IT = ("The project", "the project itself")
LEFT_NOW = "{user} has {time} left of {project}."
GOOD_UNTIL = "good until {until}"
RENEWED_UNTIL = "renewed by the hub until {until} while jobs need it"
NO_MOMENT = "a day that the hub knows"
NOTHING_TYPED = "Nothing was typed."
ANYTHING = "anything"
EVERYBODY = "everybody"
ITS_MEMBERS = "members"
THE_ACCOUNT = "the account of the system"
YES = "yes"
NAME = "Name on the hub"
MAY_NOT_USE = "MAY NOT USE"
LEFT = ("YOU HAVE LEFT", "ALL HAVE LEFT")
OF_WHAT_IS_LEFT = "of {time} left"
NOT_INSTALLED = "hubjobs, not installed"
NO_TOKEN = "What was given cannot be a token."  # noqa: S105

# -- the portal's command --------------------------------------------------------------------------------
IJP_LOG_IN = "Log in: ijp login db username NAME password -"
IJP_HUB_PROMPT = "Please specify the URL of the hub that you wish to use, in the form https://example.com"
IJP_WHICH_HUB_HINT = (
    "Give its address once: ijp login --hub https://ADDRESS-OF-THE-HUB db username NAME password -"
)
IJP_CREDENTIALS = "Write an authenticator, and name and value of each credential: db username NAME password -"
IJP_SESSION = "User {user} connected to JupyterHub {version} at {url} with {minutes} minutes left."
IJP_SESSION_FOR_EVER = "User {user} connected to JupyterHub {version} at {url} until the token is revoked."
IJP_REFRESHED = (
    "The token is good until {until}, which nothing but a new login changes. "
    "The hub renews your ticket while jobs need it."
)
IJP_TYPES = "Available job types are:"
IJP_TYPE = "{key} is {kind}"
IJP_BATCH, IJP_INTERACTIVE = "batch", "interactive"
IJP_JOB = "{job_id}, {state}"
IJP_NO_JOB_ID = "“{text}” is not a job of {host}: an id is a number, as in 2.{host}."
IJP_NO_JOB = "You have no job {number} at {host}."
IJP_CHOOSE_DATASETS = (
    "Name each that it is to work on, before the job type: ijp submit -d ID {type}. "
    "They are listed by: hubjobs datasets"
)
IJP_NO_VALUE = "Write a value behind {word}."
