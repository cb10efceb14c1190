"""Tickets of service identities, taken from keytabs for as long as somebody asks for them."""

import hashlib
import os
import secrets
import time
from functools import partial
from pathlib import Path

from . import sentences, tickets
from .ccache import alone, parse
from .errors import AuthFailed, LoginServersUnreachable, TicketExpired, TicketMissing
from .threads import LoginThreads
from .tickets import TEMPORARY, Ticket

_PREFIX = ".keytab-"  # no user name begins with a dot
_AT_ONCE = 2


class KeytabTickets:
    """The tickets of service identities, each one file in `folder`, which must be closed to other users."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Ticket] = {}
        self._threads = LoginThreads(_AT_ONCE)

    def get(self, principal: str) -> Ticket:
        """Return a ticket that was taken before and is valid now.  Raises TicketMissing or TicketExpired."""
        ticket = self._known.get(principal)
        if ticket is None:
            raise TicketMissing(f"no ticket of {principal} was taken")
        if ticket.end <= time.time():
            raise TicketExpired(f"{principal} ended at {ticket.end}")
        return ticket

    def read(self, principal: str) -> bytes:
        """Return the ticket itself: a secret, without those for services that libkrb5 has put beside it.

        Raises as `get` does, and AuthFailed if it cannot be read.
        """
        self.get(principal)
        try:
            data = self._file(principal).read_bytes()
        except OSError as error:
            unread = sentences.SERVICE_TICKET_NOT_STORED.format(principal=principal)
            raise AuthFailed(unread, str(error)) from error
        return alone(data)

    def has(self, principal: str) -> bool:
        """Return whether `get` would return a ticket."""
        try:
            self.get(principal)
        except AuthFailed:
            return False
        return True

    async def keep(self, principal: str, keytab: str) -> bool:
        """Take a new ticket if it is time to; return whether one was taken.

        It is time when there is none, or the last is in the last quarter of its life.  Raises AuthFailed
        (LoginServersUnreachable: a later try may succeed) when it was and none was given; the last one stays then.
        """
        if self.has(principal):
            last = self.get(principal)
            if time.time() < last.end - (last.end - last.start) / 4:
                return False
        await self._take(principal, keytab)
        return True

    async def _take(self, principal: str, keytab: str) -> None:
        call = partial(tickets.from_keytab, principal, keytab, self._folder)
        try:
            data = await self._threads.run(call, 2 * tickets.RENEWAL_SECONDS)
        except TimeoutError as error:
            raise LoginServersUnreachable("no answer in time") from error
        facts = parse(data)
        path = self._file(principal)
        _write(path, data, principal)
        self._known[principal] = Ticket.of(principal, facts, path)

    def _file(self, principal: str) -> Path:
        return self._folder / (_PREFIX + hashlib.sha256(principal.encode()).hexdigest()[:16])


def _write(path: Path, data: bytes, principal: str) -> None:
    """Replace a principal's file by one that only this process's user may read, at once and as a whole."""
    new = path.parent / (TEMPORARY + secrets.token_hex(8))
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(data)
        new.rename(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise AuthFailed(sentences.SERVICE_TICKET_NOT_STORED.format(principal=principal), str(error)) from error
