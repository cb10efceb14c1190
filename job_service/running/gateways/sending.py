"""Jobs on their way to gateways: prepared any number of times, each attempt written down before it is made."""

import asyncio
import logging
from contextlib import aclosing

from job_service import errors as job_errors
from job_service.gateways.backend import Backend, Order
from job_service.gateways.opening import Backends
from job_service.record import JobRecord
from job_service.running import attempts, observing
from job_service.running.board import Board, Change
from job_service.running.clock import Clock
from job_service.running.gateways.orders import Orders
from job_service.running.lanes import PAUSES_SECONDS
from job_service.running.observing import Keep
from job_service.sentences import running as say
from job_service.stages import Stage
from languages import for_keeping, for_log
from slurm_ssh.errors import InDoubt, LaunchError, Refused, Unavailable

AT_ONCE = 4
"""How many jobs are sent to one gateway at the same time."""

_log = logging.getLogger(__name__)


class Sending:
    """Owner of the submissions under way, a task for each job; what comes of a doubt is found out elsewhere."""

    def __init__(self, board: Board, backends: Backends, orders: Orders, keep: Keep, clock: Clock) -> None:
        self._board = board
        self._backends = backends
        self._orders = orders
        self._keep = keep
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._is_closed = False

    def wake(self, record: JobRecord) -> None:
        """Send a job that can be sent, or look for the inputs it waits for; any other is left alone."""
        is_ready = record.stage is Stage.READY and record.submission == "none"
        if self._is_closed or not (is_ready or record.stage is Stage.STAGINGIN):
            return
        self._news.setdefault(record.job_id, asyncio.Event()).set()
        if record.job_id not in self._tasks:
            task = asyncio.create_task(self._run(record.system, record.job_id), name=f"sends {record.job_id}")
            self._tasks[record.job_id] = task

    async def close(self) -> None:
        """End what is under way; an attempt that was written down is in doubt then."""
        self._is_closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, system: str, job_id: str) -> None:
        news, failures = self._news[job_id], 0
        slots = self._slots.setdefault(system, asyncio.Semaphore(AT_ONCE))
        while True:
            news.clear()
            async with slots:
                is_settled = await self._try(job_id)
            if not is_settled:
                await self._clock.wait(PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)], news)
                failures += 1
            elif not news.is_set():
                break
        # Nothing is awaited since it was seen that nobody wants more.
        del self._tasks[job_id], self._news[job_id]

    async def _try(self, job_id: str) -> bool:
        """Send a job if it is to be sent; return False if that is to be tried again."""
        try:
            record = await self._board.newest(job_id)
            if problem := await self._problem(record):
                return await self._is_over(record, problem)
        except (job_errors.NotFound, job_errors.WrongStage):
            return True
        except job_errors.StoreAway as error:
            _log.warning("%s: is not sent while the database is away: %s", job_id, error)
            return False
        except Exception:  # noqa: BLE001 - what is wrong with one job must not end the sending
            _log.exception("%s: could not be sent", job_id)
            return False
        return True

    async def _problem(self, record: JobRecord) -> LaunchError | None:
        """Send a job if it is to be sent; return why it surely was not sent, None if nothing is wrong."""
        try:
            await self._send(record)
        except LaunchError as error:
            return error
        except (job_errors.NoSpace, job_errors.TooLarge) as error:
            return Refused(error.message)
        except job_errors.NotFound as error:
            # What was made there is gone: it is made again.
            return Unavailable(error.message)
        return None

    async def _send(self, record: JobRecord) -> None:
        """Send a job if all it needs is there.  Raises LaunchError: then it was surely not sent."""
        if record.submission == "sending":
            # What came of an attempt could not be written down.
            await self._board.change(record, lambda job: attempts.doubted(job, self._clock))
            return
        if record.stage is not Stage.STAGINGIN and (record.stage, record.submission) != (Stage.READY, "none"):
            return
        backend = self._backends.of(record.system)
        order = await self._orders.of(record)
        await backend.prepare(order)
        if record.stage is Stage.STAGINGIN:
            if lacking := await self._lacking(backend, record, order):
                now, keep, names = self._clock.now(), self._keep(record), attempts.named(lacking)
                await self._board.change(record, lambda job: attempts.lacks(job, names, now, keep))
                return
            record = await self._board.change(record, attempts.complete)
            if record.stage is not Stage.READY:
                return
        await self._attempt(backend, record, order)

    async def _lacking(self, backend: Backend, record: JobRecord, order: Order) -> tuple[str, ...]:
        """Return which inputs are not there, once those of an earlier job are copied."""
        there = {each.path for each in (await backend.files(order.handle)).items}
        missing = tuple(path for path in order.inputs if path not in there)
        if not missing or not record.spec.inputs_of:
            return missing
        try:
            before = self._orders.handle(await self._board.newest(record.spec.inputs_of))
        except job_errors.NotFound:
            return missing
        lacking = []
        for path in missing:
            try:
                async with backend.read(before, path) as (found, chunks), aclosing(chunks):  # type: ignore[type-var]
                    await backend.put(order.handle, path, chunks, found.size)
            except (job_errors.NotFound, job_errors.NotAFile):
                lacking.append(path)
        return tuple(lacking)

    async def _attempt(self, backend: Backend, record: JobRecord, order: Order) -> None:
        """Write down that the job is sent, send it, and write down what came of it."""
        title = self._backends.title(record.system)
        record = await self._board.change(record, lambda job: attempts.sending(job, self._clock, title))
        if record.submission != "sending":
            return
        try:
            accepted = await backend.submit(order)
        except InDoubt as error:
            _log.warning("%s: whether %s has it is in doubt: %s", order.handle.mark, record.system, error)
            await self._board.change(record, lambda job: attempts.doubted(job, self._clock))
        except LaunchError:
            now, keep = self._clock.now(), self._keep(record)
            await self._board.change(record, lambda job: attempts.not_sent(job, now, keep))
            raise
        except Exception:
            # Whatever went wrong, it may have been sent.
            await self._board.change(record, lambda job: attempts.doubted(job, self._clock))
            raise
        else:
            change = observing.adopted(accepted.native_id, self._clock.now(), title)
            await self._board.change(record, lambda job: change if job.submission == "sending" else None)

    async def _is_over(self, record: JobRecord, error: LaunchError) -> bool:
        """Tell why a job was not sent; return False if that may be otherwise later."""
        if isinstance(error, Refused):
            _log.info("%s: will not be sent: %s", record.job_id, error)
            now, keep = self._clock.now(), self._keep(record)
            await self._board.change(
                record, lambda job: _refused(job, observing.over(Stage.FAILED, error.in_one_line, now, keep))
            )
            return True
        reason = say.NOT_SENT_YET.format(problem=error.in_one_line)
        waits = (Stage.READY, Stage.STAGINGIN)
        record = await self._board.newest(record.job_id)
        if record.reason != for_keeping(reason):
            _log.warning("%s: could not be sent yet: %s", record.job_id, for_log(str(error)))
        changed = await self._board.change(record, lambda job: attempts.noted(job, reason, *waits))
        return changed.stage not in waits


def _refused(record: JobRecord, change: Change) -> Change | None:
    return None if record.stage.is_over or record.submission != "none" else change
