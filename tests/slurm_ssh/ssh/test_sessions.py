"""Programs whose session opens when nobody waits for it any more."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import psutil

from kernels.shell import Shell
from slurm_ssh.ssh.connection import Connection
from tests.support.local_ssh import LocalSsh
from tests.support.waiting import until


class _Late(LocalSsh):
    """Says that a program has begun only when it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__({"HOME": str(folder)})
        self.says = asyncio.Event()

    async def create_process(self, command: str, **more: Any) -> Any:
        program = await super().create_process(command, **more)
        await self.says.wait()
        return program


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
