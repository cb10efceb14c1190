"""The form of a start: what it is filled with, what comes back of it, and what it is sent for."""

import asyncio
import html
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub

from lab.plain_http import NO_TLS
from slurm_ssh.errors import FrontEndRefused
from tests.slurm_ssh_spawner.hub.choosing import TWO_HOURS, accepted, catalogue, time_of_the_job
from tests.support import launching
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, told
from tests.support.waiting import until


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, catalogue) as hub:
        yield hub


async def test_the_form_is_filled_with_the_last_accepted_choices_of_the_server(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, "south", json=TWO_HOURS)
    await alice.call("POST", "south", json={"time": "99h"})
    page = (await alice.page("spawn/alice/south")).text
    assert ('value="2h"' in page, '<option value="few" selected>' in page) == (True, True)
    assert 'value="2h"' not in (await alice.page("spawn")).text


@pytest.mark.parametrize("server", ["", "south"])
async def test_a_refused_form_comes_back_with_what_was_typed(hub: LaunchingHub, server: str) -> None:
    alice = await hub.person("alice")
    answer = await alice.send([("profile", "few"), ("time", "99h")], server)
    assert (answer.status_code, 'value="99h"' in answer.text) == (400, True)
    assert '<option value="few" selected>' in answer.text
    assert "Time: 99h is not offered" in html.unescape(told(answer.text))
    assert 'value="99h"' not in (await alice.page(f"spawn/alice/{server}")).text
    assert not hub.local.told("sbatch.stdin")


async def test_a_form_that_slurm_refused_comes_back_as_it_was_sent(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json={"time": "3h"})
    answer = await alice.send([("profile", "few"), ("time", "2h")], "south")
    assert REFUSED_BY_SLURM in told(answer.text)
    # In the form or, if that took more than a second, behind the button that tries again.
    picked = ('<option value="few" selected>', 'name="profile" value="few"')
    assert ('value="2h"' in answer.text, any(each in answer.text for each in picked)) == (True, True)


