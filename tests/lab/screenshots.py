"""`python -m tests.lab.screenshots`: take the pictures that README and docs show, in a lab of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, ViewportSize, expect

from lab import Lab
from lab.folders import TREE
from lab.person import NotStarted, Person
from tests.lab.browser import browser, log_in, pick
from tests.lab.look import logged_in
from tests.lab.test_facts import told

PICTURES = TREE / "docs/pictures"
_WIDE, _PHONE = ViewportSize(width=1000, height=700), ViewportSize(width=375, height=700)
_DRAINED = [f"update nodename=lugano-n[1-2] state={state}" for state in ("drain reason=repair", "resume")]


def main() -> None:
    """Write all pictures anew."""
    PICTURES.mkdir(exist_ok=True)
    with Lab(state=TREE / ".lab-screenshots", port=0) as lab, logged_in(lab, "alice") as alice:
        with _page(lab, "alice") as page:
            _form(page)
            _servers(lab, alice, page)
            _in_jupyterlab(page)
        with _page(lab, "ruth") as page:
            page.goto("/hub/launches")
            _take(page, "launches")


@contextmanager
def _page(lab: Lab, name: str) -> Iterator[Page]:
    with browser(lab) as page:
        page.set_viewport_size(_WIDE)
        log_in(page, name)
        yield page


def _take(page: Page, name: str, *, everywhere: bool = False) -> None:
    """Take a picture of the whole page; `everywhere` also in the dark and on a phone."""
    _shoot(page, name, _WIDE)
    if everywhere:
        page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
        _shoot(page, f"{name}-dark", _WIDE)
        page.evaluate("document.documentElement.dataset.bsTheme = 'light'")
        _shoot(page, f"{name}-phone", _PHONE)


def _shoot(page: Page, name: str, size: ViewportSize) -> None:
    # As high as the page is: what stays at the window's lower edge is at the end then.
    page.set_viewport_size(size)
    height: int = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size(ViewportSize(width=size["width"], height=height))
    # Colours fade into those of the other theme: shown as they are in the end.
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
    page.set_viewport_size(_WIDE)


def _form(page: Page) -> None:
    page.goto("/hub/spawn/alice/analysis")
    pick(page, "profile", "jupyterlab")
    pick(page, "site", "geneva")
    # What is free comes after the page.
    expect(page.locator("#launch-summary")).to_contain_text("Geneva")
    page.wait_for_load_state("networkidle")
    _take(page, "form", everywhere=True)


def _servers(lab: Lab, alice: Person, page: Page) -> None:
    """Take Home with a server in each condition, and the pages of a start that waits and of one that failed."""
    alice.start({"profile": "jupyterlab", "site": "geneva", "time": "1h"}, "analysis")
    try:
        alice.start({"profile": "dies", "site": "geneva"}, "licence")
    except NotStarted:
        page.goto("/hub/spawn-pending/alice/licence")
        expect(page.locator("h1")).to_have_text("licence could not start")
        _take(page, "failure")
    with told(lab, "lugano-ctl", *_DRAINED):
        alice.submit_form({"profile": "jupyterlab", "site": "lugano"}, "model")
        page.goto("/hub/spawn-pending/alice/model")
        expect(page.locator("#start-why")).to_contain_text("drained")
        _take(page, "progress")
        page.goto("/hub/home")
        expect(page.locator("[data-state=waiting]")).to_be_visible()
        expect(page.locator("[data-state=running] progress")).to_be_visible()
        _take(page, "home", everywhere=True)


def _in_jupyterlab(page: Page) -> None:
    page.goto("/user/alice/analysis/lab")
    expect(page.locator("#jp-main-statusbar")).to_contain_text("left")
    expect(page.locator(".jp-Launcher")).to_be_visible()
    _take(page, "jupyterlab")


if __name__ == "__main__":
    main()
