from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from jupyterhub.user import User

from slurm_ssh.errors import SiteUnreachable
from slurm_ssh.facts import forecasts
from slurm_ssh.ssh.login import Login
from slurm_ssh_spawner.hub.shared import SETTING
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, composing, launching
from tests.support.hub import ComposedSpawner
from tests.support.local import LocalSite

_NOTHING: dict[str, Any] = {"sites": {}, "again": False}
_SAID = "sbatch: Job 9 to start at {begins:%Y-%m-%dT%H:%M:%S} using 1 processors on nodes n1 in partition normal\n"


@pytest.fixture
async def hub(start: Callable[[type], Awaitable[RunningHub]], local: LocalSite) -> AsyncIterator[RunningHub]:
    running = await start(ComposedSpawner)
    tickets: Any = launching.Tickets()
    sites = {key: launching.site(local, title=key.capitalize()) for key in ("geneva", "lugano")}
    live = builders.live(local.home, sites=sites)
    core = composing.hub(live, tickets, f"sqlite:///{local.home}/launches.sqlite", local)
    running.app.tornado_settings[SETTING] = core
    yield running
    await core.close()


def _begins(local: LocalSite, **away: float) -> datetime:
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(**away)
    local.tell("forecast", _SAID.format(begins=begins))
    return begins


async def _asked(hub: RunningHub, user: User, query: str = "", scopes: list[str] | None = None) -> httpx.Response:
    return await hub.get(f"forecast{query}", user.new_api_token(scopes=scopes))


async def test_people_are_told_when_slurm_expects_what_they_choose_to_start(
    hub: RunningHub, local: LocalSite
) -> None:
    begins = _begins(local, hours=2)
    answer = await _asked(hub, hub.person("alice"), "?profile=jupyterlab&site=geneva&cores=4")
    assert answer.status_code == 200, answer.text
    said = "Slurm expects it to start at about {begins}."
    ends = (begins + timedelta(hours=1)).isoformat()
    geneva = {"said": said, "begins": begins.isoformat(), "ends": ends, "refused": False}
    assert answer.json() == {"sites": {"geneva": geneva}, "again": False}
    assert "#SBATCH --cpus-per-task=4\n" in local.told("forecast.stdin")
    assert "#SBATCH --job-name=jupyter-hub-000000000000\n" in local.told("forecast.stdin")
    assert local.told("submissions") == ""


async def test_of_other_sites_those_are_asked_to_which_the_person_has_a_connection(
    hub: RunningHub, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begins(local, minutes=0)
    alice, query = hub.person("alice"), "?profile=jupyterlab&site=geneva"
    assert list((await _asked(hub, alice, query)).json()["sites"]) == ["geneva"]
    monkeypatch.setattr(local, "logins", lambda: (Login("bob", "bob", "lugano"),))
    assert list((await _asked(hub, alice, query)).json()["sites"]) == ["geneva"]
    monkeypatch.setattr(local, "logins", lambda: (Login("alice", "alice", "lugano"),))
    said = (await _asked(hub, alice, query)).json()["sites"]
    assert {key: each["said"] for key, each in said.items()} == {
        "geneva": "Slurm would start it at once.",
        "lugano": "Slurm would start it at once.",
    }


async def test_who_only_looks_at_a_form_opens_no_connection(
    hub: RunningHub, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begins(local, minutes=0)
    alice, query = hub.person("alice"), "?profile=jupyterlab&site=geneva&open=0"
    assert (await _asked(hub, alice, query)).json() == _NOTHING
    assert local.exchanges == 0
    monkeypatch.setattr(local, "logins", lambda: (Login("alice", "alice", "geneva"),))
    assert list((await _asked(hub, alice, query)).json()["sites"]) == ["geneva"]


async def test_what_slurm_would_refuse_is_said_as_at_a_start(hub: RunningHub, local: LocalSite) -> None:
    local.tell("refusal", "allocation failure: Invalid account or account/partition combination specified\n")
    answer = await _asked(hub, hub.person("alice"), "?profile=jupyterlab&site=geneva&project=physics")
    assert answer.json()["sites"]["geneva"] == {
        "said": "Geneva did not accept the job: you may not charge the project physics there. "
        "Choose another project or partition.",
        "begins": None,
        "ends": None,
        "refused": True,
    }


async def test_a_site_that_is_away_costs_a_line_and_nothing_else(hub: RunningHub, local: LocalSite) -> None:
    local.refusal = SiteUnreachable("Nobody is there.")
    alice = hub.person("alice")
    answers = [(await _asked(hub, alice, "?profile=jupyterlab&site=geneva")).json() for _ in range(2)]
    assert answers == [_NOTHING, _NOTHING]


async def test_whose_turn_it_is_not_is_told_to_ask_again(
    hub: RunningHub, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "EVERY_SECONDS", 3600.0)
    _begins(local, minutes=0)
    query = "?profile=jupyterlab&site=geneva"
    first, second = [(await _asked(hub, hub.person(name), query)).json() for name in ("alice", "bob")]
    assert (first["again"], second) == (False, {"sites": {}, "again": True})


async def test_what_cannot_be_chosen_is_asked_of_nobody(hub: RunningHub, local: LocalSite) -> None:
    alice = hub.person("alice")
    for query in ("?profile=jupyterlab&time=99h", "?profile=nothing", "?profile=jupyterlab&site=nowhere"):
        assert (await _asked(hub, alice, query)).json() == _NOTHING
    refused = await _asked(hub, alice, "?colour=red")
    assert (refused.status_code, local.told("forecasts")) == (400, "")


@pytest.mark.parametrize(("query", "scopes"), [("?user=bob", None), ("", ["read:servers!user=alice"])])
async def test_nobody_asks_in_the_name_of_another(
    hub: RunningHub, local: LocalSite, query: str, scopes: list[str] | None
) -> None:
    hub.person("bob")
    answer = await _asked(hub, hub.person("alice"), query, scopes)
    assert (answer.status_code, local.exchanges) == (403, 0)


async def test_an_admin_is_told_what_the_person_whose_server_it_is_has_asked_for(
    hub: RunningHub, local: LocalSite
) -> None:
    _begins(local, minutes=0)
    ruth, alice = hub.person("ruth", admin=True), hub.person("alice")
    assert (await _asked(hub, ruth, "?user=alice&profile=jupyterlab")).json() == _NOTHING
    assert local.exchanges == 0
    known = (await _asked(hub, alice, "?profile=jupyterlab")).json()
    assert f"--output={local.home}/alice/jobs/" in local.told("forecast.stdin").replace("'", "")
    exchanges = local.exchanges
    assert (await _asked(hub, ruth, "?user=alice&profile=jupyterlab")).json() == known
    assert local.exchanges == exchanges
