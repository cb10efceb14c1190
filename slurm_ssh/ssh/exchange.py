"""A program that gets all its input at once, and whose answer is read whole, up to a limit."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncssh

from slurm_ssh import sentences
from slurm_ssh.errors import AnswerTooLong
from slurm_ssh.ssh import outputs, unreadable
from slurm_ssh.ssh.sessions import Sessions, forget
from slurm_ssh.ssh.transport import (
    Completed,
    ConnectionLost,
    InputTaken,
    Late,
    NotBegunInTime,
    Sent,
    is_whole,
    unwrap,
)


class Exchange:
    """One program and its answer, which stands behind a `marker` in what is printed, `limit_bytes` at most."""

    def __init__(self, host: str, sessions: Sessions, sent: Sent, marker: str, limit_bytes: int) -> None:
        self._host = host
        self._sessions = sessions
        self._sent = sent
        self._marker = marker
        self._limit_bytes = limit_bytes
        self._heard = bytearray()

    async def completed(self) -> Completed:
        """Begin the program, and return its answer.

        Raises ConnectionLost, and Refused if it, or the login shell, prints more than the limit, or if that shell
        does not run it.
        """
        try:
            async with self._sessions.begun(self._sent) as process:
                both = await self._outputs(process)
                status = process.exit_status
                forget(process)
        except (asyncssh.DisconnectError, OSError) as error:
            raise ConnectionLost(f"{self._host}: {error}") from error
        return self._answer(status, *both)

    def late(self) -> Late:
        """Return the error of a program whose time is up, with what was heard of it."""
        if self._sent.waits and self._marker.encode() not in self._heard:
            return NotBegunInTime()
        return Late(self._heard.decode("utf-8", "replace"))

    def _answer(self, status: int | None, stdout: str, stderr: str) -> Completed:
        """Return the answer in what was printed; `status` is the login shell's, None if the connection was cut."""
        try:
            return unwrap(stdout, stderr, self._marker)
        except (InputTaken, ConnectionLost) as error:
            has_begun = self._marker in stdout
            raise unreadable.told(self._host, error, status, stdout + stderr, has_begun=has_begun) from error

    async def _outputs(self, process: "asyncssh.SSHClientProcess[bytes]") -> tuple[str, str]:
        """Return what the program prints; it is left behind if that is too much or the caller waits no longer."""
        has_ended = False
        try:
            # One that needs no input may have ended before it is sent; what it printed is to be read all the same.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(self._sent.stdin)
                process.stdin.write_eof()
            stdout, stderr = await asyncio.gather(
                self._read(process, process.stdout, self._heard),
                self._read(process, process.stderr, bytearray()),
            )
            await outputs.close(process)
            has_ended = True
        finally:
            if not has_ended:
                # OpenSSH closes its side only once the program has ended, so nothing here waits for that.
                process.channel.abort()
                self._sessions.has_abandoned = True
        return stdout, stderr

    async def _read(
        self,
        process: "asyncssh.SSHClientProcess[bytes]",
        output: "asyncssh.SSHReader[bytes]",
        heard: bytearray,
    ) -> str:
        def more(most: int) -> Awaitable[bytes]:
            return outputs.read(process, output, most, lambda: is_whole(self._heard, self._marker))

        if not await read_all(more, heard, self._limit_bytes):
            kilobytes = self._limit_bytes // 1024
            raise AnswerTooLong(sentences.ANSWER_TOO_LONG.format(host=self._host, kilobytes=kilobytes))
        return heard.decode("utf-8", "replace")


async def read_all(read: Callable[[int], Awaitable[bytes]], into: bytearray, limit_bytes: int) -> bool:
    """Read all there is `into`; return False as soon as it is more than the limit: no more is ever kept.

    `read` returns what comes next, as many bytes at most as it is asked for, and b"" at the end.
    """
    while len(into) <= limit_bytes and (said := await read(limit_bytes + 1 - len(into))):
        into += said
    return len(into) <= limit_bytes
