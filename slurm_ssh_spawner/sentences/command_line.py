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

NO_PATH_OF_A_KEY = _("{path} is no path of a key. Write the whole path of the file on the hub's machine.")

# -- docs ------------------------------------------------------------------------------------------------
PAGES_ARE = _("The pages of this version lie in {folder}. `jupyterhub-sites docs PAGE` prints one.")
NO_PAGE = _("There is no page {name}. `jupyterhub-sites docs` lists all.")
NO_PAGES = _("The pages are not installed here. Install jupyterhub-sites by pip: its wheel brings them.")
PAGE = _("PAGE")
TITLE = _("TITLE")

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
REVIEW_LOGIN = _(
    "People come there by certificate. Its sshd has to trust this authority: `jupyterhub-sites docs certificates`."
)
REVIEW_TUNNEL = _("`ssh` if the hub cannot connect to the nodes.")
NODES_OF_A_KIND = _("Nodes: {count}, each with cores: {cores}, memory: {memory}, GPUs: {gpus}")
REVIEW_MODULE_INIT = _("The shell file that defines `module`.")
NO_GPUS = _("none")
PUT_INTO = _("{key} stands below `sites` in {file} now, with comments that say what to review.")
NO_CATALOGUE = _("{file} is no YAML that can be read. `jupyterhub-sites check` says where it is wrong.")
KEY_IS_TAKEN = _("{file} has a site {key} already. Choose another --key, or change that one in an editor.")
NOT_PUT_INTO = _(
    "{file} has no `sites` in which an entry can be put as lines of its own. Run this without --into, and put "
    "what it prints there in an editor."
)
NOT_WRITTEN = _("{file} cannot be written ({reason}). Run this as root.")
IS_WRITTEN = _("{file} is being changed by somebody else. If nobody does so, remove {new}.")
WAS_CHANGED = _("{file} was changed by somebody else meanwhile. Run this again.")
FOR_GROUPS = _("For members of {groups} only.")

