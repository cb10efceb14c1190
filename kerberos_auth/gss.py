"""How a password or a browser gives a ticket, and what it is good for: all that is asked of libkrb5 itself.

A process that never needs a ticket does not import this module, and needs neither gssapi nor libkrb5.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import gssapi
from gssapi.raw.misc import GSSError

from . import krb5_errors, sentences
from .ccache import alone
from .errors import AuthFailed, BadTicket
from .names import check_password
from .tickets import TEMPORARY, Ticket, write

_KRB5 = gssapi.MechType.kerberos
_SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
_REPLAYS = ".replays"


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
        write(copy, alone(ticket.path.read_bytes()))
        credentials = gssapi.Credentials(usage="initiate", mechs=[_KRB5], store={"ccache": f"FILE:{copy}"})
        name = gssapi.Name(service, gssapi.NameType.hostbased_service)
        gssapi.SecurityContext(name=name, creds=credentials, mech=_KRB5, usage="initiate").step()
    except GSSError as error:
        raise krb5_errors.translate(error) from error
    except OSError as error:
        raise AuthFailed(sentences.NO_TICKET_GIVEN, str(error)) from error
    finally:
        copy.unlink(missing_ok=True)


def _export(credentials: gssapi.Credentials, path: Path) -> bytes:
    try:
        credentials.store(store={"ccache": f"FILE:{path}"}, usage="initiate", mech=_KRB5, overwrite=True)
        return path.read_bytes()
    except (GSSError, OSError) as error:
        detail = krb5_errors.text(error) if isinstance(error, GSSError) else str(error)
        raise AuthFailed(sentences.TICKET_NOT_STORED, detail) from error
    finally:
        path.unlink(missing_ok=True)
