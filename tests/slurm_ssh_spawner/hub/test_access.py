"""Every page of ours in each of its states, as axe sees it, on a phone, and without scripts.

A new page, or a new state of one, is a row of `_SCENES`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.pages import ticket_notice
from slurm_ssh_spawner.hub import launch_notices
from tests.lab.browser import CHROMIUM, FLAGS, PATIENCE_SECONDS
from tests.support import axe, launching
from tests.support.launching import LaunchingHub, Person
from tests.support.realm import Realm
from tests.support.scenes import LAUNCH, OPEN, Scenes, catalogue, scenes

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@dataclass(frozen=True)
class Scene:
    """What `who` sees at `path`, relative to `/hub/`; nobody is "".

    `shows` is what is seen in that state alone, `pressed` what is pressed first.  `sent` is a form that the page
    answers.  Some need scripts.
    """

    who: str
    path: str
    shows: str
    sent: tuple[tuple[str, str], ...] = ()
    pressed: str = ""
    needs_scripts: bool = False


_REFUSED = (("profile", "jupyterlab"), ("site", "geneva"), ("cores", "1000"), ("time", "99h"))
_SCENES = (
    Scene("", "login", "#login-main"),
    Scene("alice", "home", "[data-state=ended] pre", pressed="[data-state=ended] summary"),
    Scene("bob", "home", "main:has([data-state=waiting]):has(#shared-cards) progress.little"),
    Scene("bob", "home/new", "#new-problem", sent=(("name", "off"),)),
    Scene("dora", "home", "[data-state=stopping]"),
    Scene("alice", "spawn/alice", ".launch-summary"),
    Scene("alice", "spawn/alice", "#profile-search", pressed="#launch-save > summary", needs_scripts=True),
    Scene("alice", "spawn/alice", "#script-text", pressed="#launch-script > summary", needs_scripts=True),
    Scene("alice", "spawn/alice?profile=nothing", ".alert-danger, #launch-note"),
    Scene("alice", "spawn/alice", "#cores-problem", sent=_REFUSED),
    Scene("alice", "spawn/dora", "main form"),
    Scene("dora", "spawn-pending/dora/queued", "main:has(#start-elsewhere) #keep-waiting"),
    Scene("dora", "spawn-pending/dora/steps", "#launch-output"),
    Scene("dora", "spawn-pending/dora/steps", "#start-details ul", pressed="#start-details > summary"),
    Scene("alice", "spawn-pending/dora/steps", "#launch-stages"),
    Scene("dora", "spawn-pending/dora/ends", "#stopping-why"),
    Scene("alice", "spawn-pending/alice/refused", "#start-report", pressed="#start-failed summary"),
    Scene("bob", "home/stop", "button[name=sure]", sent=(("server", ""),)),
    Scene("alice", "user/alice/lab", "[data-state=ended]"),
    Scene("alice", "user/alice/refused/lab", "#start-failed"),
    Scene("bob", "user/bob/off/lab", "#start"),
    Scene("alice", "nowhere", ".error"),
    Scene("bob", "user/carol/alone/lab", ".error"),
    Scene("alice", "error/503?url=/%40/space%2520word/user/alice/", "#server-there section", needs_scripts=True),
    Scene("", "error/503?url=/%40/space%2520word/user/alice/", "main h1"),
    Scene("alice", "error/500", ".error"),
    Scene("bob", OPEN, "main:has(#copy-servers form) [id^=starting-]"),
    Scene("alice", OPEN, "#copy-start"),
    Scene("alice", "open?from=https://example.org/a.ipynb", "#copy-problem"),
    Scene("alice", "open", "#copy-problem"),
    Scene("carol", "share?server=south", "main:has(#guests-table) #invitations-table"),
    Scene("carol", "share/invite", "#share-link", sent=(("server", "south"), ("minutes", "60"))),
    Scene("bob", "share?server=off", ".error"),
    Scene("alice", "accept-share?code={code}", "main form button"),
    Scene("alice", "launches", "#launches-same"),
    Scene("alice", "launches?state=failed&words=nothing%20like%20it", "#launches-found p"),
    Scene("alice", f"launches/{LAUNCH}", "#launch-log pre", pressed="#launch-log > summary"),
    Scene("alice", "token", "#request-token-form", needs_scripts=True),
)
_SCENES_OF_TICKETS = (
    Scene("", "login", "#single-sign-on"),
    Scene("", "negotiate", ".error"),
    Scene("hans", "home", "#ticket-notice"),
    Scene("alice", "ticket", "#ticket-end"),
    Scene("alice", "ticket", "#ticket-error", sent=(("password", "wrong"),)),
    Scene("bob", "ticket", "#password_input"),
    Scene("bob", "spawn/bob", "#ticket-password-input", sent=(("profile", "jupyterlab"),)),
    # The last one: here she is logged out.
    Scene("alice", "logout", "#logged-out-said"),
)
_HTML = "text/html; charset=utf-8"
_WIDE, _PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 700}
_SEEN = {
    "light": {"color_scheme": "light", "locale": "en-GB", "viewport": _WIDE},
    "dark": {"color_scheme": "dark", "locale": "fr-CH", "viewport": _WIDE},
}
_TOO_WIDE = """() => document.documentElement.scrollWidth === innerWidth ? [] :
  Array.from(document.querySelectorAll("body *"))
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1).slice(0, 4)
    .map(each => `${document.documentElement.scrollWidth} px: ${each.outerHTML.slice(0, 90)}`)"""
_NEEDS_SCRIPTS = """() => {
  const seen = each => each.checkVisibility({ visibilityProperty: true });
  const said = (text, each) => `${text}: ${each.outerHTML.slice(0, 90)}`;
  const headings = Array.from(document.querySelectorAll("main h1")).filter(seen);
  const dead = Array.from(document.querySelectorAll("button, a[href='#']")).filter(seen)
    .filter(each => each.type === "button" || !each.form);
  const mute = Array.from(document.querySelectorAll("main form")).filter(seen)
    .filter(each => !Array.from(each.elements).some(one => one.type === "submit" && seen(one)));
  const told = Array.from(document.querySelectorAll("#noscript, [id$=away]")).filter(seen);
  return [
    ...(headings.length === 1 && headings[0].textContent.trim() ? [] : [`${headings.length} headings`]),
    ...dead.map(each => said("does nothing", each)),
    ...mute.map(each => said("cannot be sent", each)),
    ...told.map(each => said("is not so", each)),
  ];
}"""


@dataclass
class World:
    """A hub with everybody at it, and a browser in front of it."""

    hub: LaunchingHub
    people: dict[str, Person]
    values: dict[str, str]
    scenes: tuple[Scene, ...]
    browser: Browser

    @asynccontextmanager
    async def pages(self, **seen: Any) -> AsyncIterator[Callable[[Scene], Awaitable[Page]]]:
        """Give what opens a scene in the page of who sees it."""
        pages: dict[str, Page] = {}

        async def opened(scene: Scene) -> Page:
            if scene.who not in pages:
                context = await self.browser.new_context(**seen)
                context.set_default_timeout(PATIENCE_SECONDS * 1000)
                await _be(self.people.get(scene.who), context)
                pages[scene.who] = await context.new_page()
                # As the proxy answers in whose place a page of the hub stands: it would be loaded again and again.
                await pages[scene.who].route("**/hub/error/**", _as_the_proxy)
            await self._open(pages[scene.who], scene)
            return pages[scene.who]

        yield opened
        for page in pages.values():
            await page.context.close()

    async def _open(self, page: Page, scene: Scene) -> None:
        path = scene.path.format(**self.values)
        address = f"{self.hub.app.hub.url}{path}"
        if scene.sent:
            answer = await self.people[scene.who].post(path, list(scene.sent))
            await page.route(address, lambda route: route.fulfill(body=answer.text, content_type=_HTML), times=1)
        await page.goto(address)
        if scene.pressed:
            await page.locator(scene.pressed).first.click()
        await expect(page.locator(scene.shows).first, str(scene)).to_be_visible()


@asynccontextmanager
async def _browsing() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        await browser.close()


@pytest.fixture
async def launches(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, catalogue) as hub:
        async with scenes(hub) as found, _browsing() as browser:
            yield World(hub, found.people, found.values, _SCENES, browser)
        await hub.core.close()


@pytest.fixture
async def tickets(
    realm: Realm,
    hub_app: Callable[..., Awaitable[JupyterHub]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    settings = {
        "JupyterHub": {
            "authenticator_class": KerberosPAMAuthenticator,
            "template_vars": {"launch_notices": launch_notices, "ticket_notice": ticket_notice},
        },
        "KerberosPAMAuthenticator": {
            "allow_all": True,
            "pam_service": "",
            "ticket_folder": str(tmp_path / "krb5"),
            "login_timeout_seconds": 60,
        },
        "SingleSignOn": {"keytab": realm.http_keytab},
    }
    async with launching.launching(hub_app, tmp_path, monkeypatch, settings=settings) as hub:
        people = {name: await hub.person(name) for name in ("alice", "bob", "hans")}
        hub.app.authenticator.tickets.remove("bob")
        Scenes.up(hub, people["alice"])
        async with _browsing() as browser:
            yield World(hub, people, {}, _SCENES_OF_TICKETS, browser)
        await hub.core.close()


@pytest.fixture(params=["launches", "tickets"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


@pytest.mark.long
@pytest.mark.parametrize("seen", _SEEN)
async def test_no_page_shuts_anybody_out(world: World, seen: str) -> None:
    found = []
    async with world.pages(**_SEEN[seen]) as opened:
        for scene in world.scenes:
            page = await opened(scene)
            if seen == "light":
                found += [f"{scene}: {each}" for each in await axe.violations(page)]
            await page.set_viewport_size(_PHONE)
            found += [f"{scene}: {each}" for each in await axe.violations(page)]
            found += [f"{scene}: {each}" for each in await page.evaluate(_TOO_WIDE)]
            await page.set_viewport_size(_WIDE)
    assert await _breaks_a_rule(world.browser)
    assert not found, "\n" + "\n".join(dict.fromkeys(found))


@pytest.mark.long
async def test_what_matters_is_there_without_scripts(world: World) -> None:
    found = []
    async with world.pages(java_script_enabled=False, viewport=_PHONE) as opened:
        for scene in world.scenes:
            if not scene.needs_scripts:
                page = await opened(scene)
                found += [f"{scene}: {each}" for each in await page.evaluate(_NEEDS_SCRIPTS)]
                found += [f"{scene}: {each}" for each in await page.evaluate(_TOO_WIDE)]
    assert not found, "\n" + "\n".join(dict.fromkeys(found))


async def _be(person: Person | None, context: BrowserContext) -> None:
    cookies = [
        {"name": each.name, "value": each.value or "", "domain": each.domain, "path": each.path}
        for each in (person._client.cookies.jar if person else ())
    ]
    await context.add_cookies(cookies)  # type: ignore[arg-type]


async def _breaks_a_rule(browser: Browser) -> bool:
    """Return whether axe sees what is wrong in a page of nobody."""
    page = await browser.new_page()
    await page.set_content('<title>x</title><p style="color: #ccc; background: #fff">Who reads this?</p>')
    return any("color-contrast: p" in each for each in await axe.violations(page))


async def _as_the_proxy(route: Route) -> None:
    await (route.fulfill(status=503) if route.request.method == "HEAD" else route.continue_())
