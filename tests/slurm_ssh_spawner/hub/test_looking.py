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

_MONITOR = {"principal": "watch@LAB.TEST", "keytab": "/nonexistent/keytab", "login": "watch"}


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


async def test_nobodys_site_is_asked_as_them_while_an_admin_looks_at_their_form(hub: LaunchingHub) -> None:
    ruth, _ = await hub.person("ruth", admin=True), await hub.person("alice")
    page = await ruth.page("spawn/alice")
    assert "The hub asks no cluster as alice before you press Start" in page.text
    choices = "user=alice&profile=jupyterlab&site=geneva"
    for path in ("offer?user=alice", f"offer?{choices}", f"forecast?{choices}", f"job-script?{choices}"):
        answer = await ruth.page(f"api/{path}", headers={"X-XSRFToken": ruth.xsrf})
        assert answer.status_code == 200, answer.text
    assert (hub.local.entered, hub.local.exchanges) == ([], 0)


async def test_for_an_admin_who_looks_monitors_are_asked_and_nobody_in_their_place(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    watched = launching.site(hub.local, monitor=_MONITOR)
    hub.offer(sites={"geneva": watched, "lugano": launching.site(hub.local, title="Lugano")})
    ruth, _ = await hub.person("ruth", admin=True), await hub.person("alice")
    await ruth.page("spawn/alice")
    await until(lambda: "watch@LAB.TEST gets no ticket" in caplog.text)
    assert hub.local.entered == []


async def test_an_admin_starts_a_server_for_somebody_as_them(hub: LaunchingHub) -> None:
    ruth, _ = await hub.person("ruth", admin=True), await hub.person("alice")
    await ruth.page("spawn/alice")
    page = await ruth.post("spawn/alice", [("profile", "jupyterlab"), ("site", "geneva")])
    assert launching.REFUSED_BY_SLURM in page.text
    assert ("alice", "geneva") in hub.local.entered
