import asyncio

import pytest

from slurm_ssh.errors import Broken
from slurm_ssh_spawner.launch import reachable
from tests.support import builders
from tests.support.ports import free_port


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachable, "_PAUSE_SECONDS", 0.01)


async def _hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def _listen(port: int) -> asyncio.Server:
    return await asyncio.start_server(_hang_up, "127.0.0.1", port)


async def test_a_server_that_listens_is_reached() -> None:
    port = free_port()
    server = await _listen(port)
    await reachable.check(builders.job(), "n1", f"http://127.0.0.1:{port}")
    server.close()
    await server.wait_closed()


async def test_a_server_that_listens_soon_is_waited_for() -> None:
    port = free_port()
    checking = asyncio.create_task(reachable.check(builders.job(), "n1", f"http://127.0.0.1:{port}"))
    await asyncio.sleep(0.05)
    assert not checking.done()
    server = await _listen(port)
    await checking
    server.close()
    await server.wait_closed()


async def test_a_server_that_is_not_reached_is_told_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reachable, "SECONDS", 0.1)
    port = free_port()
    with pytest.raises(Broken) as broken:
        await reachable.check(builders.job(), "n1", f"http://127.0.0.1:{port}")
    assert broken.value.message.startswith(f"The hub cannot reach the server on n1 at 127.0.0.1:{port}: ")
    assert "refused" in broken.value.message.lower()
    assert "See node_address of geneva in the catalogue" in caplog.text
    assert "tunnel: {kind: ssh}" in caplog.text
