"""What is opened for a caller who may wait no longer when it is."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

Opened = TypeVar("Opened")


async def opened(opening: Awaitable[Opened], leave: Callable[[Opened], None]) -> Opened:
    """Return what is opened; if the caller is cancelled meanwhile, `leave` is called with it once it is.

    Raises what opening does.
    """
    task = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(partial(_left, leave))
        raise


def _left(leave: Callable[[Opened], None], task: "asyncio.Future[Opened]") -> None:
    if not task.cancelled() and not task.exception():
        leave(task.result())
