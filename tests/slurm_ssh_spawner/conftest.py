import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kerberos_auth import tickets
from kerberos_auth.store import TicketStore
from tests.support import sshd
from tests.support.realm import Realm
from tests.support.sshd import Sshd


class Wallet:
    """Tickets of people of the realm, taken from its KDC once."""

    def __init__(self, folder: Path, taken: dict[str, bytes]) -> None:
        self.store = TicketStore(folder, "LAB.TEST")
        self._taken = taken

    def put(self, user: str) -> None:
        """Log in."""
        principal = f"{user}@LAB.TEST"
        if user not in self._taken:
            self._taken[user] = tickets.acquire(principal, f"{user}-pw", self.store.folder, "")
        self.store.put(user, self._taken[user], principal)

    def put_one_that_stays(self, user: str) -> None:
        """Log in with a ticket that may not be forwarded."""
        path = self.store.folder / ".new-kinit"
        command = ["kinit", "-F", "-c", f"FILE:{path}", user]
        subprocess.run(command, input=f"{user}-pw\n".encode(), check=True, capture_output=True)
        self.store.put(user, path.read_bytes(), f"{user}@LAB.TEST")


@pytest.fixture(scope="session")
def taken() -> dict[str, bytes]:
    return {}


@pytest.fixture
def wallet(realm: Realm, tmp_path: Path, taken: dict[str, bytes]) -> Wallet:
    """A ticket store where alice and bob have logged in."""
    wallet = Wallet(tmp_path / "krb5", taken)
    for user in ("alice", "bob"):
        wallet.put(user)
    return wallet


@pytest.fixture
async def login1(realm: Realm, tmp_path: Path) -> AsyncIterator[Sshd]:
    """A front end."""
    home = tmp_path / "home"
    home.mkdir()
    async with sshd.running(realm.front_end_keytab, home) as running:
        yield running
