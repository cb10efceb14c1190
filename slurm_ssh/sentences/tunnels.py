"""What is said of tunnels: to people whose servers they reach, to their guests, and to administrators.

As in `slurm_ssh.sentences`, `{site}` is a site's title, and `{problem}` another of these sentences, whole.
"""

from languages import sentence as _
from languages import speaks

# -- reaching a server on a node -------------------------------------------------------------------------
FORWARDING_FORBIDDEN = _(
    "{site} does not let the hub through to {node}: TCP forwarding is not allowed there. "
    "This is a configuration error; please contact the administrators."
)
NODE_UNREACHABLE = _("The server on {node} cannot be reached through {site}.")
NODE_WITHOUT_ADDRESS = _("The hub does not find the address of {node} at {site}.")
NOT_A_NODE = _(
    "{site} says that the server runs on {node}. That name leads to an address that no node can have. "
    "This is a configuration error; please contact the administrators."
)
PORTS_USED_UP = _("All ports for tunnels are in use.")
TUNNEL_FULL = _("Too many connections to this server are open at once ({most}). Close some pages that show it.")

# -- what is said in the place of a server that its tunnel does not reach; people who are not logged in read it too
SERVER_NOT_REACHED = _("This server cannot be reached at present.")
PAGE_ASKS_AGAIN = _("This page tries again every {seconds} seconds.")
SERVER_CUT_OFF = _("{problem} Your notebook keeps running, and this page works again once that is solved.")
SITE_AWAY_SINCE = _("{site} cannot be reached since {since}. Your job goes on.")
CUT_OFF_SINCE = _(
    "{problem} This is so since {since}. Your job goes on, and this page works again once that is solved."
)
NODE_SILENT_SINCE = _(
    "Your server on {node} cannot be reached through {site} since {since}. "
    "If its job has ended, the hub soon finds that out."
)
AT_TIME = _("{moment:%H:%M %Z}")
AT_TIME_OF_DAY = _("{moment:%H:%M %Z} on {moment:%-d %B}")
WHICH_JOB = _("Its job is the one at {site} on {node} whose name ends in {launch}.")
ALL_SERVERS = _("Your servers")

# -- the tunnel daemon: for people whose server it carries, then for administrators ------------------------
TUNNELS_AWAY = _("The program that carries connections to {site} does not answer.")
TUNNELS_OF_ANOTHER_VERSION = _(
    "The tunnel daemon speaks version {daemon} of its messages, the hub version {hub}. Start the daemon again, "
    "so that it is of the hub's version. Please tell the administrators."
)
TUNNEL_MESSAGE_TOO_LONG = _(
    "What the catalogue says of a site's front ends is longer than a message to the tunnel daemon may be "
    "({kilobytes} kB). This is a configuration error; please contact the administrators."
)
TUNNELS_FOLDER_OPEN = _(
    "The folder {folder} of the tunnel daemon's socket must belong to the account of the hub, with mode 0700."
)
TUNNELS_RUN_ALREADY = _("A tunnel daemon runs already at {path}.")

# -- what an administrator wrote -------------------------------------------------------------------------
NO_PORTS = _("{value} is not a range of ports; write 20000-24999")
PORTS_OVERLAP = _(
    "the ports {value} overlap {least}-{most}, which this machine uses for outgoing connections; choose others"
)

speaks(__name__)
