"""What `jupyterhub-sites doctor` says of sites, to administrators: in English, as the log is.

`{site}` is a site's key, `{host}` a front end, `{node}` Slurm's name of a node, `{owner}` a login at the site;
`{said}` and `{reason}` are what a program there said.
"""

# -- what was not looked at ------------------------------------------------------------------------------
BECAUSE_OF = "Not looked at, because of {check}."
NOT_AFTER = "Not looked at on {host}, because of {check}."
NOT_WITHOUT_LOGIN = "Not looked at, because no front end let anybody in."
NOT_WITHOUT_FACTS = "Not looked at, because {scheduler} did not answer."
NOT_BEFORE_A_JOB = "Not looked at: PBS cannot be asked about a job that is not submitted."
NOT_AS_MONITOR = "Not looked at as the monitor, which submits no jobs: add --as NAME."
NOT_AFTER_FAILURE = "No job was submitted, because of what stands above."
NO_TIME_LEFT = "Not looked at within {seconds} s, because what came before took too long."

# -- E1, E2: name and port -------------------------------------------------------------------------------
HAS_ADDRESS = "{host} has the address {addresses}."
NAMES_SILENT = "This machine's name servers do not answer for {host}."
MEND_NAMES = "See /etc/resolv.conf of this machine."
NO_SUCH_NAME = "This machine finds no host {host} ({reason})."
FULL_NAME = "Write the full name of the login host; `getent hosts {host}` finds it then."
NAME_OF_SEVERAL = (
    "{host} has several addresses ({addresses}): an alias of several hosts has no Kerberos principal."
)
LIST_HOSTS = "List the hosts behind it in front_ends, each by its own name."
NAME_OF_ANOTHER = "{host} is an alias of {real}, and the KDC may know the host by that name alone."
WRITE_HOST = "Write host: {host}."
GREETS = "Port {port} of {host} answers as an sshd: {version}."
PORT_SILENT = "Port {port} of {host} did not answer within {seconds} s."
PORT_CLOSED = "Port {port} of {host} cannot be connected to ({reason})."
OPEN_SSH = "Open TCP {port} from this machine to {host} in the firewalls, and see that its sshd runs."
HUNG_UP = "{host} hung up on port {port} before it said anything."
TURNED_AWAY = "Port {port} of {host} turns the hub away: it says {said}."
SEE_MAX_STARTUPS = (
    "See MaxStartups, PerSourceMaxStartups and PerSourcePenalties of its sshd, fail2ban and hosts.deny."
)
NO_SSHD = "Port {port} of {host} is no sshd's: it says {said}."
PORT_OF_SSHD = "Write the port of its sshd."

# -- E3 to E6: keys and login ----------------------------------------------------------------------------
KEY_KNOWN = "{host} shows a host key of the catalogue ({fingerprint})."
KEY_OF_AUTHORITY = "{host} shows {fingerprint}; whether the authority has signed it, the login tells."
SHOWS_NO_KEY = "{host} shows no host key that can be used (Ed25519, ECDSA or RSA)."
SEE_KEYS = "See HostKey and HostKeyAlgorithms of the sshd of {host}, and host_keys in the catalogue."
KEY_UNKNOWN = "{host} shows the host key {fingerprint}, which is not in the catalogue."
PASTE_KEY = (
    "If `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says the same on {host}, add this to host_keys: {key}"
)
METHOD_OFFERED = "{host} offers {method}."
METHODS_NOT_SAID = "{host} does not say how people may log in; the login tells."
METHOD_MISSING = "{host} does not offer {method}; it offers {offered}."
ALLOW_METHOD = "Set `{setting} yes` in /etc/ssh/sshd_config of {host}, and reload its sshd."
NO_TICKET_NEEDED = "{host} lets in by certificate, without a ticket."
SERVICE_KNOWN = "The KDC gives a ticket for host/{host}."
KDC_AWAY = "No KDC answers to whoever asks for a ticket for host/{host}."
SEE_KDC = "See that a KDC runs, and kdc in /etc/krb5.conf of this machine."
NO_SERVICE = "The KDC gives no ticket for host/{host} ({reason})."
ADD_SERVICE = (
    "Write the full name that the KDC knows, or make the principal: kadmin -q 'addprinc -randkey host/{host}', "
    "then on {host}: kadmin -q 'ktadd host/{host}'."
)
LET_IN = "{host} lets {owner} in and runs commands."
NOT_LET_IN = "{host} did not let {owner} in ({reason})."
SEE_ACCOUNT = (
    "On {host}: `id {owner}`, then the keytab (`klist -k`; a key of an old kvno is not taken), ~{owner}/.k5login, "
    "auth_to_local, AllowUsers and PAM; its sshd's log says which."
)
SEE_CERTIFICATE = (
    "On {host}: `id {owner}`, then TrustedUserCAKeys and AuthorizedPrincipalsFile of its sshd, and its clock; its "
    "log says which."
)
SEE_CA = "Mend ca_key, or command, of login; `jupyterhub-sites doctor --only D` looks at it alone."
SEE_LOGIN = "Log in there by hand to see it: ssh -v {owner}@{host} true."
TRY_AGAIN = "Run this again; if it stays so, see the log of the front end's sshd."
TICKET_NOT_STORED = "{host} took the ticket of {owner} and did not keep it, so programs there have none."
STORE_TICKETS = "See GSSAPIStoreCredentialsOnRekey, UsePAM and pam modules of {host} that set or unset KRB5CCNAME."
NOISY_SHELL = "A start-up file of {owner}'s shell on {host} prints, even where there is no terminal."
QUIET_SHELL = "Let it print in interactive shells alone; the hub copes with it, scp and rsync do not."

