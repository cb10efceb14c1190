"""Launches that go on without a server of JupyterHub: how their owners and administrators end them."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh.job import LaunchId, mark
from slurm_ssh_spawner.launch.records import LaunchRecord
from tests.support import builders, launching
from tests.support.launching import LaunchingHub, Person
from tests.support.waiting import until

_ID = LaunchId("0123456789ab")


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.01)
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _goes_on(hub: LaunchingHub, server: str = "", node: str = "") -> None:
    """Let a job of alice's be in the queue, of which JupyterHub does not know."""
    records = hub.core.launcher.records
    name = mark("jupyter", "hub", _ID)
    await records.begin(_ID, builders.launch(hub.core.catalogue.current, {}), server=server, mark=name)
    records.submitted(_ID, "42")
    if node:
        records.reached(_ID, node, 8888, 0)
    await records.settled()
    hub.local.tell("queue", f"42|PENDING||alice|Priority|{name}\n")


async def _ended(hub: LaunchingHub) -> LaunchRecord:
    """Return the record once the job is cancelled, and nothing is to be stopped any more."""
    launcher = hub.core.launcher
    await until(lambda: hub.local.told("queue") == "")
    job = (await _record(hub)).job("hub")
    await until(lambda: not launcher._core.upkeep.owes_stop(job))
    await launcher.records.settled()
    return await _record(hub)


async def _record(hub: LaunchingHub) -> LaunchRecord:
    record = await hub.core.launcher.records.get(_ID)
    assert record
    return record


async def _press(person: Person, page: str, label: str) -> httpx.Response:
    """Send the form with that button, as a browser without scripts does."""
    forms = re.findall(r'<form[^>]* action="([^"]+)">(.*?)</form>', page, re.DOTALL)
    ((action, fields),) = [form for form in forms if html.escape(label) in form[1]]
    sent = re.findall(r'name="([^"]+)" value="([^"]*)"', fields)
    return await person.post(html.unescape(action), [(name, html.unescape(value)) for name, value in sent])


@pytest.mark.parametrize("node", ["", "n1"])
async def test_its_owner_ends_it_on_home(hub: LaunchingHub, node: str) -> None:
    alice = await hub.person("alice")
    await _goes_on(hub, node=node)
    answer = await _press(alice, (await alice.page("home")).text, "Cancel: Default server")
    assert answer.headers["location"] == "/@/space%20word/hub/home"
    assert (await _ended(hub)).end_reason == "stopped by its owner"
    assert "Cancel: Default server" not in (await alice.page("home")).text


async def test_one_whose_server_was_removed_has_a_card_all_the_same(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _goes_on(hub, "gone")
    page = (await alice.page("home")).text
    assert 'id="server-gone"' in page
    await _press(alice, page, "Cancel: gone")
    assert (await _ended(hub)).ended
    assert 'id="server-gone"' not in (await alice.page("home")).text


async def test_an_administrator_ends_it_on_its_page_also_of_somebody_who_is_gone(hub: LaunchingHub) -> None:
    ruth = await hub.person("ruth", admin=True)
    await _goes_on(hub)
    answer = await _press(ruth, (await ruth.page(f"launches/{_ID}")).text, "Stop this launch")
    assert answer.headers["location"] == f"/@/space%20word/hub/launches/{_ID}"
    assert (await _ended(hub)).end_reason == "stopped by an administrator: ruth"
    page = (await ruth.page(f"launches/{_ID}")).text
    assert "cancelled by ruth, an administrator" in page
    assert "Stop this launch" not in page


async def test_nobody_ends_somebody_elses(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _goes_on(hub)
    for launch, status in ((_ID, 404), ("ffffffffffff", 404), ("", 404)):
        sent = [("launch", launch)]
        assert (await bob.post("/@/space%20word/hub/home/give-up", sent)).status_code == status
    assert (await bob.post(f"/@/space%20word/hub/launches/{_ID}/stop", [])).status_code == 403
    assert (await alice.post("/@/space%20word/hub/home/give-up", [("launch", _ID)], xsrf="")).status_code == 403
    assert (await _record(hub)).is_open


async def test_one_whose_server_the_hub_looks_at_just_now_is_ended_too(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _goes_on(hub, node="n1")
    spawner = alice.user.spawners[""]
    spawner._job, spawner._check_pending = (await _record(hub)).job("hub"), True
    await _press(alice, (await alice.page("home")).text, "Cancel: Default server")
    assert (await _ended(hub)).ended
    spawner._job, spawner._check_pending = None, False


async def test_one_that_has_got_its_server_meanwhile_ends_with_it(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    await _goes_on(hub)
    page, spawner = (await alice.page("home")).text, alice.user.spawners[""]
    spawner._job = (await _record(hub)).job("hub")
    for who, seen, label in (
        (alice, page, "Cancel: Default server"),
        (ruth, (await ruth.page(f"launches/{_ID}")).text, "Stop this launch"),
    ):
        starting = asyncio.get_running_loop().create_future()
        spawner._spawn_pending, spawner._spawn_future = True, starting
        assert (await _press(who, seen, label)).status_code == 302
        assert starting.cancelled()
    spawner._job, spawner._spawn_pending, spawner._spawn_future = None, False, None