# -- init ------------------------------------------------------------------------------------------------
ASK_HOSTS = _("Full names of the login hosts of your first cluster, separated by spaces")
ASK_TITLE = _("Its title, as people read it (empty: from its name)")
ASK_HUB_URL = _("The hub's API as its compute nodes reach it")
ASK_TUNNEL = _("Do its compute nodes refuse connections from this machine, so that they go through a login host?")
ASK_JOB_FOLDER = _("A folder there that login hosts and nodes share, for each person's job logs")
ASK_JUPYTER = _("Modules that bring jupyterhub-singleuser, or the folder of an environment")
ASK_HUB_NAME = _("The name of this hub in the names of jobs")
ASK_ADMINS = _("Administrators of the hub, separated by spaces (empty: none)")
ASK_JOBS = _("Will it take batch jobs, too?")
NO_HOSTS = _("No login host is named. Write the full name of one behind init.")
NO_HUB_NAME = _(
    "The name of a hub cannot be {name}. Use at most 32 lower case letters, digits, _ and -, beginning with a "
    "letter or digit."
)
NO_ACCOUNT = _("The name of an account cannot be {name}.")
NO_PATH = _("{path} cannot stand in a unit. Write an absolute path of letters, digits, ., _, + and -.")
NO_BIND_URL = _("The proxy cannot listen at {url}. Write an address and a port, such as http://127.0.0.1:8000.")
NO_ADMIN = _("{name} cannot be the name of somebody on the hub.")
NOTHING = _("nothing")
NOT_MADE = _(
    "{path} cannot be made ({reason}). Run this as root, or with --root DIR for a dry run. Made before: {made}."
)
CATALOGUE_HEAD = _(
    "What may be started, and where. `jupyterhub-sites docs catalogue` prints every key, "
    "`jupyterhub-sites check` finds mistakes."
)
REVIEW_BOUNDS = _("What people may ask for.")
ASK_SLURM = _("`jupyterhub-sites add-site HOST` asks it, as you, and prints partitions and nodes")
KEYS_BY_HAND = _("Put the host keys of {host} into the catalogue. They could not be seen: {reason}")
COMPARE_KEYS = _(
    "Compare the SHA256 of each host key in the catalogue with what its host prints:\n"
    "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
)
WHAT_BECAME = _("FILE")
MODE = _("MODE")
PATH = _("PATH")
MADE = _("made")
KEPT = _("was there, is as it was")
BY_HAND = _("To be done by hand:")
MAKE_ACCOUNT = _(
    "Make the hub's account:\nuseradd --system --home-dir /var/lib/jupyterhub --shell /usr/sbin/nologin {account}"
)
GIVE_AWAY = _("Give the account {account} what is its own:\nchown {account}: {paths}")
NO_PROXY = _("Install Node.js and the proxy, so that it is on the PATH:\nnpm install -g configurable-http-proxy")
NO_KINIT = _("Install Kerberos' programs: krb5-user (Debian), krb5-workstation (RHEL).")
NO_PAM_MODULE = _(
    "{module} is not on this machine. Install libpam-krb5 (Debian), or take --pam sss with SSSD, as on RHEL."
)
MAKE_KEYTAB = _(
    "Make a keytab of this machine, by which the KDC proves itself:\n"
    'kadmin -q "addprinc -randkey host/$(hostname -f)"\n'
    'kadmin -q "ktadd -k {keytab} host/$(hostname -f)"\n'
    "chown {account}: {keytab}; chmod 0400 {keytab}"
)
SET_KRB5_CONF = _(
    "See that [libdefaults] of /etc/krb5.conf has forwardable = true, renew_lifetime = 7d, rdns = false and "
    "dns_canonicalize_hostname = false."
)
MEND_CATALOGUE = _("Mend {file} ({path}: {problem}), until this finds nothing:\njupyterhub-sites check {file}")
REVIEW_CATALOGUE = _(
    "Review {file}: folders, where jupyterhub-singleuser is, what people may ask for. Then, with a ticket of your "
    "own:\njupyterhub-sites check --facts {file}"
)
REVIEW_CATALOGUE_WITHOUT_TICKET = _(
    "Review {file}: folders, where jupyterhub-singleuser is, what people may ask for. Then:\n"
    "jupyterhub-sites check {file}"
)
SET_UP_JOBS = _(
    "Say `jobs` at the site and `job_types` in the catalogue (`jupyterhub-sites docs job-service`). Install what "
    "the job service needs beside the hub, and make its database:\n"
    "{environment}/bin/pip install 'jupyterhub-sites[jobs]'\n"
    "sudo -u {account} {environment}/bin/jupyterhub-jobs upgrade-database"
)
OPEN_PORTS = _(
    "Let through: browsers to the proxy's port; compute nodes to port 8081 of this machine; this machine to port "
    "22 of the login hosts, and to every port of the nodes unless there is a tunnel; and to port 88 of the KDCs."
)
OPEN_PORTS_WITHOUT_KDC = _(
    "Let through: browsers to the proxy's port; compute nodes to port 8081 of this machine; this machine to port "
    "22 of the login hosts, and to every port of the nodes unless there is a tunnel."
)
START = _(
    "Start it, and read its log:\nsystemctl daemon-reload; systemctl enable --now {units}\n"
    "journalctl -fu jupyterhub"
)
EXAMINE = _(
    "See that all of it works, from a login as you to a job at each site:\n"
    "sudo -u {account} jupyterhub-sites doctor --as NAME --job"
)
ADD_TLS = _("Put a web server with TLS before {url}, and let it hold back no events (nginx: proxy_buffering off).")

# -- import ----------------------------------------------------------------------------------------------
NO_FILE = _("{file} cannot be read ({reason}).")
FILE_TOO_LONG = _("{file} is longer than 1 MiB: no configuration is.")
NO_PYTHON = _("{place}: this is no Python that can be read ({reason}).")
TRANSLATED = _("From {file}, which was read and not run. Review everything, then run `jupyterhub-sites check`.")
SPAWNER_CLASS = _('now c.JupyterHub.spawner_class = "slurm-ssh"; see jupyterhub_config.py of the examples.')
LEFT_IN_CONFIGURATION = _("Not of a spawner, and still for jupyterhub_config.py: {names}")
REVIEW_FRONT_ENDS = _("`jupyterhub-sites add-site HOST` prints the host keys of a login host.")
DONE_BY_THE_HUB = _("not needed: the hub does this itself.")
NO_COUNTERPART = _("has no counterpart.")
COMPUTED = _("is computed, so its value is not known without running the file.")
STAYS_IN_CONFIGURATION = _("stays in jupyterhub_config.py, of c.SlurmSSHSpawner.")
NO_VARIABLES_OF_THE_HUB = _("no variables of the hub reach a job; write those that it needs into `environment`.")
QUEUE_WAIT = _("the time in the queue is `queue_wait` of a profile now, a day if it is not said.")
LINES_OF_SHELL = _("these lines may become the site's `prologue`, or a kernel's script:")
NO_SLURM = _("starts no job of Slurm, and has no counterpart.")
LIST_RESERVATIONS = _("it lists what Slurm has; `reservations` of the site names those that are offered.")

speaks(__name__)
