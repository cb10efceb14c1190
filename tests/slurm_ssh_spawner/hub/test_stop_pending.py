"""The page of a server that is being stopped, and addresses that make no server."""

import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh.job import LaunchId
from tests.support import builders, launching
from tests.support.launching import LaunchingHub, Person

_TAGS = re.compile(r"<[^>]*>")
_ID = LaunchId("0123456789ab")


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _stopping(hub: LaunchingHub, person: Person, server: str = "") -> Any:
    """Let a server of theirs that ran be about to end."""
    records = hub.core.launcher.records
    await records.begin(_ID, builders.launch(hub.core.catalogue.current, {}), server=server)
    records.submitted(_ID, "42")
    records.reached(_ID, "n1", 8888, 0)
    await records.settled()
    spawner = person.user.spawners[server]
    spawner._stop_pending, spawner.last_launch_id = True, _ID
    spawner.stopping_since = datetime.now(UTC)
    return spawner


def _text(markup: str) -> str:
    (main,) = re.findall(r"<main[^>]*>(.*)</main>", markup, re.DOTALL)
    return " ".join(html.unescape(_TAGS.sub(" ", main)).split())


async def test_a_server_that_is_being_stopped_says_name_what_where_and_since_when(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    await alice.post("/@/space%20word/hub/home/new", [("name", "My Analysis 1")])
    spawner = await _stopping(hub, alice, "my-analysis-1")
    for who in (alice, ruth):
        page = (await who.page("spawn-pending/alice/my-analysis-1")).text
        assert "<title>Ending My Analysis 1</title>" in page
        assert "Ending My Analysis 1 JupyterLab on Geneva, node n1, job 42." in _text(page)
        assert "It has been ending since " in _text(page)
        assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
        assert 'data-part-url="/@/space%20word/hub/home/start?user=alice&amp;server=my-analysis-1"' in page
        assert "require([" not in page.partition("<main")[2]
    assert (await alice.page("home/start?server=my-analysis-1")).headers["x-start"] == "stopping"
    spawner._stop_pending = False


async def test_without_its_record_the_page_has_the_name_at_least(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    spawner = alice.user.spawners[""]
    spawner._stop_pending = True
    assert "Ending Default server" in _text((await alice.page("spawn-pending/alice")).text)
    spawner._stop_pending = False


async def test_to_look_at_the_form_of_a_server_makes_none(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    for who in (alice, ruth):
        page = await who.page("spawn/alice/typed")
        assert (page.status_code, "Start server" in page.text) == (200, True)
        assert "typed" not in alice.user.orm_spawners
    await alice.send([("profile", "jupyterlab")], "typed")
    assert "typed" in alice.user.orm_spawners
    await alice.page("spawn/alice/typed")
    assert "typed" in alice.user.orm_spawners
