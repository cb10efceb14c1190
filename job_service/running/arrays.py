"""Arrays and their tasks, kept in step: what becomes of one changes the others."""

import asyncio
import logging
from datetime import datetime
from functools import partial

from job_service.errors import NotFound, StoreAway, WrongStage
from job_service.record import JobRecord
from job_service.running import tasks, wishes
from job_service.running.board import Board
from job_service.running.clock import Clock
from job_service.running.observing import Keep
from job_service.running.places import Places
from job_service.store.jobs import Jobs

PAUSE_SECONDS = 1.0
"""Between two looks at the tasks of arrays: many of one change together."""

AGAIN_SECONDS = 5.0
"""After a look that came to nothing because the database was away."""

_log = logging.getLogger(__name__)


class Arrays:
    """Owner of what is still to be brought in step."""

    def __init__(self, board: Board, jobs: Jobs, places: Places, keep: Keep, clock: Clock) -> None:
        self._board = board
        self._jobs = jobs
        self._places = places
        self._keep = keep
        self._clock = clock
        self._changed: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def changed(self, _before: JobRecord | None, record: JobRecord) -> None:
        """Look at an array, or at that of a task, which has changed."""
        if record.kind == "batch" or self._is_closed:
            return
        self._changed.add(record.sent_as)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="arrays")

    async def close(self) -> None:
        """End it; what is not in step is so after the next start."""
        self._is_closed = True
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._changed:
            job_id = self._changed.pop()
            try:
                await self.bring_in_step(job_id)
            except (NotFound, WrongStage):
                _log.info("%s: has changed meanwhile", job_id)
            except StoreAway:
                self._changed.add(job_id)
                await self._clock.wait(AGAIN_SECONDS)
            except Exception:  # noqa: BLE001 - a defect with one array must not keep the others as they were
                _log.exception("%s cannot be brought in step with its tasks", job_id)
            if not self._changed:
                await self._clock.wait(PAUSE_SECONDS)
        self._task = None

    async def cancel(self, array: JobRecord, now: datetime) -> JobRecord:
        """Want an array cancelled, and at once the tasks that Slurm has: none is to be seen to end before.

        Raises WrongStage, NotFound, StoreAway.
        """
        found, with_array = await self._jobs.tasks(array.job_id), partial(wishes.cancelled_with_array, now=now)
        itself = partial(wishes.cancelled, now=now, keep=self._keep(array))
        changed = await self._board.change_each([(array, itself), *((each, with_array) for each in found)])
        return changed[0] or await self._board.newest(array.job_id)

    async def bring_in_step(self, job_id: str) -> None:
        """Change what an array and its tasks mean for each other.  Raises NotFound, WrongStage, StoreAway."""
        array = await self._board.newest(job_id)
        now, title, keep = self._clock.now(), self._places.title(array.system), self._keep(array)
        found = await self._jobs.tasks(job_id)
        for each in found:
            self._board.put(each)
        wanted = [(each, change) for each in found if (change := tasks.of_task(array, each, now, title, keep))]
        await self._board.change_all(wanted)
        if not wanted:
            await self._board.change(array, lambda job: tasks.of_array(job, found, now, keep))
