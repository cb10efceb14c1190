"""The pages of a start at a real hub: on its way and failed, all of it without scripts."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub

from profiles.facts import Queue, SiteFacts
from slurm_ssh.facts.availability import Availability
from slurm_ssh.job import JobReport, JobState, LaunchId
from slurm_ssh.ssh.login import Login
from slurm_ssh_spawner.hub import stopping
from slurm_ssh_spawner.launch.progress import Progress
from tests.support import builders, launching
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, Person
from tests.support.waiting import until

_TAGS = re.compile(r"<[^>]*>")


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


def _text(markup: str) -> str:
    content = re.findall(r"<main[^>]*>(.*)</main>", markup, re.DOTALL)
    return " ".join(html.unescape(_TAGS.sub(" ", content[0] if content else markup)).split())


async def _starting(hub: LaunchingHub, person: Person, server: str = "") -> tuple[Any, Progress]:
    """Let a start of theirs be under way, with a job in the queue."""
    launch = builders.launch(hub.core.catalogue.current, {"cores": "2"})
    launch_id = LaunchId("0123456789ab")
    records = hub.core.launcher.records
    await records.begin(launch_id, launch, server=server, wait_until=datetime.now(UTC) + timedelta(hours=4))
    records.submitted(launch_id, "4711")
    await records.settled()
    spawner = person.user.spawners[server]
    spawner._spawn_pending, spawner.last_launch_id, spawner._progress = True, launch_id, Progress()
    spawner._progress.accepted()
    spawner._progress.tell("Geneva has accepted job 4711.")
    return spawner, spawner._progress


async def test_a_job_in_the_queue_has_a_place_if_the_monitor_sees_it(hub: LaunchingHub) -> None:
    async def ask(_user: str, _site: str) -> None:
        return None

    async def ask_site(_user: str | None, _site: str) -> SiteFacts:
        return SiteFacts(asked_at=datetime.now(UTC), queue=Queue({"normal": 4}, {"4711": 3}))

    alice = await hub.person("alice")
    spawner, progress = await _starting(hub, alice)
    progress.saw(JobReport(JobState.PENDING, "PENDING", "Priority"))
    assert "are before yours. " not in _text((await alice.page("spawn-pending/alice")).text)
    hub.core.availability = Availability(hub.core.catalogue.sites, ask, ask_site)
    await hub.core.availability.refreshed("alice", 20)
    await until(lambda: hub.core.availability.facts("alice")["geneva"].queue is not None)
    said = _text((await alice.page("spawn-pending/alice")).text)
    assert "in the queue of Geneva. (Priority) 3 jobs are before yours. The hub waits until" in said
    spawner._spawn_pending = False


async def test_a_start_says_name_what_where_why_it_waits_and_until_when(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.post("/@/space%20word/hub/home/new", [("name", "My Analysis 1")])
    spawner, progress = await _starting(hub, alice, "my-analysis-1")
    now = datetime.now(UTC)
    progress.saw(
        JobReport(JobState.PENDING, "PENDING", "Priority", submitted=now, begins=now + timedelta(hours=2))
    )
    page = await alice.page("spawn-pending/alice/my-analysis-1")
    said = _text(page.text)
    assert "<title>In the queue (&lt; 1 min) · My Analysis 1</title>" in page.text
    assert (
        "Starting My Analysis 1 : waiting for a node JupyterLab on Geneva: 2 cores, 1 GB, 1 h. Job 4711, submitted"
    ) in said
    assert "Other jobs are before yours in the queue of Geneva. (Priority) Geneva expects it to start at" in said
    assert "then cancels the job. You can close this page: the start goes on." in said
    assert "✓ done: Geneva has accepted job 4711" in said
    assert "● under way: Wait in the queue 0:0" in said
    assert "○ to come: Start the notebook server" in said
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in page.text
    assert "new EventSource" not in page.text
    assert 'data-part-url="/@/space%20word/hub/home/start?user=alice&amp;server=my-analysis-1"' in page.text
    assert '<input type="hidden" name="user" value="alice">' in page.text
    spawner._spawn_pending = False


async def test_the_open_page_is_told_what_changed_and_nobody_else(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    spawner, progress = await _starting(hub, alice)
    progress.saw(JobReport(JobState.RUNNING, "RUNNING", node="n1"))
    progress.reported("kernel", "script 1432: <b>")
    part = await alice.page("home/start?server=")
    assert (part.status_code, part.headers["x-start"]) == (200, "starting")
    assert "<main" not in part.text
    assert "● under way: Make kernels" in _text(part.text)
    again = await alice.page("home/start?server=")
    assert again.text == part.text, "as long as nothing happens"
    assert float(again.headers["x-now"]) >= float(part.headers["x-now"])
    assert "script 1432: &lt;b&gt;" in part.text
    assert 'data-news="Make kernels"' in part.text
    theirs = await bob.page("home/start?server=")
    assert (theirs.headers["x-start"], theirs.text) == ("off", "")
    assert (await alice.page("home/start?server=nowhere")).status_code == 404
    spawner._spawn_pending = False
    alice.forget_cookies()
    assert (await alice.page("home/start?server=")).status_code == 403


async def test_a_start_that_waits_asks_where_its_owner_is_connected_and_only_for_them(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    spawner, progress = await _starting(hub, alice)
    progress.saw(JobReport(JobState.PENDING, "PENDING", "Priority"))
    hub.local.connected = (Login("alice", "alice", "geneva"),)
    await ruth.page("home/start?user=alice&server=")
    # What the page begins is begun before this ends.
    await hub.core.look_again("ruth")
    assert hub.local.entered == []
    await alice.page("home/start?server=")
    await until(lambda: bool(hub.local.entered))
    assert set(hub.local.entered) == {("alice", "geneva")}
    spawner._spawn_pending = False


async def test_an_administrator_sees_a_start_and_can_only_look(hub: LaunchingHub) -> None:
    alice, bob, ruth = await hub.person("alice"), await hub.person("bob"), await hub.person("ruth", admin=True)
    spawner, progress = await _starting(hub, alice)
    progress.saw(JobReport(JobState.PENDING, "PENDING", "Priority"))
    part = await ruth.page("home/start?user=alice&server=")
    assert (part.status_code, part.headers["x-start"]) == (200, "starting")
    page = await ruth.page("spawn-pending/alice")
    for seen in (part.text, page.text):
        assert "Other jobs are before yours" in seen
        assert "home/cancel" not in seen
    assert "home/cancel" in (await alice.page("home/start?server=")).text
    assert (await bob.page("home/start?user=alice&server=")).status_code == 404
    assert (await ruth.page("home/start?user=alice&server=nowhere")).status_code == 404
    assert (await ruth.page("home/start?user=nobody&server=")).status_code == 404
    spawner._spawn_pending = False


async def test_a_failure_is_a_page_of_its_own(hub: LaunchingHub) -> None:
    hub.offer(sites={"geneva": launching.site(hub.local, support="help@geneva")})
    alice = await hub.person("alice")
    await alice.send([("profile", "jupyterlab"), ("cores", "2")])
    page = (await alice.page("spawn-pending/alice")).text
    said = _text(page)
    assert "<title>Could not start · Default server</title>" in page
    assert said.startswith("Default server could not start JupyterLab on Geneva, ended")
    assert REFUSED_BY_SLURM in said
    actions = "Try again Change the choices Copy report Home"
    assert f"Other choices may help. Support of Geneva: help@geneva {actions}" in said
    assert "Launch " in said
    assert "starting up" not in said
    assert said.count(REFUSED_BY_SLURM) == 2, "once for people, once in the report"
    elsewhere = await alice.page("user/alice/lab")
    assert elsewhere.headers["location"].startswith("/@/space%20word/hub/spawn-pending/alice")
    assert (await alice.page("home/start?server=")).headers["x-start"] == "failed"


async def test_what_failed_can_be_tried_again_as_it_was(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.send([("profile", "jupyterlab"), ("cores", "2")])
    page = (await alice.page("spawn-pending/alice")).text
    # The form begins with what was chosen, whatever was accepted last.
    assert 'href="/@/space%20word/hub/spawn/alice?profile=jupyterlab&amp;site=geneva&amp;cores=2"' in page
    ((action, fields),) = re.findall(
        r'<form method="post" action="([^"]+)">(.*?id="try-again".*?)</form>', page, re.DOTALL
    )
    sent = re.findall(r'name="([^"]+)" value="([^"]*)"', fields)
    assert "_xsrf" not in action
    answer = await alice.post(html.unescape(action), sent)
    assert REFUSED_BY_SLURM in answer.text
    assert alice.stored()["cores"] == "2"


async def test_a_start_is_cancelled_without_scripts_and_leads_home_or_to_the_form(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    cancel = "/@/space%20word/hub/home/cancel"
    home = await alice.post(cancel, [("server", "")])
    assert home.headers["location"] == "/@/space%20word/hub/home"
    form = await alice.post(
        cancel, [("server", ""), ("profile", "jupyterlab"), ("site", "lugano"), ("time", "2h")]
    )
    assert form.headers["location"] == "/@/space%20word/hub/spawn/alice?profile=jupyterlab&site=lugano&time=2h"
    assert (await alice.post(cancel, [("server", "nowhere")])).status_code == 404
    # Of a page of somebody else's start, as administrators see it.
    assert (await alice.post(cancel, [("user", "bob"), ("server", "")])).status_code == 404
    assert (await alice.page("home/start?user=bob&server=")).status_code == 404
    assert (await alice.post(cancel, [], xsrf="")).status_code == 403


async def test_a_start_that_waits_is_waited_for_longer_as_far_as_its_profile_lets_it(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    spawner, progress = await _starting(hub, alice)
    launcher, launch_id = hub.core.launcher, LaunchId("0123456789ab")
    progress.saw(JobReport(JobState.PENDING, "PENDING", "Priority"))
    patience = await launcher._patiences.of(launcher.job(builders.launch(), launch_id))
    assert "Keep waiting" not in (await ruth.page("spawn-pending/alice")).text
    for longer, hours in (("1 d", 28), ("1 d", 52), ("20 h", 72)):
        assert f"Keep waiting, up to {longer} longer" in (await alice.page("spawn-pending/alice")).text
        answer = await alice.post("/@/space%20word/hub/home/keep-waiting", [("server", "")])
        assert answer.headers["location"] == "/@/space%20word/hub/spawn-pending/alice"
        record = await launcher.records.get(launch_id)
        assert record
        assert record.wait_until == patience.until
        assert round((patience.until - record.begun) / timedelta(hours=1)) == hours
        told = f'<time datetime="{patience.until.isoformat(timespec="seconds")}">{patience.clock}</time> at most.'
        assert f"<li>The hub waits for it until {told}</li>" in (await alice.page("spawn-pending/alice")).text
    assert "Keep waiting" not in (await alice.page("spawn-pending/alice")).text
    assert (await alice.post("/@/space%20word/hub/home/keep-waiting", [("server", "")])).status_code == 302
    progress.saw(JobReport(JobState.RUNNING, "RUNNING", node="n1"))
    assert "Keep waiting" not in (await alice.page("spawn-pending/alice")).text
    spawner._spawn_pending = False


async def test_a_start_that_was_taken_back_is_called_cancelled_on_home(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    spawner, _ = await _starting(hub, alice)
    spawner._spawn_pending = False
    record = await hub.core.launcher.records.get(LaunchId("0123456789ab"))
    assert record is not None
    hub.core.launcher.records.stopped(replace(record.job("hub")))
    await hub.core.launcher.records.settled()
    assert "The start was cancelled." in _text((await alice.page("home")).text)


async def test_a_start_that_is_long_in_ending_is_stopped_all_the_same(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As one is that waits for a database; meanwhile its server has come up.
    monkeypatch.setattr(stopping, "_STOP_SECONDS", 0.01)
    alice, may_end = await hub.person("alice"), asyncio.Event()
    spawner = alice.user.spawners[""]

    async def starts() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()
            spawner.orm_spawner.server = orm.Server(ip="127.0.0.1", port=1, base_url="/user/alice/")
            hub.app.db.commit()
            spawner._spawn_pending = False

    spawner._spawn_pending, spawner._spawn_future = True, asyncio.ensure_future(starts())
    await asyncio.sleep(0)
    spawner.stop_reason = "stopped by an administrator: ruth"
    answer = await alice.post("/@/space%20word/hub/home/cancel", [("server", "")])
    assert (answer.status_code, spawner.pending) == (302, "spawn")
    may_end.set()
    await until(lambda: spawner.stop_reason == "stopped by its owner")
    await until(lambda: not spawner.active)
    spawner._spawn_future = None
