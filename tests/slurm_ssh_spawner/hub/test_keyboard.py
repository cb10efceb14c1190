"""Pages of ours by the keyboard alone: what has it is seen, one thing after the other, and none keeps it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub
from playwright.async_api import Page, expect

from tests.support import in_browser, launching
from tests.support.launching import LaunchingHub
from tests.support.scenes import catalogue, scenes

pytestmark = pytest.mark.uncounted

_MOST = 200
# Of what has the keyboard: whether it has come round, and what is wrong.  A card stands for the button in it.
_STOP = """() => {
  const at = document.activeElement;
  window.stops ||= [];
  if (!at || at === document.body || stops.includes(at)) {
    return null;
  }
  const card = at.closest("label.page-card") || at;
  const style = getComputedStyle(card);
  const box = card.getBoundingClientRect();
  const hit = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
  const last = stops.at(-1);
  stops.push(at);
  return [
    [style.outlineStyle === "none" && style.boxShadow === "none", "not seen to have the keyboard"],
    [!hit || !(card.contains(hit) || hit.contains(card)), `covered by ${hit && hit.outerHTML.slice(0, 60)}`],
    [last && !(last.compareDocumentPosition(at) & Node.DOCUMENT_POSITION_FOLLOWING), "out of order"],
  ].filter(([wrong]) => wrong).map(([, text]) => `${text}: ${at.outerHTML.slice(0, 120)}`);
}"""
_LEFT_OUT = """() => Array.from(document.querySelectorAll(
    "main :is(a[href], button, input, select, textarea, summary, [tabindex='0'])"))
  .filter(each => each.checkVisibility({ visibilityProperty: true }) && !each.disabled)
  .filter(each => each.type !== "radio" || each.checked)
  .filter(each => !stops.includes(each)).map(each => `not reached: ${each.outerHTML.slice(0, 120)}`)"""


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, catalogue) as hub:
        yield hub
        await hub.core.close()


async def _walked(page: Page) -> list[str]:
    """Walk through a page by the key Tab, round to where it began; return what is wrong on the way."""
    found: list[str] = []
    for _ in range(_MOST):
        await page.keyboard.press("Tab")
        wrong = await page.evaluate(_STOP)
        if wrong is None:
            return [*found, *await page.evaluate(_LEFT_OUT)]
        found += wrong
    return [*found, "no end"]


@pytest.mark.parametrize(
    ("who", "path", "shows"),
    [
        ("alice", "spawn/alice", "#launch-options:not([aria-busy])"),
        ("bob", "home", "progress.little"),
        ("dora", "spawn-pending/dora/queued", "#start-notify"),
    ],
)
@pytest.mark.parametrize("width", [375, 1280])
async def test_a_page_is_walked_through_by_the_keyboard(
    hub: LaunchingHub, who: str, path: str, shows: str, width: int
) -> None:
    # Where a page scrolls to is looked at when it is there.
    still = {"reduced_motion": "reduce", "viewport": {"width": width, "height": 700}}
    async with scenes(hub), in_browser.logged_in(hub, who, **still) as page:
        await page.goto(path)
        await expect(page.locator(shows).first).to_be_visible()
        assert await _walked(page) == []
