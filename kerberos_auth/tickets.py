"""Tickets: facts about them, and how a password or a browser gives one.  The only module that talks to libkrb5."""

import os
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import gssapi
from gssapi.raw.misc import GSSError

from . import krb5_errors, sentences
from .ccache import Facts, alone, parse
from .errors import AuthFailed, BadTicket, LoginServersUnreachable, RenewalRefused
from .names import check_password

TEMPORARY = ".new-"  # no user name begins with a dot
RENEWAL_SECONDS = 10
"""How long `renew` may take; a silent KDC costs libkrb5 25 s."""

_KRB5 = gssapi.MechType.kerberos
_SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
_REPLAYS = ".replays"

# What kinit says in the C locale; its exit code is always 1.
_NEVER_AGAIN = (
    "Ticket expired",
    "KDC can't fulfill requested option",  # not renewable
    "Matching credential not found",
    "Client's credentials have been revoked",
    "Client's entry in database has expired",
    "not found in Kerberos database",
    "Requested start time is later than end time",
    "KDC policy rejects request",
)
_NOT_NOW = ("Cannot contact any KDC", "Cannot find KDC", "Cannot resolve", "A service is not available")


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

    @classmethod
    def of(cls, user: str, facts: Facts, path: Path) -> Self:
        """Return the ticket that the cache at `path` has."""
        times = facts.start, facts.end, facts.renew_until
        return cls(user, facts.principal, *times, facts.forwardable, facts.renewable, path)

    @property
    def ccache(self) -> str:
        """The name libkrb5 and asyncssh's `gss_store` know the cache by."""
        return f"FILE:{self.path}"


@dataclass(frozen=True)
class Accepted:
    """What a client of ours proved: `principal`, escaped as krb5_unparse_name does.

    `cache` is the ticket-granting ticket it passed on, as the bytes of a credential cache, or None.
    `answer` proves this service to the client; both are omitted from the repr.
    """

    principal: str
    cache: bytes | None = field(repr=False)
    answer: bytes = field(repr=False)


def default_realm() -> str:
    """Return the default realm of krb5.conf; raises AuthFailed when there is none."""
    try:
        name = gssapi.Name("anybody", gssapi.NameType.user).canonicalize(_KRB5)
    except GSSError as error:
        raise AuthFailed(sentences.NO_DEFAULT_REALM, krb5_errors.text(error)) from error
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
        raise krb5_errors.translate(error) from error
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
        raise AuthFailed(sentences.SIGN_ON_BROKEN, krb5_errors.text(error)) from error
    try:
        context = gssapi.SecurityContext(creds=service, usage="accept")
        answer = context.step(token)
        if not context.complete or context.mech != _KRB5:
            raise BadTicket("the client offers no Kerberos ticket in its first message")
        principal, delegated = str(context.initiator_name), context.delegated_creds
    except GSSError as error:
        raise BadTicket(krb5_errors.text(error)) from error
    except UnicodeDecodeError as error:
        raise BadTicket("the principal is not UTF-8") from error
    cache = _export(delegated, into / (TEMPORARY + secrets.token_hex(8))) if delegated else None
    return Accepted(principal, cache, answer or b"")


def check_service(ticket: Ticket, service: str) -> None:
    """Have the KDC give a ticket for `service`, as `host@login1.example.org`, which is not kept.

    Blocks as `acquire` does.  A copy of the cache exists beside it for a moment, without tickets for services, so
    that the KDC is asked.  Raises LoginServersUnreachable, or AuthFailed, whose `detail` says why there is none.
    """
    copy = ticket.path.with_name(TEMPORARY + secrets.token_hex(8))
    try:
        _write(copy, alone(ticket.path.read_bytes()))
        credentials = gssapi.Credentials(usage="initiate", mechs=[_KRB5], store={"ccache": f"FILE:{copy}"})
        name = gssapi.Name(service, gssapi.NameType.hostbased_service)
        gssapi.SecurityContext(name=name, creds=credentials, mech=_KRB5, usage="initiate").step()
    except GSSError as error:
        raise krb5_errors.translate(error) from error
    except OSError as error:
        raise AuthFailed(sentences.NO_TICKET_GIVEN, str(error)) from error
    finally:
        copy.unlink(missing_ok=True)


