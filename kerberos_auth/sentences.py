"""Every sentence that people read about their login and their ticket; no other module words one.

Said in the reader's language, see `languages`.  Names in braces stay as they are: values take their places.
"""

from languages import sentence as _
from languages import speaks

# -- the password ----------------------------------------------------------------------------------------
LOGIN_REFUSED = _("Invalid username or password")
PASSWORD_REFUSED = _("Invalid password")
NAME_AND_PASSWORD = _("Enter your user name and your password.")
PASSWORD_EXPIRED = _("Your password has expired. Change it, then log in again.")
PASSWORD_CHANGE = _(
    "Your Kerberos password has expired. Change it (with kpasswd on a login node), then log in again."
)
SECOND_FACTOR = _("This login requires a second factor, which this page does not support. Contact support.")
TOO_MANY_TRIES = _("Too many attempts. Try again later.")

# -- the login servers -----------------------------------------------------------------------------------
SERVERS_UNREACHABLE = _("The login servers cannot be reached. Try again in a minute.")
SERVER_NOT_VERIFIED = _(
    "Login refused: the login server could not prove its identity. Contact the administrators."
)
CLOCKS_DIFFER = _("The clocks of the hub and the login servers differ. Contact the administrators.")
NO_TICKET_GIVEN = _("The login servers issued no ticket. Contact the administrators.")
TICKET_NOT_STORED = _("Your ticket could not be stored. Contact the administrators.")
LOGIN_BROKEN = _("Login does not work on this hub. Contact the administrators.")

# -- the ticket ------------------------------------------------------------------------------------------
TICKET_MISSING = _("You have no Kerberos ticket here. Log in again.")
TICKET_EXPIRED = _("Your Kerberos ticket has expired. Log in again.")
TICKET_UNUSABLE = _("Your Kerberos ticket cannot be used. Log in again.")
RENEWAL_REFUSED = _("Your Kerberos ticket cannot be renewed any longer. Log in again.")
NOT_RENEWED = _("Your ticket could not be renewed. Contact the administrators.")
TICKET_ENDS = _(
    "Your Kerberos ticket expires at {time} and cannot be renewed any longer. "
    "Your servers go on then, but lose access to files that need it."
)
EXPIRED_AT_START = _("Your Kerberos ticket has expired. Enter your password and press Start.")
NO_TICKET_AT_START = _("You have no valid Kerberos ticket. Enter your password and press Start.")
TICKET_MISSING_OF = _("{user} has no valid Kerberos ticket and must log in before a server can be started.")

# -- the ticket's page and banner ------------------------------------------------------------------------
MOMENT = _("{moment:%a %d %b %Y %H:%M} UTC")
TICKET_TITLE = _("Your Kerberos ticket")
PRINCIPAL = _("Principal")
ENDS = _("Expires")
RENEWABLE_UNTIL = _("Renewable until")
NOT_RENEWABLE = _("not renewable")
RENEWED_BY_THE_HUB = _("The hub renews the ticket while one of your servers runs or starts.")
NO_VALID_TICKET = _("You have no valid ticket.")
NEW_TICKET = _("Enter your password to get a new ticket. Your servers keep running.")
NEW_TICKET_UNTIL = _("You have a new Kerberos ticket until {time}.")
PASSWORD_OF = _("Password of {user}:")
GET_TICKET = _("Get a new ticket")
ENTER_PASSWORD = _("Enter your password")
LOG_IN_AGAIN = _("Log in again")
SIGN_IN_WITH = _("Use your user name and password of {realm} (Kerberos).")
LOGGED_OUT = _("You are logged out")
ONE_SERVER_GOES_ON = _("One of your servers goes on, until its time is up.")
SERVERS_GO_ON = _("{servers} of your servers go on, each until its time is up.")
RENEWED_AND_REMOVED = _("Your ticket is renewed for as long as that, until {time} at most, then removed.")
RENEWED = _("Your ticket is renewed for as long as that, until {time} at most.")
CANNOT_BE_RENEWED = _(
    "Your ticket expires at {time} and cannot be renewed: from then on servers lose access to files that need it."
)
NO_TICKET_LEFT = _("You have no valid ticket: servers lose access to files that need it until you log in again.")
LOG_IN = _("Log in")
NO_TICKET_NOW = _("You have no valid Kerberos ticket: your servers go on, but lose access to files that need it.")
ITEM_HOURS = _("Ticket: {hours} h")
ITEM_MINUTES = _("Ticket: {minutes} min")
ITEM_NONE = _("Ticket: none")

