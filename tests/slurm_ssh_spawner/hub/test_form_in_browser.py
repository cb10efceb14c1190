"""The options form of a hub in this process, in a real browser."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from playwright.async_api import expect

from tests.support import builders, launching
from tests.support.in_browser import form, logged_in
from tests.support.launching import LaunchingHub
from tests.support.local import LocalSite

pytestmark = pytest.mark.uncounted


def _catalogue(local: LocalSite) -> dict[str, Any]:
    sites = {"geneva": launching.site(local), "bern": launching.site(local, title="Bern")}
    workers = {"workers": {"title": "Workers", "min": 1, "max": 9}}
    profiles = {
        "one": builders.profile(name="One"),
        "two": builders.profile(name="Two", parameters=workers, sites=["bern"]),
    }
    return {"sites": sites, "profiles": profiles}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, _catalogue) as hub:
        yield hub
        await hub.core.close()


async def test_fields_cards_and_sentences_follow_what_is_picked_and_typed(hub: LaunchingHub) -> None:
    async with logged_in(hub, "alice") as page:
        await form(page)
        summary = page.locator("#launch-summary")
        await expect(summary).to_contain_text("One on Geneva, normal: 1 core, 1 GB, 1 h, until")
        await expect(page.locator("[name='param.workers']")).to_be_hidden()
        await page.fill("#time", "1.5h")
        await expect(page.locator("#time-echo")).to_contain_text("= 1 h 30 min, until ")
        await page.fill("#time", "99h")
        await expect(page.locator("#time")).to_have_attribute("aria-invalid", "true")
        await page.fill("#time", "2h")
        await page.locator("[name=pick-profile][value=two]").check()
        await expect(page.locator("[name=pick-site]:checked")).to_have_value("bern")
        await expect(page.locator("[name=pick-site][value=geneva]")).to_be_disabled()
        await expect(page.locator("[name='param.workers']")).to_be_visible()
        await expect(page.locator("#time-hint")).to_contain_text("Kept from One.")
        await expect(summary).to_contain_text("Two on Bern, normal: 1 core, 1 GB, 2 h, until")


async def test_what_was_filled_in_is_back_when_the_page_is_opened_again(hub: LaunchingHub) -> None:
    async with logged_in(hub, "alice") as page:
        await form(page)
        await page.locator("[name=pick-site][value=bern]").check()
        await page.fill("#time", "32m")
        await form(page)
        await expect(page.locator("[name=pick-site]:checked")).to_have_value("bern")
        await expect(page.locator("#time")).to_have_value("32m")
        await expect(page.locator("#launch-options")).to_contain_text("What you had filled in here is back.")
        await page.get_by_role("button", name="Begin anew").click()
        await expect(page.locator("#time")).to_have_value("1h")
