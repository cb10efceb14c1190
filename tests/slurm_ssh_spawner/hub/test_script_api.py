"""The job script that a start would send, asked for before it at a real hub."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh.sentences import PROFILE_UNUSABLE
from slurm_ssh_spawner.launch.shown_script import LAUNCH_ID
from slurm_ssh_spawner.spawner import SlurmSSHSpawner
from tests.support import builders, launching
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, Person
from tests.support.local import LocalSite

_MARK = re.compile(r"jupyter-hub-([0-9a-f]{12})")
CHOICES = {"profile": "one", "time": "2h", "memory": "2 GB"}


def _catalogue(local: LocalSite) -> dict[str, Any]:
    ticket = {"delivery": "copy"}
    site = launching.site(local, ticket=ticket, ticket_folder=f"{local.home}/{{owner}}/tickets")
    variables = {"WEATHER_API_KEY": "k3y", "NAME": "it's open"}
    profiles = {
        "one": builders.profile(name="One", environment=variables),
        "secret": builders.profile(name="Sesame", visible_to={"groups": ["neuro"]}),
    }
    return {"sites": {"geneva": site}, "profiles": profiles}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, _catalogue) as hub:
        yield hub
        await hub.core.close()


async def _shown(person: Person, xsrf: str | None = None, **query: str) -> httpx.Response:
    headers = {"X-XSRFToken": person.xsrf if xsrf is None else xsrf, "Sec-Fetch-Mode": "cors"}
    return await person.page(f"api/job-script?{httpx.QueryParams(query)}", headers)


def _lines(script: str) -> set[str]:
    return set(script.splitlines())


@pytest.mark.parametrize("server", ["", "south"])
async def test_it_is_the_script_that_is_sent(hub: LaunchingHub, server: str) -> None:
    alice = await hub.person("alice")
    answer = await _shown(alice, server=server, **CHOICES)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    shown = str(answer.json()["script"])
    assert set(alice.user.orm_spawners) <= {""}
    _, said = await alice.call("POST", server, json=CHOICES)
    assert REFUSED_BY_SLURM in said
    sent = hub.local.told("sbatch.stdin")
    (launch_id,) = set(_MARK.findall(sent))
    sent = sent.replace(launch_id, LAUNCH_ID)
    assert "#SBATCH --time=120" in shown
    assert f"tickets/{LAUNCH_ID}.ccache" in shown
    assert _lines(sent) - _lines(shown) == {"export WEATHER_API_KEY=k3y"}
    assert _lines(shown) - _lines(sent) == {"export WEATHER_API_KEY='(not shown)'"}


async def test_a_server_that_can_have_no_such_name_is_the_usual_one(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    usual, other = [(await _shown(alice, server=server, **CHOICES)).json() for server in ("", "../x")]
    assert usual == other


async def test_no_token_is_ever_in_it(hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await hub.person("alice")
    monkeypatch.setattr(
        SlurmSSHSpawner,
        "environment",
        {"CALL_BACK": lambda spawner: f"https://x/?t={spawner.api_token}", "MY_password": "a'b\nc"},
    )
    alice.user.spawners[""].api_token = "0123456789abcdef0123456789abcdef"
    shown = str((await _shown(alice, **CHOICES)).json()["script"])
    assert "0123456789abcdef" not in shown.replace(LAUNCH_ID, "")
    assert "export CALL_BACK='https://x/?t=(not shown)'" in shown
    assert "export MY_password='(not shown)'\n" in shown
    assert "a'" not in shown.replace("export NAME='it'\"'\"'s open'", "")


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"profile": "one", "time": "99h"}, "Time: 99h is not offered. Choose"),
        ({"profile": "one", "memory": "16"}, "Memory: write 16G for gigabytes"),
        ({"profile": "secret"}, "Profile: secret is not offered."),
        ({"colour": "red"}, "There is no choice named colour."),
    ],
)
async def test_what_would_be_refused_is_refused_as_at_the_start(
    hub: LaunchingHub, choices: dict[str, str], said: str
) -> None:
    alice = await hub.person("alice")
    answer = await _shown(alice, **choices)
    assert (answer.status_code, said in answer.json()["message"]) == (400, True), answer.text
    assert (await alice.call("POST", json=choices))[1] == answer.json()["message"]


async def test_only_who_may_start_the_server_sees_it_and_only_from_the_hubs_pages(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    ruth = await hub.person("ruth", admin=True)
    assert (await _shown(bob, user="alice", **CHOICES)).status_code == 403
    assert (await _shown(ruth, user="alice", **CHOICES)).status_code == 200
    assert (await _shown(ruth, user="nobody", **CHOICES)).status_code == 404
    for xsrf in ("", "x"):
        assert (await _shown(alice, xsrf=xsrf, **CHOICES)).status_code == 403
    token = alice.user.new_api_token(scopes=["read:servers!user=alice"])
    alice.forget_cookies()
    answer = await alice.page("api/job-script?profile=one", {"Authorization": f"token {token}"})
    assert answer.status_code == 403
    assert (await alice.page("api/job-script?profile=one")).status_code == 403


async def test_a_profile_of_which_no_script_can_be_made_is_said(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await hub.person("alice")
    monkeypatch.setattr(SlurmSSHSpawner, "environment", {"NOTHING": "a\0b"})
    answer = await _shown(alice, **CHOICES)
    assert (answer.status_code, answer.json()["message"]) == (500, PROFILE_UNUSABLE)
