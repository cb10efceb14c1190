"""What people may type into a login form, and whose name it is.  Pure: asks nobody, touches no file."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from .errors import LoginRefused, NameRefused

USER = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
REALM = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
NEVER = frozenset({"root"})
PASSWORD_MAX_BYTES = 1024


@dataclass(frozen=True)
class Identity:
    """One person under two names: `user` for the hub and its files, `principal` for Kerberos."""

    user: str
    principal: str


def is_user(name: str) -> bool:
    """True for names that are safe as a file name, in a URL and in a job name."""
    return USER.fullmatch(name) is not None


def identify(typed: str, realm: str, denied: Collection[str] = NEVER) -> Identity:
    """Return the one person of `realm` that the typed text means.

    Blanks around it are stripped, capitals become small letters, `@realm` may be appended in any case.
    Everything else raises NameRefused: other realms, `DOMAIN\\user`, `user/instance`, escapes, control
    characters, letters outside ASCII, names in `denied`.
    """
    text = typed.strip(" ")  # a bare strip() would also forgive control characters
    if not text.isascii():  # before lower(): it turns the Kelvin sign into a plain k
        raise NameRefused("the name has characters outside ASCII")
    name, at, typed_realm = text.partition("@")
    user = name.lower()
    if not is_user(user):
        raise NameRefused("the name is no local user name")
    if at and typed_realm.lower() != realm.lower():
        raise NameRefused("the name is of another realm")
    if user in denied:
        raise NameRefused("the name is on the deny list")
    return Identity(user, f"{user}@{realm}")


def user_of(principal: str, realm: str) -> str:
    """Return whose principal this is; raises NameRefused unless it is exactly what `identify` gives."""
    identity = identify(principal, realm)
    if identity.principal != principal:
        raise NameRefused("the principal is not written as this hub writes it")
    return identity.user


def check_password(password: str) -> None:
    """Raise LoginRefused for a password that must reach neither PAM nor a KDC.

    An empty one is taken by some PAM modules as "no password asked"; GSSAPI cuts at a NUL and would accept
    `secret\\0anything`; a very long one costs the KDC library seconds of key derivation.
    """
    data = password.encode("utf-8", "surrogatepass")
    if not data or len(data) > PASSWORD_MAX_BYTES or "\0" in password:
        raise LoginRefused("the password is empty, too long or has a NUL")
    if any("\ud800" <= letter <= "\udfff" for letter in password):
        raise LoginRefused("the password is not valid Unicode")
