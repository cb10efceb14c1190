"""Wait for what nobody tells."""

import asyncio
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 20


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - that is what this is for
            await asyncio.sleep(0.005)


def is_over(pid: int) -> bool:
    """Return whether a process has ended; the one that began it need not have asked for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
