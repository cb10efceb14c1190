"""Watches the event loop of a hub from within: a task that is to run every 20 ms notes how late it came.

Each line of the file is JSON, `{"at", "late", "computed"}`, for a turn that came late: wall clock time, by how
many seconds, and how many of them the loop computed itself.  The rest it waited for a core, or for a lock.
"""

import asyncio
import json
import time
from pathlib import Path

TICK_SECONDS = 0.02
LATE_SECONDS = 0.02
"""What is less late than this is not noted."""

_running: set[asyncio.Task[None]] = set()


def install(path: str) -> None:
    """Watch the loop that runs now for as long as it does."""
    _running.add(asyncio.get_running_loop().create_task(_watch(Path(path))))


async def _watch(path: Path) -> None:
    with path.open("a", buffering=1) as out:
        while True:
            before, computed = time.monotonic(), time.thread_time()
            await asyncio.sleep(TICK_SECONDS)
            late = time.monotonic() - before - TICK_SECONDS
            if late > LATE_SECONDS:
                turn = {"at": time.time(), "late": late, "computed": time.thread_time() - computed}
                out.write(json.dumps(turn) + "\n")
