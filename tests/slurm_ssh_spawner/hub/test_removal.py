"""What becomes of what belongs to somebody whom an admin removes from JupyterHub."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub

from lab.plain_http import NO_TLS
from slurm_ssh.errors import SiteUnreachable
from slurm_ssh.job import Job, mark, new_launch_id
from slurm_ssh_spawner.hub import guests
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.presets import Preset
from tests.support import builders, launching
from tests.support.launching import LaunchingHub, Person


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.01)
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _begun(hub: LaunchingHub, server: str) -> Job:
    """Let a job of alice's run of which JupyterHub knows no server."""
    launcher, launch_id = hub.core.launcher, new_launch_id()
    name, launch = mark("jupyter", "hub", launch_id), builders.launch(hub.core.catalogue.current, {})
    await launcher.records.begin(launch_id, launch, server=server, mark=name)
    launcher.records.submitted(launch_id, "42")
    launcher.records.reached(launch_id, "n1", 8888, 0)
    await launcher.records.settled()
    hub.local.tell("queue", f"42|RUNNING|n1|alice|None|{name}\n")
    return builders.job(launch_id=launch_id, job_id="42", mark=name)


async def _up(hub: LaunchingHub, alice: Person, server: str) -> Job:
    """Let a server of alice's be up."""
    job = await _begun(hub, server)
    spawner = alice.user.get_or_create_spawner(server, "")
    spawner.orm_spawner.server = orm.Server(base_url=f"/user/alice/{server}")
    alice.user.db.commit()
    spawner.load_state({"job": job.to_state(), "profile": "jupyterlab"})
    spawner._restored = False
    return job


async def _ask(hub: LaunchingHub, admin: Person, method: str, name: str, **more: Any) -> httpx.Response:
    async with httpx.AsyncClient(verify=NO_TLS, timeout=60, trust_env=False) as client:
        headers = {"Authorization": f"token {admin.user.new_api_token()}"}
        return await client.request(method, f"{hub.app.hub.url}api/users/{name}", headers=headers, **more)


async def _remove(hub: LaunchingHub, admin: Person, name: str = "alice") -> httpx.Response:
    return await _ask(hub, admin, "DELETE", name)


async def _record(hub: LaunchingHub, job: Job) -> LaunchRecord:
    record = await hub.core.launcher.records.get(job.launch_id)
    assert record
    return record


@pytest.mark.parametrize("server", ["", "south"])
async def test_each_server_of_somebody_who_is_removed_is_stopped(hub: LaunchingHub, server: str) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    job = await _up(hub, alice, server)
    answer = await _remove(hub, ruth)
    assert answer.status_code == 204, answer.text
    record = await _record(hub, job)
    assert (hub.local.told("queue"), record.end_reason) == ("", "stopped by an administrator: ruth")
    assert record.ended


async def test_a_launch_without_a_server_is_stopped_too_and_leaves_nothing_at_its_site(hub: LaunchingHub) -> None:
    await hub.person("alice")
    job = await _begun(hub, "gone")
    assert (await _remove(hub, await hub.person("ruth", admin=True))).status_code == 204
    record = await _record(hub, job)
    assert (hub.local.told("queue"), record.end_reason) == ("", "stopped by an administrator: ruth")
    assert record.released


async def test_whoever_gets_the_same_name_later_finds_nothing_of_before(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    job, launcher = await _up(hub, alice, ""), hub.core.launcher
    await launcher.records.presets.save("alice", Preset("my usual", {"profile": "jupyterlab"}))
    await launcher.records.presets.save("bob", Preset("his", {"profile": "jupyterlab"}))
    await launcher.records.accept("alice", "", {"profile": "jupyterlab"})
    hub.core.taught.learn("alice", "geneva", "You are not let in.")
    assert (await _remove(hub, ruth)).status_code == 204
    again = await hub.person("alice")
    assert "my usual" not in (await again.page("spawn")).text
    assert await launcher.records.accepted("alice", "") == {}
    assert await launcher.records.recent("alice", 9) == ()
    assert launcher.notices("alice") == ()
    assert not hub.core.taught._known
    assert [each.name for each in await launcher.records.presets.of("bob")] == ["his"]
    # Admins go on to see whose it was.
    assert (await _record(hub, job)).user.startswith("alice (removed 20")
    assert "alice (removed 20" in (await ruth.page("launches")).text


async def test_what_cannot_be_stopped_now_stays_owed(hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.hub.removal._SETTLE_SECONDS", 0.1)
    await hub.person("alice")
    job = await _begun(hub, "")
    hub.local.refusal = SiteUnreachable("Nobody is there.")
    assert (await _remove(hub, await hub.person("ruth", admin=True))).status_code == 204
    record = await _record(hub, job)
    assert (record.user, record.stop_wanted, record.ended) == ("alice", True, None)


async def test_without_the_database_of_launches_nobody_is_removed(
    hub: LaunchingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hub.person("alice")
    ruth = await hub.person("ruth", admin=True)
    monkeypatch.setattr("slurm_ssh_spawner.launch.records.worker.PATIENCE_SECONDS", 0.1)
    (hub.local.home / "launches.sqlite").unlink()
    answer = await _remove(hub, ruth)
    assert (answer.status_code, "database" in answer.text) == (503, True)
    assert orm.User.find(hub.app.db, "alice")


async def test_nobody_removes_themselves_or_whom_they_may_not(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    await _up(hub, alice, "")
    await _up(hub, ruth, "")
    assert (await _remove(hub, ruth, "ruth")).status_code == 400
    assert (await _remove(hub, alice, "ruth")).status_code in {403, 404}
    assert (await _remove(hub, ruth, "nobody")).status_code == 404
    assert ruth.user.active


async def test_the_access_of_a_guest_who_is_removed_ends_in_the_log(
    hub: LaunchingHub, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob, ruth = await hub.person("alice"), await hub.person("bob"), await hub.person("ruth", admin=True)
    await _up(hub, alice, "")
    row = alice.user.orm_spawners[""]
    code, _ = guests.invite(hub.app.db, row, 60, None)
    guests.accept(hub.app.db, guests.invitation(hub.app.db, code), bob.user)
    with caplog.at_level(logging.INFO, "slurm_ssh_spawner.hub.guests"):
        assert (await _remove(hub, ruth, "bob")).status_code == 204
    assert "sharing: access of bob to alice/ ended: bob was removed" in caplog.text
    assert guests.guests(row) == ()


async def test_nobody_is_renamed_for_their_name_is_that_of_their_account(hub: LaunchingHub) -> None:
    await hub.person("alice")
    ruth = await hub.person("ruth", admin=True)
    refused = await _ask(hub, ruth, "PATCH", "alice", json={"name": "bob", "admin": True})
    assert refused.status_code == 400
    assert "alice cannot be renamed" in refused.json()["message"]
    assert (await _ask(hub, ruth, "GET", "alice")).json()["admin"] is False
    assert (await _ask(hub, ruth, "PATCH", "alice", json={"name": "alice", "admin": True})).json()["admin"]
    assert (await _ask(hub, ruth, "PATCH", "nobody", json={"name": "bob"})).status_code == 404
