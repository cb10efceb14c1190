"""What is done every so often: tickets looked at, people held, tickets of jobs taken up, folders seen to."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from job_service.errors import StoreAway
from job_service.record import JobRecord
from job_service.running import wishes
from job_service.running.board import Board
from job_service.running.care import Care
from job_service.running.clock import Clock
from job_service.running.errands import Errands
from job_service.running.tickets import Tickets
from job_service.stages import Stage
from job_service.store.jobs import Jobs
from kerberos_auth.errors import AuthFailed
from kerberos_auth.holds import Holds
from profiles.catalogue.identity import Identity, site_of, whom
from profiles.loading.live import LiveCatalogue
from slurm_ssh.core import Core
from slurm_ssh.errors import LaunchError

LOOK_SECONDS = 5.0
"""How often it is looked whether people have new tickets."""

HOLD_SECONDS = 60.0
"""How often it is written down whose tickets are needed."""

TAKE_UP_SECONDS = 0.02
"""Between the tickets of two jobs that were there when the service began."""

WRITE_SECONDS = 5.0
"""How often it is written down which tickets jobs were given."""

SWEEP_SECONDS = 600.0
"""How often it is looked which folders are to be removed, and whether there are jobs that nobody told of."""

UPLOADS_SECONDS = 6 * 3600.0
"""How often what is left of uploads is removed."""

_BETWEEN_PEOPLE_SECONDS = 5.0

Sweep = Callable[[JobRecord], Awaitable[None]]
"""Removes what is left, for a day and more, of uploads to any job of this one's owner.  Raises LaunchError."""

_log = logging.getLogger(__name__)


class Routine:
    """Owner of the tasks that do it."""

    def __init__(
        self,
        board: Board,
        jobs: Jobs,
        core: Core,
        catalogue: LiveCatalogue,
        tickets: Tickets,
        holds: Holds,
        care: Care,
        sweep: Sweep,
        errands: Errands,
        clock: Clock,
    ) -> None:
        self._board = board
        self._jobs = jobs
        self._core = core
        self._catalogue = catalogue
        self._tickets = tickets
        self._holds = holds
        self._care = care
        self._sweep_uploads_of = sweep
        self._errands = errands
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._held: frozenset[str] = frozenset()
        self._somebody_new = asyncio.Event()
        board.subscribe(self._see_who_is_new)

    def begin(self) -> None:
        """Begin with all of it."""
        often = (self._keep_accounts, self._look, self._hold, self._take_up, self._write_down)
        loops = (*often, self._hear_again, self._sweep, self._sweep_uploads)
        self._tasks = [asyncio.create_task(self._lasting(loop), name=loop.__name__) for loop in loops]

    async def close(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _lasting(self, loop: Callable[[], Awaitable[None]]) -> None:
        """Go on with a loop though something in it is broken."""
        while True:
            try:
                return await loop()
            except Exception:  # noqa: BLE001 - whose tickets are needed, above all, must be written down for ever
                _log.exception("%s failed, and goes on", loop.__name__)
                await self._clock.wait(HOLD_SECONDS)

    async def _keep_accounts(self) -> None:
        while True:
            await self._tickets.accounts.keep()
            await self._clock.wait(LOOK_SECONDS)

    async def _look(self) -> None:
        while True:
            people = {
                *self._board.people(),
                *(login.user for login in self._core.pool.logins()),
            }
            try:
                self._tickets.look(people)
            except Exception:  # noqa: BLE001 - a defect with one ticket must not end the looking
                _log.exception("New tickets cannot be looked for")
            await self._clock.wait(LOOK_SECONDS)

    async def _take_up(self) -> None:
        while jobs := self._care.known_before:
            self._care.take_up_one(self._board.at(jobs[0].system))
            await self._clock.wait(TAKE_UP_SECONDS)

    async def _write_down(self) -> None:
        while True:
            if ends := self._tickets.unwritten():
                try:
                    await self._jobs.keep_ticket_ends(ends)
                except StoreAway as error:
                    _log.warning("Which tickets jobs have cannot be written down: %s", error)
                    self._tickets.not_written(ends)
            await self._clock.wait(WRITE_SECONDS)

    def _see_who_is_new(self, _before: JobRecord | None, record: JobRecord) -> None:
        # To gateways, nobody's ticket goes.
        needs_theirs = record.identity == "person" and not record.is_at_gateway
        if needs_theirs and not record.stage.is_over and record.owner not in self._held:
            self._somebody_new.set()

    async def _hold(self) -> None:
        while True:
            self._somebody_new.clear()
            # Nobody's ticket is needed for what runs as an account of a site.
            reached = self._board.people()
            people = frozenset(name for name in reached if site_of(name) is None)
            try:
                await asyncio.to_thread(self._holds.put, people)
                self._held = people
            except OSError as error:
                _log.error("Whose tickets are needed cannot be written down: %s", error)
                # Somebody new would have it tried without end.
                await self._clock.wait(LOOK_SECONDS)
            await self._clock.wait(HOLD_SECONDS, self._somebody_new)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._end_forgotten()
                for system in tuple(self._catalogue.sites):
                    for owner, identity in sorted(await self._jobs.owners_to_remove(system)):
                        await self._remove(system, owner, identity)
            except StoreAway as error:
                _log.warning("What is to be done by now is not known: %s", error)
            await self._clock.wait(SWEEP_SECONDS)

    async def _sweep_uploads(self) -> None:
        """Remove what uploads have left that were killed at the site: of one person after the other."""
        while True:
            for system in tuple(self._catalogue.sites):
                try:
                    for record in await self._jobs.newest_with_folders(system):
                        await self._sweep_uploads_to(record)
                except StoreAway as error:
                    _log.warning("Where uploads may have left something is not known: %s", error)
            await self._clock.wait(UPLOADS_SECONDS)

    async def _sweep_uploads_to(self, record: JobRecord) -> None:
        try:
            self._core.ticket(record.whom, record.system)
            await self._sweep_uploads_of(record)
        except AuthFailed:
            return
        except LaunchError as error:
            _log.info("%s at %s: what is left of uploads stays: %s", record.whom, record.system, error)
        await self._clock.wait(_BETWEEN_PEOPLE_SECONDS)

    async def _hear_again(self) -> None:
        """Take in what the store has, and nobody told: it may have written after it was waited for no longer."""
        while True:
            await self._clock.wait(SWEEP_SECONDS)
            try:
                await self._board.load(await self._jobs.systems())
            except StoreAway as error:
                _log.warning("Whether there are further jobs is not known: %s", error)

    async def _end_forgotten(self) -> None:
        """Cancel what nobody has started, or sent the inputs of: it holds seconds of a project, and a ticket."""
        now = self._clock.now()
        for system in self._board.systems():
            for record in list(self._board.at(system).values()):
                if record.stage is Stage.NEW:
                    await self._board.change(record, lambda job: wishes.forgotten(job, now))
                elif wishes.may_lack_inputs_for_good(record, now):
                    # They may have come, though nobody has said so.
                    self._care.look_for_inputs(record)

    async def _remove(self, system: str, owner: str, identity: Identity) -> None:
        """Have the folders of somebody's jobs removed if that can be done now: others' are not behind them."""
        name = whom(identity, owner, system)
        try:
            self._core.ticket(name, system)
        except AuthFailed:
            return
        due = await self._jobs.to_remove(system, owner, identity)
        errand = self._errands.of(system, name)
        errand.removals.update({each.job_id: each for each in due})
        self._errands.wake(errand)
