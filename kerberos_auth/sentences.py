"""Every sentence that people read about their login and their ticket; the only place where they are worded.

Translated by gettext: a site puts `jupyterhub-sites.mo` into its language's folder under Python's
`share/locale`, and the language of the hub's process (LANGUAGE, LC_ALL, LC_MESSAGES, LANG) chooses it once, at
start.  Names in braces stay as they are.
"""

import gettext

DOMAIN = "jupyterhub-sites"
_ = gettext.translation(DOMAIN, fallback=True).gettext

# -- the password ----------------------------------------------------------------------------------------
LOGIN_REFUSED = _("Invalid username or password")
PASSWORD_EXPIRED = _("Your password has expired. Change it, then log in again.")
PASSWORD_CHANGE = _(
    "Your Kerberos password has expired. Change it (with kpasswd on a login node), then log in again."
)
SECOND_FACTOR = _("This login asks for a second factor, which this page cannot pass on. Contact support.")
TOO_MANY_TRIES = _("Too many attempts. Try again later.")

# -- the login servers -----------------------------------------------------------------------------------
SERVERS_UNREACHABLE = _("The login servers cannot be reached. Try again in a minute.")
SERVER_NOT_VERIFIED = _(
    "Login refused: the login server could not prove its identity. Please tell the administrators."
)
CLOCKS_DIFFER = _("The clocks of the hub and of the login servers differ. Please tell the administrators.")
NO_TICKET_GIVEN = _("The login servers gave no ticket. Please tell the administrators.")
TICKET_NOT_STORED = _("Your ticket could not be stored. Please tell the administrators.")
LOGIN_BROKEN = _("The login does not work on this hub. Please tell the administrators.")

# -- the ticket ------------------------------------------------------------------------------------------
TICKET_MISSING = _("You have no Kerberos ticket here. Log in again.")
TICKET_EXPIRED = _("Your Kerberos ticket has expired. Log in again.")
TICKET_UNUSABLE = _("Your Kerberos ticket cannot be used. Log in again.")
RENEWAL_REFUSED = _("Your Kerberos ticket cannot be renewed further. Log in again.")
NOT_RENEWED = _("Your ticket could not be renewed. Please tell the administrators.")
TICKET_ENDS = _(
    "Your Kerberos ticket ends on {when} and cannot be renewed further. "
    "Log in again before then; your servers go on meanwhile."
)
TICKET_MISSING_OF = _(
    "{user} has no valid Kerberos ticket and has to log in again before a server can be started."
)

# -- single sign-on --------------------------------------------------------------------------------------
NOT_DELEGATED = _(
    "Your browser proved who you are but did not pass your ticket on. Allow delegation to this site "
    "(Firefox: network.negotiate-auth.delegation-uris; Chromium: AuthNegotiateDelegateAllowlist) "
    "or log in with your password."
)
NOT_FORWARDABLE = _(
    "Your browser passed on a ticket that cannot be forwarded to the clusters. Get a forwardable one (kinit -f) "
    "or log in with your password."
)
SIGN_ON_BROKEN = _("Login without a password does not work on this hub. Please tell the administrators.")
NOT_BELIEVED = _(
    "The ticket of your browser was not accepted. Get a new one (kinit) or log in with your password."
)
TOKEN_DAMAGED = _("Your browser sent something that is no Kerberos ticket. Log in with your password.")
TOKEN_TOO_LARGE = _("The ticket of your browser is too large for this site. Log in with your password.")
TOKEN_IS_NTLM = _(
    "Your browser has no Kerberos ticket for this site and tried NTLM. Get a ticket (kinit) "
    "or log in with your password."
)
NOBODY_HERE = _("Your browser's ticket is not of a person who may log in here. Log in with your password.")
