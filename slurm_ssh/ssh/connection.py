"""One SSH connection of a person: runs programs and carries streams, each for a limited time."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import asyncssh

from kernels.shell import Shell
from slurm_ssh import sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import AnswerTooLong, AnswerUnreadable, Refused
from slurm_ssh.ssh.transport import (
    STOOD_IN,
    Completed,
    ConnectionLost,
    InputTaken,
    Late,
    NotBegun,
    NotBegunInTime,
    ProgramKilled,
    Sent,
    SessionRefused,
    unwrap,
    wrap,
)

# sshd's MaxSessions is 10 by default.
COMMANDS_AT_ONCE = 8
# A node behind a firewall is no answer at all; sshd itself would wait for minutes.
FORWARD_SECONDS = 10.0
BUSY_SECONDS = 3
"""Between looks whether the front end is there, while somebody waits for something of it."""

# While nobody does: there may be thousands of such connections.
_IDLE_SECONDS = 30
LONGEST_ANSWER = 128 * 1024
"""Bytes that an answer may have, with all that a login shell prints around it, unless more is asked for."""

LONGEST_QUOTE = 1000
"""Characters of what a front end says that people are shown."""

_log = logging.getLogger(__name__)


class ForwardingForbidden(ConnectionLost):
    """A front end does not let people through to the address."""


class Connection:
    """One connection of one person to one front end."""

    def __init__(self, host: str, ssh: asyncssh.SSHClientConnection) -> None:
        self.host = host
        self._ssh = ssh
        self._slots = asyncio.Semaphore(COMMANDS_AT_ONCE)
        self._sessions = 0
        self._last_used = asyncio.get_running_loop().time()
        self._running = 0
        self._has_abandoned = False

    @property
    def is_open(self) -> bool:
        """Whether the connection is up, as far as is known."""
        return not self._ssh.is_closed()

    @property
    def is_fresh(self) -> bool:
        """Whether further work may go over it: it is up, and nothing was left behind on it.

        A program that was holds one of the sessions that the front end allows, until the connection is closed.
        """
        return self.is_open and not self._has_abandoned

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
        marker = f"answer-{secrets.token_hex(8)}"
        sent, heard = wrap(program, data, environ, marker), bytearray()
        try:
            with self._busy():
                async with asyncio.timeout(timeout_seconds), self._slots:
                    return await self._exchange(sent, marker, heard, limit_bytes)
        except TimeoutError as error:
            if sent.waits and marker.encode() not in heard:
                raise NotBegunInTime from error
            raise Late(heard.decode("utf-8", "replace")) from error

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

    async def _exchange(self, sent: Sent, marker: str, heard: bytearray, limit_bytes: int) -> Completed:
        try:
            async with self._session(sent) as process:
                outputs = await self._outputs(process, sent, heard, limit_bytes)
        except (asyncssh.DisconnectError, OSError) as error:
            raise ConnectionLost(f"{self.host}: {error}") from error
        return self._answer(process.exit_status, *outputs, marker)

    @asynccontextmanager
    async def _session(self, sent: Sent) -> AsyncIterator["asyncssh.SSHClientProcess[bytes]"]:
        """Begin the program in a session of its own.

        A front end that allows fewer sessions than there are slots refuses one more.  The slot is then lost for
        good, and that of a session that ends is waited for.
        """
        while (process := await self._begin(sent)) is None:
            await self._slots.acquire()
        try:
            yield process
        finally:
            self._sessions -= 1

    async def _begin(self, sent: Sent) -> "asyncssh.SSHClientProcess[bytes] | None":
        """Begin the program in a session, which counts from then on; return None if others have to end before."""
        has_begun = False
        self._sessions += 1
        try:
            process = await self._ssh.create_process(sent.command, encoding=None)
            has_begun = True
            return process
        except asyncssh.ChannelOpenError as error:
            if self._ssh.is_closed():
                raise self._lost_before_data(sent, error) from error
            if self._sessions > 1:
                return None
            self._has_abandoned = True
            raise SessionRefused(f"{self.host}: {error}") from error
        except (asyncssh.DisconnectError, OSError) as error:
            raise self._lost_before_data(sent, error) from error
        except asyncio.CancelledError:
            # It may be opened later.
            self._has_abandoned = True
            raise
        finally:
            self._sessions -= not has_begun

    def _lost_before_data(self, sent: Sent, error: Exception) -> ConnectionLost:
        """Return the error of a connection that was lost before a program was sent any data."""
        self._has_abandoned = True
        return (NotBegun if sent.waits else ConnectionLost)(f"{self.host}: {error}")

    def _answer(self, status: int | None, stdout: str, stderr: str, marker: str) -> Completed:
        """Return the answer in what was printed; `status` is the login shell's, None if the connection was cut."""
        try:
            return unwrap(stdout, stderr, marker)
        except InputTaken as error:
            raise Refused(sentences.INPUT_TAKEN.format(host=self.host)) from error
        except ConnectionLost as error:
            if status is None:
                raise
            if marker in stdout:
                raise ProgramKilled(f"{self.host}: {error}") from error
            sentence = sentences.SHELL_REPLACED if status == STOOD_IN else sentences.NO_COMMANDS
            said = (stdout + stderr).strip()[-LONGEST_QUOTE:]
            raise AnswerUnreadable(sentence.format(host=self.host), quoted=said) from error

    async def _outputs(
        self, process: "asyncssh.SSHClientProcess[bytes]", sent: Sent, heard: bytearray, limit_bytes: int
    ) -> tuple[str, str]:
        """Return what the program prints; it is left behind if that is too much or the caller waits no longer.

        What it has printed on its stdout until then is in `heard`.
        """
        has_ended = False
        try:
            # One that needs no input may have ended before it is sent; what it printed is to be read all the same.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(sent.stdin)
                process.stdin.write_eof()
            stdout, stderr = await asyncio.gather(
                self._read(process.stdout, heard, limit_bytes),
                self._read(process.stderr, bytearray(), limit_bytes),
            )
            await process.wait_closed()
            has_ended = True
        finally:
            if not has_ended:
                # OpenSSH closes its side only once the program has ended, so nothing here waits for that.
                process.channel.abort()
                self._has_abandoned = True
        return stdout, stderr

    async def _read(self, output: "asyncssh.SSHReader[bytes]", heard: bytearray, limit_bytes: int) -> str:
        if not await read_all(output, heard, limit_bytes):
            raise AnswerTooLong(sentences.ANSWER_TOO_LONG.format(host=self.host, kilobytes=limit_bytes // 1024))
        return heard.decode("utf-8", "replace")

    @asynccontextmanager
    async def stream(
        self, host: str, port: int, deadline: Deadline | None = None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Give a TCP connection from the front end to `host`, for as long as the caller wants.

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
                return await self._ssh.open_connection(host, port)
        except TimeoutError as error:
            self._has_abandoned = True
            late = f"{self.host}: {host}:{port} did not answer within {limit.seconds:.0f} seconds"
            raise ConnectionLost(late) from error
        except asyncio.CancelledError:
            self._has_abandoned = True
            raise

    async def close(self) -> None:
        """Close the connection; the ticket delegated to the front end goes with it."""
        self._ssh.close()
        await self._ssh.wait_closed()


async def read_all(output: "asyncssh.SSHReader[bytes]", into: bytearray, limit_bytes: int) -> bool:
    """Read all there is `into`; return False as soon as it is more than the limit: no more is ever kept."""
    while len(into) <= limit_bytes and (said := await output.read(limit_bytes + 1 - len(into))):
        into += said
    return len(into) <= limit_bytes
