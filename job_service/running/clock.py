"""The time, and how it is waited for."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _wall() -> datetime:
    return datetime.now(UTC)


class Clock:
    """What is waited for is waited for here; a test gives another one.

    It never goes back: if the machine's is set back, it goes on at half its speed until both agree.  So nothing
    waits for as long as that was, and times are right again.
    """

    def __init__(self, wall: Callable[[], datetime] = _wall, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._read = wall(), steady()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        before, since = self._read
        wall, steady = self._wall(), self._steady()
        passed = timedelta(seconds=steady - since)
        now = wall if wall >= before + passed else max(wall, before + passed / 2)
        self._read = now, steady
        return now

    async def wait(self, seconds: float, news: asyncio.Event | None = None) -> bool:
        """Wait so long, or until there is news; return whether there is."""
        if news is None:
            await asyncio.sleep(seconds)
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await news.wait()
        return news.is_set()
