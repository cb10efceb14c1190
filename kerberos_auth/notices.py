"""What a person is told when their ticket comes to an end that no renewal can put off."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from . import sentences
from .errors import AuthFailed
from .moments import Moment
from .reader import TicketReader
from .tickets import Ticket

SOON_SECONDS = 2 * 3600
_DAY_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Notice:
    """What a person should be told about their ticket.

    `message` has a place for the time `until`, from which on there is no valid ticket, which is None when there is
    none now; `urgent` means within two hours; `action` is the text of the link to the page that gives a new one.
    """

    message: str
    until: Moment | None
    urgent: bool
    action: str = sentences.ENTER_PASSWORD


class Notices:
    """What people should be told of the tickets in a store.

    `ends` gives the epoch second at which a ticket ends after all renewals that can be had.
    """

    def __init__(self, store: TicketReader, ends: Callable[[Ticket], int]) -> None:
        self._store = store
        self._ends = ends

    def of(self, user: str) -> Notice | None:
        """Return what the user should be told now, or None; costs one small file read.

        That their ticket comes to its end: within a day or, for one that was never renewable, in its last quarter.
        Or that they have no valid one.
        """
        try:
            ticket = self._store.get(user)
        except AuthFailed:
            return Notice(sentences.NO_TICKET_NOW, None, urgent=True)
        ends = self._ends(ticket)
        left = ends - time.time()
        if left > (_DAY_SECONDS if ticket.renewable else min(_DAY_SECONDS, (ticket.end - ticket.start) / 4)):
            return None
        return Notice(sentences.TICKET_ENDS, Moment.of(ends), urgent=left <= SOON_SECONDS)
