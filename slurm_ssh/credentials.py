"""What is needed of whoever keeps people's tickets."""

from collections.abc import Callable
from typing import Protocol

from kerberos_auth.errors import AuthFailed
from kerberos_auth.tickets import Ticket
from slurm_ssh import sentences


class Credentials(Protocol):
    """The tickets of people, by their names on the hub; `kerberos_auth.store.TicketStore` is one.

    They are asked for where a site needs one (`SiteLogin.needs_ticket`); see `Core.ticket`.
    """

    def get(self, user: str) -> Ticket:
        """Return what is known of the user's valid ticket.  Raises AuthFailed with a sentence for the user."""

    def read(self, user: str) -> bytes:
        """Return the valid ticket itself, a credential cache: a secret.  Raises AuthFailed likewise."""

    def subscribe(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the user's name, on the event loop, whenever somebody has a new ticket."""


class NoTickets:
    """The credentials of a hub where nobody has a ticket, because people do not log in by Kerberos."""

    def get(self, user: str) -> Ticket:
        """Raise AuthFailed."""
        raise AuthFailed(sentences.NO_TICKETS_HERE, f"asked for that of {user}")

    def read(self, user: str) -> bytes:
        """Raise AuthFailed."""
        raise AuthFailed(sentences.NO_TICKETS_HERE, f"asked for that of {user}")

    def subscribe(self, callback: Callable[[str], None]) -> None:
        """Nobody ever gets one."""
