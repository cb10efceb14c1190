from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.user import User
from traitlets.config import Config

from lab.plain_http import NO_TLS
from tests.support.hub import NoProxy

StartHub = Callable[..., Awaitable[JupyterHub]]


class RunningHub:
    """A hub with people, and the requests that their jobs make."""

    def __init__(self, app: JupyterHub, client: httpx.AsyncClient) -> None:
        self.app = app
        self._client = client

    def person(self, name: str, *, admin: bool = False) -> User:
        person = orm.User(name=name, admin=admin)
        self.app.db.add(person)
        roles.assign_default_roles(self.app.db, person)
        self.app.db.commit()
        return self.app.users[person]

    async def get(self, path: str, token: str) -> httpx.Response:
        url, headers = f"{self.app.hub.url}api/{path}", {"Authorization": f"token {token}"}
        return await self._client.get(url, headers=headers)

    async def post(self, path: str, token: str | None, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"token {token}"} if token else {}
        return await self._client.post(f"{self.app.hub.url}api/{path}", headers=headers, **body)

    async def delete(self, path: str, token: str) -> httpx.Response:
        url, headers = f"{self.app.hub.url}api/{path}", {"Authorization": f"token {token}"}
        return await self._client.delete(url, headers=headers)


@pytest.fixture
async def start(
    hub_app: StartHub, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[type], Awaitable[RunningHub]]]:
    # The hub keeps its cookie secret where it stands.
    monkeypatch.chdir(tmp_path)
    async with httpx.AsyncClient(verify=NO_TLS, timeout=60, trust_env=False) as client:

        async def start(spawner: type) -> RunningHub:
            told = {"proxy_class": NoProxy, "spawner_class": spawner, "allow_named_servers": True}
            return RunningHub(await hub_app(Config({"JupyterHub": told})), client)

        yield start
