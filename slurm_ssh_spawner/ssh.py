"""Kept-open SSH connections, one per person and site, made as the person with the person's own ticket.

The only module that knows asyncssh.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncssh

from kerberos_auth.errors import AuthFailed
from kerberos_auth.tickets import Ticket
from kernels.shell import Shell
from profiles.schema import FrontEnd, Site
from slurm_ssh_spawner.errors import Broken, LoginRefused, Refused, SiteUnreachable
from slurm_ssh_spawner.transport import REMOTE_COMMAND, Completed, ConnectionLost, unwrap, wrap

# For one front end, from TCP to login: two that are dead must not keep a page waiting for 20 s.
CONNECT_SECONDS = 8
IDLE_SECONDS = 300
# A host that vanished is noticed after (count + 1) * interval: soon enough to use another while a page waits.
KEEPALIVE_SECONDS = 3
KEEPALIVE_COUNT = 2
# sshd's MaxSessions is 10 by default and its MaxStartups 10:30:100.
COMMANDS_AT_ONCE = 8
CONNECTS_AT_ONCE = 4
_LONGEST_ANSWER = 5 * 1024 * 1024
# GSS_C_DELEG_FLAG of RFC 2744.
_DELEGATED = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Login:
    """Who connects where: the key of a connection."""

    user: str
    owner: str
    site_key: str


class Connection:
    """One connection of one person to one front end; a Transport."""

    def __init__(self, host: str, ssh: asyncssh.SSHClientConnection) -> None:
        self.host = host
        self._ssh = ssh
        self._slots = asyncio.Semaphore(COMMANDS_AT_ONCE)
        self._last_used = asyncio.get_running_loop().time()
        self._running = 0

    @property
    def is_open(self) -> bool:
        """Whether the connection is up, as far as is known."""
        return not self._ssh.is_closed()

    @property
    def idle_seconds(self) -> float:
        """How long nothing has run; 0 while something does."""
        return 0.0 if self._running else asyncio.get_running_loop().time() - self._last_used

    async def run(
        self, program: Shell, data: bytes = b"", *, environ: Mapping[str, str], timeout_seconds: float
    ) -> Completed:
        """Run a program; see `transport.Transport`."""
        marker = f"answer-{secrets.token_hex(8)}"
        sent = wrap(program, data, environ, marker)
        self._running += 1
        try:
            async with asyncio.timeout(timeout_seconds), self._slots:
                answer = await self._exchange(sent)
        finally:
            self._running -= 1
            self._last_used = asyncio.get_running_loop().time()
        return unwrap(*answer, marker)

    async def _exchange(self, sent: bytes) -> tuple[str, str]:
        try:
            process = await self._ssh.create_process(REMOTE_COMMAND, encoding=None)
            async with process:
                stdout, stderr = await process.communicate(sent)
        except (asyncssh.ChannelOpenError, asyncssh.DisconnectError, OSError) as error:
            raise ConnectionLost(f"{self.host}: {error}") from error
        return _text(stdout), _text(stderr)

    async def close(self) -> None:
        """Close the connection; the ticket delegated to the front end goes with it."""
        self._ssh.close()
        await self._ssh.wait_closed()


def _text(answer: str | bytes | None) -> str:
    raw = answer.encode() if isinstance(answer, str) else answer or b""
    if len(raw) > _LONGEST_ANSWER:
        raise ConnectionLost("the answer is longer than any that was asked for")
    return raw.decode("utf-8", "replace")


class ConnectionPool:
    """Owner of all connections: makes them when needed, closes them when idle.

    `ticket_of` returns a person's valid ticket or raises; it is asked before every connect.
    """

    def __init__(self, ticket_of: Callable[[str], Ticket]) -> None:
        self._ticket_of = ticket_of
        self._open: dict[Login, Connection] = {}
        self._locks: dict[Login, asyncio.Lock] = {}
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._failed: set[str] = set()
        self._reaper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def connection(self, login: Login, site: Site) -> AsyncIterator[Connection]:
        """Give the person's connection to the site, made now if there is none.

        Raises SiteUnreachable, LoginRefused, Broken, or what `ticket_of` raises.
        """
        # A lock is never dropped: one dropped while somebody waits on it could be made twice.
        async with self._locks.setdefault(login, asyncio.Lock()):
            connection = self._open.get(login)
            if connection is None or not connection.is_open:
                connection = self._open[login] = await self._connect(login, site)
        if self._reaper is None or self._reaper.done():
            self._reaper = asyncio.create_task(self._reap())
        yield connection

    async def close(self) -> None:
        """Close every connection and end the reaper."""
        if self._reaper:
            self._reaper.cancel()
        connections = list(self._open.values())
        self._open.clear()
        await asyncio.gather(*(connection.close() for connection in connections), return_exceptions=True)

    async def _reap(self) -> None:
        while self._open:
            await asyncio.sleep(IDLE_SECONDS / 10)
            for login, connection in list(self._open.items()):
                if not connection.is_open or connection.idle_seconds > IDLE_SECONDS:
                    del self._open[login]
                    await connection.close()

    async def _connect(self, login: Login, site: Site) -> Connection:
        """Try the front ends in the site's order, those that failed last time at the end."""
        try:
            ticket = self._ticket_of(login.user)
        except AuthFailed as error:
            raise Refused(error.message) from error
        gate = self._gates.setdefault(login.site_key, asyncio.Semaphore(CONNECTS_AT_ONCE))
        problems = []
        for front_end in sorted(site.front_ends, key=lambda each: each.host in self._failed):
            try:
                async with gate:
                    connection = await _connect_to(front_end, login, ticket)
            except (OSError, TimeoutError, asyncssh.ConnectionLost) as error:
                self._failed.add(front_end.host)
                problems.append(f"{front_end.host}: {str(error) or type(error).__name__}")
            except asyncssh.HostKeyNotVerifiable as error:
                raise Broken(
                    f"{front_end.host} shows a host key that is not in the catalogue, so it was not trusted. "
                    f"An administrator has to compare it and, if it is right, add it to the catalogue.",
                    str(error),
                ) from error
            except asyncssh.PermissionDenied as error:
                raise LoginRefused(
                    f"{site.title} knows your ticket but did not let you in; you probably have no account there.",
                    f"{front_end.host}: {error}",
                ) from error
            except asyncssh.DisconnectError as error:
                self._failed.add(front_end.host)
                problems.append(f"{front_end.host}: {error}")
            else:
                self._failed.discard(front_end.host)
                return connection
        raise SiteUnreachable(f"{site.title} cannot be reached. Try again in a few minutes.", "; ".join(problems))


