"""One gateway, asked for all jobs there: what became of them, whether it has those in doubt, and what is owed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from job_service.errors import StoreAway
from job_service.gateways.backend import Backend, Seen
from job_service.gateways.opening import Backends
from job_service.record import JobRecord
from job_service.running import attempts, observing
from job_service.running.board import Board, Change
from job_service.running.clock import Clock
from job_service.running.gateways import seeing
from job_service.running.gateways.orders import Orders
from job_service.running.lanes import PAUSES_SECONDS
from job_service.running.observing import Keep
from job_service.running.stand import Stand
from job_service.sentences import gateways as say
from job_service.stages import Stage
from job_service.store.values import Changes
from languages import for_log
from slurm_ssh.errors import LaunchError, Refused

AGAIN = timedelta(seconds=30)
"""How long after a question that nothing came of, or a cancellation, it is put again."""

SLOWER = 6
"""How many times the gateway's least pause is waited while nothing changes."""

_NEWS_LASTS = timedelta(minutes=1)
_NOTHING_TO_DO_SECONDS = 3600.0

_log = logging.getLogger(__name__)


class Watch:
    """Owner of the task that asks one gateway; what is said of one job keeps no other as it was."""

    def __init__(
        self, system: str, board: Board, backends: Backends, orders: Orders, keep: Keep, clock: Clock
    ) -> None:
        self._system = system
        self._board = board
        self._backends = backends
        self._orders = orders
        self._keep = keep
        self._clock = clock
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told: dict[str, datetime] = {}
        self._doubts: dict[str, tuple[int, datetime]] = {}
        self._missed: dict[str, tuple[int, datetime]] = {}
        self._ran: dict[str, datetime] = {}
        self.removals: dict[str, JobRecord] = {}
        self._changed: datetime | None = None
        self._asked: datetime | None = None
        self._away_since: datetime | None = None
        self._reason = ""
        self._failures = 0
        self._answered = self._unanswered = 0
        self._asking_s = 0.0

    def wake(self) -> None:
        """See what is to be done, soon."""
        self._news.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"watches {self._system}")

    async def close(self) -> None:
        """End it; what is owed stays in the records."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def stand(self) -> Stand:
        """Return how its jobs are followed."""
        jobs = self._board.at(self._system).values()
        return Stand(
            self._system,
            self._system if self._asked else "",
            self._asked,
            self._away_since,
            self._reason,
            len(jobs),
            sum(1 for each in jobs if each.submission == "in_doubt"),
            sum(1 for each in jobs if each.cancel_wanted) + len(self.removals),
            self._answered,
            self._unanswered,
            self._asking_s,
        )

    async def _run(self) -> None:
        while True:
            self._news.clear()
            pause = await self._try()
            await self._clock.wait(pause, self._news if not self._failures else None)

    async def _try(self) -> float:
        """Do what is due; return after how many seconds to look again."""
        began = self._clock.now()
        try:
            backend = self._backends.of(self._system)
            await self._round(backend)
        except LaunchError as error:
            self._is_away(error)
        except StoreAway as error:
            _log.warning("%s: what it says cannot be kept: %s", self._system, error)
            self._failures += 1
        except Exception:  # noqa: BLE001 - a defect here must not end the following
            _log.exception("%s: what was to be done failed", self._system)
            self._failures += 1
        else:
            self._failures, self._away_since, self._reason = 0, None, ""
            self._backends.away.pop(self._system, None)
            return self._pause(backend)
        finally:
            self._asking_s += (self._clock.now() - began).total_seconds()
        return PAUSES_SECONDS[min(self._failures, len(PAUSES_SECONDS)) - 1]

    def _is_away(self, error: LaunchError) -> None:
        self._unanswered += 1
        self._failures += 1
        self._away_since = self._away_since or self._clock.now()
        self._backends.away[self._system] = self._away_since
        if self._reason != error.message:
            _log.warning("%s: %s", self._system, for_log(str(error)))
        self._reason = error.message

    def _pause(self, backend: Backend) -> float:
        if self.removals:
            return AGAIN.total_seconds()
        jobs = [each for each in self._jobs() if each.submission in {"in_doubt", "sent"}]
        if not jobs:
            return _NOTHING_TO_DO_SECONDS
        is_lively = self._changed and self._clock.now() - self._changed < _NEWS_LASTS
        is_urgent = any(each.submission == "in_doubt" or each.cancel_wanted for each in jobs)
        return backend.pause_s if is_lively or is_urgent else backend.pause_s * SLOWER

    def _jobs(self) -> list[JobRecord]:
        return list(self._board.at(self._system).values())

    async def _round(self, backend: Backend) -> None:
        self._forget()
        await self._each(self._due_cancels(), lambda record: self._cancel(backend, record))
        await self._settle(backend)
        await self._observe(backend)
        now = self._clock.now()
        gone = [each for each in self._jobs() if self._is_gone(each, now)]
        await self._each(gone, lambda record: self._conclude(backend, record))
        await self._each(list(self.removals.values()), lambda record: self._remove(backend, record))

    def _forget(self) -> None:
        live = self._board.at(self._system)
        for known in (self._told, self._doubts, self._missed, self._ran):
            for job_id in [each for each in known if each not in live]:
                del known[job_id]

    async def _each(self, records: Sequence[JobRecord], do: Callable[[JobRecord], Awaitable[None]]) -> None:
        """Do something for some jobs; what a gateway will not do for one is told, and keeps no other back."""
        for record in records:
            try:
                await do(record)
            except Refused as error:
                _log.warning("%s at %s: %s", record.job_id, self._system, for_log(str(error)))

    def _due_cancels(self) -> list[JobRecord]:
        now = self._clock.now()
        wanted = [each for each in self._jobs() if each.cancel_wanted and each.submission == "sent"]
        return [each for each in wanted if (told := self._told.get(each.job_id)) is None or now - told >= AGAIN]

    async def _cancel(self, backend: Backend, record: JobRecord) -> None:
        self._told[record.job_id] = self._clock.now()
        try:
            await backend.cancel(self._orders.handle(record))
        except Refused:
            raise
        except LaunchError:
            del self._told[record.job_id]
            raise

    async def _settle(self, backend: Backend) -> None:
        """Find out whether the gateway has jobs that are in doubt; one that it surely does not have goes again."""
        now = self._clock.now()
        due = [
            each
            for each in self._jobs()
            if each.submission == "in_doubt"
            and ((known := self._doubts.get(each.job_id)) is None or now - known[1] >= AGAIN)
        ]
        if not due:
            return
        title = self._backends.title(self._system)
        found = await backend.find([self._orders.handle(each) for each in due])
        for record in due:
            if native_id := found.get(record.job_id):
                change = observing.adopted(native_id, self._clock.now(), title)
                await self._board.change(record, partial(_if_doubted, change=change))
                self._changed = self._clock.now()
            else:
                await self._absent(record, now, title)

    async def _absent(self, record: JobRecord, asked: datetime, title: str) -> None:
        times = self._doubts.get(record.job_id, (0, asked))[0] + 1
        self._doubts[record.job_id] = (times, asked)
        is_sure = record.sent is None or asked - record.sent >= attempts.SETTLED_AFTER
        if times < attempts.ABSENCES or not is_sure:
            return
        now, keep = self._clock.now(), self._keep(record)
        _log.info("%s: %s does not have it", record.job_id, self._system)
        await self._board.change(record, lambda job: attempts.not_there(job, now, keep, title))
        self._doubts.pop(record.job_id, None)

    async def _observe(self, backend: Backend) -> None:
        asked = [each for each in self._jobs() if each.submission == "sent"]
        is_early = self._asked and self._clock.now() - self._asked < timedelta(seconds=backend.pause_s)
        if not asked or is_early:
            return
        said = await backend.observe([self._orders.handle(each) for each in asked])
        now, title = self._clock.now(), self._backends.title(self._system)
        self._asked, self._answered = now, self._answered + 1
        changes = []
        for record in asked:
            seen = said.get(record.job_id)
            if seen is None:
                self._miss(record, now)
                continue
            self._missed.pop(record.job_id, None)
            if seen.stage is not None and seen.stage.is_over:
                # How, is asked apart.
                self._missed[record.job_id] = (attempts.ABSENCES, now)
                continue
            if seen.stage is Stage.RUNNING:
                self._ran[record.job_id] = now
            if change := seeing.going_on(record, seen, self._system, now, title):
                changes.append((record, change))
        self._changed = now if changes else self._changed
        await self._board.change_all(changes)
        await self._board.keep_observed({each.job_id: now for each in asked if each.job_id in said})

    def _miss(self, record: JobRecord, now: datetime) -> None:
        times, last = self._missed.get(record.job_id, (0, now - AGAIN))
        if now - last >= AGAIN:
            self._missed[record.job_id] = (times + 1, now)

    def _is_gone(self, record: JobRecord, now: datetime) -> bool:
        return record.submission == "sent" and self._missed.get(record.job_id, (0, now))[0] >= attempts.ABSENCES

    async def _conclude(self, backend: Backend, record: JobRecord) -> None:
        seen = await backend.conclude(self._orders.handle(record))
        change = self._end(record, seen)
        if change is None:
            # It goes on after all.
            self._missed.pop(record.job_id, None)
            return
        await self._board.change(record, lambda job: _if_sent(job, change))
        self._changed = self._clock.now()

    def _end(self, record: JobRecord, seen: Seen | None) -> Change | None:
        now, keep, title = self._clock.now(), self._keep(record), self._backends.title(self._system)
        if seen is None:
            return seeing.gone(record, now, title, keep)
        if seen.stage is None or not seen.stage.is_over:
            return None
        ran = self._ran.get(record.job_id) or (record.observed if record.stage is Stage.RUNNING else None)
        return seeing.ended(record, seen, ran, self._system, now, title, keep)

    async def _remove(self, backend: Backend, record: JobRecord) -> None:
        await backend.remove(self._orders.handle(record))
        title = self._backends.title(self._system)
        done = Change(Changes(removed=self._clock.now()), say.FILES_REMOVED.format(site=title))
        await self._board.change(record, lambda job: None if job.removed else done)
        self.removals.pop(record.job_id, None)


def _if_doubted(record: JobRecord, change: Change) -> Change | None:
    return change if record.submission == "in_doubt" else None


def _if_sent(record: JobRecord, change: Change) -> Change | None:
    return change if record.submission == "sent" and not record.stage.is_over else None
