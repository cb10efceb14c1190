"""What a real hub shows of what gets through to it, to whoever asks."""

import asyncio
from collections.abc import Awaitable, Callable

from slurm_ssh_spawner.doctor import passage
from slurm_ssh_spawner.hub.passage import Passage
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support.hub import ComposedSpawner
from tests.support.waiting import until


async def test_it_tells_without_a_login_and_keeps_nothing_open(
    start: Callable[[type], Awaitable[RunningHub]],
) -> None:
    url = (await start(ComposedSpawner)).app.hub.url.removesuffix("hub/")
    assert await asyncio.to_thread(lambda: [*passage.looked_at(url)]) == []
    await until(lambda: Passage._streams == 0)
