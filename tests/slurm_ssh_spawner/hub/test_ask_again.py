"""A cluster that did not let somebody in, asked again by who has an account there now."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh.errors import FrontEndRefused, SiteUnreachable
from tests.support import launching
from tests.support.launching import LaunchingHub, Person

_SAID = "Geneva (Geneva did not let you in.)"


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _asked(person: Person, site: str = "geneva") -> int:
    return (await person.api("POST", f"offer/ask-again?site={site}")).status_code


async def test_whoever_has_an_account_now_is_let_in(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    hub.local.refusal = FrontEndRefused("Geneva did not let you in.")
    assert (await alice.call("POST", json={}))[0] == 400
    for still in (hub.local.refusal, SiteUnreachable("Geneva cannot be reached.")):
        hub.local.refusal = still
        assert await _asked(alice) == 204
        assert _SAID in (await alice.page("spawn")).text
    hub.local.refusal = None
    assert await _asked(alice) == 204
    assert "did not let you in" not in (await alice.page("spawn")).text


async def test_only_who_was_refused_asks_and_only_for_themselves(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    hub.local.refusal = FrontEndRefused("Geneva did not let you in.")
    assert (await alice.call("POST", json={}))[0] == 400
    hub.local.refusal = None
    assert (await _asked(bob), await _asked(alice, "nowhere")) == (404, 404)
    assert (await alice.post("/@/space%20word/hub/api/offer/ask-again?site=geneva", [], "")).status_code == 403
    assert _SAID in (await alice.page("spawn")).text
