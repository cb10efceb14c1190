"""What `jupyterhub-sites doctor` says, to administrators: in English, as the log is."""

# -- what is not looked at -------------------------------------------------------------------------------
BECAUSE = "Not looked at, because {check} failed."
NAME_SOMEBODY = "Not looked at: name somebody who may log in there, with --as NAME, or give the site a monitor."
MONITOR_NOT_IN = (
    "Not looked at, because its monitor has no ticket (B7). Mend that, or name somebody with --as NAME."
)
NO_TICKETS_HERE = "Not looked at: the site asks for a Kerberos ticket, and nobody gets one at this hub."
NO_END = "This could not be looked at within {seconds} s."
BROKEN = "This could not be looked at: {reason}."
REPORT_IT = "That is a mistake of this program. Report it, with its version (jupyterhub-sites --version)."
SITE_TOO_SLOW = "The site could not be looked at within {seconds} s."
NO_SUCH_SITE = "The catalogue has no site {site}. Its sites: {known}."

# -- what is well, by check ------------------------------------------------------------------------------
WELL = {
    "A2": "Every setting is read by what it is written for.",
    "A3": "This runs as the hub's account.",
    "A4": "Folders and secrets of the hub are its own, and tickets are in memory.",
    "A5": "Nothing in the environment is in the way.",
    "A6": "The PAM service is complete.",
    "A7": "The person is known here.",
    "A8": "Enough files and connections may be open, and the ports of tunnels are free.",
    "A9": "The databases can be used.",
    "A10": "What the hub needs is installed, in versions that it knows.",
    "A11": "Name, pages and limits of the hub are set as its spawner needs.",
    "B1": "Every KDC of the realm answers.",
    "B2": "Tickets are asked for as forwardable and renewable.",
    "B3": "The clock is that of the KDCs.",
    "B4": "The KDC knows the key in the keytab.",
    "B6": "The key for login without a password is that of the hub's address, and long tickets get through.",
    "C1": "The proxy takes the hub's token, on this machine alone.",
    "C2": "Browsers reach the hub, also by websockets, and events come when they happen.",
    "C3": "The hub answers where jobs look for it.",
    "C4": "Each person's own name leads to the hub.",
    "D1": "The catalogue can be used, and nobody else can change it.",
    "D2": "No maintenance is over.",
    "D3": "Every group that the catalogue names is known here.",
    "D4": "Every entry is for somebody.",
    "D5": "Certificates can be signed for every site that asks for one.",
}

# -- A1: the configuration -------------------------------------------------------------------------------
READ = "{file} can be read."
NO_CONFIGURATION = "There is no configuration {file}."
NAME_CONFIGURATION = "Name the hub's (jupyterhub-sites doctor -f FILE), or make one (jupyterhub-sites init)."
NOT_RUN = "The configuration cannot be read: {reason}."
MEND_LINE = "Mend that line; the hub does not start with it."
RUN_AS_THE_HUB = "Run this as the hub's account, such as: sudo -u jupyterhub jupyterhub-sites doctor"
NOT_A_VALUE = "A setting cannot be used: {reason}"
ANOTHER_SPAWNER = "This hub's spawner is not SlurmSSHSpawner, and nothing else is looked at here."
SET_SPAWNER = 'Set c.JupyterHub.spawner_class = "slurm-ssh".'

