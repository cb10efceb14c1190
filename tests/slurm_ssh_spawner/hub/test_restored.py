"""What a hub that starts again makes of the servers that ran before."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from kerberos_auth.errors import TicketMissing
from slurm_ssh.errors import SiteUnreachable
from slurm_ssh.job import Job, mark, new_launch_id
from slurm_ssh_spawner.hub import restored
from slurm_ssh_spawner.hub.shared import SETTING
from slurm_ssh_spawner.launch.place import Place
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, composing
from tests.support.folders import DATA
from tests.support.hub import ComposedSpawner
from tests.support.local import LocalSite
from tests.support.ports import free_port
from tests.support.restarting import Server, core, ran, restart
from tests.support.waiting import PATIENCE_SECONDS


@asynccontextmanager
async def _listening(answer: bytes) -> AsyncIterator[int]:
    """Give the port of a node where somebody answers every request so, or with b"" never."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Who only looks whether it can connect asks nothing.
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        if not answer:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


_UP = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture
async def hub(start: Callable[[type], Awaitable[RunningHub]], local: LocalSite) -> AsyncIterator[RunningHub]:
    running = await start(ComposedSpawner)
    site = builders.site(
        slurm_path=str(local.slurm), ticket={"delivery": "none"}, ticket_folder=None, tunnel={"kind": "ssh"}
    )
    offer = builders.live(local.home, sites={"geneva": site}, profiles={"few": builders.profile(servers_max=1)})
    tickets = composing.NoTickets(TicketMissing())
    url = f"sqlite:///{local.home}/launches.sqlite?timeout=0.1"
    running.app.tornado_settings[SETTING] = composing.hub(offer, tickets, url, local)
    yield running
    await running.app.tornado_settings[SETTING].close()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.hub.restored._ANSWER_SECONDS", 0.5)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch, _in_a_hurry: None) -> None:
    """A server that answers has the time that a busy machine needs."""
    monkeypatch.setattr("slurm_ssh_spawner.hub.restored._ANSWER_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def unforeseen() -> None:
    """Something goes wrong that only the log tells."""


@pytest.fixture(autouse=True)
def _nothing_else_is_unforeseen(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    yield
    told = [line for line in caplog.get_records("call") if "cannot be found out" in line.getMessage()]
    assert bool(told) == ("unforeseen" in request.fixturenames)


def _is_kept(server: Server) -> bool:
    return bool(server.spawner.ready) and server.spawner.launch_id == server.job.launch_id


@pytest.mark.usefixtures("patient")
async def test_a_server_that_answers_goes_on(hub: RunningHub) -> None:
    async with _listening(_UP) as port:
        alice = await ran(hub, "alice", port)
        await restart(hub)
        assert _is_kept(alice)
        assert await alice.spawner.get_url() == f"http://127.0.0.1:{alice.local_port}/user/alice/"


@pytest.mark.usefixtures("patient")
async def test_a_server_of_the_first_release_goes_on(hub: RunningHub) -> None:
    state = json.loads((DATA / "releases" / "0.1.0" / "spawner_state.json").read_text())
    async with _listening(_UP) as port:
        alice = await ran(hub, "alice", port, state=state)
        job = Job.from_state(state["job"])
        assert job is not None
        await core(hub).launcher.records.begin(job.launch_id, builders.launch(core(hub).catalogue.current))
        core(hub).launcher.records.reached(job.launch_id, "n1", port, alice.local_port)
        await core(hub).launcher.records.settled()
        await restart(hub)
        assert alice.spawner.ready
        assert alice.spawner.launch_id == "000000000002"
        assert alice.spawner.profile_key == "few"


async def test_of_forty_servers_twelve_with_dark_nodes_none_is_lost(hub: RunningHub, local: LocalSite) -> None:
    async with _listening(_UP) as up, _listening(b"") as dark:
        ports = [dark if number % 10 in {0, 3, 6} else up for number in range(40)]
        servers = [await ran(hub, f"p{number:02}", port) for number, port in enumerate(ports)]
        local.tell("queue", "".join(server.row() for server in servers))
        await restart(hub)
        assert [server.name for server in servers if not _is_kept(server)] == []
    assert [server.spawner.server.port for server in servers] == [server.local_port for server in servers]
    assert local.told("scancel.arguments") == ""


@pytest.mark.parametrize("away", ["the front end", "its Slurm"])
async def test_a_silent_server_whose_site_is_away_is_kept(hub: RunningHub, local: LocalSite, away: str) -> None:
    if away == "its Slurm":
        local.tell("silent", "")
    else:
        local.refusal = SiteUnreachable("Geneva cannot be reached.")
    async with _listening(b"") as dark:
        alice = await ran(hub, "alice", dark)
        await restart(hub)
        assert _is_kept(alice)
        assert await alice.spawner.poll() is None
    local.refusal = None


async def test_a_silent_server_whose_job_is_over_is_gone(hub: RunningHub, local: LocalSite) -> None:
    async with _listening(b"") as dark:
        alice = await ran(hub, "alice", dark)
        local.tell("queue", alice.row("FAILED"))
        await restart(hub)
    assert not alice.spawner.ready
    assert alice.spawner.launch_id is None


async def test_what_a_tunnel_says_in_the_place_of_a_server_does_not_keep_one_that_is_gone(
    hub: RunningHub, local: LocalSite
) -> None:
    alice, bob = [await ran(hub, name, free_port()) for name in ("alice", "bob")]
    local.tell("queue", alice.row("FAILED") + bob.row())
    await restart(hub)
    assert not alice.spawner.ready
    assert _is_kept(bob)
    said = await AsyncHTTPClient().fetch(str(await bob.spawner.get_url()), raise_error=False)
    assert "Your server on n1 cannot be reached through Geneva" in said.body.decode()


async def test_a_kept_server_is_noticed_when_its_job_ends(hub: RunningHub, local: LocalSite) -> None:
    async with _listening(b"") as dark:
        alice = await ran(hub, "alice", dark)
        local.tell("queue", alice.row())
        await restart(hub)
        assert await alice.spawner.poll() is None
        local.tell("queue", alice.row("TIMEOUT"))
        # Others, who polled theirs a moment ago, have asked about this one too.
        assert await alice.spawner.poll() is None
        alice.spawner.poll_interval = 0
        assert await alice.spawner.poll() == 1


@pytest.mark.parametrize("word", ["PENDING", "RUNNING"])
async def test_a_server_that_was_never_up_is_let_go_and_its_job_is_not_cancelled(
    hub: RunningHub, local: LocalSite, word: str
) -> None:
    alice = await ran(hub, "alice", 1, was_up=False)
    local.tell("queue", alice.row(word))
    await restart(hub)
    assert not alice.spawner.ready
    assert local.told("scancel.arguments") == ""


async def test_a_server_whose_record_has_an_end_is_over(hub: RunningHub, local: LocalSite) -> None:
    alice = await ran(hub, "alice", 1, state={"job": builders.job(job_id="42").to_state()})
    records = core(hub).launcher.records
    await records.begin(builders.LAUNCH_ID, builders.launch(core(hub).catalogue.current))
    records.end(builders.LAUNCH_ID, "stopped")
    await records.settled()
    local.refusal = AssertionError("the site was asked")
    assert await alice.spawner.poll() == 1
    local.refusal = None


@pytest.mark.usefixtures("patient")
async def test_a_server_is_found_again_without_its_record(hub: RunningHub, local: LocalSite) -> None:
    async with _listening(_UP) as port:
        alice = await ran(hub, "alice", port)
        (local.home / "launches.sqlite").unlink()
        await restart(hub)
        assert _is_kept(alice)


@pytest.mark.usefixtures("patient")
async def test_a_server_of_which_nothing_is_known_is_kept_while_its_job_runs(
    hub: RunningHub, local: LocalSite
) -> None:
    launch_id = new_launch_id()
    job = builders.job(launch_id=launch_id, job_id="42", mark=mark("jupyter", "hub", launch_id))
    async with _listening(_UP) as port:
        alice = await ran(hub, "alice", port, state={"job": job.to_state()})
        local.tell("queue", f"42|RUNNING|n1|alice|None|{job.mark}\n")
        await restart(hub)
        assert alice.spawner.ready
        assert await alice.spawner.get_url() == f"http://127.0.0.1:{alice.local_port}/user/alice/"
        await core(hub).launcher.records.settled()
        record = await core(hub).launcher.records.get(launch_id)
        assert record is not None
        assert (record.job_id, record.mark, record.is_open) == ("42", job.mark, True)


@pytest.mark.usefixtures("patient", "unforeseen")
async def test_a_database_that_is_gone_for_a_while_loses_no_server(hub: RunningHub, local: LocalSite) -> None:
    async with _listening(_UP) as port:
        alice = await ran(hub, "alice", port)
        bob = await ran(hub, "bob", port, has_place=False)
        database = local.home / "launches.sqlite"
        database.rename(local.home / "away")
        local.tell("queue", alice.row() + bob.row())
        await restart(hub)
        (local.home / "away").rename(database)
        assert _is_kept(alice)
        assert _is_kept(bob)
        await core(hub).launcher.records.settled()
        assert await bob.spawner.poll() is None
        assert bob.spawner._place == Place("n1", port, bob.local_port)
    assert local.told("scancel.arguments") == ""


@pytest.mark.usefixtures("unforeseen")
async def test_whatever_goes_wrong_no_server_is_lost(
    hub: RunningHub, local: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> None:
        raise KeyError("unforeseen")

    alice = await ran(hub, "alice", 1)
    monkeypatch.setattr(restored, "find", fails)
    await restart(hub)
    assert _is_kept(alice)
    assert local.told("scancel.arguments") == ""


@pytest.mark.usefixtures("patient")
async def test_a_database_of_jupyterhub_that_cannot_be_written_loses_no_server(hub: RunningHub) -> None:
    async with _listening(_UP) as port:
        alice = await ran(hub, "alice", port)
        hub.app.db.connection().exec_driver_sql("PRAGMA query_only = ON")
        assert await alice.spawner.poll() is None
        hub.app.db.connection().exec_driver_sql("PRAGMA query_only = OFF")


async def test_each_look_has_all_its_time_however_many_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    # So many that answer need more of a machine that is busy.
    monkeypatch.setattr("slurm_ssh_spawner.hub.restored._ANSWER_SECONDS", 3)
    looker = restored.Looker()
    async with _listening(_UP) as up, _listening(b"") as dark:
        ports = [dark] * 30 + [up] * 30
        # A machine that stands still for so long makes one try fail, not each of them.
        for _ in range(3):
            seen = await asyncio.gather(*(looker.answers(f"http://127.0.0.1:{port}/") for port in ports))
            if seen == [False] * 30 + [True] * 30:
                break
        assert seen == [False] * 30 + [True] * 30
        assert not await looker.answers("http://127.0.0.1:1/")
    looker.close()
