"""Kept-open connections, one per person and site: to a front end that answers, closed when idle."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from kerberos_auth.tickets import Ticket
from slurm_ssh import sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import SiteUnreachable
from slurm_ssh.ssh import entrance
from slurm_ssh.ssh.connection import Connection
from slurm_ssh.ssh.entrance import Entrance
from slurm_ssh.ssh.login import Login, Reachable
from slurm_ssh.ssh.sessions import Turns

# How long somebody waits for a connection while a site lets others in: a crowd that comes at once takes its time.
CROWD_SECONDS = 120


class ConnectionPool:
    """Owner of all connections.

    `ticket_of` returns a person's valid ticket or raises AuthFailed, for sites that ask for one; a connection is
    closed after `idle_seconds`, which may change.
    """

    def __init__(self, ticket_of: Callable[[str], Ticket], idle_seconds: float) -> None:
        self.idle_seconds = idle_seconds
        self._entrance = Entrance(ticket_of, self._retire)
        self._subscribers: list[Callable[[Login], None]] = []
        self._open: dict[Login, Connection] = {}
        self._retired: set[Connection] = set()
        self._locks: dict[Login, asyncio.Lock] = {}
        self._turns: dict[Login, Turns] = {}
        self._reaper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def connection(
        self, login: Login, site: Reachable, deadline: Deadline | None = None
    ) -> AsyncIterator[Connection]:
        """Give the person's connection to the site, made now if there is none.

        Raises SiteUnreachable, also if there is none by the `deadline`, or what `connecting.connect` raises;
        Unavailable if no KDC answers; Refused if there is no valid ticket.
        """
        patience = deadline.within(CROWD_SECONDS) if deadline else Deadline.after(CROWD_SECONDS)
        try:
            connection = await self._fresh(login, site, patience)
        except TimeoutError as error:
            raise _late(site, deadline, patience, str(error)) from error
        self._keep_reaping()
        yield connection

    def subscribe(self, callback: Callable[[Login], None]) -> None:
        """Have `callback` called with each person whom a site lets in by a new connection, whatever it is for."""
        self._subscribers.append(callback)

    def logins(self) -> tuple[Login, ...]:
        """Return who has an open connection where."""
        return tuple(login for login, connection in self._open.items() if connection.is_open)

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

    def _retire(self, connection: Connection) -> None:
        self._retired.add(connection)
        self._keep_reaping()

    def _keep_reaping(self) -> None:
        if self._reaper is None or self._reaper.done():
            self._reaper = asyncio.create_task(self._reap())

    async def _reap(self) -> None:
        while self._open or self._retired:
            await asyncio.sleep(self.idle_seconds / 10)
            over = [login for login, each in self._open.items() if self._is_over(each)]
            retired = {each for each in self._retired if each.idle_seconds > 0 or not each.is_open}
            # All are taken out before any is waited for: meanwhile their owners may make new ones.
            closing = [self._open.pop(login).close() for login in over] + [each.close() for each in retired]
            self._retired -= retired
            await asyncio.gather(*closing, return_exceptions=True)

    async def _fresh(self, login: Login, site: Reachable, patience: Deadline) -> Connection:
        # A lock is never dropped: one dropped while somebody waits on it could be made twice.
        lock = self._locks.setdefault(login, asyncio.Lock())
        async with patience.enforced():
            await lock.acquire()
        try:
            connection = self._open.get(login)
            if connection is None or not connection.is_fresh:
                if connection:
                    self._retired.add(connection)
                connection = self._open[login] = await self._entrance.enter(login, site, patience)
                # Those of connections that are used no more, but for transfers under way, count too.
                connection.turns = self._turns.setdefault(login, connection.turns)
                for callback in self._subscribers:
                    callback(login)
            return connection
        finally:
            lock.release()

    def _is_over(self, connection: Connection) -> bool:
        return not connection.is_open or connection.idle_seconds > self.idle_seconds


def _late(site: Reachable, deadline: Deadline | None, patience: Deadline, said: str) -> SiteUnreachable:
    """Return the error of somebody who waited in vain: the time for all their work is up, or that to connect."""
    if deadline and not deadline.left:
        return SiteUnreachable(sentences.TOO_SLOW.format(site=site.title, seconds=round(deadline.seconds)), said)
    seconds = entrance.PATIENCE_SECONDS if patience.left else round(patience.seconds)
    late = sentences.NOT_REACHED_IN_TIME.format(site=site.title, seconds=seconds)
    return SiteUnreachable(late, said)
