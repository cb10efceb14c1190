"""The ticket of the person who runs a command, as kinit left it: for tools on a command line, not for the hub."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from .ccache import parse
from .errors import AuthFailed
from .tickets import Ticket

_DEFAULT = "FILE:/tmp/krb5cc_{uid}"


def own_ticket(environ: Mapping[str, str] = os.environ) -> Ticket:
    """Return the ticket in the cache that KRB5CCNAME names, by default that of libkrb5 for this account.

    `user` is its principal without the realm.  Raises AuthFailed, with a sentence that says what to do, for no
    ticket, one that has expired or cannot be forwarded, or a cache that is no file.
    """
    name = environ.get("KRB5CCNAME") or _DEFAULT.format(uid=os.getuid())
    kind, colon, rest = name.partition(":")
    if colon and kind != "FILE":
        file = _DEFAULT.format(uid=os.getuid())
        raise AuthFailed(
            f"Your ticket is in {name}, which is not a file. Run `export KRB5CCNAME={file}`, then `kinit -f`."
        )
    path = Path(rest if colon else name)
    try:
        facts = parse(path.read_bytes())
    except OSError as error:
        raise AuthFailed(f"You have no ticket in {path} ({error.strerror}). Run `kinit -f` first.") from error
    except AuthFailed as error:
        raise AuthFailed(f"The ticket in {path} cannot be used. Run `kinit -f` again.", error.detail) from error
    if facts.end <= time.time():
        raise AuthFailed(f"Your ticket in {path} has expired. Run `kinit -f` again.")
    if not facts.forwardable:
        raise AuthFailed(f"Your ticket in {path} cannot be forwarded. Run `kinit -f` again.")
    user = facts.principal.rpartition("@")[0]
    return Ticket.of(user, facts, path)
