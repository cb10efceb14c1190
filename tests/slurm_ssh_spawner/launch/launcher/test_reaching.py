"""The way to a server, made, let go and found again."""

import asyncio
from pathlib import Path

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken
from slurm_ssh.job import LaunchId
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.progress import Progress
from tests.slurm_ssh_spawner.launch.launcher.launches import (
    ID,
    Tickets,
    Told,
    a_catalogue,
    a_job,
    opened,
    queue,
    record_of,
    waited_for,
)
from tests.support.local import LocalSite
from tests.support.ports import free_port
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet


async def test_the_tunnel_of_a_site_that_left_the_catalogue_is_kept(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, place = a_job(site_key="bern"), Place("n1", 8888, local_port=20000)
    with pytest.raises(Broken, match="bern is no longer in the catalogue"):
        await launcher.reach(job, place, Deadline.after(60))

    async def kept(launch_id: LaunchId, _deadline: Deadline) -> int:
        return 20001 if launch_id == job.launch_id else 0

    monkeypatch.setattr(launcher._tunnels, "kept", kept)
    url, now = await launcher.reach(job, place, Deadline.after(60))
    assert (url, now.local_port) == ("http://127.0.0.1:20001", 20001)


async def test_a_server_that_was_up_is_found_again_by_its_record(
    launcher: Launcher, offer: Catalogue, local: LocalSite, tmp_path: Path
) -> None:
    told = Told()
    job = await told.submit(launcher, offer)
    queue(local, "RUNNING", "n1")
    port, ready = waited_for(launcher, Progress())
    port.report(8888)
    assert await ready == ("http://203.0.113.7:8888", Place("n1", 8888))
    place = Place.of(await record_of(launcher))
    assert place == Place("n1", 8888)
    later = opened(tmp_path, offer, Tickets(), local)
    assert await later.reach(job, place, Deadline.after(60)) == ("http://203.0.113.7:8888", place)
    await later.close()


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Stand for a notebook server: give the first line back."""
    writer.write(await reader.readline())
    writer.close()


async def _said_at(url: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(b"hello\n")
    answer = await reader.read()
    writer.close()
    return answer


@pytest.fixture
def lugano(login1: Sshd) -> LocalSite:
    """A site behind a front end, whose nodes the hub cannot reach."""
    lugano = LocalSite(login1.home)
    lugano.install_slurm()
    queue(lugano, "RUNNING", "n1")
    return lugano


async def test_a_server_behind_a_front_end_is_reached_let_go_and_found_again(
    lugano: LocalSite, login1: Sshd, wallet: Wallet, tmp_path: Path
) -> None:
    front_end = login1.front_end.model_dump(mode="json")
    offer = a_catalogue(lugano, front_ends=[front_end], tunnel={"kind": "ssh"})
    launcher = opened(tmp_path, offer, wallet.store, ConnectionPool(wallet.store.get, 60), free_port())
    told = Told()
    job = await told.submit(launcher, offer)
    server = await asyncio.start_server(_answers, "127.0.0.1", 0)
    port, ready = waited_for(launcher, Progress())
    port.report(server.sockets[0].getsockname()[1])
    url, place = await ready
    assert await _said_at(url) == b"hello\n"
    assert f"http://127.0.0.1:{(await record_of(launcher)).local_port}" == url
    launcher.detach(job)
    with pytest.raises(ConnectionRefusedError):
        await _said_at(url)
    await launcher.close()
    later = opened(tmp_path, offer, wallet.store, ConnectionPool(wallet.store.get, 60), free_port())
    assert await later.reach(job, place, Deadline.after(60)) == (url, place)
    assert await _said_at(url) == b"hello\n"
    ticket = lugano.home / "alice" / "tickets" / f"{ID}.ccache"
    assert ticket.exists()
    later.release(job)
    await until(lambda: not ticket.exists())
    with pytest.raises(ConnectionRefusedError):
        await _said_at(url)
    await later.close()
    await until(lambda: not login1.connections)
    server.close()
