"""What the command `jupyterhub-sites` says; what it finds in catalogues is worded in `profiles`."""

from languages import sentence as _
from languages import speaks

# -- launches --------------------------------------------------------------------------------------------
NO_LAUNCHES = _("No launch is like that.")
MORE_LAUNCHES = _("There are more. --limit says how many are printed, --since and --until which.")
RECORDS_UNREADABLE = _(
    "The launch records at {url} cannot be read ({reason}). --records is what records_url is in the hub's "
    "configuration; run it as the hub's account."
)
RECORDS_OF_ANOTHER_VERSION = _(
    "The launch records at {url} are those of another version. Run the `jupyterhub-sites` that is installed "
    "with the hub; a hub brings older ones to its own version when it starts."
)
NO_STATE = _("{text} is no state. Write one of: {states}.")
NO_MOMENT = _("{text} is no time. Write a date such as 2026-11-26, or how long ago, such as 7d or 12h.")
ONE_FORMAT = _("Write --json or --csv, not both.")
BEGAN = _("BEGUN")
LASTED = _("LASTED")
PERSON = _("PERSON")
CLUSTER = _("SITE")
PROFILE = _("PROFILE")
JOB = _("JOB")
NODE = _("NODE")
STATE = _("STATE")
WHY = _("WHY")

NO_KEY_OF_AN_ENTRY = _("{key} is no key. Write lower case letters, digits, _ and -, at most 40.")
NO_URL_OF_A_HUB = _("{url} is no URL of a hub. Write one such as http://hub.example.org:8081, without a path.")

# -- add-site --------------------------------------------------------------------------------------------
NO_HOST_NAME = _("{host} is no name of a host.")
NO_KEYSCAN = _("ssh-keyscan is not installed. Install OpenSSH's client (openssh-client, openssh-clients).")
NO_KEYS = _("{host} shows no usable host key on port {port}: {reason}")
NO_ANSWER_OF_SSHD = _("no sshd answers there, or it has neither an Ed25519, an ECDSA nor an RSA key.")
TOO_LATE = _("no answer in time.")
COMPARE = _(
    "Compare these fingerprints with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on each host, "
    "or with what its administrators say."
)
ARE_THEY = _("Are they the same? Slurm is then asked there, as you")
KEYS_NOT_COMPARED = _(
    "it is asked only over a connection whose host keys are known. Compare them, then run this again with --slurm"
)
REVIEW = _("Review everything: what no program can know from outside is as most clusters have it.")
SLURM_NOT_ASKED = _("Its Slurm was not asked: {reason}")
FINGERPRINT = _("{fingerprint} - compare it on the host: ssh-keygen -lf /etc/ssh/ssh_host_..._key.pub")
NO_FULL_NAME = _("{host} is no full name. Write that of its Kerberos principal, host/NAME.")
SEVERAL_ADDRESSES = _(
    "{host} has {count} addresses: an alias of several hosts has no Kerberos principal. List the hosts behind it."
)
CALLED_BY_SLURM = _("Slurm's name of the cluster is {name}.")
REVIEW_HUB_URL = _("The hub's API as the nodes reach it.")
REVIEW_NODE_ADDRESS = _("The address of a node as the hub (with a tunnel: the front end) reaches it.")
REVIEW_JOB_FOLDER = _("A folder that front ends and nodes share, of each person's own, which needs no ticket.")
REVIEW_JUPYTER = _("Where jupyterhub-singleuser is: `modules`, or the `prefix` of an environment.")
REVIEW_TUNNEL = _("`ssh` if the hub cannot connect to the nodes.")
NODES_OF_A_KIND = _("Nodes: {count}, each with cores: {cores}, memory: {memory}, GPUs: {gpus}")
NO_GPUS = _("none")
FOR_GROUPS = _("For members of {groups} only.")

speaks(__name__)
