"""A real browser in front of a JupyterHub in the process of the tests: both on one event loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, async_playwright, expect

from tests.lab.browser import CHROMIUM, FLAGS, PATIENCE_SECONDS
from tests.support.launching import LaunchingHub

# On a busy machine anything may take long.
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@asynccontextmanager
async def logged_in(hub: LaunchingHub, name: str, **context: Any) -> AsyncIterator[Page]:
    """Give a page of somebody who is logged in; paths are relative to `/hub/`.

    Its scripts may say nothing wrong.  `context` is what the browser is told of its reader, as playwright has it.
    """
    said: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        opened = await browser.new_context(base_url=hub.app.hub.url, ignore_https_errors=True, **context)
        opened.set_default_timeout(PATIENCE_SECONDS * 1000)
        page = await opened.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.goto("login")
        await page.fill("[name=username]", name)
        await page.fill("[name=password]", "x")
        await page.click("[type=submit]")
        await page.wait_for_url("**/hub/**")
        yield page
        await browser.close()
    assert said == []


async def form(page: Page, path: str = "spawn") -> None:
    """Open a form, and wait until its script has what it asks for first."""
    await page.goto(path)
    await page.wait_for_selector("#launch-options:not([aria-busy])")
