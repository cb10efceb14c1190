"""What is needed of whoever keeps people's tickets."""

from collections.abc import Callable
from typing import Protocol

from kerberos_auth.tickets import Ticket


class Credentials(Protocol):
    """The tickets of people, by their names on the hub; `kerberos_auth.store.TicketStore` is one."""

    def get(self, user: str) -> Ticket:
        """Return what is known of the user's valid ticket.  Raises AuthFailed with a sentence for the user."""

    def read(self, user: str) -> bytes:
        """Return the valid ticket itself, a credential cache: a secret.  Raises AuthFailed likewise."""

    def subscribe(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the user's name, on the event loop, whenever somebody has a new ticket."""
