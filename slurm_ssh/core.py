"""What reaches the sites, composed once for a process: connections, watch, upkeep and facts."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kerberos_auth.errors import AuthFailed
from kerberos_auth.keytabs import KeytabTickets
from kerberos_auth.tickets import Ticket
from profiles.catalogue.site import Site
from slurm_ssh import schedulers, sentences
from slurm_ssh.credentials import Credentials
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, Unavailable
from slurm_ssh.facts.availability import Availability
from slurm_ssh.facts.forecasts import Forecasts
from slurm_ssh.job import Job
from slurm_ssh.jobs.deliveries import Deliveries, TicketLedger
from slurm_ssh.jobs.upkeep import Upkeep
from slurm_ssh.jobs.watch import ABSENT_SECONDS, JobWatch
from slurm_ssh.scheduler import Listing, Row, beginning
from slurm_ssh.schedulers.identity import SiteQueries
from slurm_ssh.schedulers.queries import list_jobs, marked_jobs, survey
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import COMMAND_SECONDS, WORK_SECONDS, Remote

_END_LOOK_SECONDS = 0.2
_ABSENCES = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """Seconds after which an unused connection is closed, and the private folder for tickets of monitors."""

    connection_idle_seconds: float
    monitor_tickets: Path


class Ledger(TicketLedger, Protocol):
    """What is written down of jobs, so that it outlives the process."""

    def stopped(self, job: Job) -> None:
        """Write down that a job was cancelled and has ended."""


class Core:
    """Owner of what reaches the sites.  A hub has one, and so has any other process that runs jobs.

    `sites` may change at any time.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        sites: Mapping[str, Site],
        credentials: Credentials,
        queries: SiteQueries,
        ledger: Ledger,
    ) -> None:
        self.pool = pool
        self.watch = JobWatch(_Queues(self, queries))
        self.upkeep = Upkeep(Deliveries(credentials, self.remote, ledger), self.stop)
        self.availability = Availability(sites, queries.projects, queries.snapshot)
        self.forecasts = Forecasts(pool)
        self._sites = sites
        self._credentials = credentials
        self.queries = queries
        self._ledger = ledger

    async def close(self) -> None:
        """End what is under way, then close every connection."""
        await self.upkeep.close()
        await self.watch.close()
        await self.forecasts.close()
        await self.availability.close()
        await self.queries.close()
        await self.pool.close()

    def ticket_changed(self, user: str) -> None:
        """Use a person's new ticket from here on: for connections and running jobs."""
        self.pool.renew(user)
        self.upkeep.ticket_changed(user)

    def site(self, job: Job) -> Site:
        """Return the site of a job as it is reached now, with what the job was started with.

        Raises Broken if there is none of that name.
        """
        site = self._at(job.site_key)
        return job.started_with.site(site) if job.started_with else site

    def ticket(self, user: str, site_key: str) -> Ticket | None:
        """Return a person's valid ticket if a site asks for one, None where they are let in without.

        Raises AuthFailed if it does and there is none: nothing can be done there as them.
        """
        site = self._sites.get(site_key)
        return self._credentials.get(user) if site is None or site.login.needs_ticket else None

    def can_act(self, user: str, site_key: str) -> bool:
        """Return whether anything can be done at a site as somebody, so far as that hangs on a ticket."""
        try:
            self.ticket(user, site_key)
        except AuthFailed:
            return False
        return True

    def has_site(self, site_key: str) -> bool:
        """Return whether a site is in the catalogue."""
        return site_key in self._sites

    def title(self, site_key: str) -> str:
        """Return the title of a site, its key if it is no longer in the catalogue."""
        site = self._sites.get(site_key)
        return site.title if site else site_key

    def scheduler(self, site_key: str) -> str:
        """Return the name of what runs a site's jobs; of one that is no longer in the catalogue, that of most."""
        site = self._sites.get(site_key)
        return site.scheduler.name if site else "Slurm"

    def monitor_ends(self, site_key: str) -> float | None:
        """Return the epoch second at which the ticket of a site's monitor ends, None if it has none now."""
        return self.queries.monitor_ends(site_key)

    def remote(self, job: Job, deadline: Deadline | None = None) -> Remote:
        """Return access to a job's site as its owner, for two minutes from now if no `deadline` is given.

        Raises Broken as `site` does.
        """
        return Remote(self.pool, Login.of(job), self.site(job), deadline or Deadline.after(WORK_SECONDS))

    def remote_of(self, user: str, site_key: str) -> Remote:
        """Return a person's access to a site, without a job of theirs there.  Raises Broken as `site` does."""
        site = self._at(site_key)
        login = Login(user, site.login_of(user), site_key)
        return Remote(self.pool, login, site, Deadline.after(WORK_SECONDS))

    def _at(self, site_key: str) -> Site:
        if (site := self._sites.get(site_key)) is None:
            raise Broken(sentences.SITE_GONE.format(site=site_key))
        return site

    async def list(self, job: Job, marks: frozenset[str]) -> tuple[Row, ...] | None:
        """Return the rows of the jobs with these marks at a job's site, None if it could not be asked."""
        try:
            remote = self.remote(job)
        except Broken as error:
            _log.warning("%s: %s", job.mark, error)
            return None
        return await list_jobs(remote, marks)

    async def marked(self, job: Job, beginning: str) -> tuple[Row, ...] | None:
        """Return the rows of all jobs that wait or run of a job's owner at its site and whose mark begins so."""
        try:
            return await marked_jobs(self.remote(job), beginning)
        except Broken as error:
            _log.warning("%s: %s", job.mark, error)
            return None

    async def stop(self, job: Job, deadline: Deadline | None = None) -> None:
        """Cancel a job and see it end.

        Raises Refused, Unavailable or Broken if that cannot be had, by the `deadline` or in two minutes.
        """
        deadline = deadline or Deadline.after(WORK_SECONDS)
        site = self.site(job)
        answer = await self.remote(job, deadline).run(schedulers.of(site).cancel(site, job.owner, job.mark))
        if answer.status:
            name = site.scheduler.name
            raise Unavailable(sentences.STOP_FAILED.format(scheduler=name, site=site.title), answer.stderr.strip())
        try:
            async with deadline.within(COMMAND_SECONDS).enforced():
                await self._seen_to_end(job)
        except TimeoutError as error:
            raise Unavailable(sentences.STOP_UNFINISHED.format(site=site.title)) from error
        self._ledger.stopped(job)
        self.upkeep.forget(job)

    async def _seen_to_end(self, job: Job) -> None:
        """Return once Slurm says that no job with the mark goes on.

        Slurm tells nobody when a job ends; asking is the only way.  That it has no such job it has to say twice: a
        controller that has just started may not know it yet.
        """
        absences = 0
        while absences < _ABSENCES:
            await asyncio.sleep(ABSENT_SECONDS if absences else 0)
            rows = await self.list(job, frozenset({job.mark}))
            ours = [row for row in rows or () if (row.mark, row.owner) == (job.mark, job.owner)]
            if ours and all(row.report.state.is_over for row in ours):
                return
            absences = absences + 1 if rows is not None and not ours else 0
            if not absences:
                await asyncio.sleep(_END_LOOK_SECONDS)


@dataclass(frozen=True)
class _Queues:
    """Asks sites about jobs: their monitors, or the jobs' owners."""

    core: Core
    queries: SiteQueries

    def has_monitor(self, site_key: str) -> bool:
        return self.queries.has_monitor(site_key)

    async def of_site(self, job: Job) -> Listing:
        return await self.queries.jobs(job.site_key, beginning(job.mark))

    async def of_owner(self, job: Job) -> Listing:
        return await survey(self.core.remote(job), beginning(job.mark), job.owner)


def open_core(settings: Settings, sites: Mapping[str, Site], credentials: Credentials, ledger: Ledger) -> Core:
    """Return a core that reaches `sites` with people's `credentials`; see Core for the rest."""
    idle_seconds = settings.connection_idle_seconds
    pool = ConnectionPool(credentials.get, idle_seconds)
    queries = SiteQueries(sites, pool, KeytabTickets(settings.monitor_tickets), idle_seconds)
    return Core(pool, sites, credentials, queries, ledger)
