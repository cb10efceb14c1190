"""All batch jobs of the service: what their owners can have done with them, and what goes on by itself."""

from collections.abc import Callable
from datetime import timedelta

from job_service.errors import NoSpace, WrongStage
from job_service.gateways.opening import Backends
from job_service.record import JobRecord
from job_service.running import wishes
from job_service.running.access import Access
from job_service.running.arrays import Arrays
from job_service.running.board import Board
from job_service.running.care import Care
from job_service.running.clock import Clock
from job_service.running.ends import Ends
from job_service.running.errands import Errands
from job_service.running.folder import FolderFull
from job_service.running.following import Followers
from job_service.running.gateways.running import AtGateways
from job_service.running.observers import Observers
from job_service.running.places import Places
from job_service.running.routine import Routine, Sweep
from job_service.running.scripts import Launches, Scripts
from job_service.running.sending import Sender
from job_service.running.settling import Settling
from job_service.running.sightings import Sightings
from job_service.running.stand import Stand
from job_service.running.strays import Strays
from job_service.running.tickets import Tickets
from job_service.running.visit import Visits
from job_service.sentences import gateways as of_gateways
from job_service.sentences import running as say
from job_service.stages import Stage
from job_service.store.store import Store
from kerberos_auth.holds import Holds
from kernels.shell import Shell
from profiles.catalogue.identity import site_of
from profiles.catalogue.job_type import JobOffering
from profiles.catalogue.site import Site, SiteJobs
from profiles.loading.live import LiveCatalogue
from slurm_ssh.core import Core
from slurm_ssh.errors import Unavailable
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.text import one_line

_KEPT_MINUTES = SiteJobs.model_fields["keep"].default


