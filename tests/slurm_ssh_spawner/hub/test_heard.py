"""What people hear of a page that stays open, in a real browser: by a screen reader, or from elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Server
from playwright.async_api import expect

from slurm_ssh.job import JobReport, JobState, LaunchId
from slurm_ssh_spawner.hub import looks
from slurm_ssh_spawner.launch.progress import Progress
from tests.support import builders, launching
from tests.support.in_browser import logged_in
from tests.support.launching import LaunchingHub

_ID = LaunchId("0123456789ab")
# The browser makes each notification itself; what it was is kept, also while the page is loaded again.
_NOTES = """
Object.defineProperty(document, "hidden", { get: () => localStorage.elsewhere === "yes" });
window.Notification = new Proxy(window.Notification, { construct(real, words) {
  if (words[0]) localStorage.told = words[0];
  return Reflect.construct(real, words);
} });
"""


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _starting(hub: LaunchingHub) -> Any:
    """Let a start of alice's be under way, with a job in the queue."""
    alice, records = await hub.person("alice"), hub.core.launcher.records
    launch = builders.launch(hub.core.catalogue.current)
    await records.begin(_ID, launch, wait_until=datetime.now(UTC) + timedelta(hours=4))
    records.submitted(_ID, "4711")
    await records.settled()
    spawner = alice.user.spawners[""]
    spawner._spawn_pending, spawner.last_launch_id, spawner._progress = True, _ID, Progress()
    spawner._spawn_future = asyncio.get_running_loop().create_future()
    spawner._progress.saw(JobReport(JobState.PENDING, "PENDING", "Priority"))
    return spawner


def _is_up(hub: LaunchingHub, spawner: Any) -> None:
    row = orm.Server(base_url="/@/space%20word/user/alice/", ip="127.0.0.1", port=1)
    spawner.orm_spawner.server = row
    hub.app.db.commit()
    spawner.server, spawner._spawn_pending = Server(orm_server=row), False
    spawner._spawn_future.set_result(None)
    assert spawner.ready


async def test_each_new_step_of_a_start_is_heard(hub: LaunchingHub) -> None:
    spawner = await _starting(hub)
    async with logged_in(hub, "alice") as page:
        await page.goto("spawn-pending/alice")
        news = page.locator("#start-news[role=status]")
        await expect(news).to_be_empty()
        spawner._progress.saw(JobReport(JobState.RUNNING, "RUNNING", node="n1"))
        await expect(news).to_have_text("Begin on n1")
        for stage, heard in (("modules", "Load modules"), ("kernel", "Make kernels")):
            spawner._progress.reported(stage, "anything")
            await expect(news).to_have_text(heard)
        await page.goto("home")
    spawner._spawn_pending = False
    spawner._spawn_future.set_result(None)


@pytest.mark.parametrize(("wanted", "told"), [(True, "Ready · Default server"), (False, None)])
async def test_who_wants_it_and_is_elsewhere_is_notified_when_the_server_is_ready(
    hub: LaunchingHub, wanted: bool, told: str | None
) -> None:
    spawner = await _starting(hub)
    async with logged_in(hub, "alice") as page:
        await page.context.grant_permissions(["notifications"])
        await page.add_init_script(_NOTES)
        await page.goto("spawn-pending/alice")
        button = page.locator("#start-notify")
        if wanted:
            await button.click()
            await expect(button).to_have_attribute("aria-pressed", "true")
        # The page follows the events by now.
        spawner._progress.saw(JobReport(JobState.RUNNING, "RUNNING", node="n1"))
        await expect(page.locator("#start-news")).to_have_text("Begin on n1")
        await page.evaluate("localStorage.elsewhere = 'yes'")
        async with page.expect_navigation():
            _is_up(hub, spawner)
        assert await page.evaluate("localStorage.told || null") == told


async def test_what_becomes_of_a_server_is_heard_on_home(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_EVERY_SECONDS", 0.1)
    await hub.person("alice")
    records = hub.core.launcher.records
    async with logged_in(hub, "alice") as page:
        await page.goto("home")
        news = page.locator("#home-news[role=status]")
        await expect(news).to_be_empty()
        await records.begin(_ID, builders.launch(hub.core.catalogue.current))
        records.submitted(_ID, "17")
        records.reached(_ID, "n1", 8888, 0)
        records.end(_ID, "NODE_FAIL")
        await expect(news).to_have_text("Default server ended < 1 min ago")
