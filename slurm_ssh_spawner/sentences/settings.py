"""What administrators read of a hub's settings when it starts: what is so, then what to do."""

from languages import sentence as _
from languages import speaks

SETTINGS_WRONG = _("JupyterHub cannot start: {problem}")

# -- what is written and does nothing ----------------------------------------------------------------------
ALL_READ = _("Every setting is read by what it is written for.")
NO_EFFECT = _("c.{setting} has no effect: SlurmSSHSpawner does not use it.")
OF_ANOTHER_SPAWNER = _("c.{setting} has no effect: this hub's spawner is SlurmSSHSpawner.")
IN_CATALOGUE = _("Write `{place}` in the catalogue instead.")
REMOVE_IT = _("Remove it.")
NO_SUCH_CLASS = _("c.{owner} is read by nothing: there is no class of that name.")
MEANT_CLASS = _("Did you mean c.{meant}?")
NO_SUCH_SETTING = _("There is no setting c.{setting}.")
MEANT_SETTING = _("Did you mean c.{meant}?")

# -- the machine -------------------------------------------------------------------------------------------
RUNS_AS_ROOT = _("The hub runs as root, which it does not need.")
USE_ACCOUNT = _("Run it as an account of its own.")
RUNS_AS = _("The hub runs as uid {uid}.")
NO_KINIT = _("There is no program kinit, so no ticket can be renewed.")
INSTALL_KINIT = _("Install it (krb5-user on Debian, krb5-workstation on RHEL).")
TICKETS_ON_DISK = _(
    "The ticket folder {folder} is on a disk ({kind}), so tickets outlive a reboot and lie in backups."
)
USE_RUN = _("Use a folder below /run.")
FILE_OPEN = _("{path} has mode {mode}, so others on this machine may read or change it.")
CLOSE_FILE = _("Run chmod go= {path}.")
NO_FOLDER = _("There is no folder {folder} for a database.")
MAKE_FOLDER = _("Make it, with the hub's account as its owner and mode 0700.")
FOLDER_CLOSED = _("The folder {folder} of a database cannot be written to by uid {uid}.")
MEND_FOLDER = _("Give it to the hub's account, with mode 0700.")
FOLDER_OPEN = _("Others on this machine may write to {folder}, where a database of the hub is.")
CLOSE_FOLDER = _("Run chmod 0700 {folder}.")
DISK_NEARLY_FULL = _("{folder}, where a database of the hub is, has {megabytes} MB left.")
MAKE_ROOM = _("Make room there.")

# -- the hub -----------------------------------------------------------------------------------------------
NO_HUB_NAME = _("SlurmSSHSpawner.hub_name, {name}, cannot stand in the names of jobs.")
HUB_NAMES = _("Use at most 32 lower case letters, digits, _ and -, beginning with a letter or digit.")
SERVERS_END = _("Every restart of the hub ends all servers.")
KEEP_SERVERS = _("Set c.JupyterHub.cleanup_servers = False.")
SPAWNS_LIMITED = _("Only {count} servers may start at once, and those that wait in a queue count.")
NO_SPAWN_LIMIT = _("Set c.JupyterHub.concurrent_spawn_limit = 0.")
NO_TEMPLATES = _(
    "Pages of {package} are not used, so people see JupyterHub's own, without their starts and tickets."
)
ADD_TEMPLATES = _("Add str(files('{package}') / 'templates') to c.JupyterHub.template_paths.")
NO_BANNER = _("template_vars has no {name}, so its banner is not shown.")
ADD_BANNER = {
    "ticket_notice": _("Add kerberos_auth.pages.ticket_notice to c.JupyterHub.template_vars."),
    "launch_notices": _("Add slurm_ssh_spawner.hub.launch_notices to c.JupyterHub.template_vars."),
}
ONLY_FROM_HERE = _("Jobs at {sites} would look for the hub at {url}, where only its own machine finds it.")
SET_HUB_URL = _("Set c.JupyterHub.hub_bind_url to an address of this machine, or `hub_url` of each site.")

# -- the catalogue and this machine ------------------------------------------------------------------------
CATALOGUE_OPEN = _("{file} has mode {mode} or another owner, so others may write commands that people run.")
CLOSE_CATALOGUE = _("Give it to root, and run chmod 0644 {file}.")
MAINTENANCE_OVER = _("Every maintenance of {site} is over.")
MONITOR_KEYTAB_UNREADABLE = _("The keytab {path} of the monitor of {site} cannot be read: {reason}.")
MONITOR_NO_KEYTAB = _("{path}, the keytab of the monitor of {site}, is not a keytab or is damaged.")
MEND_KEYTAB = _("Until that is mended, people's own connections ask Slurm.")
MONITOR_OF_OTHERS = _("The keytab {path} has no key of {principal}, the monitor of {site}.")
ADD_KEY = _("Run kadmin -q 'ktadd -k {path} {principal}'.")
NO_SUCH_GROUP = _("This machine knows no group {group}, so nobody of it sees {entry}.")
NOTHING_FOR_GROUP = _("This machine knows no group {group}, so what {entry} has for it is for nobody.")
CORRECT_GROUP = _("Correct its name, or make it.")

speaks(__name__)
