"""What is closed when the hub ends."""

import asyncio
from collections.abc import Awaitable, Callable

_waiting: set["asyncio.Task[None]"] = set()


def at_the_end(close: Callable[[], Awaitable[None]]) -> None:
    """Call `close` when the hub ends; call this on its event loop.

    JupyterHub has no hook for that, but cancels all tasks of its loop at the end and waits for them.
    """
    task = asyncio.create_task(_until_cancelled(close))
    _waiting.add(task)
    task.add_done_callback(_waiting.discard)


async def _until_cancelled(close: Callable[[], Awaitable[None]]) -> None:
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await close()
