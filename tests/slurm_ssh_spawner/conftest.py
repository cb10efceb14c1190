import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.user import User
from traitlets.config import Config

from kerberos_auth import tickets
from kerberos_auth.store import TicketStore
from slurm_ssh_spawner import launcher as launcher_module
from tests.support import builders, sshd
from tests.support.hub import NoProxy
from tests.support.local import LocalSite
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


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalSite:
    """A site on this machine in place of the SSH connections to one."""
    local = LocalSite(tmp_path)
    local.install_slurm()
    monkeypatch.setattr(launcher_module, "ConnectionPool", lambda *_: local)
    return local


StartHub = Callable[..., Awaitable[JupyterHub]]


class RunningHub:
    """A hub with people, and the requests that their jobs make."""

    def __init__(self, app: JupyterHub, client: httpx.AsyncClient) -> None:
        self.app = app
        self._client = client

    def person(self, name: str) -> User:
        person = orm.User(name=name)
        self.app.db.add(person)
        roles.assign_default_roles(self.app.db, person)
        self.app.db.commit()
        return self.app.users[person]

    async def post(self, path: str, token: str | None, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"token {token}"} if token else {}
        return await self._client.post(f"{self.app.hub.url}api/{path}", headers=headers, **body)

    async def report(self, user: User, launch_id: str = builders.LAUNCH_ID, **body: Any) -> int:
        """Report as a job of the user and return the status of the answer."""
        answer = await self.post(
            f"launches/{launch_id}", user.new_api_token(), **(body or {"json": {"port": 8888}})
        )
        return answer.status_code


@pytest.fixture
async def start(
    hub_app: StartHub, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[type], Awaitable[RunningHub]]]:
    # The hub keeps its cookie secret where it stands.
    monkeypatch.chdir(tmp_path)
    async with httpx.AsyncClient(trust_env=False) as client:

        async def start(spawner: type) -> RunningHub:
            told = {"proxy_class": NoProxy, "spawner_class": spawner, "allow_named_servers": True}
            return RunningHub(await hub_app(Config({"JupyterHub": told})), client)

        yield start
