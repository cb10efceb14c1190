from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyterhub.user import User

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.hub.launches_api import MOST
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, composing, launching
from tests.support.hub import ComposedSpawner
from tests.support.local import LocalSite


@pytest.fixture
async def hub(start: Callable[[type], Awaitable[RunningHub]], local: LocalSite) -> AsyncIterator[RunningHub]:
    running = await start(ComposedSpawner)
    tickets: Any = launching.Tickets()
    url = f"sqlite:///{local.home}/launches.sqlite?timeout=0.1"
    core = composing.hub(builders.live(local.home), tickets, url, local)
    running.app.tornado_settings[SETTING] = core
    yield running
    await core.close()


async def _began(hub: RunningHub, number: int, user: str = "alice", server: str = "") -> LaunchId:
    core: Hub = hub.app.tornado_settings[SETTING]
    launch_id = LaunchId(f"{number:012x}")
    await core.launcher.records.begin(launch_id, builders.launch(user=user), server=server)
    return launch_id


async def _asked(hub: RunningHub, user: User, query: str = "", scopes: list[str] | None = None) -> httpx.Response:
    return await hub.get(f"launches{query}", user.new_api_token(scopes=scopes))


def _ids(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [int(each["launch_id"], 16) for each in answer.json()["launches"]]


async def test_people_see_their_own_launches_newest_first(hub: RunningHub) -> None:
    alice = hub.person("alice")
    hub.person("bob")
    for number, user in enumerate(["alice", "bob", "alice"]):
        await _began(hub, number, user)
    assert _ids(await _asked(hub, alice)) == [2, 0]
    assert _ids(await _asked(hub, alice, "?user=alice")) == [2, 0]


async def test_a_launch_is_told_with_its_end(hub: RunningHub) -> None:
    records = hub.app.tornado_settings[SETTING].launcher.records
    launch_id = await _began(hub, 1, server="south")
    records.submitted(launch_id, "42")
    records.reached(launch_id, "n1", 8888, 0)
    records.end(launch_id, "FAILED")
    records.explain(launch_id, "FAILED", "The job's program failed (exit status 3).", "<b>log</b>")
    await records.settled()
    (told,) = (await _asked(hub, hub.person("alice"))).json()["launches"]
    assert told.pop("begun").endswith("Z")
    assert told.pop("ended").endswith("Z")
    assert told == {
        "launch_id": launch_id,
        "user": "alice",
        "server": "south",
        "site": "geneva",
        "profile": "jupyterlab",
        "job_id": "42",
        "node": "n1",
        "wait_until": None,
        "end_reason": "The job's program failed (exit status 3).",
        "end_log": "<b>log</b>",
        "site_title": "Geneva",
        "profile_title": "JupyterLab",
        "state": "ended",
        "reason": "",
        "submitted": None,
        "expected_start": None,
        "ends": None,
        "stop_wanted": False,
    }


async def test_only_who_sees_all_launches_is_told_which_administrator_stopped_one(hub: RunningHub) -> None:
    records = hub.app.tornado_settings[SETTING].launcher.records
    records.end(await _began(hub, 1), "stopped by an administrator: ruth")
    await records.settled()
    for who, reason in (
        (hub.person("alice"), "stopped by an administrator"),
        (hub.person("ruth", admin=True), "stopped by an administrator: ruth"),
    ):
        (told,) = (await _asked(hub, who)).json()["launches"]
        assert told["end_reason"] == reason


async def test_of_a_launch_that_goes_on_nothing_is_said_that_slurm_has_not_said(hub: RunningHub) -> None:
    core: Hub = hub.app.tornado_settings[SETTING]
    launch_id = await _began(hub, 1)
    core.launcher.records.submitted(launch_id, "17")
    await core.launcher.records.settled()
    asker = hub.person("alice")
    (told,) = (await _asked(hub, asker)).json()["launches"]
    assert (told["state"], told["ends"], told["stop_wanted"]) == ("unknown", None, False)
    await core.launcher.records.want_stop(launch_id)
    (told,) = (await _asked(hub, asker)).json()["launches"]
    assert told["stop_wanted"]


async def test_who_may_stop_all_servers_sees_all_launches(hub: RunningHub) -> None:
    ruth = hub.person("ruth", admin=True)
    await _began(hub, 1)
    await _began(hub, 2, "bob")
    assert _ids(await _asked(hub, ruth)) == [2, 1]
    assert _ids(await _asked(hub, ruth, "?user=bob")) == [2]
    assert _ids(await _asked(hub, ruth, "?user=nobody")) == []
    # A token of hers for less is for less.
    assert _ids(await _asked(hub, ruth, scopes=["read:servers!user=ruth"])) == []


async def test_a_list_is_told_in_parts(hub: RunningHub) -> None:
    alice = hub.person("alice")
    for number in range(5):
        await _began(hub, number)
    first = await _asked(hub, alice, "?limit=2")
    assert (_ids(first), first.json()["next_offset"]) == ([4, 3], 2)
    last = await _asked(hub, alice, "?limit=2&offset=4")
    assert (_ids(last), last.json()["next_offset"]) == ([0], None)
    whole = await _asked(hub, alice, f"?limit={MOST}")
    assert (_ids(whole), whole.json()["next_offset"]) == ([4, 3, 2, 1, 0], None)


@pytest.mark.parametrize(
    "query",
    ["limit=0", f"limit={MOST + 1}", "limit=-1", "limit=a", "limit=٣", "offset=-1", f"offset={'9' * 5000}"],
)
async def test_other_numbers_are_refused(hub: RunningHub, query: str) -> None:
    answer = await _asked(hub, hub.person("alice"), f"?{query}")
    assert (answer.status_code, "must be a number from" in answer.json()["message"]) == (400, True)


async def test_launches_of_others_are_refused(hub: RunningHub) -> None:
    alice = hub.person("alice")
    assert (await _asked(hub, alice, "?user=bob")).status_code == 403
    assert (await _asked(hub, alice, scopes=["read:users!user=alice"])).status_code == 403
    assert (await hub.get("launches", "no-token")).status_code == 403
    assert (await hub.post("launches", alice.new_api_token())).status_code == 405


async def test_without_its_database_the_hub_says_so(hub: RunningHub, tmp_path: Path) -> None:
    alice = hub.person("alice")
    database = tmp_path / "launches.sqlite"
    database.rename(tmp_path / "away")
    answer = await _asked(hub, alice)
    assert (answer.status_code, "cannot use its database" in answer.json()["message"]) == (503, True)
    (tmp_path / "away").rename(database)
