"""Changes of jobs for those who wait for one: requests with `wait`, streams of events, logs that are followed."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from job_service.errors import JobError
from job_service.record import JobRecord

_LOOK_SECONDS = 15.0
"""How often those who wait look again: what was changed by somebody else, nobody is told of."""


class News:
    """Wakes who waits, whenever a job changes; `closing` is set when nobody may wait any longer."""

    def __init__(self, closing: asyncio.Event) -> None:
        self.closing = closing
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._newest, self._looked = 0, -_LOOK_SECONDS
        self._looking = asyncio.Lock()

    def tell(self, record: JobRecord) -> None:
        """Wake those who wait for this job, or for any of its owner's."""
        for name in (record.job_id, _of_owner(record.owner)):
            for event in self._waiting.get(name, ()):
                event.set()

    async def until(
        self,
        job_id: str,
        seconds: float,
        look: Callable[[], Awaitable[JobRecord]],
        done: Callable[[JobRecord], bool],
    ) -> JobRecord:
        """Return a job, which `look` finds, as soon as it is `done`, or as it is after some seconds."""
        ends = time.monotonic() + seconds
        with self._listening(job_id) as event:
            while True:
                record = await look()
                left = ends - time.monotonic()
                if done(record) or left <= 0 or self.closing.is_set():
                    return record
                await self._woken(event, min(left, _LOOK_SECONDS))

    async def newest(self, look: Callable[[], Awaitable[int]]) -> int:
        """Return the id of the newest event, which `look` finds: for all who ask within a while it looks once.

        Of what came since then whoever waits is told.
        """
        async with self._looking:
            if time.monotonic() - self._looked >= _LOOK_SECONDS / 2:
                self._newest, self._looked = await look(), time.monotonic()
            return self._newest

    @contextmanager
    def of_owner(self, owner: str) -> Iterator[Callable[[], Awaitable[bool]]]:
        """Give what waits for the next change of anything of somebody's, or for a while: whether one was told."""
        with self._listening(_of_owner(owner)) as event:
            yield lambda: self._woken(event, _LOOK_SECONDS)

    @asynccontextmanager
    async def over(
        self, job_id: str, look: Callable[[], Awaitable[JobRecord]], seconds: float | None = None
    ) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set when a job is over, after some seconds, or when nobody may wait any longer."""
        event = asyncio.Event()
        watch = asyncio.create_task(self._watch(job_id, look, event, seconds))
        try:
            yield event
        finally:
            watch.cancel()
            await asyncio.wait((watch,))

    async def _watch(
        self,
        job_id: str,
        look: Callable[[], Awaitable[JobRecord]],
        over: asyncio.Event,
        seconds: float | None,
    ) -> None:
        try:
            # Whoever follows what cannot be looked at comes again.
            with suppress(JobError, TimeoutError):
                async with asyncio.timeout(seconds):
                    while not self.closing.is_set():
                        record = await self.until(job_id, _LOOK_SECONDS, look, lambda each: each.stage.is_over)
                        if record.stage.is_over:
                            break
        finally:
            over.set()

    @contextmanager
    def _listening(self, name: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._waiting[name].add(event)
        try:
            yield event
        finally:
            self._waiting[name].discard(event)
            if not self._waiting[name]:
                del self._waiting[name]

    async def _woken(self, event: asyncio.Event, seconds: float) -> bool:
        tasks = [asyncio.ensure_future(each.wait()) for each in (event, self.closing)]
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        is_told = event.is_set()
        event.clear()
        return is_told


def _of_owner(name: str) -> str:
    return f"owner {name}"
