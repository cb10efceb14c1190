"""For how long a server lets in a guest whose access the hub has ended: what docs/sharing.md says of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.services.auth import HubOAuth
from traitlets.config import Config

from slurm_ssh_spawner.hub import guests
from tests.support import launching
from tests.support.launching import LaunchingHub

_DOCUMENTED_SECONDS = 300
_SCOPE = "access:servers!server=alice/"


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


def _server(hub: LaunchingHub, owner: Any, **config: Any) -> HubOAuth:
    """Return what asks the hub in a server who may enter it; without a configuration, as jobs have it."""
    told = {"api_url": f"{hub.app.hub.url}api", "api_token": owner.user.new_api_token()}
    return HubOAuth(**told, access_scopes={_SCOPE}, config=Config(config))


def _older(server: HubOAuth, seconds: float) -> None:
    for key in server.cache.timestamps:
        server.cache.timestamps[key] -= seconds


async def test_a_guest_is_out_five_minutes_after_their_last_look_up_however_often_they_ask(
    hub: LaunchingHub,
) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    spawner = alice.user.spawners[""]
    spawner.orm_spawner.server = orm.Server(base_url="/user/alice/")
    hub.app.db.commit()
    row = spawner.orm_spawner
    code, _ = guests.invite(hub.app.db, row, 60, None)
    guests.accept(hub.app.db, guests.invitation(hub.app.db, code), bob.user)
    server, token = _server(hub, alice), bob.user.new_api_token(scopes=[_SCOPE])

    async def is_let_in() -> bool:
        model = await server.user_for_token(token, sync=False)
        return bool(model and server.check_scopes({_SCOPE}, model))

    assert (server.cache_max_age, await is_let_in()) == (_DOCUMENTED_SECONDS, True)
    (share,) = guests.guests(row)
    guests.take_back_access(row, share.key, "alice")
    _older(server, _DOCUMENTED_SECONDS - 10)
    assert await is_let_in()
    _older(server, 11)
    assert not await is_let_in()


async def test_a_site_may_have_its_servers_ask_more_often(hub: LaunchingHub) -> None:
    server = _server(hub, await hub.person("alice"), HubOAuth={"cache_max_age": 30})
    assert (server.cache_max_age, server.cache.max_age) == (30, 30)
