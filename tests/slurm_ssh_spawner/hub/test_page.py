"""The frame of all pages at a real hub."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub

from tests.support import launching
from tests.support.launching import LaunchingHub


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def test_every_page_has_one_landmark_around_its_content_and_our_style_sheet(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    for path in ("home", "spawn", "spawn/alice/south", "token", "user/alice/lab", "nowhere"):
        page = (await alice.page(path)).text
        (content,) = re.findall(r'<main id="main" tabindex="-1">(.*)</main>', page, re.DOTALL)
        assert "<h1" in content, path
        assert page.index('href="#main">Skip to the content</a>') < page.index("<nav")
        (sheet,) = re.findall(r'href="/@/space%20word/hub/launch-pages/(\w+\.css)"', page)
        assert "--pages-accent" in (await alice.page(f"launch-pages/{sheet}")).text
