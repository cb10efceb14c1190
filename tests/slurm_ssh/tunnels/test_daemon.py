"""Tunnels that a daemon carries while hubs come and go."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from profiles.catalogue.site import Site
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, Refused, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh.tunnels import daemon, messages
from slurm_ssh.tunnels.daemon import TunnelDaemon
from slurm_ssh.tunnels.daemon_session import connected
from slurm_ssh.tunnels.messages import Begin
from slurm_ssh.tunnels.remote_keeper import RemoteKeeper
from tests.support import builders, ends
from tests.support.ends import Node
from tests.support.sshd import Sshd
from tests.support.waiting import Clock, until
from tests.support.wallet import Wallet

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another account, so it needs root")

OTHER = "ffffffffffff"


@pytest.fixture
def path() -> Iterator[Path]:
    """Where the daemon listens: the address of a socket has room for 107 letters."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "tunnels" / "socket"


@pytest.fixture
def begin(wallet: Wallet, ports: list[int]) -> Begin:
    """What a hub says first."""
    return Begin(tickets=wallet.store.folder, realm="LAB.TEST", ports=(ports[0], ports[0] + 3), idle_seconds=60)


@pytest.fixture
async def tunnels(path: Path) -> AsyncIterator[TunnelDaemon]:
    """A daemon."""
    async with daemon.listening(path) as running:
        yield running


@asynccontextmanager
async def _hub(path: Path, begin: Begin) -> AsyncIterator[RemoteKeeper]:
    keeper = RemoteKeeper(path, begin)
    try:
        yield keeper
    finally:
        await keeper.leave()


def _launches(tunnels: TunnelDaemon) -> set[str]:
    return {route.launch_id for route in tunnels.tunnels()}


async def test_a_daemon_carries_what_its_hub_opens(
    tunnels: TunnelDaemon, path: Path, begin: Begin, site: Site, node: Node, login1: Sshd
) -> None:
    async with _hub(path, begin) as hub:
        port = await hub.open(ends.route_to(node), site, ends.soon())
        assert await ends.there_and_back(port, ends.MEGABYTE) == ends.MEGABYTE
        assert hub.list() == tunnels.tunnels() == (ends.route_to(node, local_port=port),)
        assert login1.asked[0] == ("n1-ib.lugano.test", node.port)
        hub.close(builders.LAUNCH_ID)
        await until(lambda: tunnels.tunnels() == ())
        assert hub.list() == ()


async def test_what_goes_through_is_not_interrupted_while_the_hub_is_started_again(
    tunnels: TunnelDaemon, path: Path, begin: Begin, site: Site, node: Node, login1: Sshd
) -> None:
    async with _hub(path, begin) as hub:
        port = await hub.open(ends.route_to(node), site, ends.soon())
    async with ends.client(port) as (reader, writer):
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        async with _hub(path, begin) as hub:
            assert await hub.open(ends.route_to(node, local_port=port), site, ends.soon()) == port
            writer.write(b"y")
            assert await reader.readexactly(1) == b"y"
    assert login1.logins == ["alice"]


async def test_what_a_hub_that_comes_again_does_not_open_is_closed(
    tunnels: TunnelDaemon, path: Path, begin: Begin, site: Site, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "UNCLAIMED_SECONDS", 0.2)
    async with _hub(path, begin) as hub:
        port = await hub.open(ends.route_to(node), site, ends.soon())
        await hub.open(ends.route_to(node, OTHER), site, ends.soon())
    await until(lambda: not tunnels._hubs)
    # Whoever only looks is no hub, and while none is there nothing is closed.
    async with connected(path, None) as looking:
        assert {route.launch_id for route in await looking.tunnels()} == {builders.LAUNCH_ID, OTHER}
        await asyncio.sleep(0.4)
    assert _launches(tunnels) == {builders.LAUNCH_ID, OTHER}
    async with _hub(path, begin) as hub:
        await hub.open(ends.route_to(node, local_port=port), site, ends.soon())
        await until(lambda: _launches(tunnels) == {builders.LAUNCH_ID})