# -- single sign-on --------------------------------------------------------------------------------------
SIGN_ON = _("Log in without a password")
SIGN_ON_NEEDS = _("(your browser needs a Kerberos ticket)")
USE_PASSWORD = _("Log in with your password")
NOT_SIGNED_ON_TITLE = _("You could not be logged in without a password")
NO_TICKET_TITLE = _("Your browser showed no ticket")
NOT_DELEGATED_TITLE = _("Your browser did not pass on your ticket")
NO_TICKET_SHOWN = _(
    "Your browser sent no Kerberos ticket. Get one (kinit -f) and allow your browser to use it for this site, "
    "or log in with your password."
)
BROWSER_TITLE = _("How to set up this browser")
SET_UP_FIREFOX = _(
    "Firefox: open about:config, and add this site's name to network.negotiate-auth.trusted-uris and to "
    "network.negotiate-auth.delegation-uris."
)
SET_UP_CHROMIUM = _(
    "Chromium and Chrome: add this site's name to the policies AuthServerAllowlist and "
    "AuthNegotiateDelegateAllowlist, then restart the browser. On a computer that others look after, ask them."
)
OTHER_PAGE = _(
    "A link on another site's page cannot log you in without a password. Open the login page of this hub, "
    "then choose to log in without a password."
)
NOT_ALLOWED = _("You are not allowed to use this hub. Contact the administrators.")
NOT_DELEGATED = _(
    "Your browser proved who you are but did not forward your ticket. Allow it to do so for this site, "
    "or log in with your password."
)
NOT_FORWARDABLE = _(
    "Your browser sent a ticket that cannot be forwarded to the clusters. Get a forwardable one (kinit -f) "
    "or log in with your password."
)
SIGN_ON_BROKEN = _("Login without a password does not work on this hub. Contact the administrators.")
NOT_BELIEVED = _("Your browser's ticket was not accepted. Get a new one (kinit) or log in with your password.")
TOKEN_DAMAGED = _("Your browser sent data that is not a Kerberos ticket. Log in with your password.")
TOKEN_TOO_LARGE = _("Your browser's ticket is too large for this site. Log in with your password.")
TOKEN_IS_NTLM = _(
    "Your browser has no Kerberos ticket for this site and tried NTLM. Get a ticket (kinit) "
    "or log in with your password."
)
OTHER_REALM = _(
    "Your browser's ticket is from another realm. Only users of {realm} can log in here. "
    "Log in with your password."
)
NOBODY_HERE = _("Your browser's ticket belongs to nobody who may log in here. Log in with your password.")

# -- a ticket of one's own, for commands -----------------------------------------------------------------
OWN_TICKET_NO_FILE = _(
    "Your ticket is in {cache}, which is not a file. Run `export KRB5CCNAME={file}`, then `kinit -f`."
)
OWN_TICKET_MISSING = _("You have no ticket in {path} ({reason}). Run `kinit -f` first.")
OWN_TICKET_UNUSABLE = _("The ticket in {path} cannot be used. Run `kinit -f` again.")
OWN_TICKET_EXPIRED = _("Your ticket in {path} has expired. Run `kinit -f` again.")
OWN_TICKET_NOT_FORWARDABLE = _("Your ticket in {path} cannot be forwarded. Run `kinit -f` again.")