class Running:
    """Owner of all that is done at sites for batch jobs; one for each process.

    `service` is the name in the marks of its jobs.  `core` was opened with `tickets`, as its ledger too.  `sweep`
    removes what is left of uploads, `backends` are the gateways.
    """

    def __init__(
        self,
        store: Store,
        core: Core,
        catalogue: LiveCatalogue,
        tickets: Tickets,
        holds: Holds,
        launches: Launches,
        sweep: Sweep,
        service: str,
        clock: Clock | None = None,
        backends: Backends | None = None,
    ) -> None:
        self._core = core
        self._jobs = store.jobs
        self._catalogue = catalogue
        self._tickets = tickets
        self._clock = clock = clock or Clock()
        self._board = board = Board(store.jobs)
        self._places = places = Places(core, catalogue.sites, service)
        self._access = Access(places)
        self._scripts = Scripts(store.jobs, places, launches)
        self._sender = Sender(board, places, self._scripts, tickets, self._keep, tickets.ticket_given, clock)
        sightings = Sightings(places, self._keep)
        settling = Settling(board, places, self._keep, clock)
        ends = Ends(board, places, sightings, self._keep, clock)
        visits = Visits(board, places, sightings, settling, ends, clock)
        self._errands = errands = Errands(board, visits.visit, core, clock)
        observers = Observers(board, places, clock)
        strays = Strays(board, store.jobs, places, errands)
        self._followers = Followers(board, observers, sightings, strays, errands, clock)
        self._care = care = Care(places, self._sender, errands, self._followers, sightings, tickets)
        self._routine = Routine(board, store.jobs, core, catalogue, tickets, holds, care, sweep, errands, clock)
        self._arrays = Arrays(board, store.jobs, places, self._keep, clock)
        backends = backends or Backends({}, {})
        self._there = AtGateways(board, store.jobs, backends, launches, service, self._keep, clock)
        board.subscribe(self._changed)
        tickets.subscribe(self._ticket_changed)

    async def begin(self) -> None:
        """Go on with all jobs that are not over.  What was being sent when the service ended is in doubt.

        Raises StoreAway.
        """
        # Also where a site has left the catalogue: its jobs are shown, and what is owed to them is not forgotten.
        for system in await self._jobs.systems():
            self._tickets.given_before(await self._jobs.ticket_ends(system))
            await self._board.load((system,))
            left = [each for each in self._board.at(system).values() if each.submission == "sending"]
            await self._board.change_all([(each, wishes.doubted()) for each in left])
        self._routine.begin()
        self._there.begin()

    async def close(self) -> None:
        """End what is under way; it goes on after the next start."""
        await self._routine.close()
        await self._there.close()
        await self._arrays.close()
        await self._sender.close()
        await self._followers.close()
        await self._errands.close()

    def subscribe(self, callback: Callable[[JobRecord], None]) -> None:
        """Have `callback` called, on the event loop, with each job that has changed here."""
        self._board.subscribe(lambda _, record: callback(record))

    def wake(self, record: JobRecord) -> None:
        """Take in a job that was accepted, or changed elsewhere: one that is READY is sent."""
        self._board.put(record)

    async def start(self, record: JobRecord) -> JobRecord:
        """Have a job sent that is NEW; it is STAGINGIN until its inputs are at the site.  Raises WrongStage."""
        title = self._title(record)
        changed = await self._board.change(record, lambda job: wishes.started(job, title))
        (self._there if changed in self._there else self._sender).wake(changed)
        return changed

    async def prepare(self, record: JobRecord) -> None:
        """Make the folder of a job that was not sent yet, for files that come before.

        Raises TicketNeeded, NoSpace with the site's words, and LaunchError, such as Unavailable while the site is
        away.
        """
        if record in self._there:
            await self._there.prepare(record)
            return
        wishes.refuse_task(record)
        if record.submission == "none" and not record.stage.is_over:
            try:
                await self._sender.make_folder(record, self._access.remote(record))
            except FolderFull as error:
                raise NoSpace(error.message) from error

    async def arrived(self, record: JobRecord) -> JobRecord:
        """Look, now that a file has come, whether a job that waits for its inputs can be sent."""
        record = await self._board.newest(record.job_id)
        waits = record.stage is Stage.NEW and record.spec.start == "when-complete"
        return await self.start(record) if waits or record.stage is Stage.STAGINGIN else record

    async def cancel(self, record: JobRecord) -> JobRecord:
        """Want a job cancelled.  One that was never sent is CANCELED now, another one when its site says so.

        Raises WrongStage if it is over.
        """
        now, keep = self._clock.now(), self._keep(record)
        if record.kind == "array":
            return await self._arrays.cancel(record, now)
        return await self._board.change(record, lambda job: wishes.cancelled(job, now, keep))

    async def hold(self, record: JobRecord) -> JobRecord:
        """Have Slurm not begin a job that waits.  Raises WrongStage, TicketNeeded, LaunchError."""
        self._see_it_is_slurm(record)
        if record.stage is not Stage.QUEUED:
            raise WrongStage(say.NOT_WAITING)
        return await self._told(record, slurm_jobs.keep_back)

    async def release(self, record: JobRecord) -> JobRecord:
        """Have Slurm begin a job that is held.  Raises as `hold` does."""
        self._see_it_is_slurm(record)
        if record.stage is not Stage.HELD:
            raise WrongStage(say.NOT_HELD)
        return await self._told(record, slurm_jobs.let_go)

    async def remove(self, record: JobRecord) -> JobRecord:
        """Make a job that is over DELETED; its folder goes as soon as its site can be told.  Raises WrongStage."""
        now = self._clock.now()
        return await self._board.change(record, lambda job: wishes.removed(job, now))

    async def script(self, record: JobRecord) -> str:
        """Return what was, or would be, sent for a job.  Raises Refused if that cannot be told any more."""
        return await (self._there.script(record) if record in self._there else self._scripts.shown(record))

    def stand(self, system: str) -> Stand:
        """Return how the jobs at a system are followed; asks nobody."""
        if system in self._there.backends and system not in self._catalogue.current.sites:
            return self._there.stand(system)
        followed, jobs = self._followers.of(system), self._board.at(system).values()
        cancels = sum(1 for each in jobs if each.cancel_wanted)
        return Stand(
            system,
            self._named(followed.observer),
            followed.asked,
            followed.away_since,
            followed.reason,
            len(jobs),
            sum(1 for each in jobs if each.submission == "in_doubt"),
            cancels + sum(len(errand.removals) + len(errand.strays) for errand in self._errands.at(system)),
            followed.answered,
            followed.unanswered,
            followed.asking_s,
        )

    def is_stale(self, record: JobRecord) -> bool:
        """Return whether a job may be in another stage than is known: its site, or its owner, cannot be asked."""
        if record in self._there:
            return self._there.is_stale(record)
        if record.stage.is_over or record.submission == "none":
            return False
        errand = self._errands.known(record.system, record.whom)
        cannot_ask = errand is not None and bool(errand.problem)
        is_missing = errand is not None and (record.job_id in errand.gone or record.job_id in errand.to_ask)
        return (cannot_ask and is_missing) or self._followers.of(record.system).away_since is not None

    def owes(self, record: JobRecord) -> str:
        """Return, in a sentence, what is wanted of a job and could not be done yet; "" if nothing is."""
        if record in self._there:
            return self._there.owes(record)
        errand = self._errands.known(record.system, record.whom)
        if errand is None or not errand.problem:
            return ""
        title = self._places.title(record.system)
        if record.job_id in errand.removals:
            return say.REMOVAL_OWED.format(site=title)
        if record.stage.is_over:
            return ""
        if record.job_id in errand.gone:
            return say.END_OWED if record.identity == "person" else errand.problem
        return say.CANCEL_OWED.format(site=title) if record.cancel_wanted else ""

    def _named(self, observer: str) -> str:
        """Return who has asked, for people: of a site's account the principal."""
        site = site_of(observer)
        return observer if site is None else self._tickets.accounts.principal(site)

    async def _told(self, record: JobRecord, command: Callable[[Site, str], Shell]) -> JobRecord:
        """Tell Slurm something about a job that it has; what comes of it is seen by the next question."""
        remote = self._access.remote(record)
        answer = await remote.run(command(remote.site, record.native_id or ""))
        if answer.status:
            reason = one_line(answer.stderr, 300).rstrip(".")
            raise Unavailable(say.NOT_DONE.format(site=remote.site.title, reason=reason), answer.stderr)
        self._followers.wake(record.system)
        return await self._board.newest(record.job_id)

    def _changed(self, before: JobRecord | None, record: JobRecord) -> None:
        if record in self._there:
            self._there.changed(before, record)
            return
        self._care.changed(before, record)
        self._arrays.changed(before, record)

    def _title(self, record: JobRecord) -> str:
        return (self._there.backends if record in self._there else self._places).title(record.system)

    def _see_it_is_slurm(self, record: JobRecord) -> None:
        """Raise WrongStage for a job at a gateway, which holds none."""
        if record in self._there:
            raise WrongStage(of_gateways.NOT_HELD_THERE.format(site=self._title(record)))

    def _keep(self, record: JobRecord) -> timedelta:
        menu = self._catalogue.current.jobs
        site = self._catalogue.sites.get(record.system) or self._catalogue.gateways.get(record.system)
        own = None
        if record.type in menu.entries and record.system in menu.sites_of(record.type):
            offering = menu.offering(record.type, record.system)
            own = offering.keep if isinstance(offering, JobOffering) else None
        return timedelta(minutes=own or (site.jobs.keep if site and site.jobs else _KEPT_MINUTES))

    def _ticket_changed(self, user: str) -> None:
        self._core.ticket_changed(user)
        self._sender.ticket_changed(user)
        self._errands.hurry(user)
        self._followers.hurry(user)
