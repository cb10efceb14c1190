"""Wait for what nobody tells."""

import asyncio
from collections.abc import Callable

PATIENCE_SECONDS = 20


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - that is what this is for
            await asyncio.sleep(0.005)
