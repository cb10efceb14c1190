"""How pictures of pages are taken for README and docs."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, ViewportSize

from lab import Lab
from lab.folders import TREE
from tests.lab.browser import browser, log_in

PICTURES = TREE / "docs/pictures"
_WIDE, _PHONE = ViewportSize(width=1000, height=700), ViewportSize(width=375, height=700)


@contextmanager
def page_of(lab: Lab, name: str) -> Iterator[Page]:
    """Give a page of somebody who is logged in at the hub."""
    with browser(lab) as page:
        page.set_viewport_size(_WIDE)
        log_in(page, name)
        yield page


def take(page: Page, name: str, *, everywhere: bool = False) -> None:
    """Take a picture of the whole page; `everywhere` also in the dark and on a phone."""
    _shoot(page, name, _WIDE)
    if everywhere:
        _shoot(page, f"{name}-phone", _PHONE)
        page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
        _shoot(page, f"{name}-dark", _WIDE)
        page.evaluate("document.documentElement.dataset.bsTheme = 'light'")


def _shoot(page: Page, name: str, size: ViewportSize) -> None:
    # As high as the page is: what stays at the window's lower edge is at the end then.
    page.set_viewport_size(size)
    height: int = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size(ViewportSize(width=size["width"], height=height))
    # Colours fade into those of the other theme: shown as they are in the end.
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
    page.set_viewport_size(_WIDE)
