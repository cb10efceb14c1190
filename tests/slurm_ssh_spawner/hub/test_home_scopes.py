"""Home's forms do no more than JupyterHub's API would with the same scopes, and make servers as it would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh.job import LaunchId
from tests.support import builders, launching
from tests.support.launching import LaunchingHub

_HOME = "/@/space%20word/hub/home/"
Hubs = Callable[..., AbstractAsyncContextManager[LaunchingHub]]


@pytest.fixture
def hubs(hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hubs:
    """Give a hub with settings of its own."""

    @asynccontextmanager
    async def made(**settings: Any) -> AsyncIterator[LaunchingHub]:
        told = {"JupyterHub": settings}
        async with launching.launching(hub_app, tmp_path, monkeypatch, settings=told) as hub:
            yield hub
            await hub.core.close()

    return made


def _may(*scopes: str) -> list[dict[str, Any]]:
    """Return the roles of a hub whose people may do no more than that."""
    return [{"name": "user", "scopes": ["read:users!user", "read:servers!user", *scopes]}]


async def _launch(hub: LaunchingHub) -> LaunchId:
    launch_id = LaunchId("0123456789ab")
    launch = builders.launch(hub.core.catalogue.current, {"cores": "2"})
    await hub.core.launcher.records.begin(launch_id, launch, server="south")
    await hub.core.launcher.records.settled()
    return launch_id


@pytest.mark.parametrize("action", ["stop", "cancel", "forget", "new", "give-up"])
async def test_who_may_neither_start_nor_stop_servers_does_neither_on_home(hubs: Hubs, action: str) -> None:
    async with hubs(load_roles=_may()) as hub:
        alice = await hub.person("alice")
        alice.user._new_orm_spawner("south", "South")
        launch_id = await _launch(hub)
        fields = [("server", "south"), ("name", "North"), ("launch", launch_id), ("sure", "yes")]
        assert (await alice.post(_HOME + action, fields)).status_code == 403
        assert set(alice.user.orm_spawners) == {"", "south"}
        record = await hub.core.launcher.records.get(launch_id)
        assert record is not None
        assert (record.ended, record.stop_wanted) == (None, False)


async def test_a_scope_for_one_server_is_for_that_one_alone(hubs: Hubs) -> None:
    scopes = ("delete:servers!server=alice/south", "start:servers!server=alice/north")
    async with hubs(load_roles=_may(*scopes)) as hub:
        alice = await hub.person("alice")
        for name in ("south", "north"):
            alice.user._new_orm_spawner(name, name)
        answers = {
            (action, name): (await alice.post(_HOME + action, [("server", name)])).status_code
            for action in ("stop", "forget")
            for name in ("north", "south")
        }
        assert answers == {
            ("stop", "north"): 403,
            ("stop", "south"): 302,
            ("forget", "north"): 403,
            ("forget", "south"): 302,
        }
        assert (await alice.post(_HOME + "new", [("name", "East")])).status_code == 403
        assert set(alice.user.orm_spawners) == {"", "north"}


async def test_where_servers_have_no_names_home_asks_for_none_and_makes_none(hubs: Hubs) -> None:
    async with hubs(allow_named_servers=False) as hub:
        alice = await hub.person("alice")
        page = await alice.page("home")
        assert ('id="new-name"' in page.text, ">Start a server<" in page.text) == (False, True)
        refused = await alice.post(_HOME + "new", [("name", "North")])
        assert (refused.status_code, "This hub has no named servers." in refused.text) == (400, True)
        assert set(alice.user.orm_spawners) == {""}
        alice.user.spawners[""]._spawn_pending = True
        answer = await alice.post(_HOME + "new", [("name", "")])
        alice.user.spawners[""]._spawn_pending = False
        assert answer.headers["location"] == "/@/space%20word/hub/spawn/alice"
        assert set(alice.user.orm_spawners) == {""}