# -- E7, E8, E9: Slurm -----------------------------------------------------------------------------------
SLURM_ANSWERS = "Slurm {version} answers on {host}, as cluster {name}."
PBS_ANSWERS = "PBS {version} answers on {host}."
NO_COMMANDS = "{host} has no {programs}."
SLURM_IS_ELSEWHERE = "Write slurm_path: {elsewhere}"
FIND_SLURM = "Write slurm_path: the folder that `command -v sbatch` prints on {host} for somebody who logs in."
PBS_IS_ELSEWHERE = "Write scheduler: {{kind: pbs, path: {elsewhere}}}"
FIND_PBS = (
    "Write scheduler: {{kind: pbs, path: FOLDER}}, the folder that `command -v qsub` prints on {host} for "
    "somebody who logs in."
)
QSELECT_FAILS = "qselect on {host} fails: {said}."
TRY_QSELECT = "See it by hand on {host}: {line}"
SEE_PBS_SERVER = "See the load of pbs_server and its data service."
SLURM_TOO_OLD = "Slurm on {host} is older than 22.05: {version}."
UPGRADE_SLURM = "Upgrade it: the hub reads the answers of 22.05 and later ones."
SQUEUE_FAILS = "squeue on {host} fails: {said}."
TRY_SQUEUE = "See it by hand on {host}: {line}"
SEE_CLUSTER = "Slurm there calls itself {name}: write that, or remove slurm_cluster."
SCHEDULER_SLOW = "{scheduler} took {seconds} s to answer on {host}."
SEE_SLURMCTLD = "See the load of slurmctld (sdiag)."
HAS_ALL = {
    "slurm": "{scheduler} has what the catalogue offers at {site}; its partitions are {partitions}.",
    "pbs": "{scheduler} has what the catalogue offers at {site}; its queues are {partitions}.",
}
TRY_FACTS = {
    "slurm": "Run sinfo and `scontrol show reservation` on a front end, as the same account.",
    "pbs": "Run `qstat -Q -f` and `qstat -B -f` on a front end, as the same account.",
}
MEND_PROMISE = {
    "slurm": "Correct it in the catalogue, or in slurm.conf.",
    "pbs": "Correct it in the catalogue, or at the server (qmgr).",
}
ACCOUNTING_SILENT = "Slurm's accounting does not say which projects {owner} has."
TRY_SACCTMGR = "Run `sacctmgr show assoc` there as the same account, or write projects as a list."
NO_PROJECT = "Slurm's accounting has no project for {owner} at {site}."
ADD_PROJECT = "sacctmgr add user {owner} account=PROJECT, or log in as somebody who has one."
ALL_TAKEN = (
    "Slurm would take each profile in each partition that {site} offers ({count}), says `sbatch --test-only`."
)
MORE_TO_TRY = (
    "Of {count} more jobs that people may start, this command asks nothing: it asks about {most} at a site."
)
NOTHING_OFFERED = "{person} sees no profile at {site}."
SEE_VISIBLE_TO = "See visible_to and sites of the profiles, or log in as somebody else."
NOT_OFFERED_NOW = "{profile} cannot be started in {partition} now: {reason}"
SEE_E8 = "See E8, and maintenance of the site."
NOT_TAKEN = "Slurm refuses {profiles} in {partitions}: {said}."
NOT_TAKEN_NOW = "Slurm has no node for {profiles} in {partitions} now: {said}."
NO_WORDS = "it does not say why"
SEE_NODES = "See sinfo -R: nodes that are drained, down or reserved do not count here."
DEFAULT_PARTITION = "Slurm's default partition"
ANY_PARTITION = "any partition"
SEE_DIRECTIVES = "Correct `constraint` in directives; `sinfo -o '%P %f'` prints the features that nodes have."
SEE_PARTITIONS = "`sinfo -s` prints the partitions; with none in the catalogue, Slurm needs a default one."
SEE_PROJECTS = "`sacctmgr show assoc user={owner}` prints what they may charge."
SEE_QOS = "`sacctmgr show qos` prints those that there are."
SEE_PROFILE = "Correct it there."
NO_SCRIPT = "No script can be made of {profile}: {reason}."

