"""What admins read of the service as a process: why it does not start, what its command did."""

from languages import sentence as _
from languages import speaks

# -- why it does not start --------------------------------------------------------------------------------
CCACHE_IS_SET = _(
    "KRB5CCNAME is set in the environment of jupyterhub-jobs; libraries would use one person's ticket for "
    "another. Start it without."
)
NAME_UNUSABLE = _(
    "The name of the hub, {name}, cannot stand in the names of jobs. "
    "Use at most 32 lower case letters, digits, _ and -, beginning with a letter or digit."
)
NOT_A_CHOICE = _("The choice {text} is not NAME=VALUE. Write one such as param.method=fast.")
NO_TOKEN = _(
    "jupyterhub-jobs has no API token. Write the one that is in the hub's configuration into {path}, "
    "or set JUPYTERHUB_API_TOKEN."
)
TOKEN_UNREADABLE = _("The API token of jupyterhub-jobs cannot be read from {path} ({reason}).")
TOKEN_OPEN = _(
    "The API token in {path} is not for uid {uid} alone. Run `chown {uid} {path}` and `chmod 600 {path}`, "
    "and make a new token if others may have read it."
)
NO_RUN_FOLDER = _("The run folder {path} cannot be used ({reason}). Make it with mode 0700, owned by uid {uid}.")
RUN_FOLDER_OPEN = _(
    "The run folder {path} is not for uid {uid} alone. Run `chown {uid} {path}` and `chmod 700 {path}`."
)
TAKEN = _("Another jupyterhub-jobs uses the run folder {path}.")
NO_TICKETS = _(
    "There is no folder {path} with people's tickets. The hub makes it: start the hub, or name another one "
    "with --ticket-folder."
)
NO_ADDRESS = _("{text} is no address to listen on. Write one such as 127.0.0.1:8082.")
CANNOT_LISTEN = _("jupyterhub-jobs cannot listen on {address} ({reason}).")

# -- its command ------------------------------------------------------------------------------------------
NOT_MADE = _(
    "The database cannot be made at {path} ({reason}). Make its folder first, with mode 0700, owned by uid {uid}, "
    "and run this command as that account."
)
UPGRADED = _("The database has the tables of this version.")
NO_PERSON = _("{text} is nobody's name on a hub.")

speaks(__name__)
