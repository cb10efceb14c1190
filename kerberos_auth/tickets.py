"""Tickets: facts about them, and how a password or a browser gives one.  The only module that talks to libkrb5."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import gssapi
from gssapi.raw.misc import GSSError

from .errors import AuthFailed, BadTicket, LoginRefused, LoginServersUnreachable, PasswordExpired
from .names import check_password

TEMPORARY = ".new-"  # no user name begins with a dot

_KRB5 = gssapi.MechType.kerberos
_SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
_REPLAYS = ".replays"

# Codes of libkrb5 (krb5.h); the names are those of the MIT documentation.
_BAD_INTEGRITY = -1765328353  # KRB5KRB_AP_ERR_BAD_INTEGRITY
_EXPIRED = -1765328361  # KRB5KDC_ERR_KEY_EXP
_REFUSED = {
    -1765328360,  # KRB5KDC_ERR_PREAUTH_FAILED: wrong password
    -1765328366,  # KRB5KDC_ERR_CLIENT_REVOKED: locked
    -1765328378,  # KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN
    -1765328383,  # KRB5KDC_ERR_NAME_EXP: account expired
}
_UNREACHABLE = {
    -1765328164,  # KRB5_REALM_CANT_RESOLVE
    -1765328228,  # KRB5_KDC_UNREACH
    -1765328230,  # KRB5_REALM_UNKNOWN: no KDC known for the realm
    -1765328355,  # KRB5KDC_ERR_SVC_UNAVAILABLE
}
_NOT_VERIFIED = {
    -1765328340,  # KRB5KRB_AP_ERR_BADKEYVER: the KDC's key is not the one in the keytab
    -1765328377,  # KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN: the KDC does not know the keytab's principal
    -1765328203,  # KRB5_KT_NOTFOUND
    -1765328171,  # KRB5_KEYTAB_BADVNO: not a keytab
    2,  # ENOENT
    13,  # EACCES
}


@dataclass(frozen=True)
class Ticket:
    """What is known of a user's ticket in the store; the credential itself is only in the file.

    Times are epoch seconds; `renew_until` is 0 when not renewable.  A new ticket replaces the file at `path`
    as a whole, so these facts may be older than the file, never newer.
    """

    user: str
    principal: str
    start: int
    end: int
    renew_until: int
    forwardable: bool
    renewable: bool
    path: Path

    @property
    def ccache(self) -> str:
        """The name libkrb5 and asyncssh's `gss_store` know the cache by."""
        return f"FILE:{self.path}"


@dataclass(frozen=True)
class Accepted:
    """What a client of ours proved: `principal`, escaped as krb5_unparse_name does.

    `cache` is the ticket-granting ticket it passed on, as the bytes of a credential cache, or None.
    `answer` proves this service to the client; both are left out of the repr.
    """

    principal: str
    cache: bytes | None = field(repr=False)
    answer: bytes = field(repr=False)


def default_realm() -> str:
    """Return the default realm of krb5.conf; raises AuthFailed when there is none."""
    try:
        name = gssapi.Name("anybody", gssapi.NameType.user).canonicalize(_KRB5)
    except GSSError as error:
        raise AuthFailed("krb5.conf names no default_realm.", _text(error)) from error
    return str(name).rpartition("@")[2]


def acquire(principal: str, password: str, into: Path, keytab: str) -> bytes:
    """Ask the KDC for a ticket and return it as the bytes of a credential cache (format 4).

    Blocks: milliseconds when the KDC answers, 25 s for each KDC that takes the connection and stays silent.
    A wrong password costs one failed attempt at the KDC.  Lifetime and flags are those of krb5.conf, GSSAPI
    has no say in them.  `keytab` is a path; with it the KDC must prove that it knows the key of the first
    principal in there, with "" anybody who answers in the KDC's place is believed.  `into` is a folder that
    nobody else may write to: the cache exists there for a moment, mode 0600.

    Raises LoginRefused, PasswordExpired, LoginServersUnreachable, or AuthFailed.
    """
    check_password(password)
    source: dict[bytes | str, bytes | str] = {"password": password}
    if keytab:
        source |= {"verify": "", "keytab": f"FILE:{keytab}"}
    try:
        credentials = gssapi.Credentials(
            name=gssapi.Name(principal, gssapi.NameType.kerberos_principal),
            usage="initiate",
            mechs=[_KRB5],  # without it every mechanism asks the KDC, and a wrong password counts twice
            store=source,
        )
    except GSSError as error:
        raise _translate(error) from error
    return _export(credentials, into / (TEMPORARY + secrets.token_hex(8)))


def accept(token: bytes, keytab: str, into: Path) -> Accepted:
    """Check a client's SPNEGO or Kerberos token with the service keys in the file `keytab`.

    Blocks for milliseconds and asks no KDC.  `into` is a folder that nobody else may write to: a passed-on
    ticket exists there for a moment, mode 0600, and tokens already seen are kept there.

    Raises BadTicket for a token that is not to be believed (damaged, replayed, expired, for another service,
    NTLM), AuthFailed when the keytab is of no use.
    """
    # Replays are remembered in a file that others cannot put in our way, as they can in /var/tmp.
    source: dict[bytes | str, bytes | str] = {
        "keytab": f"FILE:{keytab}",
        "rcache": f"file2:{into / _REPLAYS}",
    }
    try:
        service = gssapi.Credentials(usage="accept", mechs=[_SPNEGO, _KRB5], store=source)
    except GSSError as error:
        raise AuthFailed(
            "Login without a password does not work on this hub. Please tell the administrators.", _text(error)
        ) from error
    try:
        context = gssapi.SecurityContext(creds=service, usage="accept")
        answer = context.step(token)
        if not context.complete or context.mech != _KRB5:
            raise BadTicket("the client offers no Kerberos ticket in its first message")
        principal, delegated = str(context.initiator_name), context.delegated_creds
    except GSSError as error:
        raise BadTicket(_text(error)) from error
    cache = _export(delegated, into / (TEMPORARY + secrets.token_hex(8))) if delegated else None
    return Accepted(principal, cache, answer or b"")


def _export(credentials: gssapi.Credentials, path: Path) -> bytes:
    try:
        credentials.store(store={"ccache": f"FILE:{path}"}, usage="initiate", mech=_KRB5, overwrite=True)
        return path.read_bytes()
    except (GSSError, OSError) as error:
        detail = _text(error) if isinstance(error, GSSError) else str(error)
        raise AuthFailed("Your ticket could not be stored. Please tell the administrators.", detail) from error
    finally:
        path.unlink(missing_ok=True)


def _translate(error: GSSError) -> AuthFailed:
    code, detail = _code(error), _text(error)
    # Wrong password where the KDC wants no pre-authentication, or a KDC that lacks the keytab's key.
    # Both are refused; the English word only chooses the sentence.
    if code in _REFUSED or (code == _BAD_INTEGRITY and "keytab" not in detail):
        return LoginRefused(detail)
    if code == _EXPIRED:
        return PasswordExpired(detail)
    if code in _UNREACHABLE:
        return LoginServersUnreachable(detail)
    if code in _NOT_VERIFIED or code == _BAD_INTEGRITY:
        return AuthFailed(
            "Login refused: the login server could not prove its identity. Please tell the administrators.",
            detail,
        )
    return AuthFailed("The login servers gave no ticket. Please tell the administrators.", detail)


def _code(error: GSSError) -> int:
    """The minor code as libkrb5 writes it; GSSAPI carries it unsigned."""
    code = int(error.min_code)
    return code - 2**32 if code >= 2**31 else code


def _text(error: GSSError) -> str:
    return f"krb5 {_code(error)}: {error}"
