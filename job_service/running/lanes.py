"""Work for one person at one site, a few pieces at once, and not again too soon after one that came to nothing."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from job_service.running.clock import Clock

Work = Callable[[tuple[str, ...]], Awaitable[Collection[str]]]
"""Does what is to be done for some jobs; returns for which that is settled: for others it is done again later."""

Key = tuple[str, str]
"""A system, and somebody on the hub."""

PAUSES_SECONDS = (5.0, 15.0, 60.0, 300.0)
"""After work that came to nothing, after that of the next time, and so on; the last for good."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Lane:
    waiting: deque[str] = field(default_factory=deque)
    known: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    not_before: datetime | None = None


class Lanes:
    """Owner of the work under way: for each person and site a lane with at most so many pieces at once.

    A piece is work for one job, or for as many as wait, at most `together`.
    """

    def __init__(self, work: Work, at_once: int, together: int, clock: Clock) -> None:
        self._work = work
        self._at_once = at_once
        self._together = together
        self._clock = clock
        self._lanes: dict[Key, _Lane] = {}
        self._is_closed = False

    def add(self, key: Key, job_id: str) -> None:
        """Have a job worked on; one that is worked on now is worked on once more."""
        lane = self._lanes.setdefault(key, _Lane())
        if self._is_closed:
            return
        if job_id in lane.known:
            lane.again.add(job_id)
            return
        lane.known.add(job_id)
        lane.waiting.append(job_id)
        if len(lane.workers) < self._at_once:
            lane.workers.add(asyncio.create_task(self._run(lane), name=f"{key[1]} at {key[0]}"))

    def hurry(self, user: str) -> None:
        """Wait no longer with what came to nothing for somebody: they have a new ticket."""
        for (_, whose), lane in self._lanes.items():
            if whose == user:
                lane.not_before, lane.failures = None, 0
                lane.news.set()

    async def close(self) -> None:
        """End what is under way, and begin nothing more."""
        self._is_closed = True
        tasks = [task for lane in self._lanes.values() for task in lane.workers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, lane: _Lane) -> None:
        try:
            while lane.waiting:
                await self._rest(lane)
                if lane.waiting:
                    await self._next(lane)
        finally:
            # At once: whoever adds something must know that nobody is left who would take it.
            if task := asyncio.current_task():
                lane.workers.discard(task)

    async def _next(self, lane: _Lane) -> None:
        jobs = self._taken(lane)
        lane.again.difference_update(jobs)
        try:
            settled = await self._work(jobs)
        except Exception:  # noqa: BLE001 - a defect with one job must not end what is done for the others
            _log.exception("%s: what was to be done failed, and is done again", ", ".join(jobs))
            lane.waiting.extend(jobs)
            # Whichever it is of them, it is to hold up no other one.
            lane.alone.update(jobs)
            self._slow_down(lane)
            return
        lane.alone.difference_update(jobs)
        for job_id in settled:
            self._settled(lane, job_id)
        if left := [job_id for job_id in jobs if job_id not in settled]:
            lane.waiting.extendleft(reversed(left))
            self._slow_down(lane)
        else:
            lane.failures = 0

    def _taken(self, lane: _Lane) -> tuple[str, ...]:
        """Take those that wait longest, as many as may be worked on together."""
        jobs = [lane.waiting.popleft()]
        while len(jobs) < self._together and lane.waiting and lane.alone.isdisjoint({*jobs, lane.waiting[0]}):
            jobs.append(lane.waiting.popleft())
        return tuple(jobs)

    @staticmethod
    def _settled(lane: _Lane, job_id: str) -> None:
        if job_id in lane.again:
            lane.waiting.append(job_id)
        else:
            lane.known.discard(job_id)

    def _slow_down(self, lane: _Lane) -> None:
        now = self._clock.now()
        if lane.not_before is None or lane.not_before <= now:
            pause = PAUSES_SECONDS[min(lane.failures, len(PAUSES_SECONDS) - 1)]
            lane.failures += 1
            lane.not_before = now + timedelta(seconds=pause)

    async def _rest(self, lane: _Lane) -> None:
        while lane.not_before and (left := (lane.not_before - self._clock.now()).total_seconds()) > 0:
            lane.news.clear()
            await self._clock.wait(left, lane.news)