async def _connect_to(front_end: FrontEnd, login: Login, ticket: Ticket) -> Connection:
    """Connect to one front end and make sure that the ticket went along."""
    ssh = await asyncssh.connect(
        front_end.host,
        front_end.port,
        username=login.owner,
        known_hosts=_known_hosts(front_end),
        preferred_auth="gssapi-with-mic",
        # GSS key exchange would go past the host keys and end the connection when the ticket ends.
        gss_kex=False,
        gss_store=ticket.ccache,
        gss_host=front_end.host,
        gss_delegate_creds=True,
        # Nothing of the hub's own account may speak for a person.
        config=None,
        agent_path=None,
        client_keys=None,
        password=None,
        disable_trivial_auth=True,
        encryption_algs=["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes128-ctr"],
        connect_timeout=CONNECT_SECONDS,
        login_timeout=CONNECT_SECONDS,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=KEEPALIVE_COUNT,
    )
    if not _is_delegated(ssh):
        ssh.abort()
        raise Refused(
            f"{front_end.host} did not accept your ticket for forwarding, so files that need it could not be "
            f"reached. Log out and in again; if that does not help, contact support."
        )
    _log.info("connected to %s as %s for %s", front_end.host, login.owner, login.user)
    return Connection(front_end.host, ssh)


def _known_hosts(front_end: FrontEnd) -> asyncssh.SSHKnownHosts:
    pattern = front_end.host if front_end.port == 22 else f"[{front_end.host}]:{front_end.port}"
    return asyncssh.import_known_hosts("".join(f"{pattern} {key}\n" for key in front_end.host_keys))


def _is_delegated(ssh: asyncssh.SSHClientConnection) -> bool:
    # asyncssh has no public way to ask; a login without delegation succeeds silently.
    context = ssh.get_gss_context()
    security = context._ctx if context else None
    return bool(security and security.actual_flags & _DELEGATED)