# -- E10, E11: folders, forwarding -----------------------------------------------------------------------
FOLDER_GOOD = "{name} can be used: {folder}."
FOLDER_NOT_MADE = "{name} {folder} cannot be used ({said})."
MAKE_PARENT = "Choose a folder that {owner} may make, or let people write into the one above it."
FOLDER_FOREIGN = "{name} {folder} is not safe: {at} does not belong to {owner}, or is a link."
FOLDER_OPEN = "{name} {folder} is not safe: others may enter {at}."
FOLDER_REPLACEABLE = "{name} {folder} is not safe: others may write to {at}."
CLOSE_FOLDER = (
    "Run `ls -ld {at}`: it has to belong to {owner} or root, and others may not write there (or it is sticky)."
)
NOT_SHARED = "What is written into {name} {folder} is not seen on {hosts}."
SHARE_FOLDER = "Choose a folder on a file system that all front ends and nodes mount."
NO_SPACE = "{name} {folder} is full ({said})."
LITTLE_SPACE = "{name} {folder} has {megabytes} MB left."
MAKE_ROOM_THERE = "Delete files there, or raise the quota."
HOME_CLOSED = "The home of {owner} at {site} cannot be written to ({said})."
SEE_HOME = "See its quota and owner: ls -ld ~{owner}; quota -u {owner}."
FORWARDS = "{host} carries connections on to {address}."
FORWARDING_FORBIDDEN = "{host} does not carry connections on to {address}: it is forbidden."
ALLOW_FORWARDING = "Set `AllowTcpForwarding local` (and no PermitOpen without the nodes) in sshd_config of {host}."
NODE_NOT_NAMED = "{host} finds no host {address}."
SEE_NODE_ADDRESS = (
    "Correct node_address, in which the name of a node is put in, as `sinfo -N` or `pbsnodes -a` prints it."
)
NODE_NOT_REACHED = "{host} did not reach {address}: {said}."
PROVE_BY_JOB = "It may have no sshd; add --job, which proves the way."
NO_NODE_KNOWN = "{scheduler} names no node of {site} that is up."

