"""Pages that keep themselves as things are while somebody looks at them, in a real browser."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from playwright.async_api import Page, expect

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.hub import guests
from tests.support import builders, launching
from tests.support.in_browser import logged_in
from tests.support.launching import LaunchingHub
from tests.support.scenes import OPEN, Scenes, catalogue

pytestmark = pytest.mark.uncounted

_ID = LaunchId("0123456789ab")
_NEXT_MS = 31_000
_SOON_MS = 20_000


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, catalogue) as hub:
        yield hub
        await hub.core.close()


async def _launched(hub: LaunchingHub, number: int = int(_ID, 16)) -> None:
    records, launch_id = hub.core.launcher.records, LaunchId(f"{number:012x}")
    await records.begin(launch_id, builders.launch(hub.core.catalogue.current, {}))
    records.submitted(launch_id, "17")
    records.reached(launch_id, "n1", 8888, 0)
    await records.settled()


async def _ended(hub: LaunchingHub) -> None:
    hub.core.launcher.records.end(_ID, "NODE_FAIL")
    await hub.core.launcher.records.settled()


def _asked(page: Page) -> list[str]:
    """Return the list to which each question of the page is added."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "x-kept" in request.headers else None)
    return asked


async def _hide(page: Page, hidden: str) -> None:
    """Put another tab before the page, or bring it back."""
    await page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{ configurable: true, get: () => {hidden} }});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


async def test_launches_are_kept_and_so_is_the_keyboard_and_what_is_typed(hub: LaunchingHub) -> None:
    await hub.person("ruth", admin=True)
    await _launched(hub)
    async with logged_in(hub, "ruth") as page:
        await page.clock.install()
        await page.goto("launches")
        await page.fill("#words", "typed")
        await page.locator(f"#details-{_ID}").focus()
        await _ended(hub)
        await _launched(hub, 7)
        await page.clock.fast_forward(_NEXT_MS)
        await expect(page.locator(f"#launch-{_ID}")).to_contain_text("A node of the job failed.")
        await expect(page.locator(f"#details-{_ID}")).to_be_focused()
        await expect(page.locator("#launches-rows tr")).to_have_count(2)
        await expect(page.locator("#words")).to_have_value("typed")


async def test_a_launch_that_ends_offers_no_stop_any_more(hub: LaunchingHub) -> None:
    await hub.person("ruth", admin=True)
    await _launched(hub)
    async with logged_in(hub, "ruth") as page:
        await page.clock.install()
        await page.goto(f"launches/{_ID}")
        await page.locator("#launch-stop button").focus()
        await _ended(hub)
        await page.clock.fast_forward(_NEXT_MS)
        await expect(page.locator("#launch-facts")).to_contain_text("A node of the job failed.")
        await expect(page.locator("#launch-stop")).to_have_count(0)
        # What had the keyboard is gone.
        await expect(page.locator("h1")).to_be_focused()


async def test_a_page_that_nobody_sees_asks_for_nothing(hub: LaunchingHub) -> None:
    await hub.person("ruth", admin=True)
    async with logged_in(hub, "ruth") as page:
        asked = _asked(page)
        await page.clock.install()
        await page.goto("launches?state=failed&words=x")
        await page.clock.fast_forward(_SOON_MS)
        await _hide(page, "true")
        for _ in range(5):
            await page.clock.fast_forward(_NEXT_MS)
        assert asked == []
        async with page.expect_request(lambda request: "x-kept" in request.headers) as found:
            await _hide(page, "false")
        assert "launches?words=x&state=failed" in (await found.value).url
        assert len(asked) == 1


async def test_the_page_of_a_link_notices_that_a_server_has_come_up(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    async with logged_in(hub, "alice") as page:
        await page.clock.install()
        await page.goto(OPEN)
        await expect(page.locator("#copy-servers")).to_contain_text("No server of yours runs.")
        Scenes.up(hub, alice)
        await page.clock.fast_forward(_NEXT_MS)
        await expect(page.get_by_role("button", name="Copy and open: Default server")).to_be_visible()
        await expect(page.locator("#kept-news")).to_have_text("Your server is ready. Default server")


async def test_who_shares_sees_that_an_invitation_was_accepted_and_that_the_server_has_ended(
    hub: LaunchingHub,
) -> None:
    carol, bob = await hub.person("carol"), await hub.person("bob")
    Scenes.up(hub, carol)
    async with logged_in(hub, "carol") as page:
        await page.clock.install()
        await page.goto("share?server=")
        await page.get_by_role("button", name="Make an invitation").click()
        link = await page.input_value("#share-link")
        await expect(page.locator("#invitations-table tbody tr")).to_have_count(1)
        guests.accept(hub.app.db, guests.invitation(hub.app.db, link.partition("code=")[2]), bob.user)
        await page.clock.fast_forward(_NEXT_MS)
        await expect(page.locator("#guests-table tbody tr")).to_contain_text("bob")
        await expect(page.locator("#invitations-table")).to_have_count(0)
        await expect(page.locator("#kept-news")).to_have_text("shared with bob")
        await expect(page.locator("#share-link")).to_have_value(link)
        carol.user.spawners[""].orm_spawner.server = None
        hub.app.db.commit()
        await page.clock.fast_forward(_NEXT_MS)
        await expect(page.locator("main")).to_contain_text("Only a server that runs can be shared.")


async def test_who_was_logged_out_reads_that_the_page_is_not_kept_any_more(hub: LaunchingHub) -> None:
    await hub.person("ruth", admin=True)
    async with logged_in(hub, "ruth") as page:
        await page.clock.install()
        await page.goto("launches")
        await page.context.clear_cookies()
        await page.clock.fast_forward(_NEXT_MS)
        await expect(page.locator("#kept-away")).to_be_visible()
        await expect(page.locator("h1")).to_have_text("Launches")


async def test_an_open_page_is_no_activity_of_its_person(hub: LaunchingHub) -> None:
    ruth = await hub.person("ruth", admin=True)
    long_ago = datetime(2026, 3, 2) - timedelta(days=9)
    for headers, is_activity in (({"X-Kept": "yes"}, False), (None, True)):
        ruth.user.orm_user.last_activity = long_ago
        for token in hub.app.db.query(orm.APIToken):
            token.last_activity = long_ago
        hub.app.db.commit()
        assert (await ruth.page("launches", headers)).status_code == 200
        hub.app.db.refresh(ruth.user.orm_user)
        assert (ruth.user.orm_user.last_activity != long_ago) == is_activity
