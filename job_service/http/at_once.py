"""How many requests of a kind one person may have under way at once, and what computes one after the other."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from job_service.errors import TooMany
from job_service.sentences import http as sentences


class AtOnce:
    """Counts what each person has under way, `most` at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def one(self, person: str) -> Iterator[None]:
        """Have one more of a person's under way for the length of a block.  Raises TooMany."""
        if self._under_way[person] >= self._most:
            raise TooMany(sentences.TOO_MANY_AT_ONCE.format(most=self._most), sentences.WAIT_FOR_THEM)
        self._under_way[person] += 1
        try:
            yield
        finally:
            self._under_way[person] -= 1
            if not self._under_way[person]:
                del self._under_way[person]


class InTurn:
    """Lets one after the other compute, whosever it is, with a turn of the event loop before each.

    A list of jobs takes ten milliseconds.  When something changes, each page that is open asks for one.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Have it for the length of a block, which waits for nothing."""
        async with self._lock:
            await asyncio.sleep(0)
            yield
