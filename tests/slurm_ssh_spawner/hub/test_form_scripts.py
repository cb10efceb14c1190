"""The modules of the form's script as a hub serves them."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh_spawner.hub import form_scripts
from tests.support import launching
from tests.support.launching import LaunchingHub

_IMPORTED = re.compile(r'^import .* from "([^"]*)";$', re.MULTILINE)


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def test_all_modules_come_from_the_folder_of_the_pages_version_and_stay_in_the_browser(
    hub: LaunchingHub,
) -> None:
    alice = await hub.person("alice")
    (folder, main), *others = re.findall(
        r'<script type="module" src="[^"]*/hub/(launch-pages/[0-9a-f]{16}/)([a-z]+\.js)"',
        (await alice.page("spawn")).text,
    )
    assert others == []
    to_load, loaded = [main], set[str]()
    while to_load:
        name = to_load.pop()
        answer = await alice.page(folder + name)
        assert (answer.status_code, "javascript" in answer.headers["content-type"]) == (200, True), name
        assert answer.headers["cache-control"].startswith("max-age="), name
        loaded.add(name)
        found = _IMPORTED.findall(answer.text)
        # What is imported in any other way would not be of the same version.
        assert len(found) == answer.text.count("import "), name
        assert all(re.fullmatch(r"\./[a-z]+\.js", each) for each in found), found
        to_load += [each[2:] for each in found if each[2:] not in loaded]
    assert loaded == {each.name for each in (files("slurm_ssh_spawner.hub") / "static" / "form").iterdir()}


async def test_a_page_of_another_version_gets_no_module_of_this_one(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    for folder in ("0" * 16, form_scripts.VERSION[:-1], "form"):
        assert (await alice.page(f"launch-pages/{folder}/main.js")).status_code == 404


async def test_where_nothing_is_to_be_kept_the_modules_are_not(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    hub.app.tornado_settings["no_cache_static"] = True
    hub.app.tornado_application.settings["no_cache_static"] = True
    assert (await alice.page(form_scripts.MAIN)).headers["cache-control"] == "no-cache"