# -- F: on a node ----------------------------------------------------------------------------------------
NO_LAUNCH = "No job was submitted: {scheduler} would take nothing that {person} may start in {partition}."
NOT_SUBMITTED = "The job was not accepted: {reason}"
SEE_SUBMISSION = "See what E8 to E10 say, and try {program} by hand."
STARTED = "Job {number} runs on {node}."
ENDED_IN_QUEUE = "Job {number} is over and never ran ({word})."
SEE_LOGS = {"slurm": "See the logs of slurmctld.", "pbs": "See the logs of pbs_server and of the node's pbs_mom."}
STILL_QUEUED = "Job {number} waited for {seconds} s, and was cancelled: {reason}"
ANOTHER_PARTITION = "Try again later, or --partition with one that has room."
LOG_SEEN = "{node} sees job_folder, and the job's log is there."
NO_LOG = "The job ran on {node} ({word}) and there is no log of it in {folder}."
FOLDER_NOT_ON_NODE = "{node} cannot write to {folder}."
SHARE_WITH_NODES = "Choose a job_folder that front ends and nodes share, and that needs no ticket."
PYTHON_GOOD = "{node} has {said}."
NO_PYTHON = "{node} has no python3 on PATH."
PYTHON_TOO_OLD = "{node} has {said}, and jobs need 3.6 or later."
INSTALL_PYTHON = "Install python3 on the nodes, or name a module that brings it in jupyter.modules."
PYTHON_SILENT = "{node} has {said}, which does not run what a job gives it."
TRY_PYTHON = "Run `echo 'import socket' | python3 -I -S -` in the same environment on a node."
NOT_WITHOUT_PYTHON = "Not looked at, because python3 on {node} does not run."
MODULES_LOADED = "Modules are loaded: {loaded}."
NO_MODULES_NEEDED = "The site's environment is set up; it loads no modules."
NO_MODULES = "The environment of jupyter cannot be set up on {node}: {said}."
ENDED_EARLY = "it ended without a word"
SEE_MODULE_INIT = (
    "Write module_init: the file that defines `module` on the nodes, such as /etc/profile.d/modules.sh."
)
SEE_MODULES = "Correct jupyter.modules and module_paths; `module avail` on a node prints what there is."
PROLOGUE_FAILS = "The prologue fails on {node}: {said}."
SEE_PROLOGUE = "Run its lines by hand in bash on a node."
NOT_WITHOUT_MODULES = "Not looked at, because of F4."
SINGLEUSER_GOOD = "{program} is {said}; the hub has {own}."
NO_SINGLEUSER = "{node} has no {program} on PATH."
INSTALL_SINGLEUSER = (
    "Name the modules or the prefix in jupyter that bring it; an environment of your own: pip install jupyterhub "
    "jupyterlab."
)
SINGLEUSER_FAILS = "{program} does not run on {node}: {said}."
TRY_SINGLEUSER = "Run it by hand on a node: {program} --version"
SINGLEUSER_OF_ANOTHER = "{program} is {said}: the hub, {own}, works with {oldest} to {most}."
MEND_SINGLEUSER = "In that environment: pip install 'jupyterhub=={own}'."
NO_TICKET_ASKED = "Jobs get no ticket, as ticket.delivery says."
TICKET_GOOD = "The job on {node} has the ticket of {principal} (flags {flags})."
NO_TICKET_THERE = "The job on {node} has no ticket, though ticket.delivery is {delivery}."
TICKET_OF_NO_USE = "The job's ticket cannot be used on {node}: {said}."
TICKET_OF_ANOTHER = "The job on {node} has the ticket of {said}, not of {own}."
TICKET_NOT_READ = "The job on {node} has a ticket, and no klist that would look at it."
INSTALL_KLIST = (
    "Install krb5-user (Debian) or krb5-workstation (RHEL) on the nodes, if people are to use it there."
)
SEE_DELIVERY = "See ticket in the catalogue: ticket_folder has to be on the nodes too, and needs no ticket itself."
HOME_GOOD = "The home of {owner} is there on {node}, and can be written to."
HOME_NOT_ENTERED = "The home {home} cannot be entered on {node}."
MOUNT_HOME = "Mount homes on the nodes; one that needs Kerberos needs ticket.delivery too."
HOME_NOT_WRITTEN = "The home of {owner} cannot be written to on {node} ({said})."
HOME_NEARLY_FULL = "The home of {owner} has {megabytes} MB left."
CLOCK_GOOD = "The clock of {node} agrees with the hub's."
CLOCK_BEHIND = "The clock of {node} is {seconds} s behind the hub's."
CLOCK_AHEAD = "The clock of {node} is {seconds} s ahead of the hub's."
SET_CLOCK = "Run `chronyc tracking` on {node} and here: Kerberos allows five minutes."
NO_TIME = "{node} did not tell the time."
SEE_LOG = "Its bash is older than 4.2, or the log was cut."
PORT_FREE = "A free port can be opened on {node} ({port})."
NO_FREE_PORT = "No port can be opened on {node} ({said})."
SEE_PORTS = "See net.ipv4.ip_local_port_range of the node, and limits of jobs."