def renew(data: bytes, principal: str, into: Path) -> bytes:
    """Have the KDC renew the ticket in the cache `data` and return the new cache, without service tickets.

    Blocks: milliseconds when the KDC answers, RENEWAL_SECONDS at most.  `into` is a folder that nobody else
    may write to: a copy exists there meanwhile, mode 0600, since kinit rewrites caches in place.  The result
    is of the same principal and ends later.  The KDC asks neither for a password nor whether the account
    still exists.

    Raises RenewalRefused when no further try can succeed, LoginServersUnreachable when a later one may,
    BadTicket when the KDC gave somebody else's ticket, or AuthFailed.
    """
    copy = into / (TEMPORARY + secrets.token_hex(8))
    try:
        _write(copy, data)
        _kinit(copy, "-R")
        renewed = copy.read_bytes()
    except OSError as error:
        raise AuthFailed(sentences.NOT_RENEWED, str(error)) from error
    finally:
        copy.unlink(missing_ok=True)
    old, new = parse(data), parse(renewed)
    if new.principal != principal:
        raise BadTicket(f"asked to renew {principal}, got {new.principal}")
    if new.end <= old.end:
        if new.end >= new.renew_until:
            raise RenewalRefused("the renewable life is over")
        raise AuthFailed(sentences.NOT_RENEWED, "it would end no later")
    return renewed


def from_keytab(principal: str, keytab: str, into: Path) -> bytes:
    """Ask the KDC for a forwardable ticket with the principal's key in the file `keytab`.

    Blocks: milliseconds when the KDC answers, RENEWAL_SECONDS at most.  Returns and needs of `into` what `renew`
    does.  Raises LoginServersUnreachable when a later try may succeed, BadTicket when the KDC gave somebody else's
    ticket, or AuthFailed, whose `detail` says what is wrong with the keytab or the principal.
    """
    cache = into / (TEMPORARY + secrets.token_hex(8))
    try:
        _kinit(cache, "-f", "-k", "-t", f"FILE:{keytab}", "--", principal)
        data = cache.read_bytes()
    except OSError as error:
        raise AuthFailed(sentences.TICKET_NOT_STORED, str(error)) from error
    except RenewalRefused as error:
        raise AuthFailed(sentences.NO_TICKET_GIVEN, error.detail) from error
    finally:
        cache.unlink(missing_ok=True)
    if (facts := parse(data)).principal != principal:
        raise BadTicket(f"asked for {principal}, got {facts.principal}")
    return data[: facts.whole]


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        file.write(data)


def _kinit(cache: Path, *arguments: str) -> None:
    # Not the library's call, for which the Python binding holds the interpreter while a KDC is silent.
    environ = {name: os.environ[name] for name in ("PATH", "KRB5_CONFIG") if name in os.environ}
    try:
        done = subprocess.run(
            ["kinit", "-c", f"FILE:{cache}", *arguments],
            env=environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=RENEWAL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LoginServersUnreachable("kinit had no answer in time") from error
    said = " ".join(done.stderr.split())[-300:]
    if done.returncode == 0:
        return
    if any(reason in said for reason in _NEVER_AGAIN):
        raise RenewalRefused(said)
    if any(reason in said for reason in _NOT_NOW):
        raise LoginServersUnreachable(said)
    raise AuthFailed(sentences.NOT_RENEWED, said)


def _export(credentials: gssapi.Credentials, path: Path) -> bytes:
    try:
        credentials.store(store={"ccache": f"FILE:{path}"}, usage="initiate", mech=_KRB5, overwrite=True)
        return path.read_bytes()
    except (GSSError, OSError) as error:
        detail = krb5_errors.text(error) if isinstance(error, GSSError) else str(error)
        raise AuthFailed(sentences.TICKET_NOT_STORED, detail) from error
    finally:
        path.unlink(missing_ok=True)
