"""What the options form says of a start that is not made, in a real browser; the hub is in this process."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jupyterhub.app import JupyterHub
from playwright.async_api import Locator, Page, Request, expect

from slurm_ssh.facts import forecasts
from slurm_ssh.ssh.login import Login
from tests.support import builders, launching
from tests.support.in_browser import form, logged_in
from tests.support.launching import LaunchingHub
from tests.support.local import LocalSite

pytestmark = pytest.mark.uncounted

_SAID = "sbatch: Job 9 to start at {begins:%Y-%m-%dT%H:%M:%S} using 1 processors on nodes n1 in partition normal\n"
_EXPECTED, _AT_ONCE = "Slurm expects it to start at about ", "Slurm would start it at once."
_IN_TOKYO = {"timezone_id": "Asia/Tokyo", "locale": "en-GB"}


def _catalogue(local: LocalSite) -> dict[str, Any]:
    sites = {"geneva": launching.site(local), "bern": launching.site(local, title="Bern")}
    return {"sites": sites, "profiles": {"one": builders.profile(name="One")}}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, _catalogue) as hub:
        (hub.local.slurm / "refusal").unlink()
        yield hub
        await hub.core.close()


def _begins(hub: LaunchingHub, **away: float) -> datetime:
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(**away)
    hub.local.tell("forecast", _SAID.format(begins=begins))
    return begins


def _line(page: Page) -> Locator:
    return page.locator("#launch-forecast")


def _card(page: Page, site: str) -> Locator:
    return page.locator(f".page-card:has([name=pick-site][value={site}]) .launch-forecast")


def _noted(page: Page) -> list[dict[str, list[str]]]:
    """Return what is asked from here on, as the browser asks it."""
    asked: list[dict[str, list[str]]] = []

    def note(request: Request) -> None:
        if "/api/forecast?" in request.url:
            asked.append(parse_qs(urlsplit(request.url).query))

    page.on("request", note)
    return asked


async def test_the_form_says_when_what_is_chosen_would_start_in_the_readers_zone(hub: LaunchingHub) -> None:
    begins = _begins(hub, days=3)
    async with logged_in(hub, "alice", **_IN_TOKYO) as page:
        await form(page)
        await page.fill("#time", "2h")
        await expect(_line(page)).to_contain_text(_EXPECTED)
        await expect(_line(page)).to_have_attribute("role", "status")
        moment = _line(page).locator("time")
        in_tokyo = begins.astimezone(UTC) + timedelta(hours=9)
        await expect(moment).to_contain_text(f"{in_tokyo:%H:%M}")
        await expect(moment).to_have_attribute("datetime", begins.isoformat())
        ends = f"{in_tokyo + timedelta(hours=2):%H:%M}"
        await expect(page.locator("#launch-summary")).to_contain_text(re.compile(f"2 h, until .*{ends}, charged"))
        await expect(_card(page, "geneva")).to_contain_text(_EXPECTED)
        await expect(_card(page, "bern")).to_have_count(0)
        # What was said of that choice is not said of another one.
        _begins(hub, minutes=0)
        await page.locator("[name=pick-site][value=bern]").check()
        await expect(_line(page)).to_have_text(_AT_ONCE)
        await expect(_card(page, "bern")).to_have_text(_AT_ONCE)
        await expect(_card(page, "geneva")).to_have_text("")
    assert not hub.local.told("submissions")


async def test_a_choice_is_asked_for_when_it_has_rested_and_as_it_would_be_sent(hub: LaunchingHub) -> None:
    _begins(hub, minutes=0)
    typing = """typed => {
      const time = document.getElementById("time");
      for (const value of typed) { time.value = value; time.dispatchEvent(new Event("input", { bubbles: true })); }
    }"""
    async with logged_in(hub, "alice") as page:
        asked = _noted(page)
        await form(page, "spawn/alice/south")
        await page.locator("#time").click()
        await page.evaluate(typing, ["2", "2h", "2h 3", "2h 30m"])
        await expect(_line(page)).to_have_text(_AT_ONCE)
    chosen = {"profile": ["one"], "site": ["geneva"], "time": ["2h 30m"]}
    assert [each for each in asked if "time" in each] == [{"user": ["alice"], "server": ["south"], **chosen}]


async def test_who_only_looks_is_told_where_they_have_a_connection(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begins(hub, minutes=0)
    monkeypatch.setattr(hub.local, "logins", lambda: (Login("alice", "alice", "bern"),))
    async with logged_in(hub, "alice") as page:
        asked = _noted(page)
        await form(page)
        await expect(_card(page, "bern")).to_have_text(_AT_ONCE)
        await expect(_line(page)).to_have_text("")
    assert [each["open"] for each in asked] == [["0"]]


async def test_it_is_asked_for_again_while_it_is_another_ones_turn(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begins(hub, minutes=0)
    turns = hub.core.core.forecasts._turns
    async with logged_in(hub, "alice") as page:
        await form(page)
        turns["geneva"] = forecasts._Turn(after=float("inf"))
        async with page.expect_response("**/api/forecast?*cores=2*") as first:
            await page.fill("#cores", "2")
        assert (await (await first.value).json()) == {"sites": {}, "again": True}
        turns["geneva"].after = 0.0
        await expect(_line(page)).to_have_text(_AT_ONCE)


async def test_what_slurm_would_refuse_is_text_and_looks_so(hub: LaunchingHub) -> None:
    hub.local.tell("refusal", "sbatch: error: Not on <b>Fridays</b>\nallocation failure: Unspecified error\n")
    async with logged_in(hub, "alice") as page:
        await form(page)
        await page.fill("#time", "2h")
        await expect(_line(page)).to_have_text("Geneva did not accept the job: Not on <b>Fridays</b>.")
        await expect(_line(page)).to_have_class("launch-why")
