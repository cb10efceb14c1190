"""Every page of ours at a real hub, as axe sees it: light and dark, wide and on a phone, in both languages."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub
from playwright.async_api import BrowserContext, Route, async_playwright

from slurm_ssh.job import LaunchId
from tests.lab.browser import CHROMIUM, FLAGS
from tests.support import axe, builders, launching
from tests.support.launching import LaunchingHub, Person

_PAGES = [
    "home",
    "spawn/alice",
    "spawn/alice?profile=nothing",
    "spawn/alice/sent-back",
    "spawn-pending/alice/refused",
    "user/alice/lab",
    "user/alice/refused/lab",
    "nowhere",
    "open?from=https://example.org/a.ipynb",
    "open",
    "share?server=refused",
    "error/503?url=/user/alice/",
    "launches",
    "launches/0123456789ab",
    "token",
]
_HTML = "text/html; charset=utf-8"
_SEEN = {
    "light": {"color_scheme": "light", "locale": "en-GB", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "locale": "fr-CH", "viewport": {"width": 1280, "height": 900}},
    "light-phone": {"color_scheme": "light", "locale": "fr-CH", "viewport": {"width": 375, "height": 700}},
    "dark-phone": {"color_scheme": "dark", "locale": "en-GB", "viewport": {"width": 375, "height": 700}},
}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


@pytest.mark.long
@pytest.mark.parametrize("seen", _SEEN)
async def test_no_page_shuts_anybody_out(hub: LaunchingHub, seen: str) -> None:
    alice = await hub.person("alice", admin=True)
    await _launched(hub)
    await alice.send([("profile", "jupyterlab"), ("site", "geneva"), ("server_name", "refused")])
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        context = await browser.new_context(**_SEEN[seen])
        found = await _violations(hub, context, ["login"])
        await _be(alice, context)
        sent_back = await alice.send([("profile", "jupyterlab"), ("site", "geneva"), ("cores", "1000")])
        await context.route("**/sent-back", lambda route: route.fulfill(body=sent_back.text, content_type=_HTML))
        found += await _violations(hub, context, _PAGES)
        assert await _breaks_a_rule(context)
        await browser.close()
    assert not found, "\n" + "\n".join(found)


async def _launched(hub: LaunchingHub) -> None:
    """Have a server that ended, with a log, and one whose stop is not carried out."""
    records = hub.core.launcher.records
    for number, server in (("0123456789ab", ""), ("0123456789ac", "owed")):
        launch_id = LaunchId(number)
        await records.begin(launch_id, builders.launch(hub.core.catalogue.current, {"cores": "2"}), server=server)
        records.submitted(launch_id, "17")
        records.reached(launch_id, "n1", 8888, 0)
    records.end(LaunchId("0123456789ab"), "TIMEOUT")
    records.explain(LaunchId("0123456789ab"), "TIMEOUT", "The job's time limit of 2h was up.", "the last line")
    await records.settled()


async def _be(person: Person, context: BrowserContext) -> None:
    cookies = [
        {"name": each.name, "value": each.value or "", "domain": each.domain, "path": each.path}
        for each in person._client.cookies.jar
    ]
    await context.add_cookies(cookies)  # type: ignore[arg-type]


async def _violations(hub: LaunchingHub, context: BrowserContext, paths: list[str]) -> list[str]:
    found = []
    page = await context.new_page()
    # As the proxy answers in whose place a page of the hub stands: it would be loaded again and again.
    await page.route("**/hub/error/**", _as_the_proxy)
    for path in paths:
        await page.goto(f"{hub.app.hub.url}{path}")
        main = page.locator("main")
        await main.wait_for()
        found += [f"{path}: {each}" for each in await axe.violations(page)]
    await page.close()
    return found


async def _breaks_a_rule(context: BrowserContext) -> bool:
    """Return whether axe sees what is wrong in a page of nobody."""
    page = await context.new_page()
    await page.set_content('<title>x</title><p style="color: #ccc; background: #fff">Who reads this?</p>')
    return any("color-contrast: p" in each for each in await axe.violations(page))


async def _as_the_proxy(route: Route) -> None:
    await (route.fulfill(status=503) if route.request.method == "HEAD" else route.continue_())
