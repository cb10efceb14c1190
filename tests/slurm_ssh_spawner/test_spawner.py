import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from jupyterhub import orm, roles
from jupyterhub.user import User
from tornado import web
from traitlets import TraitError

from kerberos_auth.errors import TicketMissing
from slurm_ssh.job import JobReport, JobState, new_launch_id
from slurm_ssh.tunnels import tunnel
from slurm_ssh_spawner.hub.failures import LaunchFailed
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.progress import Progress
from slurm_ssh_spawner.spawner import SlurmSSHSpawner
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, composing
from tests.support.hub import ComposedSpawner
from tests.support.local import LocalSite

ID = builders.LAUNCH_ID


@pytest.fixture
def _ephemeral(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ip_local_port_range"
    path.write_text("32768 60999\n")
    monkeypatch.setattr(tunnel, "_EPHEMERAL", path)


@pytest.mark.usefixtures("_ephemeral")
@pytest.mark.parametrize(
    ("text", "said"), [("20000", "is not a range of ports"), ("30000-40000", "overlap 32768-60999")]
)
def test_ports_that_cannot_be_used_stop_a_hub_with_the_name_of_the_setting(text: str, said: str) -> None:
    with pytest.raises(TraitError, match=r"SlurmSSHSpawner\.tunnel_ports: ") as refused:
        SlurmSSHSpawner(tunnel_ports=text)
    assert said in str(refused.value)


@pytest.mark.usefixtures("_ephemeral")
def test_ports_beside_those_for_outgoing_connections_can_be_used() -> None:
    assert SlurmSSHSpawner().tunnel_ports == "20000-24999"
    assert SlurmSSHSpawner(tunnel_ports="61000-61010").tunnel_ports == "61000-61010"


@pytest.mark.parametrize("seconds", [0, -1, 9.9])
def test_connections_are_not_looked_at_all_the_time(seconds: float) -> None:
    with pytest.raises(TraitError, match="connection_idle_seconds"):
        SlurmSSHSpawner(connection_idle_seconds=seconds)


def test_a_link_starts_nothing() -> None:
    with pytest.raises(web.HTTPError, match="A server is not started by a link"):
        SlurmSSHSpawner().options_from_query({})


@pytest.fixture
async def hub(start: Callable[[type], Awaitable[RunningHub]], local: LocalSite) -> RunningHub:
    """A running hub whose one site is `local`."""
    running = await start(ComposedSpawner)
    offer = builders.live(
        local.home,
        sites={"geneva": builders.site(slurm_path=str(local.slurm), tunnel={"kind": "ssh"})},
        profiles={"few": builders.profile(name="Few", servers_max=1), "many": builders.profile(name="Many")},
    )
    url = f"sqlite:///{local.home}/launches.sqlite"
    tickets = composing.NoTickets(TicketMissing())
    running.app.tornado_settings["slurm_ssh_hub"] = composing.hub(offer, tickets, url, local)
    return running


def _launcher(hub: RunningHub) -> Launcher:
    launcher: Launcher = hub.app.tornado_settings["slurm_ssh_hub"].launcher
    return launcher


async def _running(hub: RunningHub, user: User, name: str, profile: str) -> SlurmSSHSpawner:
    """Return a server of a person as the hub finds it in its database, with its launch in the records."""
    job = builders.job(launch_id=new_launch_id(), job_id="42")
    offer = hub.app.tornado_settings["slurm_ssh_hub"].catalogue.current
    begun = builders.launch(offer, {"profile": profile}, user=user.name)
    await _launcher(hub).records.begin(job.launch_id, begun, server=name)
    spawner = user.get_or_create_spawner(name, "")
    spawner.orm_spawner.server = orm.Server(base_url=f"/user/{user.name}/{name}")
    user.db.commit()
    spawner.load_state({"job": job.to_state(), "profile": profile})
    return spawner


async def _start(hub: RunningHub, user: User, name: str, **choices: str) -> tuple[int, str]:
    answer = await hub.post(f"users/{user.name}/servers/{name}", user.new_api_token(), json=choices)
    return answer.status_code, answer.json().get("message", "") if answer.content else ""


async def test_a_spawner_around_ours_is_told_as_the_reason(
    hub: RunningHub, caplog: pytest.LogCaptureFixture
) -> None:
    """wrapspawner calls `start` of ours without what JupyterHub asks before."""
    spawner = hub.person("alice").get_or_create_spawner("", "")
    with pytest.raises(LaunchFailed, match="did not check the choices before the start"):
        await spawner.start()
    assert "a spawner around SlurmSSHSpawner passes it by; use it alone" in caplog.text


async def test_a_person_at_the_limit_of_a_profile_is_told_by_the_api(hub: RunningHub) -> None:
    alice = hub.person("alice")
    await _running(hub, alice, "first", "few")
    status, said = await _start(hub, alice, "second", profile="few")
    assert (status, "You already have 1 server of Few" in said) == (400, True)


async def test_servers_of_others_and_servers_that_ended_do_not_count(hub: RunningHub) -> None:
    alice = hub.person("alice")
    await _running(hub, hub.person("bob"), "first", "few")
    await _running(hub, alice, "third", "many")
    ended = await _running(hub, alice, "first", "few")
    _launcher(hub).records.end(ended.launch_id, "COMPLETED")
    await _launcher(hub).records.settled()
    ended.clear_state()
    resolve = alice.get_or_create_spawner("second", "").apply_user_options
    await resolve(None, {"profile": "few"})


async def test_a_restarted_server_does_not_count_against_itself(hub: RunningHub) -> None:
    spawner = await _running(hub, hub.person("alice"), "", "few")
    await spawner.apply_user_options(None, {"profile": "few"})
    assert spawner.start_timeout > 30 * 60


async def test_a_start_may_take_as_long_as_its_kernels_may(hub: RunningHub, tmp_path: Path) -> None:
    kernels = [{"script": "a", "time_max": "20m"}, {"name": "b", "requirements": ["c"], "time_max": "10m"}]
    shared = hub.app.tornado_settings["slurm_ssh_hub"]
    slow = builders.profile(kernels=kernels, queue_wait="5m")
    shared.catalogue = builders.live(tmp_path, profiles={"slow": slow})
    spawner = hub.person("alice").spawners[""]
    await spawner.apply_user_options(None, {})
    assert spawner.start_timeout > (5 + 2 * 30) * 60


async def test_a_server_that_was_never_started_has_no_progress(hub: RunningHub) -> None:
    assert [event async for event in hub.person("alice").spawners[""].progress()] == []


async def test_an_unknown_choice_is_refused_by_the_api(hub: RunningHub) -> None:
    status, said = await _start(hub, hub.person("alice"), "", site="bern")
    assert (status, "Choose one of: geneva." in said) == (400, True)


async def test_the_address_of_a_server_is_known_before_anybody_looked_for_it(hub: RunningHub) -> None:
    spawner = await _running(hub, hub.person("alice"), "", "many")
    assert (await spawner.get_url()).endswith("/user/alice/")


async def test_a_job_that_is_known_to_be_over_is_not_asked_about(hub: RunningHub, local: LocalSite) -> None:
    spawner = await _running(hub, hub.person("alice"), "", "few")
    spawner._restored = False
    assert await spawner.poll() is None
    await _launcher(hub)._over(spawner._job, JobReport(JobState.ENDED, "FAILED"))
    local.refusal = AssertionError("the site was asked")
    assert await spawner.poll() == 1
    local.refusal = None


async def _delete_server(hub: RunningHub, who: User, _owner: User) -> None:
    assert (await hub.delete("users/alice/server", who.new_api_token())).status_code == 204


async def _delete_person(hub: RunningHub, who: User, _owner: User) -> None:
    assert (await hub.delete("users/alice", who.new_api_token())).status_code == 204


async def _cull(hub: RunningHub, _who: User, _owner: User) -> None:
    culler = orm.Service(name="idle-culler")
    hub.app.db.add(culler)
    hub.app.db.commit()
    roles.create_role(hub.app.db, {"name": "culls", "scopes": ["delete:servers", "read:users:name"]})
    roles.grant_role(hub.app.db, culler, "culls")
    assert (await hub.delete("users/alice/server", culler.new_api_token())).status_code == 204


async def _shut_down(_hub: RunningHub, _who: User, owner: User) -> None:
    # As `JupyterHub.cleanup` does of each server.
    await owner.stop("")


@pytest.mark.parametrize(
    ("who", "stop", "reason"),
    [
        ("alice", _delete_server, "stopped by its owner"),
        ("ruth", _delete_server, "stopped by an administrator: ruth"),
        ("ruth", _delete_person, "stopped by an administrator: ruth"),
        ("ruth", _cull, "stopped by a service: idle-culler"),
        ("ruth", _shut_down, "stopped by the hub"),
    ],
)
async def test_a_server_that_is_stopped_keeps_who_has_asked_for_it(
    hub: RunningHub,
    local: LocalSite,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
    stop: Callable[[RunningHub, User, User], Awaitable[None]],
    reason: str,
) -> None:
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.01)
    alice, ruth = hub.person("alice"), hub.person("ruth", admin=True)
    spawner = await _running(hub, alice, "", "many")
    spawner._restored = False
    job = spawner._job
    assert job
    local.tell("queue", f"42|RUNNING|n1|{job.owner}|None|{job.mark}\n")
    await stop(hub, alice if who == "alice" else ruth, alice)
    records = _launcher(hub).records
    await records.settled()
    record = await records.get(job.launch_id)
    assert record
    assert record.end_reason == reason
    await _launcher(hub).endings.close()


async def test_who_may_not_stop_a_server_leaves_no_reason_behind(hub: RunningHub) -> None:
    spawner = await _running(hub, hub.person("alice"), "", "many")
    answer = await hub.delete("users/alice/server", hub.person("bob").new_api_token())
    assert answer.status_code in {403, 404}
    assert spawner.stop_reason == ""


async def test_who_looks_before_the_start_sees_it_from_its_beginning(hub: RunningHub) -> None:
    spawner = hub.person("alice").spawners[""]
    spawner._spawn_pending = True
    looking = asyncio.ensure_future(anext(spawner.progress()))
    await asyncio.sleep(0)
    spawner._progress = Progress()
    spawner._progress.tell("Connecting to Geneva as alice.")
    assert (await looking)["message"] == "Connecting to Geneva as alice."
    spawner._spawn_pending = False
    spawner.clear_state()
    assert [event async for event in spawner.progress()] == []
