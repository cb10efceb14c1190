from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from jupyterhub.user import User

from slurm_ssh_spawner.hub.shared import SETTING
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, composing, launching
from tests.support.hub import ComposedSpawner
from tests.support.local import LocalSite

CATALOGUE: dict[str, Any] = {
    "profiles": {
        "jupyterlab": builders.profile(),
        "course": builders.profile(name="Course", visible_to={"groups": ["students"]}),
    }
}


@pytest.fixture
async def hub(start: Callable[[type], Awaitable[RunningHub]], local: LocalSite) -> AsyncIterator[RunningHub]:
    running = await start(ComposedSpawner)
    tickets: Any = launching.Tickets()
    live = builders.live(local.home, **CATALOGUE)
    core = composing.hub(live, tickets, f"sqlite:///{local.home}/launches.sqlite", local)
    running.app.tornado_settings[SETTING] = core
    yield running
    await core.close()


async def _asked(hub: RunningHub, user: User, query: str = "", scopes: list[str] | None = None) -> httpx.Response:
    return await hub.get(f"offer{query}", user.new_api_token(scopes=scopes))


async def test_people_are_told_what_is_offered_to_them(hub: RunningHub) -> None:
    answer = await _asked(hub, hub.person("alice"))
    assert answer.status_code == 200, answer.text
    assert list(answer.json()["profiles"]) == ["jupyterlab"]
    assert answer.json()["fields"][0]["name"] == "partition"


async def test_who_may_start_the_servers_of_others_is_told_what_these_are_offered(hub: RunningHub) -> None:
    ruth, _ = hub.person("ruth", admin=True), hub.person("alice")
    answer = await _asked(hub, ruth, "?user=alice&server=south")
    assert list(answer.json()["profiles"]) == ["jupyterlab"]
    assert (await _asked(hub, ruth, "?user=nobody")).status_code == 404


@pytest.mark.parametrize(("query", "scopes"), [("?user=bob", None), ("", ["read:servers!user=alice"])])
async def test_nobody_else_is_told(hub: RunningHub, query: str, scopes: list[str] | None) -> None:
    hub.person("bob")
    answer = await _asked(hub, hub.person("alice"), query, scopes)
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        "You can see only what is offered to you, and only with a token that may start your servers.",
    )


async def test_who_makes_choices_is_told_what_would_come_of_them(hub: RunningHub) -> None:
    alice = hub.person("alice")
    said = (await _asked(hub, alice, "?profile=jupyterlab&cores=4&time=90m")).json()
    assert list(said["profiles"]) == ["jupyterlab"]
    assert said["preview"][
        "summary"
    ] == "JupyterLab on Geneva, normal: 4 cores, 1 GB, 1 h 30 min, until {end}, " + ("charged to physics.")
    refused = (await _asked(hub, alice, "?profile=jupyterlab&cores=99&memory=16")).json()["preview"]
    assert (list(refused["problems"]), refused["stop"]) == (["cores", "memory"], "")


async def test_a_profile_that_they_do_not_see_is_one_that_there_is_not(hub: RunningHub) -> None:
    alice = hub.person("alice")
    hidden, none = [(await _asked(hub, alice, f"?profile={name}")).text for name in ("course", "nurse1")]
    assert hidden.replace("course", "nurse1") == none
    assert "Course" not in hidden


async def test_choices_of_another_shape_are_no_question(hub: RunningHub) -> None:
    answer = await _asked(hub, hub.person("alice"), "?colour=red")
    assert (answer.status_code, "There is no choice named colour" in answer.json()["message"]) == (400, True)