async def test_a_refused_form_quotes_what_the_site_said_line_by_line_and_as_text(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    hub.local.refusal = FrontEndRefused("Geneva did not let you in.", quoted="<b>No</b>\nAsk ops")
    page = (await alice.send([("profile", "few")])).text
    assert '<div class="spawn-error-msg alert alert-danger text-break" role="alert">' in page
    assert told(page).endswith("did not let you in.<pre>&lt;b&gt;No&lt;/b&gt;\nAsk ops</pre>")


_NO_ACCOUNT = (
    "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified\n"
)


async def test_choices_that_slurm_refuses_are_not_those_of_last_time(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json=TWO_HOURS)
    hub.local.tell("refusal", _NO_ACCOUNT)
    answer = await alice.send([("profile", "usual"), ("project", "physics"), ("time", "3h")])
    assert "may not charge the project physics" in answer.text
    assert alice.stored() == TWO_HOURS
    assert 'value="2h"' in (await alice.page("spawn")).text


async def test_a_cluster_that_did_not_let_somebody_in_says_so_to_them(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    hub.local.refusal = FrontEndRefused("Geneva did not let you in.")
    assert (await alice.call("POST", json={}))[0] == 400
    assert "Geneva (Geneva did not let you in.)" in (await alice.page("spawn")).text
    assert "did not let you in" not in (await bob.page("spawn")).text


async def test_an_empty_form_asks_for_the_defaults(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json=TWO_HOURS)
    await alice.send([("profile", ""), ("time", "")])
    assert time_of_the_job(hub) == "60"


@pytest.mark.parametrize("server", ["", "south"])
async def test_a_form_that_is_sent_twice_leads_to_the_start_that_is_under_way(
    hub: LaunchingHub, server: str
) -> None:
    alice, held = await hub.person("alice"), asyncio.Event()
    hub.local.holds = [held]
    start = asyncio.create_task(alice.call("POST", server, json=TWO_HOURS))
    await until(lambda: server in alice.user.spawners and alice.user.spawners[server].pending == "spawn")
    path = f"/@/space%20word/hub/spawn/alice/{server}".rstrip("/")
    query = {"next": "/@/space%20word/hub/home"}
    again = await alice.post(f"{path}?{urlencode(query)}", [("profile", "few")], follow=False)
    assert (again.status_code, str(again.headers["location"])) == (
        302,
        f"{path.replace('spawn', 'spawn-pending')}?{urlencode(query)}",
    )
    held.set()
    assert REFUSED_BY_SLURM in (await start)[1]


async def test_a_form_for_a_server_that_is_up_leads_to_it(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, "south", json=TWO_HOURS)
    row = alice.user.spawners["south"].orm_spawner
    row.server = orm.Server(base_url="/@/space%20word/user/alice/south/", ip="127.0.0.1", port=9)
    hub.app.db.commit()
    answer = await alice.post("/@/space%20word/hub/spawn/alice/south", [("profile", "few")], follow=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/@/space%20word/user/alice/south/")
    named = await alice.post("/@/space%20word/hub/spawn/alice", _named(name="South"), follow=False)
    assert named.status_code == 409
    row.server = None
    hub.app.db.commit()


async def test_a_link_starts_nothing_and_shows_the_form(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    answer = await alice.page("spawn?time=1h&profile=usual")
    assert (answer.status_code, told(answer.text)) == (200, "")
    assert "Filled in by a link you opened. Check it and press Start." in answer.text
    assert not hub.local.told("sbatch.stdin")


async def test_a_link_fills_in_the_form(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json={"time": "3h"})
    page = (await alice.page("spawn?_xsrf=x&profile=few&opt-time=2h&colour=red&next=/hub/home")).text
    assert '<option value="few" selected>' in page
    assert ('value="2h"' in page, 'value="3h"' in page) == (True, False)
    assert 'spawn?next=%2Fhub%2Fhome" method="post"' in page


async def test_a_link_that_is_copied_leads_to_a_form_that_everybody_has(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    for path in ("spawn", "spawn/alice", "spawn/alice/south"):
        page = (await alice.page(path)).text
        assert 'data-link="/@/space%20word/hub/spawn"' in page
    assert (await bob.page("spawn?profile=few&time=2h")).status_code == 200


async def test_a_server_is_named_as_it_is_started(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    page = (await alice.send([("time", "99h")], "my-analysis-1", display_name="My Analysis 1")).text
    assert "<h1>Start server My Analysis 1</h1>" in page
    assert alice.user.orm_spawners["my-analysis-1"].display_name == "My Analysis 1"


def _named(*fields: tuple[str, str], name: str) -> list[tuple[str, str]]:
    return [*fields, ("server_name", name)]


async def test_a_further_server_is_named_in_the_form_as_on_home(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    assert 'name="server_name"' in (await alice.page("spawn")).text
    page = (await alice.send(_named(("time", "99h"), name="  My  Analysis 1 "))).text
    assert "<h1>Start server My Analysis 1</h1>" in page
    assert 'spawn/alice/my-analysis-1?display_name=My+Analysis+1" method="post"' in page
    assert ('value="99h"' in page, 'name="server_name"' in page, "server=my-analysis-1" in page) == (
        True,
        False,
        True,
    )
    assert alice.user.orm_spawners["my-analysis-1"].display_name == "My Analysis 1"
    answer = await alice.send([("profile", "few")], "my-analysis-1")
    assert REFUSED_BY_SLURM in told(answer.text)


async def test_a_name_without_a_latin_letter_is_not_the_usual_server(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    page = (await alice.send(_named(("time", "99h"), name="\u5206\u6790"))).text
    assert "<h1>Start server \u5206\u6790</h1>" in page
    assert {row.name: row.display_name for row in alice.user.orm_spawners.values() if row.name} == {
        "server-2": "\u5206\u6790"
    }
    again = await alice.send(_named(name="\u5206\u6790"))
    assert (again.status_code, "You already have a server server-2." in again.text) == (409, True)


async def test_a_name_that_is_taken_is_refused_with_a_sentence_and_nothing_typed_is_lost(
    hub: LaunchingHub,
) -> None:
    alice = await hub.person("alice")
    await accepted(alice, "south", json=TWO_HOURS)
    (hub.local.slurm / "sbatch.stdin").unlink()
    answer = await alice.send(_named(("profile", "few"), ("time", "3h"), name="South"))
    page = html.unescape(answer.text)
    assert (answer.status_code, "You already have a server south. Choose another name." in page) == (409, True)
    assert ('value="South"' in page, 'value="3h"' in page, '<option value="few" selected>' in page) == (
        True,
        True,
        True,
    )
    assert 'hub/spawn/alice" method="post"' in page
    assert not hub.local.told("sbatch.stdin")
    assert alice.stored("south") == TWO_HOURS


async def test_who_has_as_many_servers_as_are_allowed_reads_so_on_the_form(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, "south", json=TWO_HOURS)
    hub.app.tornado_settings["named_server_limit_per_user"] = 1
    answer = await alice.send(_named(name="north"))
    assert answer.status_code == 409
    assert "You have 1 named servers, and no more are allowed." in html.unescape(answer.text)
    assert "north" not in alice.user.orm_spawners


async def test_a_form_of_nobody_starts_nothing(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.page("spawn")
    xsrf = alice.xsrf
    alice.forget_cookies()
    assert (await alice.post("/@/space%20word/hub/spawn", _named(name="x"), xsrf=xsrf)).status_code == 403


async def test_what_a_link_asks_for_in_vain_is_marked(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    page = (await alice.page("spawn?profile=secret&time=1h")).text
    assert "Profile: secret is not offered." in page
    assert "Sesame" not in page


async def test_the_page_says_which_server_it_is_and_is_sent_to_that_one(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    usual = (await alice.page("spawn")).text
    assert ("<h1>Start your server</h1>" in usual, "<title>Start your server</title>" in usual) == (True, True)
    refused = (await alice.send([("time", "99h")], "south")).text
    assert "<h1>Start server south</h1>" in refused
    # A token in the address would be one more with every refusal.
    assert 'spawn/alice/south" method="post"' in refused
    assert "server=south" in refused


async def test_going_to_a_server_that_is_not_running_starts_nothing(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await accepted(alice, json=TWO_HOURS)
    (hub.local.slurm / "sbatch.stdin").unlink()
    assert (await alice.page("user/alice/lab")).status_code in (303, 424)
    assert not hub.local.told("sbatch.stdin")


async def test_a_form_that_is_open_is_no_activity_of_its_person(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.page("spawn")
    row, long_ago = alice.user.orm_user, datetime(2020, 1, 1)
    row.last_activity = long_ago
    alice.user.db.commit()
    answer = await alice.page("api/offer?profile=few", {"X-XSRFToken": alice.xsrf})
    assert (answer.status_code, row.last_activity) == (200, long_ago)
    answer = await alice.page("spawn")
    assert (answer.status_code, row.last_activity == long_ago) == (200, False)


async def test_no_other_name_of_a_script_is_an_error_of_the_server(
    hub: LaunchingHub, subtests: pytest.Subtests
) -> None:
    async with httpx.AsyncClient(verify=NO_TLS, timeout=60, trust_env=False) as anybody:
        for name in ("%00", "%0d%0a", "../spawner.py", "%2e%2e%2fspawner.py", "", "no_such.js", "a" * 9000):
            with subtests.test(name=name[:30]):
                answer = await anybody.get(f"{hub.app.hub.url}launch-pages/{name}")
                assert answer.status_code == 404
