import asyncio
from collections.abc import AsyncIterator

import pytest

from profiles.catalogue.site import Site
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.tunnels.keeper import TunnelKeeper
from tests.support import builders
from tests.support.ends import Node
from tests.support.ports import free_port
from tests.support.sshd import Sshd
from tests.support.wallet import Wallet


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node()
    server = await asyncio.start_server(node.echo, "127.0.0.1", 0)
    node.port = server.sockets[0].getsockname()[1]
    yield node
    server.close()


@pytest.fixture
def ports() -> list[int]:
    """Local ports of tunnels."""
    return sorted(free_port() for _ in range(4))


@pytest.fixture
async def keeper(wallet: Wallet, ports: list[int]) -> AsyncIterator[TunnelKeeper]:
    pool = ConnectionPool(wallet.store.get, 60)
    keeper = TunnelKeeper(pool, ports)
    yield keeper
    for route in keeper.list():
        keeper.close(route.launch_id)
    await pool.close()


@pytest.fixture
def site(login1: Sshd) -> Site:
    front_end = login1.front_end.model_dump(mode="json")
    lugano = builders.site(
        title="Lugano", front_ends=[front_end], tunnel={"kind": "ssh"}, node_address="{node}-ib.lugano.test"
    )
    return builders.catalogue(sites={"lugano": lugano}).sites["lugano"]