# -- A3 to A5, A7, A8: account, folders, environment, limits ---------------------------------------------
ANOTHER_ACCOUNT = (
    "This runs as {mine}, and the hub's files belong to {account}: what is said here may not be so for it."
)
AS_ROOT = "This runs as root, so what is said of files and ports may not be so for the hub's account."
RUN_AS = "Run: sudo -u {account} jupyterhub-sites doctor"
OPEN_UMASK = "The hub runs with the umask {umask}, so other accounts may read or write files that it makes."
CLOSE_UMASK = "Set UMask=0077 in the hub's unit, and restart it."
CANNOT_MAKE = "There is no ticket folder {folder}, and this account cannot make it."
RUNTIME_DIRECTORY = (
    "Let the hub's unit make the folder around it: RuntimeDirectory=jupyterhub, RuntimeDirectoryMode=0700."
)
KEYTAB_IS_SET = (
    "KRB5_KTNAME is set, so libkrb5 may use the keytab {path} in the place of those that are configured."
)
NO_SUCH_KRB5_CONF = "KRB5_CONFIG is set, and there is no file {path}."
PROXY_IS_SET = "{name} is set, so what the hub asks of its proxy and of servers goes through that proxy."
UNSET = "Take {name} out of the environment of the hub's unit."
UNKNOWN = "This machine does not know {name}, so they cannot log in."
MAKE_KNOWN = "Have sssd know them (getent passwd NAME), or let the KDC alone decide, with pam_service = ''."
SLOW_ACCOUNTS = "It took {seconds:.1f} s to look up {name} on this machine; people wait that long for each page."
LOOK_AT_SSSD = "Look at sssd, and at what it asks (sssctl domain-status)."
KNOWN = "This machine knows {name}. Groups: {groups}."
FEW_FILES = "The hub may open {count} files only; each connection and each tunnel is one."
MORE_FILES = "Set LimitNOFILE={count} or more in the hub's unit."
PORTS_TAKEN = "Others listen at ports of tunnels ({first}-{last}): {ports}."
OTHER_PORTS = "Set c.SlurmSSHSpawner.tunnel_ports to a range that is free."
MANY_CONNECTIONS = (
    "The kernel keeps track of {count} connections, of {most} at most; beyond that it drops new ones: pages hang."
)
MORE_CONNECTIONS = (
    "Run: sysctl -w net.netfilter.nf_conntrack_max={most}, and write it into /etc/sysctl.d/jupyterhub.conf too."
)

# -- A9: databases ---------------------------------------------------------------------------------------
NO_DRIVER = "The database {url} cannot be used: there is no module {module}."
INSTALL_DRIVER = "Run {command}."
DATABASE_UNUSABLE = "The database {url} cannot be used: {reason}."
MEND_DATABASE = "Mend that, or the URL; the hub does not start without it."
DATABASE_READ_ONLY = "The database {url} takes no writes."
USE_PRIMARY = "Name the primary server, not one that follows it."
DATABASE_CLOSED = "The database {path} cannot be read and written to by uid {uid}."
OWN_DATABASE = "Run: chown {uid} {path}"
DATABASE_OPEN = "The database {path} has mode {mode}, so others on this machine may read it."
DATABASE_WRITABLE = "The database {path} has mode {mode}, so others on this machine may change it."
CLOSE_DATABASE = "Run: chmod 0600 {path}"
RECORDS_OF_NEWER = "The launch records at {url} are those of a newer version of jupyterhub-sites."
UPDATE_US = "Install that version, or put back the copy of the database that was made before the update."
RECORDS_OF_OLDER = "The launch records at {url} are brought to this version when the hub starts."

# -- A10: what is installed ------------------------------------------------------------------------------
ANOTHER_PACKAGE = "The package {name} is not that of jupyterhub-sites, but another one: {path}."
OWN_ENVIRONMENT = "Install jupyterhub-sites into a virtual environment of its own."
WRONG_VERSION = "{name} has to be {needed}, and is {there}."
INSTALL_VERSION = "Run: pip install '{name}{needed}'"

# -- B1, B3: KDCs ----------------------------------------------------------------------------------------
KDCS_BY_PROXY = "KDCs of {realm} are reached through a proxy (https); whether each answers is not looked at."
CLOCK_NOT_COMPARED = "The clock is not compared with the KDCs of {realm}, which are behind a proxy."
NO_KDC = "Neither krb5.conf nor a name server says where a KDC of {realm} is."
LIST_KDCS = (
    "List them as `kdc =` of {realm} in [realms] of krb5.conf, or have DNS say it (_kerberos._udp.{realm}, SRV)."
)
KDC_SILENT = "The KDC {host}:{port} of {realm} does not answer: {reason}."
OPEN_KDC = "Correct `kdc =` of {realm} in krb5.conf, or let this machine through to {host}:{port}, TCP and UDP."
CLOCK_AHEAD = "This machine's clock is {seconds} s ahead of that of the KDC {host}."
CLOCK_BEHIND = "This machine's clock is {seconds} s behind that of the KDC {host}."
SET_CLOCK = "Let chronyd set it (chronyc tracking). With 300 s nobody can log in."

