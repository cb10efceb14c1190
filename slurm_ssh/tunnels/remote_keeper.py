"""Has a tunnel daemon keep the tunnels, in the place of a TunnelKeeper in this process."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh.sentences import tunnels as sentences
from slurm_ssh.tunnels.daemon_session import DaemonAway, DaemonSession, connected
from slurm_ssh.tunnels.messages import Begin, Close, Keep, Open, Renew
from slurm_ssh.tunnels.route import Route, Way

_PAUSE_SECONDS = 0.5
# How long the tunnel of a server that was up before waits for the daemon: a hub that starts must not wait for it.
_ANSWER_SECONDS = 5.0

_log = logging.getLogger(__name__)


class RemoteKeeper:
    """Owner of the connection to the tunnel daemon at `socket`, which is told `begin` first.

    It does for its caller what a TunnelKeeper does.  When the daemon has been away, what was open is opened again.
    """

    def __init__(self, socket: Path, begin: Begin) -> None:
        self._socket = socket
        self._begin = begin
        self._to_close: set[LaunchId] = set()
        # Of sites that are not known any more: nobody could open these again.
        self._kept: set[LaunchId] = set()
        self._open: dict[LaunchId, tuple[Route, Way]] = {}
        self._session: DaemonSession | None = None
        self._problem: LaunchError | None = None
        self._has_tried = asyncio.Event()
        self._is_connected = asyncio.Event()
        self._keeping = asyncio.create_task(self._keep_connected())

    async def open(self, route: Route, site: Way, deadline: Deadline) -> int:
        """Open a tunnel and return its local port, that it had before if possible.

        That of a server that was up before counts as open while the daemon is away: it takes its port when the
        daemon is back.  Of a new one, raises what a TunnelKeeper raises, Unavailable if the daemon does not answer
        by the `deadline`.
        """
        self._to_close.discard(route.launch_id)
        if route.local_port:
            return await self._open_again(route, site, deadline.within(_ANSWER_SECONDS))
        try:
            async with deadline.enforced():
                port = await self._port(route, site, deadline)
        except TimeoutError as error:
            self.close(route.launch_id)
            raise Unavailable(sentences.TUNNELS_AWAY.format(site=site.title), str(self._socket)) from error
        except asyncio.CancelledError:
            # It may be opened later.
            self.close(route.launch_id)
            raise
        self._open[route.launch_id] = replace(route, local_port=port), site
        return port

    async def _open_again(self, route: Route, site: Way, deadline: Deadline) -> int:
        # From now on it is opened whenever the daemon is there.
        self._open[route.launch_id] = route, site
        port = route.local_port
        try:
            async with deadline.enforced():
                await self._has_tried.wait()
                if self._session:
                    port = await self._port(route, site, deadline)
        except TimeoutError:
            _log.warning("the tunnel of launch %s waits for the tunnel daemon", route.launch_id)
        except LaunchError:
            self._open.pop(route.launch_id, None)
            raise
        if route.launch_id in self._open:
            self._open[route.launch_id] = replace(route, local_port=port), site
        return port

    async def kept(self, launch_id: LaunchId, deadline: Deadline) -> int:
        """Have the daemon keep a tunnel whose site is not known any more; return its port, 0 if there is none."""
        try:
            async with deadline.within(_ANSWER_SECONDS).enforced():
                await self._is_connected.wait()
                port = await self._session.port(Keep(launch_id=launch_id)) if self._session else 0
        except (TimeoutError, DaemonAway, LaunchError):
            return 0
        if port:
            self._kept.add(launch_id)
        return port

    def close(self, launch_id: LaunchId) -> None:
        """Close a tunnel and what goes through it; nothing happens if there is none."""
        self._open.pop(launch_id, None)
        self._kept.discard(launch_id)
        if self._session:
            self._session.tell(Close(launch_id=launch_id))
        else:
            self._to_close.add(launch_id)

    def renew(self, user: str) -> None:
        """Let further connections of a person use their new ticket."""
        if self._session:
            self._session.tell(Renew(user=user))

    async def leave(self) -> None:
        """End the connection; the tunnels stay open."""
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)

    def list(self) -> tuple[Route, ...]:
        """Return the routes of all tunnels that this process has opened, with their local ports."""
        return tuple(route for route, _ in self._open.values())

    async def _port(self, route: Route, site: Way, deadline: Deadline) -> int:
        while True:
            await self._is_connected.wait()
            if self._problem:
                raise self._problem
            if self._session:
                with contextlib.suppress(DaemonAway):
                    return await self._session.port(Open.of(route, site, deadline.left))
            await asyncio.sleep(_PAUSE_SECONDS / 10)

    async def _keep_connected(self) -> None:
        told = ""
        while True:
            try:
                async with self._connected() as session:
                    told = ""
                    await session.ended()
                raise DaemonAway("it has ended")
            except (DaemonAway, LaunchError) as error:
                self._failed(error)
                if str(error) != told:
                    _log.warning("no tunnel daemon at %s: %s", self._socket, error)
                told = str(error)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _failed(self, error: DaemonAway | LaunchError) -> None:
        """Have those who wait go on waiting, or told why a daemon that is there does not do what it is asked."""
        self._problem = error if isinstance(error, LaunchError) else None
        if self._problem:
            self._is_connected.set()
        else:
            self._is_connected.clear()
        self._has_tried.set()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[DaemonSession]:
        """Give a session, once all that is to be open is open."""
        async with connected(self._socket, self._begin) as session:
            taken_up: set[LaunchId] = set()
            # Others may be added meanwhile: whoever adds one waits for no session.
            while left := [which for launch_id, which in self._open.items() if launch_id not in taken_up]:
                for route, site in left:
                    taken_up.add(route.launch_id)
                    await self._take_up(session, route, site)
            for launch_id in self._kept:
                session.tell(Keep(launch_id=launch_id))
            self._session, self._problem = session, None
            for launch_id in self._to_close:
                session.tell(Close(launch_id=launch_id))
            self._to_close.clear()
            self._is_connected.set()
            self._has_tried.set()
            _log.info("the tunnel daemon at %s carries the tunnels", self._socket)
            try:
                yield session
            finally:
                self._session = None
                self._is_connected.clear()

    async def _take_up(self, session: DaemonSession, route: Route, site: Way) -> None:
        try:
            port = await session.port(Open.of(route, site, _ANSWER_SECONDS))
        except LaunchError as error:
            _log.error("the tunnel of launch %s is not open: %s", route.launch_id, error)
            return
        if port != route.local_port:
            _log.error(
                "port %d is taken, so the tunnel of launch %s has port %d; start the hub again, so that its page "
                "leads there",
                route.local_port,
                route.launch_id,
                port,
            )
