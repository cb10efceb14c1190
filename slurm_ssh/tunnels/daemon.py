"""The tunnel daemon: carries the tunnels of one hub, and goes on while the hub is away."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kerberos_auth.errors import AuthFailed, TicketMissing
from kerberos_auth.reader import TicketReader
from kerberos_auth.tickets import Ticket
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, LaunchError
from slurm_ssh.job import LaunchId
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.text import one_line
from slurm_ssh.tunnels import local_socket, messages
from slurm_ssh.tunnels.keeper import TunnelKeeper
from slurm_ssh.tunnels.messages import Begin, Close, Keep, List, Malformed, Message, Open, Renew, Version
from slurm_ssh.tunnels.route import Route

UNCLAIMED_SECONDS = 600.0
"""How long a hub that has connected has time to open again what it keeps."""

_IDLE_SECONDS = 300.0
_LONGEST_LOG = 300

_log = logging.getLogger(__name__)


class TunnelDaemon:
    """Owner of the tunnels of one hub, and of the connections behind them.

    A tunnel belongs to the connection that has opened it.  One that belongs to nobody, because the hub was
    started again, stays until the hub has had ten minutes to open it again.  While no hub is connected, every
    tunnel stays.
    """

    def __init__(self) -> None:
        self._tickets: TicketReader | None = None
        self._pool = ConnectionPool(self._ticket, _IDLE_SECONDS)
        self._keeper = TunnelKeeper(self._pool, ())
        self._hubs: dict[asyncio.Task[None], _Hub] = {}

    def hub_came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        if not local_socket.is_ours(writer):
            _log.warning("somebody else than this account tried to use the socket")
            writer.transport.abort()
            return
        hub = _Hub(self, writer)
        task = asyncio.create_task(hub.serve(reader))
        self._hubs[task] = hub
        task.add_done_callback(self._hubs.pop)

    async def close(self) -> None:
        """Close everything."""
        hubs = list(self._hubs)
        for task in hubs:
            task.cancel()
        await asyncio.gather(*hubs, return_exceptions=True)
        await self._keeper.leave()
        await self._pool.close()
        self._forget_tickets()

    def begin(self, told: Begin) -> None:
        """Take up what the hub says of itself.  Raises Broken if people's tickets cannot be read."""
        try:
            tickets = TicketReader(told.tickets, told.realm) if told.tickets else None
        except AuthFailed as error:
            raise Broken(error.message, error.detail) from error
        self._forget_tickets()
        self._tickets = tickets
        self._pool.idle_seconds = told.idle_seconds
        first, last = told.ports
        self._keeper.ports = range(first, last + 1)

    async def open(self, asked: Open) -> int:
        """Open a tunnel and return its port.  Raises what the keeper raises."""
        return await self._keeper.open(asked.route, asked.way, Deadline.after(asked.seconds))

    def close_tunnel(self, launch_id: LaunchId) -> None:
        """Close a tunnel, if there is one."""
        self._keeper.close(launch_id)

    def renew(self, user: str) -> None:
        """Use somebody's new ticket from here on."""
        self._pool.renew(user)

    def tunnels(self) -> tuple[Route, ...]:
        """Return where all tunnels lead."""
        return self._keeper.list()

    def close_unclaimed(self) -> None:
        """Close what belongs to no connection."""
        claimed = {launch_id for hub in self._hubs.values() for launch_id in hub.claims}
        for route in self._keeper.list():
            if route.launch_id not in claimed:
                _log.info("the hub does not know launch %s: its tunnel is closed", route.launch_id)
                self._keeper.close(route.launch_id)

    def _ticket(self, user: str) -> Ticket:
        if self._tickets is None:
            raise TicketMissing
        return self._tickets.get(user)

    def _forget_tickets(self) -> None:
        if self._tickets is not None:
            self._tickets.close()
        self._tickets = None