# -- B4, B6, B7: keytabs ---------------------------------------------------------------------------------
KEY_IS_OLD = "The key of {principal} in {path} (kvno {kvno}) is not the one that the KDC has."
KEY_NOT_PROVEN = (
    "The KDC gives no ticket for the key of {principal} in {path}, so it is not known to be right: {reason}."
)
ADD_KEY = "Run: kadmin -q 'ktadd -k {path} {principal}'"
NO_KEY_OF_PAGE = "The keytab {path} has no key of {principal}, for which browsers ask."
HEADERS_CUT = (
    "What is in front of the hub refuses long headers ({status}), so people in many groups cannot log in."
)
LONGER_HEADERS = (
    "Start the proxy with NODE_OPTIONS=--max-http-header-size=65536; nginx: large_client_header_buffers 4 64k."
)
MONITOR_REFUSED = "The KDC gives no ticket to {principal}, the monitor of {site}: {reason}."

# -- B5: a login -----------------------------------------------------------------------------------------
STEPS = {
    "names": "the hub does not take the name or the password",
    "account": "this machine does not know them",
    "pam": "PAM refused them",
    "kdc": "the KDC refused them",
    "allowed": "their ticket was given, but cannot be used",
}
NOT_LOGGED_IN = "{name} cannot log in, {step}: {reason}."
LOOK_AT_LOGIN = {
    "names": "Name somebody of the hub's realm, in small letters, who is not in denied_users.",
    "account": "Have sssd know them: getent passwd {name}",
    "pam": "Look whether it was the right password, and at what PAM's modules say: journalctl -t jupyterhub",
    "kdc": "Look whether it was the right password: kinit {principal}",
    "allowed": "See A4.",
}
LOGIN_BROKEN = "{name} got no ticket, though their password was not refused: {reason}."
SEE_LOGIN_BROKEN = "See B2 to B4, and the log of the KDC."
EXPIRED = "{name} cannot log in, because their password has expired."
RUN_KPASSWD = "Change it: kpasswd {principal}"
LOGIN_WITHOUT_ANSWER = "{name} cannot log in: {reason}. See B1 and the modules of the PAM service."
LOGGED_IN = (
    "{principal} can log in. The ticket can be passed on, lasts {lasts}, and can be renewed for {renewable}."
)
TICKET_NOT_FORWARDABLE = "The ticket of {principal} cannot be passed on, so no site lets them start anything."
ALLOW_FORWARDABLE = "See B2; then run: kadmin -q 'modprinc +allow_forwardable {principal}'"
TICKET_NOT_RENEWABLE = "The ticket of {principal} cannot be renewed, so servers outlive it."
ALLOW_RENEWABLE = (
    "See B2; then run: kadmin -q 'modprinc -maxrenewlife 7d {principal}', and the same for krbtgt/{realm}"
)
TICKET_TOO_SHORT = "Tickets of {principal} end after {lasts} at the latest, and profiles run for {longest}."
LONGER_TICKETS = (
    "Run: kadmin -q 'modprinc -maxrenewlife {longest} {principal}', and the same for krbtgt/{realm}; "
    "see max_renewable_life in kdc.conf, and renew_lifetime in krb5.conf."
)
NOT_RENEWED = "The ticket of {principal} could not be renewed: {reason}."

# -- C1: the proxy ---------------------------------------------------------------------------------------
PROXY_ENDS = "The hub starts its proxy, so nobody reaches their notebook while the hub is started again."
OWN_PROXY = (
    "Run it as a unit of its own (`jupyterhub-sites docs proxy-and-tls`), and set "
    "c.ConfigurableHTTPProxy.should_start = False."
)
PROXY_NOT_ASKED = (
    "The proxy is not asked: its token, {name}, is not in this environment, and no hub runs from which to take it."
)
WITH_ITS_ENVIRONMENT = (
    "Start the hub, or run: systemd-run --pty -p User=jupyterhub -p EnvironmentFile=/etc/jupyterhub/proxy.env "
    "jupyterhub-sites doctor"
)
PROXY_SILENT = "The proxy does not answer at {url}: {reason}."
START_PROXY = "Start it, and look what it says: systemctl status jupyterhub-proxy"
PROXY_REFUSES = "The proxy at {url} does not take the hub's token."
ONE_ENVIRONMENT = "Give both one {name}, by one EnvironmentFile= in both units, and restart both."
NO_PROXY = "What answers at {url} is no configurable-http-proxy (status {status})."
PROXY_OPEN = "The proxy's API listens at {address}:{port}, where others reach it; its token alone keeps them out."
CLOSE_PROXY = "Start the proxy with --api-ip=127.0.0.1."
PROXY_IS_HUB = "The proxy runs as the hub's account, so whoever takes it over has everybody's tickets."
ACCOUNT_OF_PROXY = "Give it an account of its own: DynamicUser=yes in its unit."

