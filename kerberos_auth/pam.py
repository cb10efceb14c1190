"""Asks PAM whether a password is right.  PAM only decides: no session, no credentials out of it."""

import os
import re
from pathlib import Path

from pam import PamAuthenticator

from . import sentences
from .errors import AuthFailed, LoginRefused, LoginServersUnreachable, PasswordExpired
from .names import check_password

_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
FOLDERS = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"))

# Return codes of Linux-PAM (_pam_types.h).
_UNAVAILABLE = 9  # PAM_AUTHINFO_UNAVAIL
_EXPIRED = {12, 27}  # PAM_NEW_AUTHTOK_REQD, PAM_AUTHTOK_EXPIRED
_TOO_MANY = 11  # PAM_MAXTRIES
_REFUSED = {
    6,  # PAM_PERM_DENIED
    7,  # PAM_AUTH_ERR
    8,  # PAM_CRED_INSUFFICIENT
    10,  # PAM_USER_UNKNOWN
    13,  # PAM_ACCT_EXPIRED
}


def has_service(service: str) -> bool:
    """True if PAM has a file for this service; without one it silently takes the rules of `other`."""
    return bool(_SERVICE.fullmatch(service)) and any((folder / service).is_file() for folder in FOLDERS)


def decide(service: str, user: str, password: str) -> None:
    """Return if PAM's auth and account modules both say yes.

    Blocks as long as the modules do.  Works without root when the modules do (pam_krb5, pam_sss; not
    pam_unix).  Raises LoginRefused, PasswordExpired, LoginServersUnreachable, or AuthFailed.
    """
    check_password(password)
    _leave_nameless_terminal()
    pam = PamAuthenticator()
    # resetcreds would write the ticket wherever PAM likes, and needs root.
    if pam.authenticate(user, password, service=service, resetcreds=False, call_end=True):
        return
    raise _translate(pam.code, str(pam.reason), pam.messages)


def _leave_nameless_terminal() -> None:
    """Read from /dev/null where standard input is a terminal that has no name here: of another mount namespace.

    python-pam asks for its name, with an open transaction, and ends in ENODEV.  Nobody types a login there.
    """
    try:
        if os.isatty(0):
            os.ttyname(0)
    except OSError:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)


def _translate(code: int, reason: str, messages: list[str]) -> AuthFailed:
    detail = f"pam {code}: {reason}"
    # pam_krb5 says 9 both for a silent KDC and, unless told to defer, for an expired password.
    expired = any("password expired" in message.lower() for message in messages)
    if code in _EXPIRED or (code == _UNAVAILABLE and expired):
        return PasswordExpired(detail)
    if code == _UNAVAILABLE:
        return LoginServersUnreachable(detail)
    # python-pam answers every question with the password; two different ones mean that more was wanted.
    questions = {message.strip() for message in messages if message.strip().endswith((":", "?"))}
    if code in _REFUSED and len(questions) > 1:
        return AuthFailed(sentences.SECOND_FACTOR, detail)
    if code in _REFUSED:
        return LoginRefused(detail)
    if code == _TOO_MANY:
        return AuthFailed(sentences.TOO_MANY_TRIES, detail)
    return AuthFailed(sentences.LOGIN_BROKEN, detail)
