from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.user import User
from traitlets.config import Config

from tests.support import builders
from tests.support.hub import NoProxy

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

    async def delete(self, path: str, token: str) -> httpx.Response:
        return await self._client.delete(
            f"{self.app.hub.url}api/{path}", headers={"Authorization": f"token {token}"}
        )

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
