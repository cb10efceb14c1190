"""Whose ticket goes where when somebody only looks: at sites without a monitor, which are asked as a person."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh.ssh.login import Login
from tests.support import launching
from tests.support.launching import LaunchingHub
from tests.support.local import LocalSite
from tests.support.waiting import until


def _two_sites(local: LocalSite) -> dict[str, Any]:
    return {"sites": {"geneva": launching.site(local), "lugano": launching.site(local, title="Lugano")}}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, _two_sites) as hub:
        yield hub
        await hub.core.close()


async def test_home_asks_only_where_the_person_is_connected(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    hub.local.connected = (Login("bob", "bob", "geneva"),)
    await alice.page("home")
    hub.local.connected += (Login("alice", "alice", "lugano"),)
    await alice.page("home")
    await until(lambda: bool(hub.local.entered))
    assert set(hub.local.entered) == {("alice", "lugano")}
