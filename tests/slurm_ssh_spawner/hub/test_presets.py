"""Settings that somebody keeps under a name of their own, at a real hub."""

import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh_spawner.launch.records.presets import MOST, Preset
from tests.support import builders, launching
from tests.support.launching import LaunchingHub, Person
from tests.support.local import LocalSite

GPU = "my usual GPU session"
CHOICES = [("profile", "one"), ("site", "bern"), ("time", "2h"), ("gpus", "1")]


def _catalogue(local: LocalSite, **changed: Any) -> dict[str, Any]:
    sites = {"geneva": launching.site(local), "bern": launching.site(local, title="Bern")}
    profiles = {
        "one": builders.profile(name="One"),
        "secret": builders.profile(name="Sesame", visible_to={"groups": ["neuro"]}),
    }
    return {"sites": sites, "profiles": profiles, **changed}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, _catalogue) as hub:
        yield hub
        await hub.core.close()


def _listed(page: str) -> dict[str, str]:
    """Return the links of the settings that a page lists, by their names."""
    return {
        html.unescape(name): html.unescape(href)
        for href, name in re.findall(r'<a href="([^"]*)" data-settings="([^"]*)"', page)
    }


async def _save(person: Person, name: str, choices: list[tuple[str, str]] = CHOICES, **sent: str) -> Any:
    return await person.post("presets", [*choices, ("settings", name), ("part", "yes")], **sent)


async def _page(person: Person, name: str, server: str = "") -> str:
    path = f"spawn/{person.name}/{server}".rstrip("/")
    return (await person.page(f"{path}?settings={name}")).text


async def test_what_is_saved_is_listed_fills_in_the_form_and_starts_nothing(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    assert "My settings" not in (await alice.page("spawn")).text
    answer = await _save(alice, f" {GPU} ")
    assert (answer.status_code, list(_listed(answer.text))) == (200, [GPU])
    assert f"Saved as {GPU}." in answer.text
    page = (await alice.page("spawn/alice/south?next=%2Fhub%2Fhome")).text
    assert "One on Bern, Time 2h, GPUs 1" in page
    link = _listed(page)[GPU]
    assert link == "/@/space%20word/hub/spawn/alice/south?next=%2Fhub%2Fhome&settings=my%20usual%20GPU%20session"
    filled = (await alice.page(link.partition("/hub/")[2])).text
    assert f"Filled in from your settings {GPU}. Check them and press Start." in filled
    assert '<option value="bern" selected>' in filled
    assert 'value="2h"' in filled
    assert not hub.local.told("sbatch.stdin")


async def test_nobody_else_sees_or_changes_them(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    await _save(alice, GPU)
    seen = (await ruth.page("spawn/alice")).text
    assert "It will run as alice." in seen
    assert (GPU in seen, "launch-presets" in seen) == (False, False)
    assert f"You have no settings called {GPU}." in await _page(ruth, GPU)
    await ruth.post("presets/forget", [("settings", GPU), ("user", "alice")])
    assert list(_listed((await alice.page("spawn")).text)) == [GPU]
    alice.forget_cookies()
    assert (await _save(alice, "another")).status_code == 403


@pytest.mark.parametrize("address", ["presets", "presets/forget"])
async def test_no_page_of_others_changes_them(hub: LaunchingHub, address: str) -> None:
    alice = await hub.person("alice")
    await _save(alice, GPU)
    for xsrf in ("", "x"):
        answer = await alice.post(address, [("settings", GPU), ("profile", "one")], xsrf=xsrf)
        assert answer.status_code == 403
    # A token of hers may start servers; what her form lists is for her browser alone.
    token = alice.user.new_api_token()
    answer = await alice.page(address, {"Authorization": f"token {token}"})
    assert answer.status_code == 302
    kept = await hub.core.launcher.records.presets.of("alice")
    assert [dict(each.choices) for each in kept] == [dict(CHOICES)]


async def test_they_are_removed_without_scripts_too(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _save(alice, GPU)
    answer = await alice.post("presets/forget", [("settings", GPU), ("server", "nowhere")])
    assert (answer.status_code, answer.headers["location"]) == (302, "/@/space%20word/hub/spawn/alice")
    assert _listed((await alice.page("spawn")).text) == {}
    # Where a login in between, or loading the page again, ends.
    assert (await alice.page("presets")).headers["location"] == "/@/space%20word/hub/spawn/alice"


@pytest.mark.parametrize(
    ("name", "choices", "said"),
    [
        ("", CHOICES, "Give these settings a name."),
        (" \x00", CHOICES, "Give these settings a name."),
        ("x", [], "Give these settings a name."),
        ("x", [("colour", "red")], "There is no choice named colour."),
        ("x", [("time", "2" * 999)], "must be one line of text with at most 200 characters."),
    ],
)
async def test_what_is_no_preset_is_refused(
    hub: LaunchingHub, name: str, choices: list[tuple[str, str]], said: str
) -> None:
    alice = await hub.person("alice")
    answer = await _save(alice, name, choices)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert await hub.core.launcher.records.presets.of("alice") == ()


async def test_more_than_a_few_are_refused(hub: LaunchingHub) -> None:
    alice, presets = await hub.person("alice"), hub.core.launcher.records.presets
    for number in range(MOST):
        await presets.save("alice", Preset(f"{number}", {"profile": "one"}))
    answer = await _save(alice, GPU)
    assert (answer.status_code, len(_listed(answer.text))) == (409, MOST)
    assert f"You have {MOST} settings, and no more can be kept." in answer.text
    assert (await _save(alice, "7")).status_code == 200


async def test_what_is_no_longer_offered_is_said_in_the_list_and_on_the_form(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _save(alice, GPU, [*CHOICES, ("qos", "high"), ("param.atlas", "v1")])
    await hub.core.launcher.records.presets.save("alice", Preset("hidden", {"profile": "secret"}))
    page = (await alice.page("spawn")).text
    assert "One has no parameter named atlas." in html.unescape(page)
    assert "Profile: secret is not offered." in page
    assert "Sesame" not in page
    filled = await _page(alice, GPU)
    assert "Filled in from your settings" in filled
    assert "One has no parameter named atlas." in filled
    assert 'value="2h"' in filled


async def test_names_are_text(hub: LaunchingHub) -> None:
    alice, name = await hub.person("alice"), '"><script>alert(1)</script>&x=1'
    answer = await _save(alice, name)
    page = (await alice.page("spawn")).text
    assert ("<script>alert" in answer.text, "<script>alert" in page) == (False, False)
    link = _listed(page)[name]
    filled = (await alice.page(link.partition("/hub/")[2])).text
    assert f"Filled in from your settings {name}." in html.unescape(filled)


async def test_without_the_database_the_form_is_there(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _save(alice, GPU)
    bob = await hub.person("bob")
    hub.local.home.joinpath("launches.sqlite").unlink()
    # Hers were read since the last write.
    for person, is_shown in ((alice, True), (bob, False)):
        page = await person.page("spawn")
        assert (page.status_code, "My settings" in page.text) == (200, is_shown)
    for address in ("presets", "presets/forget"):
        answer = await alice.post(address, [*CHOICES, ("settings", GPU), ("part", "yes")])
        assert (answer.status_code, "The hub cannot use its database" in answer.text) == (503, True)
    assert "The hub cannot use its database" in await _page(alice, GPU)
