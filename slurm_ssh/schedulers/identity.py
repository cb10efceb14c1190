"""Questions about a site, put by the identity it gave the hub for that, or by the person who wants to know."""

import asyncio
import logging
from collections.abc import Mapping

from kerberos_auth.errors import AuthFailed, LoginServersUnreachable
from kerberos_auth.keytabs import KeytabTickets
from profiles.catalogue.accounts import Monitor
from profiles.catalogue.site import Site
from profiles.facts import SiteFacts
from slurm_ssh import sentences
from slurm_ssh.errors import Broken, Refused
from slurm_ssh.scheduler import Listing
from slurm_ssh.schedulers import queries
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote

_log = logging.getLogger(__name__)


class SiteQueries:
    """Asks sites through people's connections, which are in `pool`, and through those of monitors, which it owns.

    `sites` may change at any time.
    """

    def __init__(
        self, sites: Mapping[str, Site], pool: ConnectionPool, tickets: KeytabTickets, idle_seconds: float
    ) -> None:
        self._sites = sites
        self._people = pool
        self._tickets = tickets
        self._monitors = ConnectionPool(self._tickets.get, idle_seconds)
        self._renewals: dict[str, asyncio.Task[None]] = {}
        self._problems: dict[tuple[str, str], str] = {}

    async def close(self) -> None:
        """Take no more tickets for monitors, and close their connections."""
        for renewal in self._renewals.values():
            renewal.cancel()
        await asyncio.gather(*self._renewals.values(), return_exceptions=True)
        await self._monitors.close()

    async def projects(self, user: str, key: str) -> SiteFacts | None:
        """Return what the site's accounting knows of a user; None if it could not be asked.

        Where there is a monitor, it is the one who says it: a person's own shell could claim any project.
        """
        site = self._sites.get(key)
        if site is None:
            return None
        owner = site.login_of(user)
        if site.monitor is None:
            return await queries.facts_about(self._person(user, key, site), owner)
        try:
            monitor = await self._monitor(key, site, site.monitor)
        except Refused:
            return None
        return await queries.facts_about(monitor, owner)

    async def snapshot(self, user: str | None, key: str) -> SiteFacts:
        """Return a snapshot of the site, asked as `user`, for None by its monitor; raises as `queries.collect`."""
        site = self._sites.get(key)
        if site is None:
            raise Broken(sentences.SITE_GONE.format(site=key))
        if user is not None:
            return await queries.collect(self._person(user, key, site))
        if site.monitor is None:
            raise Refused(sentences.NO_MONITOR.format(site=site.title))
        remote = await self._monitor(key, site, site.monitor)
        try:
            facts = await queries.collect(remote, with_waiting=True)
        except Refused as error:
            self._tell(key, "login", f"{site.monitor.principal} may not ask {key} what is free: {error}")
            raise
        self._problems.pop((key, "login"), None)
        return facts

    def has_monitor(self, key: str) -> bool:
        """Return whether a site of the catalogue lets a monitor ask."""
        site = self._sites.get(key)
        return site is not None and site.monitor is not None

    def monitor_ends(self, key: str) -> float | None:
        """Return the epoch second at which the ticket of a site's monitor ends, None if there is none."""
        site = self._sites.get(key)
        if site is None or site.monitor is None or not self._tickets.has(site.monitor.principal):
            return None
        return self._tickets.get(site.monitor.principal).end

    async def jobs(self, key: str, marks: str) -> Listing:
        """Return everybody's jobs whose marks begin so, as the site's monitor sees them.

        Raises Refused if it may not ask, and what `queries.survey` raises.
        """
        site = self._sites.get(key)
        if site is None or site.monitor is None:
            raise Refused(sentences.NO_MONITOR.format(site=key))
        return await queries.survey(await self._monitor(key, site, site.monitor), marks)

    async def _monitor(self, key: str, site: Site, monitor: Monitor) -> Remote:
        """Return the monitor's access to its site.  Raises Refused if it has no ticket."""
        if not await self._has_ticket(key, monitor):
            raise Refused(sentences.NO_MONITOR.format(site=site.title))
        return Remote(self._monitors, Login(monitor.principal, monitor.login, key), site)

    async def _has_ticket(self, key: str, monitor: Monitor) -> bool:
        """Return whether the monitor has a valid ticket, having taken a first; no further one is waited for."""
        principal = monitor.principal
        renewal = self._renewals.get(principal)
        if renewal is None or renewal.done():
            renewal = self._renewals[principal] = asyncio.create_task(self._renew(key, monitor))
        if not self._tickets.has(principal):
            await asyncio.wait((renewal,))
        return self._tickets.has(principal)

    async def _renew(self, key: str, monitor: Monitor) -> None:
        """Take a new ticket for the monitor if it is time."""
        principal, keytab = monitor.principal, monitor.keytab
        try:
            if await self._tickets.keep(principal, keytab):
                self._monitors.renew(principal)
            self._problems.pop((key, "ticket"), None)
        except LoginServersUnreachable as error:
            self._tell(key, "ticket", f"{principal} gets no ticket at present: {error.detail}")
        except AuthFailed as error:
            self._tell(
                key,
                "ticket",
                f"{principal} gets no ticket: {error.detail}. See that {keytab} belongs to the hub's user, or "
                f"write it anew: kadmin -q 'ktadd -k {keytab} {principal}'",
            )

    def _tell(self, key: str, what: str, problem: str) -> None:
        """Log a problem once for as long as it stays the same."""
        if self._problems.get((key, what)) != problem:
            self._problems[key, what] = problem
            _log.warning("%s. Until it can, each person's own connection asks %s, for them alone.", problem, key)

    def _person(self, user: str, key: str, site: Site) -> Remote:
        return Remote(self._people, Login(user, site.login_of(user), key), site)
