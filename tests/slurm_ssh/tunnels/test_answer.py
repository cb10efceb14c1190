"""What stands in the place of a server that its tunnel does not reach, in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from languages import timed
from slurm_ssh.sentences import tunnels as sentences
from slurm_ssh.tunnels import answer
from tests.lab.browser import CHROMIUM, FLAGS
from tests.support import axe, ends

_SINCE = datetime(2026, 3, 2, 10, 5, tzinfo=UTC)
_PAGE = "text/html,application/xhtml+xml"


@asynccontextmanager
async def _told(site: str = "Geneva") -> AsyncIterator[int]:
    """Give the port of a server in whose place something is told."""
    said = sentences.SITE_AWAY_SINCE.format(site=site, since=timed("10:05 UTC", _SINCE))
    job = sentences.WHICH_JOB.format(site=site, node="n1", launch="0123456789ab")

    clients: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer.tell(reader, writer, said, job)
        writer.close()
        await writer.wait_closed()

    def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(asyncio.create_task(serve(reader, writer)))

    async with await asyncio.start_server(came, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*clients)


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("/user/alice/lab", ["/hub/home"]),
        ("/@/space%20word/user/alice/lab/tree/user/x?y=/user/", ["/@/space%20word/hub/home"]),
        ("/a&%22b/user/alice/", ["/a&amp;%22b/hub/home"]),
        ("//evil.test/user/alice/", []),
        ("/?x=/user/alice", []),
        ("/elsewhere", []),
    ],
)
async def test_it_leads_home_and_to_no_other_host(path: str, home: list[str]) -> None:
    async with _told() as port, ends.client(port) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {_PAGE}\r\n\r\n".encode())
        page = (await reader.read(-1)).decode()
    assert re.findall('<a href="([^"]*)"', page) == home


async def test_it_is_text_in_the_readers_language() -> None:
    async with _told("<b>Geneva</b>") as port:
        page = await ends.asked(port, "/user/alice/lab", **{"accept": _PAGE, "accept-language": "fr"})
        assert (await ends.said(port)) == "<b>Geneva</b> cannot be reached since 10:05 UTC. Your job goes on."
    time = '<time datetime="2026-03-02T10:05:00+00:00">10:05 UTC</time>'
    assert f"<p>&lt;b&gt;Geneva&lt;/b&gt; est injoignable depuis {time}. Votre job continue.</p>" in page.text
    assert '<html lang="fr">' in page.text
    assert '<a href="/hub/home">Vos serveurs</a>' in page.text
    assert "<script" not in page.text


@asynccontextmanager
async def _shown(**context: Any) -> AsyncIterator[Page]:
    """Give its page, open in a browser."""
    async with _told("A" * 80) as port, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = await browser.new_page(**context)
        await page.goto(f"http://127.0.0.1:{port}/user/alice/lab")
        yield page
        await browser.close()


async def test_its_own_policy_lets_in_its_style_which_fits_a_phone() -> None:
    async with _shown(viewport={"width": 375, "height": 700}) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") == 375
        assert await page.evaluate("getComputedStyle(document.body).overflowWrap") == "anywhere"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_read_it(scheme: str) -> None:
    # The checker adds a style, which the page's policy would keep out.
    async with _shown(color_scheme=scheme, bypass_csp=True) as page:
        assert await axe.violations(page) == []
        is_dark = await page.evaluate("getComputedStyle(document.body).color") == "rgb(255, 255, 255)"
        assert is_dark == (scheme == "dark")
