"""What a start means, in whatever way it is asked for, and what it leaves behind as the last time's choices."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub

from profiles.facts import SiteFacts
from slurm_ssh.errors import SiteUnreachable
from slurm_ssh.facts.availability import Availability
from tests.slurm_ssh_spawner.hub.choosing import TWO_HOURS, accepted, catalogue, time_of_the_job
from tests.support import builders, launching
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, Person
from tests.support.waiting import until


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, catalogue) as hub:
        yield hub


async def test_a_refused_start_leaves_the_last_accepted_choices_alone(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json=TWO_HOURS)
    for refused in ({"time": "99h"}, {"profile": "secret"}, {"site": "bern"}):
        status, said = await alice.call("POST", json={"user_options": refused})
        assert (status, "is not offered. Choose" in said) == (400, True)
        assert alice.stored() == TWO_HOURS
        assert await hub.core.launcher.records.accepted("alice", "") == TWO_HOURS


@pytest.mark.parametrize(
    "body", [{}, {"json": {}}, {"json": {"user_options": {}}}, {"json": {"user_options": None}}]
)
async def test_a_start_without_choices_means_the_last_accepted_ones(hub: LaunchingHub, body: Any) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json=TWO_HOURS)
    await alice.call("POST", json={"time": "99h"})
    await accepted(alice, **body)
    assert time_of_the_job(hub) == "120"
    assert alice.stored() == TWO_HOURS


async def test_a_first_start_without_choices_means_the_catalogues_defaults(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.call("POST", json={"time": "99h"})
    await accepted(alice, json={})
    assert time_of_the_job(hub) == "60"


async def test_each_server_has_its_own_last_choices(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, "south", json=TWO_HOURS)
    await accepted(alice, json={})
    assert time_of_the_job(hub) == "60"
    await accepted(alice, "south", json={"user_options": {}})
    assert time_of_the_job(hub) == "120"


async def test_an_admin_who_starts_somebodys_server_starts_it_as_last_time(hub: LaunchingHub) -> None:
    alice, root = await hub.person("alice", "neuro"), await hub.person("oper", admin=True)
    await accepted(alice, json={"profile": "secret", "time": "2h"})
    status, said = await root.call("POST", whose="alice", json={})
    assert (status, REFUSED_BY_SLURM in said, time_of_the_job(hub)) == (400, True, "120")
    status, said = await root.call("POST", whose="alice", json={"time": "99h"})
    assert (status, "Time: 99h is not offered" in said) == (400, True)
    assert alice.stored() == {"profile": "secret", "time": "2h"}


async def test_nobody_starts_changes_or_stops_somebody_elses_server(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await accepted(alice, "south", json=TWO_HOURS)
    (hub.local.slurm / "sbatch.stdin").unlink()
    for method in (*METHODS, "DELETE"):
        assert (await bob.call(method, "south", whose="alice", json={}))[0] == 404
    assert (await bob.page("spawn/alice")).status_code == 404
    assert not hub.local.told("sbatch.stdin")
    assert alice.stored("south") == TWO_HOURS


async def test_what_was_accepted_once_and_cannot_be_had_any_more_gives_way_to_the_defaults(
    hub: LaunchingHub,
) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json=TWO_HOURS)
    hub.offer(**catalogue(hub.local, visible_to={"groups": ["neuro"]}))
    status, said = await alice.call("POST")
    assert (status, "Profile: few is not offered" in said, alice.stored()) == (400, True, TWO_HOURS)
    await accepted(alice, json={"user_options": {}})
    assert (time_of_the_job(hub), alice.stored()) == ("60", {})


async def test_choices_changed_without_a_start_pass_the_gate_at_the_next_one(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json=TWO_HOURS)
    assert (await alice.call("PATCH", json={"user_options": {"time": "3h"}}))[0] == 200
    await accepted(alice)
    assert time_of_the_job(hub) == "180"
    assert (await alice.call("PATCH", json={"user_options": {"time": "99h"}}))[0] == 200
    status, said = await alice.call("POST")
    assert (status, "Time: 99h is not offered" in said) == (400, True)
    assert alice.stored() == {"time": "3h"}


# What is refused leaves nothing behind, so the tests of that ask one hub in many ways.

METHODS = ("POST", "PUT", "PATCH")
POISON = {"__jupyterhub_bytes__": True, "data": "eA=="}


@pytest.fixture
async def careful(hub: LaunchingHub) -> Person:
    """Somebody whose server `south` was started with choices, and who has no server `north`."""
    alice = await hub.person("alice")
    await accepted(alice, "south", json=TWO_HOURS)
    return alice


async def _asked(alice: Person, method: str, options: Any) -> tuple[int, str]:
    """Ask with these choices; see that none is stored."""
    server = "north" if method == "PUT" else "south"
    answer = await alice.call(method, server, json={"user_options": options})
    assert alice.stored("south") == TWO_HOURS
    assert "north" not in alice.user.orm_spawners
    return answer


@pytest.mark.parametrize("method", METHODS)
async def test_choices_of_another_shape_never_reach_jupyterhubs_database(
    careful: Person, method: str, subtests: pytest.Subtests
) -> None:
    for options, said in (
        (POISON, "There is no choice named __jupyterhub_bytes__. Choices are profile, site"),
        ({"time": POISON}, "The choice time must be one line of text"),
        ({"time": ["1h"]}, "The choice time must be one line of text"),
        ({"cores": 4}, "The choice cores must be one line of text"),
        ({"user": "root"}, "There is no choice named user."),
    ):
        with subtests.test(options=options):
            status, message = await _asked(careful, method, options)
            assert (status, said in message) == (400, True)


_MANY = {f"param.x{number}": "1" for number in range(301)}
_LONG = {f"param.x{number}": "\U0001f600" * 200 for number in range(30)}


@pytest.mark.parametrize("method", METHODS)
async def test_too_many_choices_never_reach_jupyterhubs_database(careful: Person, method: str) -> None:
    for options in (_MANY, _LONG):
        status, message = await _asked(careful, method, options)
        assert (status, "These are too many choices: at most 300 can be made" in message) == (400, True)


@pytest.mark.parametrize("method", METHODS)
async def test_no_body_ends_in_an_error_of_the_server(
    careful: Person, method: str, subtests: pytest.Subtests
) -> None:
    for content in (b"[" * 19_000, b'{"a":' * 10_000, b"\xff", b'{"time": "\\ud800"}'):
        with subtests.test(content=content[:20]):
            assert (await careful.call(method, "south", content=content))[0] in (400, 409)
            assert careful.stored("south") == TWO_HOURS


async def test_another_change_of_a_server_is_refused_with_a_sentence(
    careful: Person, subtests: pytest.Subtests
) -> None:
    only = "Only display_name, name, user_options of a server "
    for body in (["user_options"], {"cores": "1"}, {"name": 7}, {"display_name": ["x"]}, "x"):
        with subtests.test(body=body):
            status, said = await careful.call("PATCH", "south", json=body)
            assert (status, said.startswith((only, "The "))) == (400, True)


async def test_who_starts_a_server_is_told_to_try_again_what_does_not_answer(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    hub.local.refusal = SiteUnreachable("Geneva cannot be reached.")
    status, said = await alice.call("POST", "south", json=TWO_HOURS)
    assert (status, said) == (503, "Geneva cannot be reached. Try again in a few minutes.")


async def test_a_server_that_was_made_with_choices_starts_with_them(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    assert (await alice.call("PUT", "north", json={"user_options": {"time": "4h"}}))[0] == 201
    await accepted(alice, "north")
    assert time_of_the_job(hub) == "240"


async def test_groups_of_the_hub_show_a_profile_and_open_it(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice", "neuro"), await hub.person("bob")
    assert "Sesame" in (await alice.page("spawn")).text
    assert "Sesame" not in (await bob.page("spawn")).text
    await accepted(alice, json={"profile": "secret"})
    status, said = await bob.call("POST", json={"profile": "secret"})
    assert (status, "Profile: secret is not offered" in said) == (400, True)


async def test_of_servers_that_start_at_once_no_more_pass_than_the_profile_allows(hub: LaunchingHub) -> None:
    few = builders.profile(name="Few", servers_max=2)
    hub.offer(sites={"geneva": launching.site(hub.local)}, profiles={"few": few})
    alice, held = await hub.person("alice"), asyncio.Event()
    hub.local.holds = [held] * 5
    starts = [asyncio.create_task(alice.call("POST", f"s{number}", json={})) for number in range(5)]
    await until(lambda: sum(start.done() for start in starts) == 3)
    for start in starts:
        if start.done():
            status, said = await start
            assert (status, "You already have 2 servers of Few" in said) == (400, True)
    held.set()
    assert sum(REFUSED_BY_SLURM in said for _, said in await asyncio.gather(*starts)) == 2


@pytest.mark.parametrize("facts", ["unknown", "known"])
@pytest.mark.parametrize("choices", [{}, {"profile": "few", "time": "2h"}])
async def test_however_many_servers_start_at_once_no_more_pass_than_the_profile_allows(
    hub: LaunchingHub, facts: str, choices: dict[str, str]
) -> None:
    """As after a start of the hub: each start waits for what the site has of the person, and no two as long."""
    site = launching.site(hub.local, projects="accounting")
    hub.offer(sites={"geneva": site}, profiles={"few": builders.profile(name="Few", servers_max=3)})
    waits, held = itertools.cycle((0.05, 0, 0.2, 0.01)), asyncio.Event()

    async def ask(_user: str, _site_key: str) -> SiteFacts:
        await asyncio.sleep(next(waits))
        return SiteFacts(projects=("proj3",))

    hub.core.availability = Availability(hub.core.catalogue.sites, ask, ask)
    alice = await hub.person("alice")
    if facts == "known":
        await alice.page("spawn")
    hub.local.holds = [held] * 20
    starts = [asyncio.create_task(alice.call("POST", f"s{number}", json=choices)) for number in range(20)]
    await until(lambda: sum(start.done() for start in starts) == 17)
    refused = [await start for start in starts if start.done()]
    assert all(status == 400 and "You already have 3 servers of Few" in said for status, said in refused)
    held.set()
    assert sum(REFUSED_BY_SLURM in said for _, said in await asyncio.gather(*starts)) == 3