# -- C2 to C4: addresses ---------------------------------------------------------------------------------
NO_PAGE = "Nobody answers at {url}, where browsers look for the hub: {reason}."
NO_HUB_THERE = "What answers at {url} is not the hub (status {status})."
SERVE_HUB = (
    "Let what is in front of the hub send everything there to the proxy; see "
    "`jupyterhub-sites docs proxy-and-tls`."
)
START_SERVER = (
    "Start the proxy (systemctl status jupyterhub-proxy) and what is in front of it, or correct the address."
)
CERTIFICATE_WRONG = "Browsers do not believe the certificate at {url}: {reason}."
MEND_CERTIFICATE = "Give the server a certificate for that name, with the whole chain."
CERTIFICATE_ENDS = "The certificate at {url} ends in {days} days."
RENEW_CERTIFICATE = "Renew it."
COOKIES_OPEN = "The hub does not know that browsers come by https to {url}, so its cookies may go by http too."
FORWARD_PROTO = (
    "Let what is in front of the hub set X-Forwarded-Proto (nginx: proxy_set_header X-Forwarded-Proto $scheme)."
)
NO_HUB_BEHIND = (
    "What is in front of the hub answers at {url}, and the hub does not run, so this way to it is not looked at."
)
NO_WEBSOCKETS = "Websockets do not get through to the hub at {url} ({said}), so kernels and terminals stay silent."
LET_WEBSOCKETS = (
    "In nginx, before `server`: `map $http_upgrade $connection_upgrade { default upgrade; '' close; }`; in its "
    "`location`: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "
    "$connection_upgrade;` (`jupyterhub-sites docs nginx`)."
)
STATUS = "the answer was {status}, not 101"
EVENTS_HELD = (
    "What is in front of the hub at {url} holds back events: the page of a start shows nothing until the end."
)
LET_EVENTS = "In the `location` of nginx: `proxy_buffering off;` (`jupyterhub-sites docs nginx`)."
PASSAGE_NOT_ASKED = (
    "Whether websockets and events get through is not looked at: the hub that runs does not answer that ({said})."
)
RESTART_HUB = "If it is of an older version than this command, restart it: systemctl restart jupyterhub"
NOT_TLS = "Browsers reach the hub at {url}, where others can read passwords on their way."
USE_TLS = "Put TLS in front of it, or give the proxy a certificate (JupyterHub.ssl_cert)."
HUB_IS_DOWN = "Nobody listens at port {port}, so where jobs reach the hub is not looked at."
START_HUB = "Start the hub: systemctl start jupyterhub"
LISTENS_HERE_ONLY = "Jobs at {site} look for the hub at {url}, and it listens on this machine's loopback alone."
LISTEN = 'Set c.JupyterHub.hub_bind_url to an address of this machine, or to "http://0.0.0.0:8081".'
HUB_NOT_REACHED = (
    "This machine itself does not reach the hub at {url}, where jobs at {site} look for it: {reason}."
)
CORRECT_HUB_URL = "Correct sites.{site}.hub_url, or set it if it is left out."
NO_WILDCARD = "No name server knows {name}, where people's servers would be."
ADD_WILDCARD = "Add an entry for *.{name}, with the address of {name}."
NO_HOST_ROUTING = "The proxy does not find the hub by its name (status {status}), so people are led in a circle."
HOST_ROUTING = "Start the proxy with --host-routing."
NO_WILDCARD_CERTIFICATE = "The certificate is not for {name}: {reason}."

# -- D: the catalogue ------------------------------------------------------------------------------------
MORE_PROBLEMS = "The catalogue has {count} more problems."
RUN_CHECK = "Run: jupyterhub-sites check"
FOR_NOBODY = "Nobody sees {entry}: this machine knows none of its groups."
CORRECT_VISIBLE = "Correct visible_to, or take the entry out."
NOT_SIGNED = "Nobody is let in at {site}, because no certificate can be signed: {reason}."
MEND_CA_KEY = "Give {path} to the hub's account, with mode 0600; it has to be a private key without a passphrase."
MEND_COMMAND = "Correct the program, or what it needs; run it by hand as the hub's account."

# -- what is printed -------------------------------------------------------------------------------------
ASK_PASSWORD = "Password of {name}: "  # noqa: S105 - what is asked
COUNT = "{ok} ok, {warn} to look at, {fail} failed, {skip} not looked at."
NO_GROUP = "There is no group {group}: name some of A to G, such as A,B."
NO_TERMINAL = "--as asks for a password on a terminal, and there is none."
