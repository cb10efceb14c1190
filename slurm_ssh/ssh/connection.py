"""One SSH connection of a person: runs programs and carries streams, each for a limited time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

import asyncssh

from kernels.shell import Shell
from slurm_ssh import sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import TransfersBusy, TransferStalled
from slurm_ssh.ssh import opening, transfer
from slurm_ssh.ssh.exchange import Exchange
from slurm_ssh.ssh.sessions import WINDOW_BYTES, Sessions, Turns
from slurm_ssh.ssh.transfer import Transfer
from slurm_ssh.ssh.transport import Completed, ConnectionLost, Late, NotBegunInTime, new_marker, wrap

# A node behind a firewall is no answer at all; sshd itself would wait for minutes.
FORWARD_SECONDS = 10.0
BUSY_SECONDS = 3
"""Between looks whether the front end is there, while somebody waits for something of it."""

# While nobody does: there may be thousands of such connections.
_IDLE_SECONDS = 30
LONGEST_ANSWER = 128 * 1024
"""Bytes that an answer may have, with all that a login shell prints around it, unless more is asked for."""


class ForwardingForbidden(ConnectionLost):
    """A front end does not let people through to the address."""


class Connection:
    """One connection of one person to one front end.

    `turns` are those of transfers: all connections of a person to a site may be given the same.
    """

    def __init__(self, host: str, ssh: asyncssh.SSHClientConnection) -> None:
        self.host = host
        self.turns = Turns()
        self._ssh = ssh
        self._sessions = Sessions(host, ssh)
        self._last_used = asyncio.get_running_loop().time()
        self._running = 0

    @property
    def is_open(self) -> bool:
        """Whether the connection is up, as far as is known."""
        return not self._ssh.is_closed()

    @property
    def is_fresh(self) -> bool:
        """Whether further work may go over it: it is up, nothing was left behind on it, and commands find room.

        A program that was left holds a session that the front end counts, until the connection is closed.
        """
        return self.is_open and not self._sessions.has_abandoned and self._sessions.has_room_for_commands

    @property
    def idle_seconds(self) -> float:
        """How long nothing has run; 0 while something does."""
        return 0.0 if self._running else asyncio.get_running_loop().time() - self._last_used

    async def run(
        self,
        program: Shell,
        data: bytes = b"",
        *,
        environ: Mapping[str, str],
        timeout_seconds: float,
        limit_bytes: int = LONGEST_ANSWER,
    ) -> Completed:
        """Run a shell program with `data` on its stdin, in an emptied environment plus `environ`.

        Raises ConnectionLost; Late after `timeout_seconds`, however long the program goes on; Refused if
        it, or the login shell, prints more than `limit_bytes`, of which no more is ever kept, or if that shell
        does not run it.  NotBegun and NotBegunInTime are those of a program that has data and has not run.
        """
        marker = new_marker()
        sent = wrap(program, data, environ, marker)
        exchange = Exchange(self.host, self._sessions, sent, marker, limit_bytes)
        try:
            with self._busy():
                async with asyncio.timeout(timeout_seconds):
                    return await exchange.completed()
        except TimeoutError as error:
            raise exchange.late() from error

    async def send(
        self,
        program: Shell,
        chunks: AsyncIterator[bytes],
        *,
        environ: Mapping[str, str],
        timeout_seconds: float,
    ) -> Completed:
        """Run a program with the chunks on its stdin, each taken when those before are on their way.

        None is taken before the program has begun, for which all but TransferStalled is raised as by `receive`.
        What the chunks raise ends the program, as a cancelled caller does; it finds the end of its input then
        too, so it has to know how much should come.  Of its stderr the last lines are given.
        """
        async with self._transfer(program, b"", environ, timeout_seconds, more=True, sends=True) as begun:
            return await begun.send(chunks)

    def receive(
        self,
        program: Shell,
        data: bytes = b"",
        *,
        environ: Mapping[str, str],
        timeout_seconds: float,
        keeps_input: bool = False,
    ) -> AbstractAsyncContextManager[Transfer]:
        """Give a program that has begun, with `data` on its stdin, and whose stdout is to be iterated over.

        It is ended when the caller leaves before its end.  What it prints is read no faster than it is taken.
        If it `keeps_input`, it finds the end of that only at `Transfer.end_input`, or when it is left.
        Until it has begun, for which it has `timeout_seconds`: raises what `run` does, and TransfersBusy if
        TRANSFERS_AT_ONCE others go on, for `send` SENDS_AT_ONCE.  From then on: TransferStalled once nothing has
        moved for a minute, whoever is slow, which ends the caller's block; Unavailable or Refused if the program
        does not come to its end.
        """
        return self._transfer(program, data, environ, timeout_seconds, more=keeps_input)

    @asynccontextmanager
    async def _transfer(
        self,
        program: Shell,
        data: bytes,
        environ: Mapping[str, str],
        timeout_seconds: float,
        *,
        more: bool,
        sends: bool = False,
    ) -> AsyncIterator[Transfer]:
        marker = new_marker()
        sent = wrap(program, data, environ, marker, more=more)
        limit, begun, own = asyncio.timeout(timeout_seconds), None, self._sessions
        try:
            with self._busy():
                async with limit, self.turns.one(sends=sends), own.begun(sent, is_transfer=True) as process:
                    begun = Transfer(self.host, process, marker, limit, LONGEST_ANSWER)
                    try:
                        await begun.begin(sent, more=more)
                        yield begun
                    finally:
                        await self._leave(begun)
        except TimeoutError as error:
            if not limit.expired():
                raise
            taken = self.turns.taken(sends=sends)
            if not taken and not self._sessions.has_room_for_a_transfer:
                taken = self._sessions.transfers
            raise self._late(begun, timeout_seconds, taken, waits=sent.waits) from error

    async def _leave(self, begun: Transfer) -> None:
        try:
            await begun.leave()
        finally:
            self._sessions.has_abandoned |= not begun.has_ended

    def _late(self, begun: Transfer | None, seconds: float, taken: int, *, waits: bool) -> Exception:
        """Return the error of a transfer whose time is up; `taken` is how many others kept it from beginning."""
        if begun and begun.has_begun:
            stalled = sentences.TRANSFER_STALLED
            return TransferStalled(stalled.format(host=self.host, seconds=round(transfer.STALL_SECONDS)))
        if begun is None and taken:
            busy = sentences.TRANSFERS_BUSY
            return TransfersBusy(busy.format(host=self.host, count=taken, seconds=round(seconds)))
        return NotBegunInTime() if waits else Late()

    @contextlib.contextmanager
    def _busy(self) -> Iterator[None]:
        """Count a piece of work."""
        self._running += 1
        if self._running == 1:
            self._look_every(BUSY_SECONDS)
        try:
            yield
        finally:
            self._running -= 1
            self._last_used = asyncio.get_running_loop().time()
            if not self._running:
                self._look_every(_IDLE_SECONDS)

    def _look_every(self, seconds: float) -> None:
        if self.is_open:
            self._ssh.set_keepalive(seconds)

    @asynccontextmanager
    async def stream(
        self, host: str, port: int, deadline: Deadline | None = None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Give a TCP connection from the front end to `host`, for as long as the caller wants.

        Who takes things slowly has to read WINDOW_BYTES at once, or all that comes is kept in memory.
        Raises ForwardingForbidden, or ConnectionLost if it cannot be made, by the `deadline`, or is lost.
        """
        try:
            with self._busy():
                reader, writer = await self._stream_to(host, port, deadline)
                try:
                    # The two have all methods of asyncio's that a copy needs.
                    yield cast(asyncio.StreamReader, reader), cast(asyncio.StreamWriter, writer)
                finally:
                    writer.close()
        except asyncssh.ChannelOpenError as error:
            is_forbidden = error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
            lost = ForwardingForbidden if is_forbidden else ConnectionLost
            raise lost(f"{self.host}: {error}") from error
        except asyncssh.DisconnectError as error:
            raise ConnectionLost(f"{self.host}: {error}") from error

    async def _stream_to(
        self, host: str, port: int, deadline: Deadline | None
    ) -> "tuple[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]]":
        limit = deadline.within(FORWARD_SECONDS) if deadline else Deadline.after(FORWARD_SECONDS)
        try:
            async with limit.enforced():
                stream = self._ssh.open_connection(host, port, window=WINDOW_BYTES)
                return await opening.opened(stream, lambda both: both[1].close())
        except TimeoutError as error:
            self._sessions.has_abandoned = True
            late = f"{self.host}: {host}:{port} did not answer within {limit.seconds:.0f} seconds"
            raise ConnectionLost(late) from error
        except asyncio.CancelledError:
            self._sessions.has_abandoned = True
            raise

    async def close(self) -> None:
        """Close the connection; the ticket delegated to the front end goes with it."""
        self._ssh.close()
        await self._ssh.wait_closed()
