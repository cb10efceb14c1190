"""What a real hub shows of what gets through to it, to whoever asks."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import pytest
from tornado.websocket import WebSocketClosedError, websocket_connect

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


@pytest.mark.parametrize("length", [5, 100_000])
async def test_a_websocket_ends_at_once_whatever_is_said(
    start: Callable[[type], Awaitable[RunningHub]], length: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = (await start(ComposedSpawner)).app.hub.url.replace("http:", "ws:", 1)
    opened = await websocket_connect(f"{url}api/passage")
    with contextlib.suppress(WebSocketClosedError):
        await opened.write_message("x" * length)
    assert await opened.read_message() is None
    opened.close()
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
