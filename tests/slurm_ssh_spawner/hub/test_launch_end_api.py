import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from jupyterhub.user import User

from slurm_ssh.job import JobReport, JobState, LaunchId
from slurm_ssh_spawner.hub import launch_end_api
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, composing, launching
from tests.support.hub import ComposedSpawner
from tests.support.local import LocalSite

_ID = LaunchId("0123456789ab")


@pytest.fixture
async def hub(start: Callable[[type], Awaitable[RunningHub]], local: LocalSite) -> AsyncIterator[RunningHub]:
    running = await start(ComposedSpawner)
    tickets: Any = launching.Tickets()
    url = f"sqlite:///{local.home}/launches.sqlite?timeout=0.1"
    core = composing.hub(builders.live(local.home), tickets, url, local)
    running.app.tornado_settings[SETTING] = core
    await core.launcher.records.begin(_ID, builders.launch(), server="south")
    core.launcher.records.reached(_ID, "n1", 8888, 0)
    yield running
    await core.close()


async def _ended(hub: RunningHub, reason: str) -> None:
    core: Hub = hub.app.tornado_settings[SETTING]
    core.launcher.records.end(_ID, reason)
    await core.launcher.records.settled()


async def _asked(hub: RunningHub, user: User, launch_id: str = _ID, **more: Any) -> httpx.Response:
    return await hub.get(f"launches/{launch_id}/end", user.new_api_token(**more))


async def test_while_it_runs_no_end_is_told(hub: RunningHub) -> None:
    assert (await _asked(hub, hub.person("alice"))).json() == {
        "ended": None,
        "sentence": "",
        "template": "",
    }


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("The job ran for 1 min.", "The job ran for 1 min."),
        ("NODE_FAIL", "A node of the job failed."),
        ("stopped", "It was stopped."),
        ("stopped by its owner", "You stopped it."),
        ("stopped by an administrator: ruth", "It was stopped by an administrator of the hub."),
    ],
)
async def test_its_owner_is_told_when_and_why_it_ended(hub: RunningHub, reason: str, said: str) -> None:
    await _ended(hub, reason)
    told = (await _asked(hub, hub.person("alice"))).json()
    assert told["ended"].endswith("Z")
    assert told["sentence"].startswith("Your server south at Geneva ended at ")
    assert told["sentence"].endswith(f". {said}")
    assert told["template"] == f"Your server south at Geneva ended at {{ended}}. {said}"


async def test_why_it_ended_is_waited_for(hub: RunningHub, local: LocalSite) -> None:
    endings = hub.app.tornado_settings[SETTING].launcher.endings
    local.holds = [held := asyncio.Event()]
    explained = endings.seen(builders.job(launch_id=_ID), JobReport(JobState.ENDED, "TIMEOUT"))
    asked = asyncio.create_task(_asked(hub, hub.person("alice")))
    await asyncio.wait({asked}, timeout=0.5)
    assert not asked.done()
    held.set()
    sentence = (await explained).sentence
    assert (await asked).json()["sentence"].endswith(f". {sentence}")


async def test_it_is_not_waited_for_longer_than_a_while(
    hub: RunningHub, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch_end_api, "_WHY_SECONDS", 0.01)
    local.holds = [held := asyncio.Event()]
    hub.app.tornado_settings[SETTING].launcher.endings.seen(
        builders.job(launch_id=_ID), JobReport(JobState.ENDED, "TIMEOUT")
    )
    said = (await _asked(hub, hub.person("alice"))).json()["sentence"]
    held.set()
    assert said.endswith(". The job's time limit was up.")


async def test_who_may_open_the_server_is_told_and_nobody_else(hub: RunningHub) -> None:
    alice, bob = hub.person("alice"), hub.person("bob")
    assert (await _asked(hub, alice, scopes=["access:servers!user=alice"])).status_code == 200
    assert (await _asked(hub, alice, scopes=["read:servers!user=alice"])).status_code == 404
    assert (await _asked(hub, bob)).status_code == 404
    assert (await _asked(hub, alice, launch_id="f" * 12)).status_code == 404
    assert (await hub.get(f"launches/{_ID}/end", "no-token")).status_code == 404
