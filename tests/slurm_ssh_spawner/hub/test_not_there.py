"""Pages where there is no server, no page or no right, at a real hub."""

import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from jupyterhub.app import JupyterHub
from tornado import web

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.hub.not_there import server_at
from tests.support import builders, launching
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, told

BASE = "/@/space%20word/hub/"


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _ended(hub: LaunchingHub, server: str = "", reason: str = "TIMEOUT") -> None:
    records, launch_id = hub.core.launcher.records, LaunchId("0123456789ab")
    await records.begin(launch_id, builders.launch(hub.core.catalogue.current), server=server)
    records.submitted(launch_id, "17")
    records.reached(launch_id, "n1", 8888, 0)
    records.end(launch_id, reason)
    await records.settled()


def _text(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", main)).split())


async def test_the_address_of_a_server_that_ended_says_why_and_starts_it_again_there(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _ended(hub)
    page = await alice.page("user/alice/lab/tree/a%20b.ipynb")
    assert page.status_code == 424
    said = _text(page.text)
    assert said.startswith("Default server is not running Default server ended < 1 min ago JupyterLab on Geneva")
    assert "The job's time limit was up." in said
    assert "Start again with 2h" in said
    (action, _) = re.findall(r'action="([^"]*/spawn/alice\?[^"]*)"', page.text)
    assert html.unescape(action).endswith("?next=" + quote(f"{BASE}user/alice/lab/tree/a%20b.ipynb"))
    answer = await alice.post(html.unescape(action), [("profile", "jupyterlab")])
    assert REFUSED_BY_SLURM in told(answer.text)


async def test_of_a_server_that_was_never_started_there_is_nothing_to_say_but_that(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    said = _text((await alice.page("user/alice/lab")).text)
    assert said == "Default server is not running It is not running. Start Your servers"


@pytest.mark.parametrize("asked", ["503?url=//[", f"{'5' * 5000}?url=/user/alice/", "503?url="])
async def test_no_address_makes_the_proxys_page_an_error_of_the_hub(hub: LaunchingHub, asked: str) -> None:
    alice = await hub.person("alice")
    page = await alice.page(f"error/{asked}")
    assert (page.status_code, "Traceback" in page.text) == (200, False)


async def test_a_page_that_there_is_not_says_so_and_leads_on(hub: LaunchingHub) -> None:
    alice, _ = await hub.person("alice"), await hub.person("bob")
    for path in ("nowhere", "user/bob/lab"):
        page = await alice.page(path)
        assert page.status_code == 404
        assert _text(page.text).startswith("There is no such page ")
        assert "None" not in _text(page.text)
        assert f'href="{BASE}home">Your servers</a>' in page.text
        assert 'id="logout"' in page.text


async def test_somebody_elses_server_that_runs_says_that_one_may_not_open_it(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    spawner, back = alice.user.spawners[""], f"{alice.user.url}oauth_callback"
    # As a start does.  A server that somebody comes to sends them to the hub.
    spawner.orm_spawner.oauth_client = hub.app.oauth_provider.add_client(
        spawner.oauth_client_id, "secret", back, allowed_scopes=[], description="Server at /user/alice/"
    )
    hub.app.db.commit()
    query = {"client_id": spawner.oauth_client_id, "redirect_uri": back, "response_type": "code", "state": "x"}
    path = f"api/oauth2/authorize?{urlencode(query)}"
    page = await bob.page(path)
    assert page.status_code == 403
    assert _text(page.text).startswith("You may not do this You do not have permission to access Server at")
    assert f'href="{BASE}home">Your servers</a>' in page.text
    let_in = await alice.page(path)
    assert (let_in.status_code, "/user/alice/oauth_callback?code=" in let_in.headers["location"]) == (302, True)


async def test_a_form_of_a_session_that_is_over_leads_to_the_login(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    alice.forget_cookies()
    page = await alice.send([("profile", "jupyterlab")], "south")
    assert page.status_code == 403
    assert _text(page.text).startswith("You were logged out You were logged out meanwhile, so nothing was done.")
    assert f'id="log-in-and-back" href="{BASE}login"' in page.text


async def test_what_the_proxy_shows_asks_for_what_became_of_that_server(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _ended(hub)
    page = await alice.page("error/503?url=/%40/space%2520word/user/alice/lab%3Fa=b")
    assert _text(page.text).startswith("The server cannot be reached The server does not answer.")
    (url,) = re.findall(r'data-url="([^"]*)"', page.text)
    part = await alice.page(html.unescape(url).removeprefix(BASE))
    assert (part.status_code, "The job&#39;s time limit was up." in part.text) == (200, True)
    assert "Forget" not in part.text
    alice.forget_cookies()
    assert (await alice.page(html.unescape(url).removeprefix(BASE))).status_code == 403
    assert "Something went wrong" in (await alice.page("error/502")).text


@pytest.mark.parametrize(
    ("path", "server"),
    [
        ("/user/alice/lab", ""),
        ("/user/alice/south/lab", "south"),
        ("/user/alice", ""),
        ("/user/al%69ce/south", "south"),
    ],
)
def test_an_address_is_that_of_the_server_it_names(path: str, server: str) -> None:
    assert server_at(path, "/", "alice", {"": None, "south": None}) == server


@pytest.mark.parametrize("path", ["/user/bob/lab", "/hub/home", "", "/user/", "//user/alice/"])
def test_the_address_of_somebody_else_is_none(path: str) -> None:
    with pytest.raises(web.HTTPError):
        server_at(path, "/", "alice", {"": None})
