"""What people read of a request that went wrong before anybody looked at what it asks for.

Said in the reader's language, see `languages`.  Names in braces stay as they are.
"""

from languages import counted, speaks
from languages import sentence as _

# -- who asks --------------------------------------------------------------------------------------------
NO_TOKEN = _("This needs a token of the hub, and none came with the request.")
SEND_A_TOKEN = _("Send it in the header Authorization, as: Bearer TOKEN. You get one on the hub's page Token.")
BAD_TOKEN = _("The hub does not know this token: it has ended, was taken back, or was never one.")
SCOPE_MISSING = _("Your token may not do this: it lacks {scope}.")
ASK_FOR_SCOPE = _("Get a token that has it; if you cannot, ask the administrators of the hub.")
NOT_A_PERSON = _("This token is that of a service, and only people have jobs.")
NOT_OUR_PAGE = _("This request did not come from a page of this service that you have open, so nothing was done.")
LOAD_AGAIN = _("Load the page again, and try once more.")
NOT_OPENED = _("This page is only for people who open it in a browser, in a window of its own.")
NEW_BROWSER = _(
    "Your browser did not say how it was opened. A newer browser does so, at an address that is https."
)
HUB_AWAY = _("The hub does not answer, so nobody can say whose token this is. Jobs go on meanwhile.")
HUB_BUSY = _("Too many new tokens have to be looked up at the hub at present. Try again in a moment.")

# -- servers that the hub starts -------------------------------------------------------------------------
HUB_SILENT = _(
    "The hub did not answer in time. Look on its page Home whether the server starts before you start another."
)
HUB_STARTS_NOTHING = _("The hub does not answer, so no server was started. Try again in a minute.")
HUB_STARTS_MANY = _("The hub starts too many servers at present, so yours was not started. Try again in a minute.")
LOGIN_OVER = _("Your login at the hub has ended, so the server was not started.")
LOG_IN_AND_START = _("Log in at the hub, then start it again.")
NO_NAMED_SERVERS = _("This hub lets nobody have a server beside the first one, so no server was started.")
ASK_FOR_NAMED_SERVERS = _("Ask its administrators to allow named servers.")
TOO_MANY_SERVERS = _(
    "You have as many servers as the hub allows, also those that are stopped, so no other was started."
)
REMOVE_A_SERVER = _("Remove one on the hub's page Home, then start it again.")
NOT_STARTED = _("The hub did not start the server: {reason}")
NO_REASON = _("it says no reason (HTTP status {status}).")
SERVER_TAKEN = _("Others of your servers were started at the same moment, so {type} was not.")
START_AGAIN = _("Start it again.")

# -- the request itself ----------------------------------------------------------------------------------
NO_SUCH_PAGE = _("There is nothing at this address.")
ADD_A_SLASH = _("Write it with a slash at its end.")
OMIT_THE_SLASH = _("Write it without the slash at its end.")
NO_SUCH_METHOD = _("This address takes other methods.")
MALFORMED = _("The request cannot be read: {reason}")
NOT_JSON = _("its body is no JSON.")
NOT_READABLE = _("its body is not what its headers say.")
NO_DIGEST = _("its header Content-Digest has no sha-256 that can be read.")
BODY_TOO_LARGE = _("The body of this request may have {most} bytes at most.")
SEND_JSON = _("This address takes JSON.")
SAY_JSON = _("Send the header Content-Type: application/json.")
NOT_ENCODED = _("Files are taken as they are, not as {encoding}.")
NO_DATA = _("Nothing came from you for {seconds} seconds, so the request was ended.")
WRONG_FIELDS = _("Something in the request is not as it has to be.")
WENT_WRONG = _("Something went wrong in the service, and its administrators can read in its log what.")
TELL_REQUEST = _("If it happens again, tell them this number: {request_id}.")
REFUSED = _("The request was refused.")
CHANGED_MEANWHILE = _("The job has changed in this moment. Look at it again.")
TOO_MANY_AT_ONCE = _("You have {most} requests of this kind under way, and there may be no more at once.")
WAIT_FOR_THEM = _("Wait until one of them is done.")
TOO_MANY_A_MINUTE = _("You may send {most} jobs a minute, and that many have come.")
COME_AGAIN = _("Send the rest in a moment: Retry-After says in how many seconds the next one may come.")

# -- one field of it -------------------------------------------------------------------------------------
MISSING = _("This is needed.")
UNKNOWN = _("There is no such field.")
NOT_TEXT = _("This has to be a text.")
NOT_A_NUMBER = _("This has to be a number.")
NOT_A_WHOLE_NUMBER = _("This has to be a whole number.")
NOT_A_YES_OR_NO = _("This has to be true or false.")
NOT_A_LIST = _("This has to be a list.")
NOT_AN_OBJECT = _("This has to be an object with fields.")
NOT_A_MOMENT = _("This has to be a moment such as 2026-03-01T08:00:00Z.")
TOO_LONG = _("This may be {most} long at most.")
TOO_MUCH = _("This may be {most} at most.")
TOO_LITTLE = _("This has to be {least} at least.")
ONE_OF = _("This has to be one of: {options}.")
CONTROLS = _("This may have no control characters.")
WRONG = _("This is not as it has to be.")

# -- jobs and files --------------------------------------------------------------------------------------
NO_SUCH_JOB = _("You have no job {job_id}.")
REMOVED = _("The job was removed, and its folder with it.")
IS_ARRAY_HINT = _(
    "Read that of a task by its number, from 0 on: hubjobs log {job_id} --task 0. "
    "In the API tasks are jobs, which GET /jobs?parent={job_id} lists."
)
NO_SCRIPT = _("The script of this job can no longer be told: {reason}")
NOT_IN_RANGE = _("The file has {size} bytes, and the range that was asked for is behind its end.")


def is_array(count: int) -> str:
    """Return that an array has printed nothing itself."""
    return counted(
        "This is an array with {count} task, which has the log.",
        "This is an array with {count} tasks, each of which has a log of its own.",
        count,
    ).format(count=count)


speaks(__name__)
