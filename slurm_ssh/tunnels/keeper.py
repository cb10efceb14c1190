"""Keeps tunnels open: each holds a local port; the connection behind it is the pool's."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, LaunchError, Refused, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh.sentences import tunnels as sentences
from slurm_ssh.ssh.connection import ForwardingForbidden
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.sessions import WINDOW_BYTES
from slurm_ssh.ssh.transport import ConnectionLost
from slurm_ssh.tunnels import answer
from slurm_ssh.tunnels.route import LOCAL_ADDRESS, Route, Way, address
from slurm_ssh.tunnels.trouble import Trouble

CLIENTS_AT_ONCE = 200
"""Of one tunnel: each takes a file descriptor, and nobody has asked who they are."""

# Further ones that are told so; the rest is hung up on.
_TOLD_AT_ONCE = 20
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# How long a client waits to be through.
_CLIENT_SECONDS = 40.0

_log = logging.getLogger(__name__)


@dataclass
class _Open:
    """A tunnel: its listener, what is in its way, and when it may be tried again to get through."""

    route: Route
    site: Way
    listener: asyncio.Server
    trouble: Trouble | None = None
    attempts: int = 0
    pause: float = _FIRST_PAUSE_SECONDS
    not_before: float = 0.0
    clients: set[asyncio.Task[None]] = field(default_factory=set)

    def is_not_tried(self, now: float) -> bool:
        """Whether a client need not try, because others have found out a moment ago, or do at present."""
        return self.trouble is not None and (self.attempts > 0 or now < self.not_before)

    def leads_to(self, route: Route) -> bool:
        """Whether this is the way to the same server."""
        return self.listener.is_serving() and replace(route, local_port=self.route.local_port) == self.route

    @property
    def which_job(self) -> str:
        """The job of the server, as a sentence."""
        route = self.route
        return sentences.WHICH_JOB.format(site=self.site.title, node=route.node, launch=route.launch_id)

    def is_through(self) -> None:
        """Note that nothing is in the way."""
        self.trouble, self.pause, self.not_before = None, _FIRST_PAUSE_SECONDS, 0.0

    def failed(self, error: LaunchError | ConnectionLost, now: float) -> None:
        """Put off the next attempt; clients who came at the same time made one attempt."""
        trouble = Trouble.of(error, self.site, self.route, _today()).after(self.trouble)
        if trouble != self.trouble:
            _log.warning("the tunnel of launch %s: %s", self.route.launch_id, error)
        self.trouble = trouble
        # A new ticket may come at any moment.
        if type(error) is not Refused and now >= self.not_before:
            self.not_before = now + self.pause
            self.pause = min(self.pause * 2, _LONGEST_PAUSE_SECONDS)


class TunnelKeeper:
    """Owner of the tunnels.  Each holds its local port; the connection behind it is the pool's.

    While the way to the server is not open, or too many use it at once, clients get an HTTP answer that says so.

    A connection that was dropped, or closed because nobody used it, is made again when the next client comes, by
    another front end if need be; in vain at most as often as the growing pause allows.

    `ports` are the local ports of new tunnels, which may change.
    """

    def __init__(self, pool: ConnectionPool, ports: Iterable[int]) -> None:
        self._pool = pool
        self.ports = ports
        self._open: dict[LaunchId, _Open] = {}

    async def open(self, route: Route, site: Way, deadline: Deadline) -> int:
        """Open a tunnel and return its local port, that it had before if possible.

        One that is open to the same server stays, with all that goes through it, and reaches the site by what
        `site` says now.  That of a server that was up before is open at once, whatever is in its way.  Of a new
        one, raises Unavailable, Broken, or what the pool raises; Unavailable too if it is not open by the
        `deadline`.
        """
        kept = self._open.get(route.launch_id)
        if kept and kept.leads_to(route):
            kept.site = site
            return kept.route.local_port
        self.close(route.launch_id)
        if not route.local_port:
            await self._try(route, site, deadline)
        taken = {tunnel.route.local_port for tunnel in self._open.values()}
        for port in (route.local_port, *self.ports) if route.local_port else self.ports:
            if port not in taken and await self._is_opened(replace(route, local_port=port), site):
                return port
        raise Unavailable(sentences.PORTS_USED_UP, f"tunnel_ports is {self.ports}")

    async def kept(self, launch_id: LaunchId, deadline: Deadline) -> int:  # noqa: ARG002 - nothing is waited for
        """Return the local port of a tunnel that is open, 0 if there is none."""
        tunnel = self._open.get(launch_id)
        return tunnel.route.local_port if tunnel else 0

    def close(self, launch_id: LaunchId) -> None:
        """Close a tunnel and what goes through it; nothing happens if there is none."""
        tunnel = self._open.pop(launch_id, None)
        if tunnel:
            tunnel.listener.close()
            for client in tunnel.clients:
                client.cancel()

    async def leave(self) -> None:
        """Close every tunnel, and return once nobody is served any more."""
        clients = [client for tunnel in self._open.values() for client in tunnel.clients]
        for launch_id in list(self._open):
            self.close(launch_id)
        await asyncio.gather(*clients, return_exceptions=True)

    def list(self) -> tuple[Route, ...]:
        """Return the routes of all open tunnels, with their local ports."""
        return tuple(tunnel.route for tunnel in self._open.values())

    async def _is_opened(self, route: Route, site: Way) -> bool:
        """Open a tunnel at the route's local port; return False if another program has that."""
        arrived, port = partial(self._arrived, route.launch_id), route.local_port
        try:
            listener = await asyncio.start_server(
                arrived, LOCAL_ADDRESS, port, limit=WINDOW_BYTES, start_serving=False
            )
            # From here on whoever closes the tunnel closes its port, also if nobody waits for it any more.
            self._open[route.launch_id] = _Open(route, site, listener)
            await listener.start_serving()
        except OSError:
            self.close(route.launch_id)
            return False
        return True

    async def _try(self, route: Route, site: Way, deadline: Deadline) -> None:
        """Go through once: a front end that forbids forwarding would otherwise show as a silent server."""
        try:
            async with self._stream(route, site, deadline):
                pass
        except ForwardingForbidden as error:
            forbidden = sentences.FORWARDING_FORBIDDEN.format(site=site.title, node=route.node)
            raise Broken(forbidden, str(error)) from error
        except ConnectionLost as error:
            unreachable = sentences.NODE_UNREACHABLE.format(site=site.title, node=route.node)
            raise Unavailable(unreachable, str(error)) from error

    @asynccontextmanager
    async def _stream(
        self, route: Route, site: Way, deadline: Deadline
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Give a stream to the server, over a new connection if the one at hand turns out to be lost."""
        is_given = False
        for is_last in (False, True):
            async with self._pool.connection(route.login, site, deadline) as connection:
                try:
                    async with connection.stream(address(site, route), route.port, deadline) as stream:
                        is_given = True
                        yield stream
                        return
                except ConnectionLost:
                    if is_given or is_last or connection.is_open:
                        raise

    def _arrived(self, launch_id: LaunchId, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = self._open.get(launch_id)
        if tunnel is None or len(tunnel.clients) >= CLIENTS_AT_ONCE + _TOLD_AT_ONCE:
            writer.transport.abort()
            return
        is_full = len(tunnel.clients) >= CLIENTS_AT_ONCE
        task = asyncio.create_task(self._serve(tunnel, is_full, reader, writer))
        tunnel.clients.add(task)
        task.add_done_callback(tunnel.clients.discard)

    async def _serve(
        self, tunnel: _Open, is_full: bool, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry one client's connection to the node and back until either side ends it, or tell why not."""
        try:
            if is_full:
                said = sentences.TUNNEL_FULL.format(most=CLIENTS_AT_ONCE)
                await answer.tell(reader, writer, said, tunnel.which_job)
            elif not await self._is_carried(tunnel, reader, writer) and tunnel.trouble:
                await answer.tell(reader, writer, tunnel.trouble.said(_today()), tunnel.which_job)
        except OSError:
            pass  # The client went away in the middle.
        finally:
            writer.close()

    async def _is_carried(self, tunnel: _Open, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Carry what a client and the server say; return False if it did not come to that."""
        clock, is_through = asyncio.get_running_loop().time, False
        if tunnel.is_not_tried(clock()):
            return False
        tunnel.attempts += 1
        try:
            async with self._stream(tunnel.route, tunnel.site, Deadline.after(_CLIENT_SECONDS)) as there:
                is_through = True
                tunnel.attempts -= 1
                tunnel.is_through()
                await asyncio.gather(_carry(reader, there[1]), _carry(there[0], writer))
        except (LaunchError, ConnectionLost) as error:
            if is_through:
                _log.warning("the tunnel of launch %s: %s", tunnel.route.launch_id, error)
            else:
                tunnel.failed(error, clock())
        finally:
            tunnel.attempts -= not is_through
        return is_through


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until the source ends, then end the sink's sending side."""
    while data := await source.read(WINDOW_BYTES):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


def _today() -> datetime:
    return datetime.now().astimezone()
