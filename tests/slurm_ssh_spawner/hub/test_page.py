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


async def test_the_admin_page_with_a_footer_of_its_own_has_them_too(hub: LaunchingHub) -> None:
    ruth = await hub.person("ruth", admin=True)
    for path in ("admin", "launches", "home"):
        page = (await ruth.page(path)).text
        assert page.count("<main") == page.count("</main>") == 1, path
        assert page.count("launch-pages/moments.js") == 1, path
    page = (await ruth.page("admin")).text
    assert page.index("react-admin-hook") < page.index("</main>") < page.index("version_footer")
