"""The ticket of the person who runs a command, as kinit left it: for tools on a command line, not for the hub."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from . import sentences
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
        raise AuthFailed(sentences.OWN_TICKET_NO_FILE.format(cache=name, file=file))
    path = Path(rest if colon else name)
    try:
        facts = parse(path.read_bytes())
    except OSError as error:
        raise AuthFailed(sentences.OWN_TICKET_MISSING.format(path=path, reason=error.strerror)) from error
    except AuthFailed as error:
        raise AuthFailed(sentences.OWN_TICKET_UNUSABLE.format(path=path), error.detail) from error
    if facts.end <= time.time():
        raise AuthFailed(sentences.OWN_TICKET_EXPIRED.format(path=path))
    if not facts.forwardable:
        raise AuthFailed(sentences.OWN_TICKET_NOT_FORWARDABLE.format(path=path))
    user = facts.principal.rpartition("@")[0]
    return Ticket.of(user, facts, path)
