"""The sessions of one connection: as many programs at once as there are slots, and as the front end allows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh

from slurm_ssh.ssh.transport import ConnectionLost, NotBegun, Sent, SessionRefused

# sshd's MaxSessions is 10 by default.
COMMANDS_AT_ONCE = 8
TRANSFERS_AT_ONCE = 3
"""Of them: data may flow for hours, and commands are to find a slot meanwhile."""


WINDOW_BYTES = 512 * 1024
"""How much a front end may send that nobody has read.

asyncssh lets it send as much again at *every* read that makes room, however little.  So whoever wants no more in
memory has to read this much at once, and to read nothing of a program while something else of it waits.
"""


class Sessions:
    """Owner of the slots of a connection; whoever begins a program holds one, of `turns` too for a transfer.

    `has_abandoned` if a program may go on that was left, in a session that the front end counts.
    """

    def __init__(self, host: str, ssh: asyncssh.SSHClientConnection) -> None:
        self.slots = asyncio.Semaphore(COMMANDS_AT_ONCE)
        self.turns = asyncio.Semaphore(TRANSFERS_AT_ONCE)
        self.has_abandoned = False
        self._host = host
        self._ssh = ssh
        self._open = 0

    @asynccontextmanager
    async def begun(self, sent: Sent) -> AsyncIterator["asyncssh.SSHClientProcess[bytes]"]:
        """Begin the program in a session of its own.

        A front end that allows fewer sessions than there are slots refuses one more.  The slot is then lost for
        good, and that of a session that ends is waited for.
        """
        while (process := await self._begin(sent)) is None:
            await self.slots.acquire()
        try:
            yield process
        finally:
            self._open -= 1

    async def _begin(self, sent: Sent) -> "asyncssh.SSHClientProcess[bytes] | None":
        """Begin the program in a session, which counts from then on; return None if others have to end before."""
        has_begun = False
        self._open += 1
        try:
            process = await self._ssh.create_process(sent.command, encoding=None, window=WINDOW_BYTES)
            has_begun = True
            return process
        except asyncssh.ChannelOpenError as error:
            if self._ssh.is_closed():
                raise self._lost_before_data(sent, error) from error
            if self._open > 1:
                return None
            self.has_abandoned = True
            raise SessionRefused(f"{self._host}: {error}") from error
        except (asyncssh.DisconnectError, OSError) as error:
            raise self._lost_before_data(sent, error) from error
        except asyncio.CancelledError:
            # It may be opened later.
            self.has_abandoned = True
            raise
        finally:
            self._open -= not has_begun

    def _lost_before_data(self, sent: Sent, error: Exception) -> ConnectionLost:
        """Return the error of a connection that was lost before a program was sent any data."""
        self.has_abandoned = True
        return (NotBegun if sent.waits else ConnectionLost)(f"{self._host}: {error}")
