"""The page of a start that stays open, in a real browser, at a hub that answers something else by then."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Page, Route, expect

from tests.lab.browser import chromium

_STATIC = files("slurm_ssh_spawner.hub") / "static"
_PAGE = """<!DOCTYPE html><title>Starting</title><main><h1>Starting</h1>
<div id="starting-server" data-progress-url="/progress" data-part-url="/part">
<p id="hub-away" hidden>away</p><p id="logged-out" hidden>logged out</p><p id="start-news"></p>
<div id="start-part">
<div id="start-now" data-parts data-title="Starting" data-news="" data-started="1">
<button id="start-notify" data-own data-label="Notify me" data-blocked="blocked" hidden>Notify me</button>
</div></div>
<section id="launch-log" hidden><pre id="launch-output"></pre></section></div></main>"""


def _answer(route: Route, loads: list[str]) -> None:
    path = route.request.url.partition("hub.test")[2]
    if path == "/start":
        loads.append(path)
        scripts = "".join(
            f"<script>{(_STATIC / name).read_text()}</script>"
            for name in ("moments.js", "parts.js", "spawn_pending.js")
        )
        route.fulfill(body=_PAGE + scripts, content_type="text/html")
    else:
        route.fulfill(status=403)


@pytest.fixture
def loads() -> list[str]:
    """Give how often the page was asked for, an entry each."""
    return []


@pytest.fixture
def page(loads: list[str]) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page()
        page.route("**/*", lambda route: _answer(route, loads))
        page.goto("https://hub.test/start")
        yield page


def test_who_is_logged_out_is_told_so_and_not_that_the_hub_is_away(page: Page) -> None:
    expect(page.locator("#logged-out")).to_be_visible()
    expect(page.locator("#hub-away")).to_be_hidden()


def test_a_page_that_the_browser_had_kept_is_loaded_again(page: Page, loads: list[str]) -> None:
    with page.expect_navigation():
        page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert loads == ["/start", "/start"]


_REFUSES = (
    """window.Notification = class { static permission = "default"; constructor() { throw new TypeError(); } };"""
)
_TAKES = """window.Notification = class {
  static permission = "default";
  static requestPermission() { this.permission = "granted"; return Promise.resolve("granted"); } };"""


def test_a_notification_is_offered_only_where_one_can_be_made(page: Page) -> None:
    button = page.locator("#start-notify")
    page.add_init_script(_REFUSES)
    page.reload()
    expect(page.locator("#logged-out")).to_be_visible()
    expect(button).to_be_hidden()
    page.add_init_script(_TAKES)
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_have_text("Notify me")
