"""The sessions of one connection: as many programs at once as there are slots, and as the front end allows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh

from slurm_ssh.ssh import opening
from slurm_ssh.ssh.transport import ConnectionLost, NotBegun, Sent, SessionRefused

# sshd's MaxSessions is 10 by default.
COMMANDS_AT_ONCE = 8
TRANSFERS_AT_ONCE = 3
"""Of them, and of a person at a site: data may flow for hours, and commands are to find a slot meanwhile."""

SENDS_AT_ONCE = 2
"""Of the transfers: whoever sends slowly, for hours, can still have a small file from there."""

# A front end counts a session that has ended for a moment more.
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 1.0

WINDOW_BYTES = 512 * 1024
"""How much a front end may send that nobody has read.

asyncssh lets it send as much again at *every* read that makes room, however little.  So whoever wants no more in
memory has to read this much at once, and to read nothing of a program while something else of it waits.
"""

PACKET_BYTES = 128 * 1024
"""How much a front end may send in one packet, each of which Python has to open; OpenSSH's clients take 32 KiB."""


class Turns:
    """Those of a person's transfers with a site, over whatever connections."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(TRANSFERS_AT_ONCE)
        self._sends = asyncio.Semaphore(SENDS_AT_ONCE)

    @asynccontextmanager
    async def one(self, *, sends: bool) -> AsyncIterator[None]:
        """Have a turn for the length of a block, once there is one for what sends, or does not."""
        # What waits for its turn to send keeps nobody else from one.
        async with self._sends if sends else contextlib.nullcontext(), self._all:
            yield

    def taken(self, *, sends: bool) -> int:
        """Return how many others have all turns, 0 if there is one now."""
        if self._all.locked():
            return TRANSFERS_AT_ONCE
        return SENDS_AT_ONCE if sends and self._sends.locked() else 0


class Sessions:
    """Owner of the slots of a connection; whoever begins a program waits for one.

    A front end that allows fewer sessions than there are slots says so only by refusing one.  There are then as
    many slots as were ever in use at once, and transfers leave one of them to commands.
    `has_abandoned` if a program may go on that was left, in a session that the front end counts.
    """

    def __init__(self, host: str, ssh: asyncssh.SSHClientConnection) -> None:
        self.has_abandoned = False
        self.transfers = 0
        self._host = host
        self._ssh = ssh
        self._allowed = COMMANDS_AT_ONCE
        self._open = 0
        self._running = 0
        self._most_running = 0
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def has_room_for_commands(self) -> bool:
        """Whether a command finds a slot, at the latest when another one has ended."""
        return self.transfers < self._allowed

    @property
    def has_room_for_a_transfer(self) -> bool:
        """Whether a transfer finds a slot now."""
        most = max(1, min(TRANSFERS_AT_ONCE, self._allowed - 1))
        return self._open < self._allowed and self.transfers < most

    @asynccontextmanager
    async def begun(
        self, sent: Sent, *, is_transfer: bool = False
    ) -> AsyncIterator["asyncssh.SSHClientProcess[bytes]"]:
        """Begin the program in a session of its own, once there is a slot and the front end opens one.

        Raises SessionRefused if it opens none, or if transfers have all that it does: no command waits for them.
        """
        process, pause = None, _SHORTEST_PAUSE_SECONDS
        while process is None:
            await self._enter(is_transfer)
            try:
                process = await self._begin(sent, may_be_late=pause < _LONGEST_PAUSE_SECONDS)
            finally:
                if process is None:
                    self._leave(is_transfer)
            if process is None and self._open < self._allowed:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        self._running += 1
        self._most_running = max(self._most_running, self._running)
        self._allowed = max(self._allowed, self._running)
        try:
            yield process
        finally:
            self._running -= 1
            self._leave(is_transfer)

    async def _enter(self, is_transfer: bool) -> None:
        """Wait for a slot and take it."""
        while not (self.has_room_for_a_transfer if is_transfer else self._open < self._allowed):
            if not is_transfer and not self.has_room_for_commands:
                raise SessionRefused(f"{self._host}: transfers have all {self._allowed} sessions that it allows")
            left = asyncio.get_running_loop().create_future()
            self._waiting.append(left)
            try:
                await left
            finally:
                self._waiting.remove(left)
        self._open += 1
        self.transfers += is_transfer

    def _leave(self, is_transfer: bool) -> None:
        self._open -= 1
        self.transfers -= is_transfer
        for each in self._waiting:
            if not each.done():
                each.set_result(None)

    async def _begin(self, sent: Sent, *, may_be_late: bool) -> "asyncssh.SSHClientProcess[bytes] | None":
        """Begin the program in a session; return None if others have to end before, or to be seen to have."""
        try:
            process = self._ssh.create_process(
                sent.command, encoding=None, window=WINDOW_BYTES, max_pktsize=PACKET_BYTES
            )
            begun = await opening.opened(process, _end)
        except asyncssh.ChannelOpenError as error:
            if self._ssh.is_closed():
                raise self._lost_before_data(sent, error) from error
            if self._open > 1 or (may_be_late and self._most_running and not self.has_abandoned):
                self._allowed = max(1, self._most_running)
                return None
            self.has_abandoned = True
            raise SessionRefused(f"{self._host}: {error}") from error
        except (asyncssh.DisconnectError, OSError) as error:
            raise self._lost_before_data(sent, error) from error
        except asyncio.CancelledError:
            # It may be opened later, or run already.
            self.has_abandoned = True
            raise
        return begun

    def _lost_before_data(self, sent: Sent, error: Exception) -> ConnectionLost:
        """Return the error of a connection that was lost before a program was sent any data."""
        self.has_abandoned = True
        return (NotBegun if sent.waits else ConnectionLost)(f"{self._host}: {error}")


def forget(process: "asyncssh.SSHClientProcess[bytes]") -> None:
    """Let go what is kept of a program whose session is closed; nothing of it can be asked any more.

    asyncssh's process and its streams name each other, some kilobytes with all that they keep.  They would stay
    until Python looks through everything for garbage, which it seldom does: it answers nobody meanwhile.
    """
    vars(process).clear()


def _end(process: "asyncssh.SSHClientProcess[bytes]") -> None:
    """End a program that has begun for nobody."""
    with contextlib.suppress(OSError):
        process.terminate()
    process.channel.abort()
