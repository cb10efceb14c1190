"""`jupyterhub-sites tunnels` as a process, while hubs come to it."""

import asyncio
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slurm_ssh.tunnels.messages import Begin
from slurm_ssh.tunnels.remote_keeper import RemoteKeeper
from slurm_ssh_spawner.cli import main
from tests.support import builders, ends
from tests.support.ends import Node
from tests.support.ports import free_port
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet

_COMMAND = Path(sys.executable).with_name("jupyterhub-sites")


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "tunnels" / "socket"


@contextmanager
def _daemon(path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Give the daemon as a process, ended at the end of the block."""
    with subprocess.Popen([_COMMAND, "tunnels", "--socket", path], stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.kill()


def _listed(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main.main(["tunnels", "--socket", str(path), "--list"]) == 0
    return capsys.readouterr().out


async def test_it_carries_tunnels_until_it_is_told_to_end_and_again_after_it_was_killed(
    path: Path, wallet: Wallet, login1: Sshd, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = (port := free_port(), port)
    begin = Begin(tickets=wallet.store.folder, realm="LAB.TEST", ports=ports, idle_seconds=60)
    front_end = login1.front_end.model_dump(mode="json")
    lugano = builders.site(title="Lugano", front_ends=[front_end], tunnel={"kind": "ssh"})
    site = builders.catalogue(sites={"lugano": lugano}).sites["lugano"]
    node = Node()
    server = await asyncio.start_server(node.echo, "127.0.0.1", 0)
    node.port = server.sockets[0].getsockname()[1]
    hub = RemoteKeeper(path, begin)
    with _daemon(path) as first:
        assert await hub.open(ends.route_to(node), site, ends.soon()) == port
        assert await ends.answers(port)
        line = f"127.0.0.1:{port} alice lugano n1:{node.port} {builders.LAUNCH_ID}\n"
        assert await asyncio.to_thread(_listed, path, capsys) == line
        first.kill()
        first.wait()
    with _daemon(path) as second:
        await ends.until_it_answers(port)
        assert await asyncio.to_thread(_listed, path, capsys) == line
        second.send_signal(signal.SIGTERM)
        assert second.wait() == 0
    await until(lambda: not path.exists())
    await hub.leave()
    server.close()


def test_nobody_at_the_socket_is_a_sentence(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["tunnels", "--socket", str(path), "--list"]) == 1
    assert capsys.readouterr().err == f"No tunnel daemon answers at {path} (No such file or directory).\n"


def test_a_folder_that_others_may_enter_is_a_sentence(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o755)
    assert main.main(["tunnels", "--socket", str(path)]) == 1
    assert "must belong to the account of the hub, with mode 0700" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_a_sentence(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["tunnels", "--socket", str(path.parent / "deeper" / "socket")]) == 1
    assert "cannot be made (No such file or directory)" in capsys.readouterr().err