async def test_a_tunnel_whose_site_the_hub_does_not_know_any_more_is_kept_on_demand(
    tunnels: TunnelDaemon, path: Path, begin: Begin, site: Site, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _hub(path, begin) as hub:
        port = await hub.open(ends.route_to(node), site, ends.soon())
        await hub.open(ends.route_to(node, OTHER), site, ends.soon())
    clock = Clock(monkeypatch)
    async with _hub(path, begin) as hub:
        assert await hub.kept(LaunchId(builders.LAUNCH_ID), ends.soon()) == port
        assert await hub.kept(LaunchId("0" * 12), ends.soon()) == 0
        clock.advance(daemon.UNCLAIMED_SECONDS)
        await until(lambda: _launches(tunnels) == {builders.LAUNCH_ID})
        # The daemon has hung up, and is told anew what it is to keep.
        before = list(tunnels._hubs)
        for task in before:
            task.cancel()
        await until(lambda: any(hub.claims for task, hub in tunnels._hubs.items() if task not in before))
        clock.advance(daemon.UNCLAIMED_SECONDS)
        assert await ends.there_and_back(port, b"x") == b"x"
        hub.close(LaunchId(builders.LAUNCH_ID))
        await until(lambda: tunnels.tunnels() == ())


async def test_nothing_is_kept_by_a_daemon_that_is_away(path: Path, begin: Begin) -> None:
    async with _hub(path, begin) as hub:
        assert await hub.kept(LaunchId(builders.LAUNCH_ID), Deadline.after(0.1)) == 0


async def test_what_a_hub_closes_before_it_has_reached_the_daemon_is_closed(
    tunnels: TunnelDaemon, path: Path, begin: Begin, site: Site, node: Node
) -> None:
    async with _hub(path, begin) as hub:
        await hub.open(ends.route_to(node), site, ends.soon())
    async with _hub(path, begin) as again:
        again.close(builders.LAUNCH_ID)
        await until(lambda: tunnels.tunnels() == ())


async def test_tunnels_come_back_with_their_ports_when_the_daemon_is_started_again(
    path: Path, begin: Begin, site: Site, node: Node
) -> None:
    async with _hub(path, begin) as hub:
        async with daemon.listening(path):
            first = await hub.open(ends.route_to(node), site, ends.soon())
            second = await hub.open(ends.route_to(node, OTHER), site, ends.soon())
            hub.close(LaunchId(builders.LAUNCH_ID))
        assert not await ends.answers(second)
        async with daemon.listening(path) as again:
            await ends.until_it_answers(second)
            assert _launches(again) == {OTHER}
            assert await hub.open(ends.route_to(node), site, ends.soon()) == first


async def test_a_hub_that_starts_does_not_wait_for_the_daemon(
    path: Path, begin: Begin, site: Site, node: Node, ports: list[int]
) -> None:
    async with _hub(path, begin) as hub:
        assert await hub.open(ends.route_to(node, local_port=ports[0]), site, ends.soon()) == ports[0]
        async with daemon.listening(path):
            await ends.until_it_answers(ports[0])


async def test_a_tunnel_that_comes_back_while_the_daemon_does_is_open(
    path: Path, begin: Begin, site: Site, node: Node, ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    comes_back, goes_on = asyncio.Event(), asyncio.Event()

    async def open_slowly(tunnels: TunnelDaemon, asked: messages.Open) -> int:
        comes_back.set()
        await goes_on.wait()
        return await opened(tunnels, asked)

    opened = TunnelDaemon.open
    monkeypatch.setattr(TunnelDaemon, "open", open_slowly)
    async with _hub(path, begin) as hub:
        await hub.open(ends.route_to(node, local_port=ports[0]), site, ends.soon())
        async with daemon.listening(path) as tunnels:
            await comes_back.wait()
            other = ends.route_to(node, OTHER, local_port=ports[0] + 1)
            assert await hub.open(other, site, ends.soon()) == other.local_port
            goes_on.set()
            await until(lambda: _launches(tunnels) == {builders.LAUNCH_ID, OTHER})


async def test_a_new_tunnel_waits_for_the_daemon_until_its_deadline(
    path: Path, begin: Begin, site: Site, node: Node
) -> None:
    async with _hub(path, begin) as hub:
        with pytest.raises(Unavailable, match="The program that carries connections to Lugano does not answer"):
            await hub.open(ends.route_to(node), site, Deadline.after(0.3))
        opening = asyncio.create_task(hub.open(ends.route_to(node), site, ends.soon()))
        async with daemon.listening(path):
            assert await ends.answers(await opening)


async def test_a_daemon_that_is_silent_is_told_like_one_that_is_away(
    path: Path, begin: Begin, site: Site, node: Node
) -> None:
    path.parent.mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        async with _hub(path, begin) as hub:
            with pytest.raises(Unavailable, match="does not answer"):
                await hub.open(ends.route_to(node), site, Deadline.after(0.3))


@pytest.mark.usefixtures("tunnels")
async def test_what_is_in_the_way_of_a_new_tunnel_is_told_as_in_the_hub_itself(
    path: Path, begin: Begin, site: Site, node: Node, login1: Sshd, wallet: Wallet
) -> None:
    async with _hub(path, begin) as hub:
        login1.forwards = False
        with pytest.raises(Broken, match="TCP forwarding is not allowed there"):
            await hub.open(ends.route_to(node), site, ends.soon())
        await login1.stop()
        with pytest.raises(Unavailable, match="Lugano cannot be reached"):
            await hub.open(ends.route_to(node), site, ends.soon())
        wallet.store.remove("alice")
        with pytest.raises(Refused, match="Log in again"):
            await hub.open(ends.route_to(node), site, ends.soon())
        assert hub.list() == ()


async def test_a_tunnel_that_is_closed_while_it_is_being_opened_is_never_open(
    tunnels: TunnelDaemon, path: Path, begin: Begin, site: Site, node: Node, login1: Sshd
) -> None:
    async with _hub(path, begin) as hub:
        login1.dark = True
        opening = asyncio.create_task(hub.open(ends.route_to(node), site, ends.soon()))
        await until(lambda: len(login1.asked) == 1)
        opening.cancel()
        await asyncio.wait((opening,))
        await until(lambda: not next(iter(tunnels._hubs.values()))._opening)
    assert tunnels.tunnels() == ()


@pytest.mark.usefixtures("tunnels")
async def test_a_new_ticket_is_used_for_what_comes_then(
    path: Path, begin: Begin, site: Site, node: Node, login1: Sshd
) -> None:
    async with _hub(path, begin) as hub:
        port = await hub.open(ends.route_to(node), site, ends.soon())
        hub.renew("alice")
        # What is asked after it is answered after it was done.
        await hub.open(ends.route_to(node, OTHER), site, ends.soon())
        assert await ends.answers(port)
    assert login1.logins == ["alice", "alice"]


@pytest.mark.usefixtures("tunnels")
async def test_tickets_that_cannot_be_read_are_told_at_once(
    path: Path, begin: Begin, site: Site, node: Node, tmp_path: Path
) -> None:
    async with _hub(path, begin.model_copy(update={"tickets": tmp_path / "nowhere"})) as hub:
        with pytest.raises(Broken, match="nowhere"):
            await hub.open(ends.route_to(node), site, ends.soon())


async def _say(path: Path, line: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        async with asyncio.timeout(60):
            writer.write(line)
            return await reader.readline()
    finally:
        writer.close()


@pytest.mark.usefixtures("tunnels")
async def test_another_version_is_told_to_start_again(path: Path) -> None:
    answer = json.loads(await _say(path, b'{"id": 1, "do": "version", "version": 7}\n'))
    assert answer["error"]["message"].startswith(
        "The tunnel daemon speaks version 1 of its messages, the hub version 7. Start the daemon again"
    )


@pytest.mark.usefixtures("tunnels")
@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n",
        b"[]\n",
        b"{}\n",
        b'{"id": 1}\n',
        b'{"id": 1, "do": "burn"}\n',
        b'{"id": "1", "do": "list"}\n',
        b'{"id": 1, "do": "close", "launch_id": 5}\n',
        b"[" * 60_000 + b"\n",
        b"x" * (2 * messages.LONGEST) + b"\n",
        b"\xff\xfe\n",
    ],
)
async def test_who_says_something_else_is_hung_up_on(path: Path, line: bytes) -> None:
    with suppress(ConnectionResetError):
        assert await _say(path, line) == b""
    async with connected(path, None) as session:
        assert await session.tunnels() == ()


@pytest.mark.usefixtures("tunnels")
async def test_the_socket_is_for_the_hubs_account_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@as_root
@pytest.mark.usefixtures("tunnels")
async def test_another_account_is_hung_up_on_whatever_the_modes_are(path: Path) -> None:
    for opened in (path, path.parent, path.parent.parent):
        opened.chmod(0o777)
    program = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        """s.sendall(b'{"id": 1, "do": "list"}\\n')\nsys.exit(len(s.recv(100)))"""
    )
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(path), stderr=subprocess.DEVNULL
    )
    # Nothing was said: the connection ended, or was reset while it was read from.
    assert await asking.wait() in {0, 1}


