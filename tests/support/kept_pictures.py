"""Pictures of pages, kept where KEEP_PICTURES says, for whoever wants to look at them."""

import os
from pathlib import Path

from playwright.async_api import Page


async def keep(page: Page, name: str) -> None:
    """Keep a picture of a page, if anybody wants it."""
    if folder := os.environ.get("KEEP_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
