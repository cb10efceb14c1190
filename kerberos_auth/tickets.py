"""Tickets: facts about them, and how kinit renews one and takes one from a keytab."""

import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from . import sentences
from .ccache import Facts, parse
from .errors import AuthFailed, BadTicket, LoginServersUnreachable, RenewalRefused

TEMPORARY = ".new-"  # no user name begins with a dot
RENEWAL_SECONDS = 10
"""How long `renew` may take; a silent KDC costs libkrb5 25 s."""

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
        write(copy, data)
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


def write(path: Path, data: bytes) -> None:
    """Write a new file that nobody else can read, not even for a moment.  Raises OSError, also if it is there."""
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