@pytest.mark.usefixtures("tunnels")
async def test_a_second_daemon_does_not_take_the_socket(path: Path) -> None:
    with pytest.raises(ValueError, match="A tunnel daemon runs already"):
        async with daemon.listening(path):
            pass
    async with connected(path, None) as session:
        assert await session.tunnels() == ()


async def test_a_folder_that_others_may_enter_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o755)
    with pytest.raises(ValueError, match="must belong to the account of the hub, with mode 0700"):
        async with daemon.listening(path):
            pass


def test_a_message_is_what_it_was_after_it_was_sent(site: Site, node: Node) -> None:
    sent = messages.Open.of(ends.route_to(node, local_port=20000), site, 5.0)
    number, received = messages.asked(messages.question(7, sent))
    assert (number, received) == (7, sent)
    assert isinstance(received, messages.Open)
    assert received.route == ends.route_to(node, local_port=20000)
    assert received.way.front_ends == site.front_ends


def test_what_a_later_hub_says_besides_is_passed_over() -> None:
    line = b'{"id": 1, "do": "renew", "user": "alice", "colour": "blue"}\n'
    assert messages.asked(line) == (1, messages.Renew(user="alice"))


def test_a_site_of_more_front_ends_than_a_message_can_hold_is_refused(site: Site, node: Node) -> None:
    many = site.model_copy(update={"front_ends": site.front_ends * 500})
    with pytest.raises(Broken, match="longer than a message to the tunnel daemon"):
        messages.question(1, messages.Open.of(ends.route_to(node), many, 5.0))
