"""Home at a real hub: what it says of servers, and what may be done with them without scripts."""

import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from jupyterhub.app import JupyterHub

from profiles.facts import Capacity, Nodes, PartitionFacts, SiteFacts
from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.clusters import clusters
from slurm_ssh_spawner.launch.records.history import Sought
from tests.support import builders, launching
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, Person, told

_TAGS = re.compile(r"<[^>]*>")


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _launch(
    hub: LaunchingHub, number: int, server: str = "", reason: str = "", node: str = "n1"
) -> LaunchId:
    """Keep a launch of alice's; with a reason it has ended."""
    records, launch_id = hub.core.launcher.records, LaunchId(f"{number:012x}")
    launch = builders.launch(hub.core.catalogue.current, {"cores": "2"})
    await records.begin(launch_id, launch, server=server)
    records.submitted(launch_id, str(number))
    if node:
        records.reached(launch_id, node, 8888, 0)
    if reason:
        records.end(launch_id, reason)
    await records.settled()
    return launch_id


def _cards(page: str) -> dict[str, str]:
    """Return the text of each card by its name."""
    found = re.findall(r'<section class="page-card" id="([^"]+)"[^>]*>(.*?)</section>', page, re.DOTALL)
    return {key: _text(card) for key, card in found}


def _text(markup: str) -> str:
    return " ".join(html.unescape(_TAGS.sub("", markup)).split())


async def _press(person: Person, page: str, label: str) -> httpx.Response:
    """Send the form of the button with that label, as a browser without scripts does."""
    forms = re.findall(r'<form[^>]* action="([^"]+)">(.*?)</form>', page, re.DOTALL)
    ((action, fields),) = [form for form in forms if f'aria-label="{html.escape(label)}"' in form[1]]
    # An address is shown, kept and logged.
    assert "_xsrf" not in action
    sent = re.findall(r'name="([^"]+)" value="([^"]*)"', fields)
    return await person.post(html.unescape(action), [(name, html.unescape(value)) for name, value in sent])