class _Hub:
    """One connection of the hub: `claims` are the launches whose tunnels it has opened."""

    def __init__(self, daemon: TunnelDaemon, writer: asyncio.StreamWriter) -> None:
        self.claims: set[LaunchId] = set()
        self._daemon = daemon
        self._writer = writer
        self._opening: dict[LaunchId, asyncio.Task[None]] = {}
        self._sweep: asyncio.Task[None] | None = None

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Do what is asked, until the connection ends or says what is no message."""
        try:
            while line := await reader.readline():
                await self._do(*messages.asked(line))
                await self._writer.drain()
        except (Malformed, ValueError) as error:
            _log.warning("a connection is closed that said something else: %s", one_line(str(error), _LONGEST_LOG))
        except OSError:
            pass  # It went away in the middle.
        finally:
            under_way = [*self._opening.values(), *((self._sweep,) if self._sweep else ())]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            await local_socket.close(self._writer)

    async def _do(self, number: int, message: Message) -> None:
        match message:
            case Version():
                wrong = messages.of_version(message.version)
                self._writer.write(messages.failure(number, wrong) if wrong else messages.answer(number))
            case Begin():
                self._begin(number, message)
            case Open():
                self._open_soon(number, message)
            case Keep():
                self._writer.write(messages.answer(number, port=self._kept(LaunchId(message.launch_id))))
            case Close():
                launch_id = LaunchId(message.launch_id)
                self._give_up(launch_id)
                self._daemon.close_tunnel(launch_id)
            case Renew():
                self._daemon.renew(message.user)
            case List():
                await self._list(number)

    def _begin(self, number: int, message: Begin) -> None:
        try:
            self._daemon.begin(message)
        except LaunchError as error:
            self._writer.write(messages.failure(number, error))
            return
        if self._sweep is None:
            self._sweep = asyncio.create_task(self._close_unclaimed())
        self._writer.write(messages.answer(number))

    async def _close_unclaimed(self) -> None:
        await asyncio.sleep(UNCLAIMED_SECONDS)
        self._daemon.close_unclaimed()

    def _open_soon(self, number: int, message: Open) -> None:
        """Begin to open a tunnel: it may take a while, and other messages do not wait for it."""
        launch_id = message.route.launch_id
        self._give_up(launch_id)
        self.claims.add(launch_id)
        task = self._opening[launch_id] = asyncio.create_task(self._open(number, message))
        task.add_done_callback(lambda done: self._opened(launch_id, done))

    def _opened(self, launch_id: LaunchId, task: asyncio.Task[None]) -> None:
        if self._opening.get(launch_id) is task:
            del self._opening[launch_id]

    async def _open(self, number: int, message: Open) -> None:
        try:
            answer = messages.answer(number, port=await self._daemon.open(message))
        except LaunchError as error:
            self.claims.discard(message.route.launch_id)
            answer = messages.failure(number, error)
        self._writer.write(answer)

    def _kept(self, launch_id: LaunchId) -> int:
        """Claim a tunnel that is open; return its port, 0 if there is none."""
        for route in self._daemon.tunnels():
            if route.launch_id == launch_id:
                self.claims.add(launch_id)
                return route.local_port
        return 0

    def _give_up(self, launch_id: LaunchId) -> None:
        """Let go of a tunnel, and of the attempt to open it."""
        self.claims.discard(launch_id)
        if task := self._opening.pop(launch_id, None):
            task.cancel()

    async def _list(self, number: int) -> None:
        for route in self._daemon.tunnels():
            self._writer.write(messages.tunnel(number, route))
            await self._writer.drain()
        self._writer.write(messages.answer(number, done=True))


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[TunnelDaemon]:
    """Give a daemon that listens at a socket.  Raises as `local_socket.bound` does."""
    listener, folder = local_socket.bound(path)
    daemon = TunnelDaemon()
    try:
        server = await asyncio.start_unix_server(daemon.hub_came, sock=listener, limit=messages.LONGEST)
        _log.info("carrying tunnels for the hub that comes to %s", path)
        try:
            yield daemon
        finally:
            server.close()
            await daemon.close()
    finally:
        local_socket.remove(path, folder)
