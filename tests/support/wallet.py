"""Tickets for tests that log in at a front end."""

import subprocess
from pathlib import Path

from kerberos_auth import gss
from kerberos_auth.store import TicketStore


class Wallet:
    """Tickets of people of the realm, taken from its KDC once."""

    def __init__(self, folder: Path, taken: dict[str, bytes]) -> None:
        self.store = TicketStore(folder, "LAB.TEST")
        self._taken = taken

    def put(self, user: str) -> None:
        """Log in."""
        principal = f"{user}@LAB.TEST"
        if user not in self._taken:
            self._taken[user] = gss.acquire(principal, f"{user}-pw", self.store.folder, "")
        self.store.put(user, self._taken[user], principal)

    def put_one_that_stays(self, user: str) -> None:
        """Log in with a ticket that may not be forwarded."""
        path = self.store.folder / ".new-kinit"
        command = ["kinit", "-F", "-c", f"FILE:{path}", user]
        subprocess.run(command, input=f"{user}-pw\n".encode(), check=True, capture_output=True)
        self.store.put(user, path.read_bytes(), f"{user}@LAB.TEST")
