"""Keeps tunnels open: each holds a local port; the connection behind it is the pool's."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from profiles.catalogue.site import Site
from slurm_ssh import sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, LaunchError, Refused, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh.ssh.connection import ForwardingForbidden
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transport import ConnectionLost
from slurm_ssh.tunnels.route import LOCAL_ADDRESS, Route, address

CLIENTS_AT_ONCE = 200
"""Of one tunnel: each takes a file descriptor, and nobody has asked who they are."""

# Further ones that are told so; the rest is hung up on.
_TOLD_AT_ONCE = 20
_CHUNK = 256 * 1024
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# How long a client waits to be through, and how long one that cannot be is waited for to say what it wants.
_CLIENT_SECONDS = 40.0
_REQUEST_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass
class _Open:
    """A tunnel: its listener, and when a front end that could not be reached may be tried again."""

    route: Route
    site: Site
    listener: asyncio.Server
    pause: float = _FIRST_PAUSE_SECONDS
    not_before: float = 0.0
    clients: set[asyncio.Task[None]] = field(default_factory=set)

    def failed(self, now: float) -> None:
        """Put off the next attempt; clients who came at the same time made one attempt."""
        if now >= self.not_before:
            self.not_before = now + self.pause
            self.pause = min(self.pause * 2, _LONGEST_PAUSE_SECONDS)


class TunnelKeeper:
    """Owner of the tunnels.  Each holds its local port; the connection behind it is the pool's.

    While the owner has no ticket, or too many use it at once, clients get an HTTP answer that says so.

    A connection that was dropped, or closed because nobody used it, is made again when the next client comes, by
    another front end if need be; in vain at most as often as the growing pause allows.
    """

    def __init__(self, pool: ConnectionPool, ports: Iterable[int]) -> None:
        self._pool = pool
        self._ports = ports
        self._open: dict[LaunchId, _Open] = {}

    async def open(self, route: Route, site: Site, deadline: Deadline) -> int:
        """Open a tunnel and return its local port, that it had before if possible.

        Raises Unavailable, Broken, or what the pool raises; Unavailable too if it is not open by the `deadline`.
        """
        self.close(route.launch_id)
        try:
            await self._try(route, site, deadline)
        except LaunchError:
            # A server that was up before goes on; the site may be back any time, or its owner log in again.
            if not route.local_port:
                raise

        def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tunnel = self._open.get(route.launch_id)
            if tunnel is None or len(tunnel.clients) >= CLIENTS_AT_ONCE + _TOLD_AT_ONCE:
                writer.transport.abort()
                return
            is_full = len(tunnel.clients) >= CLIENTS_AT_ONCE
            task = asyncio.create_task((_turn_away if is_full else partial(self._serve, tunnel))(reader, writer))
            tunnel.clients.add(task)
            task.add_done_callback(tunnel.clients.discard)

        for port in (route.local_port, *self._ports) if route.local_port else self._ports:
            try:
                listener = await asyncio.start_server(arrived, LOCAL_ADDRESS, port, limit=_CHUNK)
            except OSError:
                continue
            self._open[route.launch_id] = _Open(route, site, listener)
            return port
        raise Unavailable(sentences.PORTS_USED_UP, f"tunnel_ports is {self._ports}")

    def close(self, launch_id: LaunchId) -> None:
        """Close a tunnel and what goes through it; nothing happens if there is none."""
        tunnel = self._open.pop(launch_id, None)
        if tunnel:
            tunnel.listener.close()
            for client in tunnel.clients:
                client.cancel()

    async def close_all(self) -> None:
        """Close every tunnel, and return once nobody is served any more."""
        clients = [client for tunnel in self._open.values() for client in tunnel.clients]
        for launch_id in list(self._open):
            self.close(launch_id)
        await asyncio.gather(*clients, return_exceptions=True)

    def list(self) -> tuple[Route, ...]:
        """Return the routes of all open tunnels."""
        return tuple(tunnel.route for tunnel in self._open.values())

    async def _try(self, route: Route, site: Site, deadline: Deadline) -> None:
        """Go through once: a front end that forbids forwarding would otherwise show as a silent server."""
        try:
            async with (
                self._pool.connection(route.login, site, deadline) as connection,
                connection.stream(address(site, route), route.port, deadline),
            ):
                pass
        except ForwardingForbidden as error:
            forbidden = sentences.FORWARDING_FORBIDDEN.format(site=site.title, node=route.node)
            raise Broken(forbidden, str(error)) from error
        except ConnectionLost as error:
            unreachable = sentences.NODE_UNREACHABLE.format(site=site.title, node=route.node)
            raise Unavailable(unreachable, str(error)) from error

    async def _serve(self, tunnel: _Open, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's connection to the node and back until either side ends it."""
        loop, route, deadline = asyncio.get_running_loop(), tunnel.route, Deadline.after(_CLIENT_SECONDS)
        is_through = False
        try:
            if loop.time() < tunnel.not_before:
                return
            async with (
                self._pool.connection(route.login, tunnel.site, deadline) as connection,
                connection.stream(address(tunnel.site, route), route.port, deadline) as (
                    there_reader,
                    there_writer,
                ),
            ):
                is_through, tunnel.pause = True, _FIRST_PAUSE_SECONDS
                await asyncio.gather(_carry(reader, there_writer), _carry(there_reader, writer))
        except Refused as error:
            said = sentences.SERVER_CUT_OFF.format(problem=error.message)
            await _tell(reader, writer, "424 No Ticket", said)
        except (LaunchError, ConnectionLost) as error:
            if not is_through:
                tunnel.failed(loop.time())
            _log.warning("the tunnel of launch %s: %s", route.launch_id, error)
        except OSError:
            pass  # The client went away in the middle.
        finally:
            writer.close()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until the source ends, then end the sink's sending side."""
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


async def _turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Tell one client too many so."""
    try:
        await _tell(reader, writer, "429 Too Many Connections", sentences.TUNNEL_FULL.format(most=CLIENTS_AT_ONCE))
    finally:
        writer.close()


async def _tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: str, said: str) -> None:
    """Answer by HTTP in the server's place; below 500, or a restarted hub would take the server for dead."""
    # What is left unread when a connection is closed would take the answer with it.
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(_REQUEST_SECONDS):
            await reader.read(_CHUNK)
    body = f"{said}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode() + body)
