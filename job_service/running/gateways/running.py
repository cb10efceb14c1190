"""All jobs at gateways: sent, followed, and what is owed to them; beside what is done for those at sites."""

import asyncio
import logging

from job_service.errors import StoreAway
from job_service.gateways.opening import Backends
from job_service.record import JobRecord
from job_service.running import wishes
from job_service.running.board import Board
from job_service.running.clock import Clock
from job_service.running.gateways.orders import Orders
from job_service.running.gateways.sending import Sending
from job_service.running.gateways.watch import Watch
from job_service.running.observing import Keep
from job_service.running.scripts import Launches
from job_service.running.stand import Stand
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.jobs import Jobs

SWEEP_SECONDS = 600.0
"""How often it is looked which jobs' files are to be removed."""

_log = logging.getLogger(__name__)


class AtGateways:
    """Owner of what is done at gateways; it changes jobs through the same board as what is done at sites."""

    def __init__(
        self,
        board: Board,
        jobs: Jobs,
        backends: Backends,
        launches: Launches,
        service: str,
        keep: Keep,
        clock: Clock,
    ) -> None:
        self._board = board
        self._jobs = jobs
        self.backends = backends
        self._keep = keep
        self._clock = clock
        self._orders = Orders(jobs, launches, service)
        self._sending = Sending(board, backends, self._orders, keep, clock)
        self._watches: dict[str, Watch] = {}
        self._sweeping: asyncio.Task[None] | None = None

    def __contains__(self, record: JobRecord) -> bool:
        """Whether a job is at a gateway, also at one that is not in the catalogue now."""
        return record.is_at_gateway

    def begin(self) -> None:
        """Begin with what is done every so often."""
        self._sweeping = asyncio.create_task(self._sweep(), name="sweeps gateways")

    async def close(self) -> None:
        """End what is under way."""
        if self._sweeping:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await self._sending.close()
        for watch in self._watches.values():
            await watch.close()

    def changed(self, before: JobRecord | None, record: JobRecord) -> None:
        """See to what a change, or a job that was not known, asks for."""
        if record.stage.is_over:
            if record.stage is Stage.DELETED and not record.removed:
                self._watch(record.system).removals[record.job_id] = record
                self._watch(record.system).wake()
            return
        is_new = before is None or (before.stage, before.submission) != (record.stage, record.submission)
        if is_new:
            self._sending.wake(record)
        is_wanted = record.cancel_wanted and (before is None or not before.cancel_wanted)
        if record.submission in {"in_doubt", "sent"} and (is_new or is_wanted):
            self._watch(record.system).wake()

    def wake(self, record: JobRecord) -> None:
        """Send a job if it can be sent now."""
        self._sending.wake(record)

    async def prepare(self, record: JobRecord) -> None:
        """Make the place where a job's files go, before it is sent.  Raises LaunchError, StoreAway."""
        wishes.refuse_task(record)
        if record.submission == "none" and not record.stage.is_over:
            await self.backends.of(record.system).prepare(await self._orders.of(record))

    async def script(self, record: JobRecord) -> str:
        """Return what was, or would be, sent for a job.  Raises Refused if that cannot be told any more."""
        return await self._orders.script(record)

    def stand(self, system: str) -> Stand:
        """Return how the jobs at a gateway are followed; asks nobody."""
        return self._watch(system).stand()

    def is_stale(self, record: JobRecord) -> bool:
        """Return whether a job may be in another stage than is known."""
        is_there = not record.stage.is_over and record.submission != "none"
        return is_there and self._watch(record.system).stand().is_stale

    def owes(self, record: JobRecord) -> str:
        """Return, in a sentence, what is wanted of a job and could not be done yet; "" if nothing is."""
        watch, title = self._watch(record.system), self.backends.title(record.system)
        if not watch.stand().is_stale:
            return ""
        if record.job_id in watch.removals:
            return say.REMOVAL_OWED.format(site=title)
        return say.CANCEL_OWED.format(site=title) if record.cancel_wanted and not record.stage.is_over else ""

    def _watch(self, system: str) -> Watch:
        if system not in self._watches:
            self._watches[system] = Watch(
                system, self._board, self.backends, self._orders, self._keep, self._clock
            )
        return self._watches[system]

    async def _sweep(self) -> None:
        while True:
            for system in tuple(self.backends.gateways):
                try:
                    await self._look_for_removals(system)
                except StoreAway as error:
                    _log.warning("%s: what is to be removed is not known: %s", system, error)
                except Exception:  # noqa: BLE001 - a defect with one gateway must not keep others' files
                    _log.exception("%s: what is to be removed cannot be looked for", system)
            await self._clock.wait(SWEEP_SECONDS)

    async def _look_for_removals(self, system: str) -> None:
        for owner, identity in sorted(await self._jobs.owners_to_remove(system)):
            due = await self._jobs.to_remove(system, owner, identity)
            self._watch(system).removals.update({each.job_id: each for each in due})
        if system in self._watches and self._watches[system].removals:
            self._watches[system].wake()
