"""What an admin is told of a start for somebody else that was refused."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub

from tests.support import launching
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def test_who_asks_for_somebody_elses_server_reads_why_it_was_not_started(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    assert (await ruth.call("POST", whose="alice", json={"profile": "jupyterlab"}))[0] == 400
    assert (await ruth.call("POST", "south", whose="alice", json={"time": "99h"}))[0] == 400
    page = (await ruth.page("home")).text
    assert f"You asked for the server of alice, and it was not started: {REFUSED_BY_SLURM}" in page
    assert "You asked for the server of alice:south, and it was not started: Time: 99h is not offered." in page
    assert "You asked for" not in (await alice.page("home")).text


async def test_who_may_not_ask_for_it_is_told_nothing_and_neither_is_its_owner(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    assert (await bob.call("POST", whose="alice", json={"profile": "jupyterlab"}))[0] == 404
    assert (await alice.call("POST", json={"time": "99h"}))[0] == 400
    for person in (alice, bob):
        assert "You asked for" not in (await person.page("home")).text