# -- G: both ways ----------------------------------------------------------------------------------------
NODE_FOUND = "The hub finds {node} as {host} ({address})."
NAMED_BY_FRONT_END = "The front end looks up {host}; what it finds, G3 tells."
NODE_NOT_FOUND = "The hub finds no host {host} ({said})."
NO_ADDRESS_OF_A_NODE = "{said}, which is this machine's own or every machine's: no node can have it."
NOT_WITHOUT_ADDRESS = "Not looked at, because of G1."
NOT_WITHOUT_PORT = "Not looked at, because the job has opened no port."
NO_ANSWER = "no answer in time"
REACHED = "The hub reaches port {port} of {host}, and bytes come back."
THROUGH = "The hub reaches port {port} of {host} through a front end, and bytes come back."
NOT_REACHED = "The hub does not reach port {port} of {host} ({said})."
OPEN_NODES = "Open the nodes' ports 1024-65535 to this machine, or set tunnel: {{kind: ssh}}."
NOT_THROUGH = "The hub does not reach port {port} of {host} through a front end ({said})."
OPEN_NODES_TO_FRONT_END = "Open the nodes' ports 1024-65535 to the front ends."
THROUGH_FORBIDDEN = "The front end does not carry connections on to {host}: it is forbidden."
ALLOW_THROUGH = "Set `AllowTcpForwarding local` in sshd_config of the front ends."
ANOTHER_ANSWERS = "Somebody else answers on port {port} of {host}: {said}."
HUB_REACHED = "{node} reaches the hub at {url} (JupyterHub {version})."
HUB_NOT_NAMED = "{node} does not find the host of {url}: {said}."
SEE_HUB_NAME = "Write a hub_url with a name or address that nodes know; `getent hosts` on a node tells."
HUB_NOT_REACHED = "{node} cannot reach the hub at {url}: {said}."
OPEN_HUB_PORT = "Open that port from the nodes to this machine, or correct hub_url."
HUB_NOT_TRUSTED = "{node} does not trust the certificate at {url}: {said}."
SEE_HUB_TLS = "Install the certificate's authority on the nodes, or write the name that the certificate has."
HUB_SILENT = "{node} got no whole answer of {url}: {said}."
SEE_HUB_URL = "See that hub_url is the hub's own API (JupyterHub.hub_bind_url), not a proxy or a web server."
NOT_THE_HUB = "What answers {node} at {url} is not the hub's API: {said}."
NOT_WHILE_HUB_AWAY = "Not looked at, because this machine does not reach the hub at {url} either: see C3."
NOT_WITHOUT_HUB = "Not looked at, because the job did not reach the hub."
REPORTS_ARRIVE = (
    "A made-up report of {node} reached the hub with its token, and the hub said that it waits for no such job."
)
REPORTS_ARRIVE_OF_OLDER = (
    "Reports of {node} reach the hub, which is of an older version: it does not say whether the token came along."
)
LOST_ON_THE_WAY = (
    "A report of {node} reached the hub without the token that was sent along, so no job would be believed."
)
SEE_AUTHORIZATION = (
    "Let what is between the nodes and the hub hand on the header Authorization, and ask for no login of its own."
)
REPORTS_LOST = "A report of {node} was not answered by this hub: {said}."
SEE_WEB_SERVER = "See that the hub runs this software, and that nothing before it turns away POST."
CANCELLED = "Job {number} was cancelled and has ended, and its folder and ticket are gone."
CANCELS = {"slurm": "scancel", "pbs": "qdel"}
NOT_CANCELLED = "{program} failed for job {number}: {said}."
SEE_CANCELLING = "Run {program} by hand there, as the same account."
NOT_ENDED = "Job {number} was cancelled, and has not ended within {seconds} s."
LEFT_BEHIND = "Job {number} has ended, and has left {paths}, which was removed."
SEE_TIME_TO_END = {
    "slurm": "See KillWait and UnkillableStepTimeout in slurm.conf: jobs need some seconds to clean up.",
    "pbs": "See kill_delay of the queue (qmgr): jobs need some seconds to clean up.",
}
