"""Programs, and ways to ports, that are open when nobody waits for them any more."""

import asyncio
import contextlib
import gc
from pathlib import Path
from typing import Any

import asyncssh
import psutil

from kernels.shell import Shell
from slurm_ssh.ssh.connection import Connection
from tests.support import sshd
from tests.support.local_ssh import LocalSsh
from tests.support.waiting import until


class _Late(LocalSsh):
    """Says that something is open only when it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__({"HOME": str(folder)})
        self.says = asyncio.Event()

    async def create_process(self, command: str, **more: Any) -> Any:
        program = await super().create_process(command, **more)
        await self.says.wait()
        return program

    async def open_connection(
        self, host: str, port: int, **more: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        both = await super().open_connection(host, port, **more)
        await self.says.wait()
        return both


async def test_a_program_that_has_begun_for_nobody_is_ended(tmp_path: Path) -> None:
    ssh: Any = _Late(tmp_path)
    connection = Connection("front-end", ssh)

    async def receive() -> None:
        program = Shell(f"echo $$ >{tmp_path}/pid; exec sleep 600")
        async with connection.receive(program, environ={}, timeout_seconds=60):
            raise AssertionError

    receiving = asyncio.create_task(receive())
    pid = tmp_path / "pid"
    await until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    process = psutil.Process(int(pid.read_text()))
    receiving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await receiving
    assert not connection.is_fresh
    ssh.says.set()
    await until(lambda: not process.is_running())
    await ssh.stop()


async def test_a_way_that_is_open_for_nobody_is_closed(tmp_path: Path) -> None:
    ssh: Any = _Late(tmp_path)
    connection = Connection("front-end", ssh)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hears(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await reader.read()
        ended.set()
        writer.close()

    async with await asyncio.start_server(hears, "127.0.0.1", 0) as server:

        async def stream() -> None:
            async with connection.stream("127.0.0.1", server.sockets[0].getsockname()[1]):
                raise AssertionError

        streaming = asyncio.create_task(stream())
        await until(begun.is_set)
        streaming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await streaming
        ssh.says.set()
        await until(ended.is_set)


async def test_nothing_is_kept_of_a_program_that_has_ended_whenever_python_looks_for_garbage(
    tmp_path: Path,
) -> None:
    async with sshd.running_for_key(tmp_path) as front_end:
        connection = Connection("front-end", await front_end.connect())
        gc.collect()
        gc.disable()
        try:
            await connection.run(Shell("cat"), b"data", environ={}, timeout_seconds=20)
            async with connection.receive(Shell("echo read"), environ={}, timeout_seconds=20) as transfer:
                assert b"".join([piece async for piece in transfer]) == b"read\n"
            kept = [each for each in gc.get_objects() if isinstance(each, asyncssh.SSHReader)]
            assert [each for each in kept if isinstance(each.channel, asyncssh.SSHClientChannel)] == []
        finally:
            gc.enable()
            await connection.close()
