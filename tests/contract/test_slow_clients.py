"""A client of a tunnel that takes less than its server gives: what waits for it is not kept in memory."""

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from slurm_ssh.ssh.connection import Connection
from slurm_ssh.tunnels.keeper import TunnelKeeper
from tests.support import builders, ends
from tests.support.ends import Node
from tests.support.front_ends import Connect
from tests.support.ports import free_port

# Far more than all buffers on the way have room for.
_MUCH = 32 * 1024 * 1024
_BUFFERS = 6 * 1024 * 1024
_PIECE = bytes(64 * 1024)


@pytest.fixture
async def generous() -> AsyncIterator[Node]:
    """Gives everybody much, as fast as it is taken."""

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The keeper only looks whether somebody is there, before its clients come.
        with contextlib.suppress(OSError):
            for _piece in range(_MUCH // len(_PIECE)):
                writer.write(_PIECE)
                await writer.drain()
        writer.close()

    node = Node()
    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    node.port = server.sockets[0].getsockname()[1]
    yield node
    server.close()


class _Pool:
    """Gives everybody the same connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def connection(self, *_: Any) -> AsyncIterator[Connection]:
        yield self._connection


@pytest.fixture
async def keeper(connect: Connect) -> AsyncIterator[TunnelKeeper]:
    pool: Any = _Pool(await connect())
    keeper = TunnelKeeper(pool, [free_port()])
    yield keeper
    await keeper.leave()


async def test_what_a_slow_client_has_not_taken_is_not_kept(keeper: TunnelKeeper, generous: Node) -> None:
    site = builders.catalogue(sites={"geneva": builders.site(node_address="{node}")}).sites["geneva"]
    route = replace(ends.route_to(generous), node="127.0.0.1")
    port = await keeper.open(route, site, ends.soon())
    tracemalloc.start()
    try:
        async with ends.client(port) as (reader, _):
            size = 0
            while piece := await reader.read(len(_PIECE)):
                size += len(piece)
                await asyncio.sleep(0.005)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == _MUCH
    assert most < _BUFFERS