# -- what administrators read when the hub starts ---------------------------------------------------------
CANNOT_START = _("JupyterHub cannot start: {reason}")
CCACHE_IS_SET = _(
    "KRB5CCNAME is set in the hub's environment; PAM modules would overwrite that file with users' tickets. "
    "Start the hub without it."
)
NO_PAM_SERVICE = _(
    "There is no PAM service file /etc/pam.d/{service}, so PAM would use the rules of 'other'. "
    "Create the file, or set {setting}."
)
CCACHE_IS_NOT_SET = _("KRB5CCNAME is not set.")
PAM_NOT_ASKED = _("PAM is not asked: the KDC alone decides about logins.")
PAM_COMPLETE = _("The PAM service {service} has its lines, and their modules are installed.")
PAM_WITHOUT = _("{path} has no line for {kind}, so PAM would use the rules of 'other'. Add one.")
NO_PAM_MODULE = _("{path} names {module}, which is not installed. Install it, or remove the line.")
PAM_KRB5_WITHOUT = _("pam_krb5 in {path} is used without {options}. Add it to its auth line.")
KEYTAB_NEEDED = _("verify_kdc is 'require', but keytab is not set. Set the path of a keytab.")
KEYTAB_MISSING = _("There is no keytab {path}. Make it, or set the path of another.")
KEYTAB_UNREADABLE = _("The keytab {path} cannot be read by uid {uid} ({reason}). Fix its owner or mode.")
NO_KEYTAB = _("{path} is not a keytab, or is damaged. Make it anew with ktadd of kadmin.")
KEYTAB_EMPTY = _("The keytab {path} has no key at all.")
KEYTAB_OF_OTHERS = _("The keytab {path} has no key of {service}/ in the hub's realm. Its keys: {keys}.")
KEYTAB_OF = _("Add one: kadmin -q 'ktadd -k {path} {service}/<full name of the hub>'.")
KEYTAB_OPEN = _("The keytab {path} has mode {mode}, so others on this machine may use or change its keys.")
CLOSE_KEYTAB = _("Run chmod 0640 {path}.")
KEYTAB_OLD = _(
    "The keytab {path} has version {old} of the key of {principal}, and {other} has version {new}: with the older "
    "one logins fail."
)
RENEW_KEYTAB = _(
    "Copy the newer key into {path}, or run ktadd of kadmin once for one keytab, and set that for both."
)
KEYTAB_GOOD = _("The keytab {path} has a key of {service}/.")
KDC_NOT_VERIFIED = _("No KDC has to prove itself, so whoever answers in its place can log in as anybody.")
VERIFY_KDC = _("Set keytab to one with the key of host/<full name of the hub>, and verify_kdc to 'require'.")
NO_REALM_NAME = _("{realm!r} is not a valid realm name. Set realm to one such as EXAMPLE.ORG.")
HELP_WITHOUT_TEXT = _("LoginHelp.link has no text. Set LoginHelp.text to what people read.")
NO_HELP_LINK = _("{link} cannot be LoginHelp.link. Use an address that begins with https://, http:// or mailto:.")
NO_DEFAULT_REALM = _("krb5.conf has no default_realm. Add it, or set realm.")
NO_KRB5_CONF = _("krb5.conf cannot be read, so what it says of the realm is not known.")
REALM_UNKNOWN = _("krb5.conf does not know the realm {realm}. It knows: {known}.")
SET_REALM = _("Set realm to one of these, or add the realm to [realms] of krb5.conf.")
REALM_KNOWN = _("krb5.conf knows the realm {realm}.")
PAM_IN_ANOTHER_REALM = _("People of {realm} may log in, but PAM uses {default}, the default_realm of krb5.conf.")
SET_DEFAULT_REALM = _("Set default_realm to {realm}, or give PAM's module that realm.")
ASKS_FORWARDABLE = _("Tickets of {realm} are asked for as forwardable.")
ASKS_NOT_FORWARDABLE = _(
    "krb5.conf does not set forwardable, so people's tickets cannot be passed on, and no site takes them."
)
ADD_FORWARDABLE = _("Add `forwardable = true` to its [libdefaults].")
ASKS_RENEWABLE = _("Tickets are asked for as renewable for {time}.")
ASKS_NOT_RENEWABLE = _(
    "krb5.conf does not set renew_lifetime, so people's tickets cannot be renewed, and servers outlive theirs."
)
ADD_RENEW_LIFETIME = _("Add `renew_lifetime = 7d` to its [libdefaults].")
NAMES_BY_DNS = _("krb5.conf lets name servers decide which host a person's ticket is for.")
NOT_BY_DNS = _("Add `rdns = false` and `dns_canonicalize_hostname = false` to its [libdefaults].")
FOREIGN_TICKETS = _(
    "All {count} stored tickets are of {realms}, and the hub's realm is {realm}. They are kept, but of no use. "
    "If the realm is wrong, mend KerberosPAMAuthenticator.realm or default_realm of krb5.conf."
)
NO_USERNAME_MAP = _(
    "username_map is not supported, because user names must be those of the Kerberos principals. Remove it."
)
GROUPS_TWICE = _(
    "c.Authenticator.manage_groups takes groups from where people log in, and c.JupyterHub.load_groups names some "
    "({names}): JupyterHub does not start with both."
)
GROUPS_ONCE = _(
    "Make these groups there and take c.JupyterHub.load_groups out, or set c.Authenticator.manage_groups = False."
)
ROLE_TWICE = _("c.JupyterHub.load_roles has more than one role {name}: JupyterHub does not start with them.")
ROLE_ONCE = _("Put all scopes, users and groups into one of them, and take the others out.")
NO_ROLE_NAME = _(
    "A role in c.JupyterHub.load_roles has {name} as its `name`, which cannot be one: "
    "JupyterHub does not start with it."
)
ROLE_NAMES = _(
    "Use 3 to 255 lower case letters and digits, and - _ ~ . between them, beginning with a letter, "
    "such as course-admins."
)
REFRESH_AGE = _(
    "auth_refresh_age must be above 0: with 0 JupyterHub never checks tickets, not even before a spawn. "
    "The default is 300 seconds."
)

# -- the folder of tickets -------------------------------------------------------------------------------
FOLDER_UNREACHABLE = _("The ticket folder {folder} cannot be used: {reason}.")
FOLDER_IS_NONE = _("The ticket folder {folder} cannot be used: it is a symbolic link or not a folder.")
FOLDER_NOT_PRIVATE = _("The ticket folder {folder} cannot be used: it must belong to uid {uid} with mode 0700.")
FOLDER_IN_USE = _(
    "The ticket folder {folder} cannot be used: another hub uses it. If that is this one, stop it first: commands "
    "such as `jupyterhub token` do not work beside it."
)
FOLDER_REPLACEABLE = _(
    "The ticket folder {folder} cannot be used: {parent} belongs to uid {uid}, who could replace it."
)
FOLDER_WRITABLE = _("The ticket folder {folder} cannot be used: other users may write to {parent}.")
SERVICE_TICKET_NOT_STORED = _("The ticket of {principal} could not be stored. Check the ticket folder.")

speaks(__name__)
