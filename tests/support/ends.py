"""The two ends of tunnels: a server on a node, and clients of this machine."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from lab.plain_http import NO_TLS
from slurm_ssh.deadline import Deadline
from slurm_ssh.job import LaunchId
from slurm_ssh.ssh.login import Login
from slurm_ssh.tunnels.answer import IN_PLACE
from slurm_ssh.tunnels.route import Route
from tests.support import builders

ALICE = Login("alice", "alice", "lugano")
MEGABYTE = os.urandom(1024 * 1024)


class Node:
    """A server on a node: gives back what it is sent, and ends when its client has ended."""

    def __init__(self) -> None:
        self.port = 0
        self.clients = 0

    async def echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients += 1
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self.clients -= 1
            writer.close()


def route_to(node: Node, launch_id: str = builders.LAUNCH_ID, local_port: int = 0) -> Route:
    return Route(LaunchId(launch_id), ALICE, "n1", node.port, local_port)


def soon() -> Deadline:
    return Deadline.after(60)


@asynccontextmanager
async def client(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def there_and_back(port: int, data: bytes = b"hello") -> bytes:
    """Send data through a tunnel, end, and return what comes back until the other side ends."""
    async with asyncio.timeout(60), client(port) as (reader, writer):
        answer = asyncio.create_task(reader.read(-1))
        writer.write(data)
        writer.write_eof()
        return await answer


async def answers(port: int) -> bool:
    try:
        return await there_and_back(port) == b"hello"
    except OSError:
        return False


async def asked(port: int, path: str = "/user/alice/api", **headers: str) -> httpx.Response:
    """Return what a tunnel answers in the server's place."""
    async with httpx.AsyncClient(verify=NO_TLS, base_url=f"http://127.0.0.1:{port}", timeout=60) as browser:
        answer = await browser.get(path, headers=headers)
    # JupyterHub takes a server for dead from 500 on, and JupyterLab a kernel at any other status.
    assert answer.status_code == 424
    assert IN_PLACE in answer.headers
    return answer


async def said(port: int) -> str:
    message: str = (await asked(port)).json()["message"]
    return message


async def until_it_answers(port: int) -> None:
    async with asyncio.timeout(60):
        while not await answers(port):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
