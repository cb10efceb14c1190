"""Servers that a hub starts by itself, by its own API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.app import JupyterHub

from slurm_ssh.errors import Unavailable
from slurm_ssh_spawner.hub import going_on
from slurm_ssh_spawner.hub.going_on import OwnApi
from tests.support import builders, launching
from tests.support.launching import LaunchingHub

FOR_OTHERS = {"secret": builders.profile(name="Sesame", visible_to={"groups": ["neuro"]})}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub


async def test_a_start_that_is_refused_is_not_tried_again_and_again(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # The answer is waited for: before it, a start that will be refused is one that is under way.
    monkeypatch.setattr(going_on, "_PAUSE_SECONDS", 60)
    await hub.person("alice")
    hub.offer(**launching.one_site(hub.local), profiles=FOR_OTHERS)
    with pytest.raises(Unavailable, match="alice"):
        await OwnApi(hub.app).start("alice", "", {})
    assert caplog.text.count("no job, alice: not started: ") == 1


async def test_a_server_that_the_hub_looks_at_is_started_after_that(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(going_on, "_PAUSE_SECONDS", 0.01)
    alice = await hub.person("alice")
    spawner = alice.user.get_spawner("")
    spawner._check_pending = True
    starting = asyncio.create_task(OwnApi(hub.app).start("alice", "", {}))
    await asyncio.sleep(0.1)
    assert hub.local.told("submissions") == ""
    spawner._check_pending = False
    await starting
    await alice.user.stop("")


async def test_a_token_that_stays_ends_by_itself_and_jupyterhubs_database_can_be_used_again(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(going_on, "_PAUSE_SECONDS", 60)
    await hub.person("alice")
    hub.offer(**launching.one_site(hub.local), profiles=FOR_OTHERS)
    refuses = "BEFORE DELETE ON api_tokens BEGIN SELECT RAISE(ABORT, 'kept'); END"
    hub.app.db.execute(sa.text(f"CREATE TRIGGER kept {refuses}"))
    hub.app.db.commit()
    with pytest.raises(Unavailable, match="alice"):
        await OwnApi(hub.app).start("alice", "", {})
    token = next(each for each in hub.app.db.query(orm.APIToken) if each.note == "Server goes on after a restart")
    assert token.expires_at


async def test_nobody_else_is_started(hub: LaunchingHub) -> None:
    with pytest.raises(Unavailable, match="bob"):
        await OwnApi(hub.app).start("bob", "", {})


async def test_a_launch_goes_on_with_its_own_choices_not_those_that_jupyterhub_has_stored(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(going_on, "_PAUSE_SECONDS", 60)
    alice = await hub.person("alice")
    row = alice.user.get_spawner("").orm_spawner
    row.user_options = {"profile": "jupyterlab", "time": "2h"}
    hub.app.db.commit()
    with pytest.raises(Unavailable, match="alice"):
        await OwnApi(hub.app).start("alice", "", {"profile": "jupyterlab", "time": "1h"})
    assert "#SBATCH --time=60\n" in hub.local.told("sbatch.stdin")