async def test_a_card_says_what_where_and_why_it_ended(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _launch(hub, 1, reason="The job's time limit of 1h was up.")
    page = (await alice.page("home")).text
    card = _cards(page)["default-server"]
    assert card.startswith(
        "Default server ended < 1 min ago JupyterLab on Geneva, node n1, job 1 2 cores, 1 GB, 1 h"
    )
    assert "The job's time limit of 1h was up. Ended at " in card
    assert "Files that you saved are still at Geneva." in card
    assert "Start again Start again with 2h Change the choices" in card
    assert "launch-notice" not in page
    assert "You have no servers yet." in (await bob.page("home")).text


async def test_a_start_that_failed_and_a_stop_that_is_owed_are_said(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _launch(hub, 1, reason="not submitted: Geneva cannot be reached. [No route]", node="")
    await hub.core.launcher.records.want_stop(await _launch(hub, 2, "south"))
    await hub.core.launcher.records.want_stop(await _launch(hub, 3, "south"))
    cards = _cards((await alice.page("home")).text)
    assert "could not start, < 1 min ago" in cards["default-server"]
    assert "Geneva cannot be reached. Ended at" in cards["default-server"]
    for number in (2, 3):
        assert "The job still runs and is charged." in cards[f"launch-{number:012x}"]


async def test_a_card_shows_the_end_of_its_log_and_lists_read_none(hub: LaunchingHub) -> None:
    alice, records = await hub.person("alice"), hub.core.launcher.records
    launch_id = await _launch(hub, 1, reason="FAILED")
    records.explain(launch_id, "FAILED", "The job's program failed (exit status 3).", "Traceback <1>")
    await records.settled()
    assert '<pre class="mb-0" tabindex="0">Traceback &lt;1&gt;</pre>' in (await alice.page("home")).text
    (listed,) = await records.recent("alice", 1)
    assert listed.end_log == ""
    (found,) = await records.history.found(Sought(), 1)
    assert found.end_log == ""


async def test_a_server_is_started_again_with_the_same_choices_and_with_more_time(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _launch(hub, 1, reason="TIMEOUT")
    page = (await alice.page("home")).text
    for label, time in (("Start again", None), ("Start again with 2h", "2h")):
        answer = await _press(alice, page, f"{label}: Default server")
        assert REFUSED_BY_SLURM in told(answer.text)
        assert alice.stored().get("time") == time
        assert alice.stored()["cores"] == "2"


async def test_a_card_has_a_link_to_its_choices_and_starts_another_like_it(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _launch(hub, 1, reason="TIMEOUT")
    page = (await alice.page("home")).text
    links = {html.unescape(link) for link in re.findall(r'href="[^"]*(/hub/spawn\?profile=[^"]*)"', page)}
    assert links == {"/hub/spawn?profile=jupyterlab&site=geneva&cores=2"}
    another = await _press(alice, page, "Start another like this: Default server")
    assert another.headers["location"].endswith("/hub/spawn/alice?profile=jupyterlab&site=geneva&cores=2")
    odd = [("name", "b"), ("cores", "2"), ("time", "1h\r\nSet-Cookie: a=b"), ("x" * 5000, "1")]
    kept = await alice.post("/@/space%20word/hub/home/new", odd)
    assert kept.headers["location"] == "/@/space%20word/hub/spawn/alice/b?cores=2"


async def test_the_open_page_is_told_what_changed_and_nobody_else(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _launch(hub, 1, reason="NODE_FAIL")
    part = await alice.page("home/servers")
    assert (part.status_code, "<main" in part.text) == (200, False)
    assert "A node of the job failed." in _cards(part.text)["default-server"]
    assert part.headers["cache-control"] == "no-store"
    alice.forget_cookies()
    assert (await alice.page("home/servers")).status_code == 403


async def test_a_further_server_is_named_on_home_and_its_form_is_next(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    first = await alice.post("/@/space%20word/hub/home/new", [("name", "")])
    assert first.headers["location"] == "/@/space%20word/hub/spawn/alice"
    named = await alice.post("/@/space%20word/hub/home/new", [("name", "My Analysis 1")])
    assert named.headers["location"] == "/@/space%20word/hub/spawn/alice/my-analysis-1"
    assert _cards((await alice.page("home")).text) == {
        "server-my-analysis-1": "My Analysis 1 not running Start Forget"
    }
    again = await alice.post("/@/space%20word/hub/home/new", [("name", "My Analysis 1")])
    assert again.status_code == 409
    assert "You already have a server my-analysis-1. Choose another name." in html.unescape(again.text)
    gone = await _press(alice, (await alice.page("home")).text, "Forget: My Analysis 1")
    assert gone.headers["location"] == "/@/space%20word/hub/home"
    assert _cards((await alice.page("home")).text) == {}


async def test_only_own_servers_are_stopped_and_forgotten_and_only_by_a_form_of_ours(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    for path in ("stop", "forget"):
        assert (await alice.post(f"/@/space%20word/hub/home/{path}", [("server", "nowhere")])).status_code == 404
        assert (await alice.post(f"/@/space%20word/hub/home/{path}", [], xsrf="")).status_code == 403
    assert (await alice.post("/@/space%20word/hub/home/forget", [("server", "")])).status_code == 400
    assert (await alice.post("/@/space%20word/hub/home/stop", [("server", "")])).status_code == 302


@pytest.mark.parametrize("path", ["home/new", "home/stop", "home/forget", "home/cancel", "home/give-up"])
async def test_where_only_forms_are_sent_a_login_leads_home(hub: LaunchingHub, path: str) -> None:
    alice = await hub.person("alice")
    assert (await alice.page(path)).headers["location"] == "/@/space%20word/hub/home"


async def test_a_server_called_default_is_another_one_than_the_default(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.post("/@/space%20word/hub/home/new", [("name", "default")])
    await _launch(hub, 1, reason="TIMEOUT")
    assert list(_cards((await alice.page("home")).text)) == ["default-server", "server-default"]


async def test_of_a_cluster_that_was_not_asked_yet_nothing_is_said(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    page = (await alice.page("home")).text
    assert "dot-good" not in page
    assert re.search(r'dot-off" aria-hidden="true"></span>not known yet</td>', page)


async def test_what_a_card_does_is_done_to_the_server_of_its_owner_or_to_none(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    await alice.post("/@/space%20word/hub/home/new", [("name", "south")])
    await _launch(hub, 1, "south", reason="TIMEOUT")
    assert "home/forget" in (await alice.page("home")).text
    theirs = (await ruth.page("user/alice/south/lab")).text
    assert "south ended < 1 min ago" in _cards(theirs)["server-south"]
    assert "/home/" not in "".join(re.findall(r'action="([^"]+)"', theirs))
    for path in ("stop", "forget", "cancel"):
        sent = [("user", "alice"), ("server", "")]
        assert (await ruth.post(f"/@/space%20word/hub/home/{path}", sent)).status_code == 404


async def test_a_launch_that_goes_on_without_a_server_cannot_be_shown_but_cancelled(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _launch(hub, 1, node="")
    card = _cards((await alice.page("home")).text)["default-server"]
    assert card.startswith("Default server starting")
    assert "Show progress" not in card
    assert card.endswith("Cancel More Default server Start another like this Copy link")


async def test_a_database_that_is_away_costs_the_page_what_is_in_it_alone(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    hub.local.home.joinpath("launches.sqlite").unlink()
    page = await alice.page("home")
    assert page.status_code == 200
    assert "The hub cannot use its database of launches." in page.text
    assert "Geneva" in page.text


def test_what_is_free_is_counted_in_the_largest_partition() -> None:
    capacity, free = Capacity(8, 8000, (("a100", 2),)), Capacity(3, 4000, (("a100", 1),))
    small = PartitionFacts(True, False, None, None, (Nodes(1, capacity, free),))
    large = PartitionFacts(True, True, None, None, (Nodes(1, capacity, free), Nodes(2, Capacity(4, 1, ()), None)))
    down = PartitionFacts(False, False, None, None, (Nodes(9, capacity, free),))
    facts = SiteFacts(("physics",), {"normal": large, "debug": small, "hidden": down}, (), datetime.now(UTC))
    (geneva,) = clusters(builders.offer(facts={"geneva": facts}))
    assert (geneva.title, geneva.login, geneva.projects) == ("Geneva", "alice", ("physics", "chemistry"))
    assert (geneva.cores, geneva.cores_in_all, geneva.gpus) == (3, 16, (("a100", 1),))
    (unknown,) = clusters(builders.offer())
    assert (unknown.asked_at, unknown.is_open) == (None, True)
