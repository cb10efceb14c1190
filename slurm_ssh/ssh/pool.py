"""Kept-open connections, one per person and site: to a front end that answers, closed when idle."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from kerberos_auth.errors import AuthFailed
from kerberos_auth.tickets import Ticket
from profiles.catalogue.site import FrontEnd, Site
from slurm_ssh import sentences
from slurm_ssh.errors import Refused, SiteUnreachable
from slurm_ssh.ssh.connection import Connection, FrontEndBusy, FrontEndSilent, connect
from slurm_ssh.ssh.login import Login

# How long a front end may take before the next one is tried as well.
HEAD_START_SECONDS = 3
# sshd's MaxStartups is 10:30:100 by default.
CONNECTS_AT_ONCE = 4
_BUSY_PAUSES_SECONDS = (0.2, 0.6, 1.8)


class ConnectionPool:
    """Owner of all connections.

    `ticket_of` returns a person's valid ticket or raises AuthFailed; a connection is closed after `idle_seconds`.
    """

    def __init__(self, ticket_of: Callable[[str], Ticket], idle_seconds: float) -> None:
        self._ticket_of = ticket_of
        self._idle_seconds = idle_seconds
        self._open: dict[Login, Connection] = {}
        self._retired: set[Connection] = set()
        self._locks: dict[Login, asyncio.Lock] = {}
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._silent: set[str] = set()
        self._reaper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def connection(self, login: Login, site: Site) -> AsyncIterator[Connection]:
        """Give the person's connection to the site, made now if there is none.

        Raises SiteUnreachable, or what `connection.connect` raises; Refused if there is no valid ticket.
        """
        # A lock is never dropped: one dropped while somebody waits on it could be made twice.
        async with self._locks.setdefault(login, asyncio.Lock()):
            connection = self._open.get(login)
            if connection is None or not connection.is_open:
                connection = self._open[login] = await self._connect(login, site)
        self._keep_reaping()
        yield connection

    def renew(self, user: str) -> None:
        """Let a person's further work use their new ticket, by new connections.

        A connection hands on the ticket of the time when it was made.  What runs on one goes on, then it is
        closed.
        """
        for login in [login for login in self._open if login.user == user]:
            self._retired.add(self._open.pop(login))
        if self._retired:
            self._keep_reaping()

    async def close(self) -> None:
        """Close every connection and end the reaper."""
        if self._reaper:
            self._reaper.cancel()
        connections = [*self._open.values(), *self._retired]
        self._open.clear()
        self._retired.clear()
        await asyncio.gather(*(connection.close() for connection in connections), return_exceptions=True)

    def _keep_reaping(self) -> None:
        if self._reaper is None or self._reaper.done():
            self._reaper = asyncio.create_task(self._reap())

    async def _reap(self) -> None:
        while self._open or self._retired:
            await asyncio.sleep(self._idle_seconds / 10)
            over = [login for login, each in self._open.items() if self._is_over(each)]
            retired = {each for each in self._retired if each.idle_seconds > 0 or not each.is_open}
            # All are taken out before any is waited for: meanwhile their owners may make new ones.
            closing = [self._open.pop(login).close() for login in over] + [each.close() for each in retired]
            self._retired -= retired
            await asyncio.gather(*closing, return_exceptions=True)

    def _is_over(self, connection: Connection) -> bool:
        return not connection.is_open or connection.idle_seconds > self._idle_seconds

    async def _connect(self, login: Login, site: Site) -> Connection:
        try:
            ticket = self._ticket_of(login.user)
        except AuthFailed as error:
            raise Refused(error.message) from error
        # In the site's order, but for those that were silent last time.
        waiting = sorted(site.front_ends, key=lambda each: each.host in self._silent)
        attempts: set[asyncio.Task[Connection]] = set()
        problems: list[str] = []
        try:
            while waiting or attempts:
                if waiting:
                    attempts.add(asyncio.create_task(self._attempt(waiting.pop(0), login, ticket, site)))
                done, attempts = await asyncio.wait(
                    attempts,
                    timeout=HEAD_START_SECONDS if waiting else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for attempt in done:
                    try:
                        return attempt.result()
                    except FrontEndSilent as error:
                        problems.append(str(error))
        finally:
            for attempt in attempts:
                attempt.cancel()
        raise SiteUnreachable(sentences.SITE_UNREACHABLE.format(site=site.title), "; ".join(problems))

    async def _attempt(self, front_end: FrontEnd, login: Login, ticket: Ticket, site: Site) -> Connection:
        async with self._gates.setdefault(login.site_key, asyncio.Semaphore(CONNECTS_AT_ONCE)):
            try:
                connection = await _connect_patiently(front_end, login, ticket, site.title)
            except FrontEndSilent:
                self._silent.add(front_end.host)
                raise
        self._silent.discard(front_end.host)
        return connection


async def _connect_patiently(front_end: FrontEnd, login: Login, ticket: Ticket, title: str) -> Connection:
    """Connect, a few times again if the front end hangs up because too many others log in."""
    for pause in _BUSY_PAUSES_SECONDS:
        try:
            return await connect(front_end, login, ticket, title)
        except FrontEndBusy:
            # Spread, so that those who were sent away together do not come back together.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
    return await connect(front_end, login, ticket, title)
