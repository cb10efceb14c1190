"""A real browser in front of the lab's hub."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from lab import Lab

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run --disable-dev-shm-usage"
)

PATIENCE_SECONDS = 300
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a new browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        try:
            yield started
        finally:
            started.close()


@contextmanager
def browser(lab: Lab) -> Iterator[Page]:
    """Give an empty page of a new browser; paths are those of the lab's hub."""
    with chromium() as started:
        page = started.new_page(base_url=lab.url)
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield page


def without_scripts(page: Page, lab: Lab) -> Page:
    """Return an empty page of the same browser that runs no scripts and knows nobody."""
    assert page.context.browser is not None
    plain = page.context.browser.new_page(base_url=lab.url, java_script_enabled=False)
    plain.set_default_timeout(PATIENCE_SECONDS * 1000)
    return plain


def log_in(page: Page, name: str) -> None:
    """Log a person in through the form."""
    page.goto("/hub/login?next=/hub/home")
    page.fill("[name=username]", name)
    page.fill("[name=password]", f"{name}-pw")
    page.click("[type=submit]")
    page.wait_for_url("**/hub/home")


def open_page(page: Page, name: str, path: str) -> None:
    """Open a page of a service of the hub, and log in at the hub on the way there."""
    page.goto(path)
    page.wait_for_url("**/hub/login**")
    page.fill("[name=username]", name)
    page.fill("[name=password]", f"{name}-pw")
    page.click("[type=submit]")
    page.wait_for_url(f"**{path}")


def pick(page: Page, name: str, value: str) -> None:
    """Pick a `profile` or a `site` in the form: by its card, without scripts in the list."""
    # Until the page's scripts have run, its lists are seen.
    page.wait_for_load_state()
    card = page.locator(f"[name=pick-{name}][value={value}]")
    if page.locator(f"#{name}").is_visible():
        page.select_option(f"#{name}", value)
        return
    if not card.count():
        page.get_by_role("button", name="Show all").click()
    card.check()
