"""The options form of a hub in this process, in a real browser."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jupyterhub.app import JupyterHub
from playwright.async_api import expect

from slurm_ssh_spawner.launch.records.presets import Preset
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


async def test_memory_is_a_number_with_a_unit(hub: LaunchingHub) -> None:
    async with logged_in(hub, "alice") as page:
        await form(page)
        number, unit = page.get_by_label("Memory", exact=True), page.get_by_label("Unit")
        summary = page.locator("#launch-summary")
        await expect(number).to_have_value("1")
        await expect(unit).to_have_value("GB")
        await expect(page.locator("#memory")).to_be_hidden()
        await number.fill("2")
        await expect(summary).to_contain_text("1 core, 2 GB,")
        await unit.select_option("MB")
        await expect(number).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#memory-problem")).to_contain_text("Memory: 2 MB is not offered.")
        described = str(await number.get_attribute("aria-describedby")).split()
        assert described == ["memory-hint", "memory-problem"]
        # Who writes the unit is understood.
        await number.fill("1.5 gb")
        await number.press("Tab")
        await expect(number).to_have_value("1.5")
        await expect(unit).to_have_value("GB")
        await expect(unit).to_be_focused()
        await expect(summary).to_contain_text("1 core, 1536 MB,")
        await page.click("[type=submit]")
        await expect(page.locator("#start-problem, .spawn-error-msg").first).to_contain_text("did not accept")
        assert "--mem=1536M" in hub.local.told("sbatch.stdin")


async def test_memory_without_a_unit_is_asked_about(hub: LaunchingHub) -> None:
    async with logged_in(hub, "alice") as page:
        await form(page, "spawn?memory=16")
        number, unit = page.get_by_label("Memory", exact=True), page.get_by_label("Unit")
        await expect(number).to_have_value("16")
        await expect(number).to_be_focused()
        await expect(unit).to_have_value("")
        await expect(page.locator("#memory-problem")).to_contain_text("write 16G for gigabytes")
        await number.fill("3")
        await expect(page.locator("#memory-problem")).to_contain_text("write 3G for gigabytes")
        await unit.select_option("GB")
        await expect(page.locator("#memory-problem")).to_have_count(0)
        await expect(unit.locator("option")).to_have_count(3)


async def test_memory_without_scripts_is_one_field(hub: LaunchingHub) -> None:
    async with logged_in(hub, "alice", java_script_enabled=False) as page:
        await page.goto("spawn")
        await page.get_by_label("Memory", exact=True).fill("16")
        await page.click("[type=submit]")
        await expect(page.locator("#memory-problem")).to_contain_text("write 16G for gigabytes")


async def test_settings_are_saved_filled_in_and_removed_by_the_keyboard(hub: LaunchingHub) -> None:
    async with logged_in(hub, "alice") as page:
        await form(page, "spawn/alice/south?next=%2Fhub%2Fhome")
        await page.locator("[name=pick-site][value=bern]").check()
        await page.fill("#time", "2h")
        await page.get_by_text("Save these settings").press("Enter")
        await page.get_by_label("Save as").fill("night run")
        # Enter in that field is no start.
        await page.get_by_label("Save as").press("Enter")
        await expect(page.locator("#presets-said")).to_have_text(
            "Saved as night run. It fills in this form and starts nothing."
        )
        await page.fill("#time", "3h")
        await page.get_by_role("link", name="night run").press("Enter")
        await page.wait_for_url("**/spawn/alice/south?next=*&settings=night*")
        await page.wait_for_selector("#launch-options:not([aria-busy])")
        await expect(page.locator("#launch-note")).to_contain_text("Filled in from your settings night run.")
        await expect(page.locator("[name=pick-site]:checked")).to_have_value("bern")
        await expect(page.locator("#time")).to_have_value("2h")
        await page.get_by_role("button", name="Remove: night run").press("Enter")
        await expect(page.locator("#presets-said")).to_have_text("night run is removed.")
        await expect(page.get_by_role("link", name="night run")).to_have_count(0)
        await expect(page.locator("#launch-save summary")).to_be_focused()
    assert not hub.local.told("sbatch.stdin")


async def test_what_settings_ask_for_in_vain_is_said_above_the_fields(hub: LaunchingHub) -> None:
    choices = {"profile": "one", "site": "bern", "memory": "2 GB", "param.workers": "4"}
    await hub.core.launcher.records.presets.save("alice", Preset("night run", choices))
    async with logged_in(hub, "alice") as page:
        await form(page, "spawn?settings=night run")
        await expect(page.locator("#launch-options .alert-danger")).to_have_text(
            "One has no parameter named workers. It has no parameters: omit it."
        )
        await expect(page.locator("[data-field='param.workers']")).to_be_hidden()
        await expect(page.get_by_label("Memory", exact=True)).to_have_value("2")


async def test_settings_without_scripts_are_links_that_fill_in_the_form(hub: LaunchingHub) -> None:
    await hub.core.launcher.records.presets.save("alice", Preset("night run", {"profile": "two", "time": "2h"}))
    async with logged_in(hub, "alice", java_script_enabled=False) as page:
        await page.goto("spawn")
        await expect(page.locator("#launch-save")).to_be_hidden()
        await page.get_by_role("link", name="night run").click()
        await expect(page.locator("#launch-note")).to_contain_text("Filled in from your settings night run.")
        await expect(page.get_by_label("Profile")).to_have_value("two")
        await expect(page.locator("#time")).to_have_value("2h")
        await page.get_by_role("button", name="Remove: night run").click()
        await expect(page.get_by_role("link", name="night run")).to_have_count(0)


async def test_the_job_script_is_shown_and_follows_the_choices(hub: LaunchingHub) -> None:
    async with logged_in(hub, "alice") as page:
        await form(page)
        script = page.locator("#script-text")
        await expect(script).to_be_hidden()
        await page.get_by_text("Show the job script").press("Enter")
        await expect(script).to_contain_text("#SBATCH --time=60")
        await expect(page.get_by_role("region", name="Job script")).to_be_visible()
        await page.fill("#time", "2h")
        await expect(script).to_contain_text("#SBATCH --time=120")
        await page.fill("#time", "99h")
        problem = page.locator("#script-problem")
        await expect(problem).to_contain_text("Time: 99h is not offered. Choose")
        await expect(script).to_be_hidden()
        await page.context.clear_cookies()
        await page.fill("#time", "3h")
        await expect(page.locator("#form-away")).to_be_visible()
    assert not hub.local.told("sbatch.stdin")


async def test_moments_are_said_by_the_readers_clock(hub: LaunchingHub) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    begins, ends = now + timedelta(hours=3), now + timedelta(hours=5)
    under_way = {"begins": f"{now - timedelta(hours=1)}", "ends": f"{ends}", "text": "New disks."}
    to_come = {"begins": f"{begins}", "ends": f"{ends}"}
    hub.offer(
        sites={
            "geneva": launching.site(hub.local, maintenance=[under_way]),
            "bern": launching.site(hub.local, title="Bern", maintenance=[to_come]),
        },
        profiles={"one": builders.profile(name="One")},
    )
    tokyo = ZoneInfo("Asia/Tokyo")
    async with logged_in(hub, "alice", timezone_id="Asia/Tokyo", locale="en-GB") as page:
        await form(page)
        news = page.locator("label.page-card:has([value=geneva]) .launch-news")
        await expect(news).to_contain_text(re.compile(f"in maintenance until .*{ends.astimezone(tokyo):%H:%M}$"))
        await expect(news.locator("time")).to_have_attribute("datetime", f"{ends:%Y-%m-%dT%H:%M:%S+00:00}")
        await expect(news.locator("time")).to_have_attribute("title", re.compile("GMT\\+9|Japan"))
        hint = page.locator("#time-hint")
        await expect(hint).to_contain_text(re.compile(f"begins at .*{begins.astimezone(tokyo):%H:%M}"))
        await page.fill("#time", "2h")
        echo, summary = page.locator("#time-echo time"), page.locator("#launch-summary time")
        said = await echo.text_content()
        assert said is not None
        over = datetime.fromisoformat(str(await echo.get_attribute("datetime")))
        assert said.endswith(f"{over.astimezone(tokyo):%H:%M}")
        await expect(summary).to_have_attribute("datetime", over.isoformat())
        await page.fill("#time", "7h")
        problem = page.locator("#time-problem")
        await expect(problem).to_contain_text(re.compile(f"begins at .*{begins.astimezone(tokyo):%H:%M}"))
