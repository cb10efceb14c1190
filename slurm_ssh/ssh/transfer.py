"""A program whose data flow for as long as some do: to its stdin, or from its stdout, never whole in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from typing import Self

import asyncssh

from slurm_ssh import sentences
from slurm_ssh.errors import AnswerTooLong, Unavailable
from slurm_ssh.ssh import outputs, unreadable
from slurm_ssh.ssh.sessions import WINDOW_BYTES, forget
from slurm_ssh.ssh.transport import AnswerReader, Completed, ConnectionLost, InputTaken, Sent, last_words

STALL_SECONDS = 60.0
"""How long nothing may move, in either direction, whoever is to blame: the site or the caller."""

PIECE_BYTES = 64 * 1024
"""Of data that are written at once."""

_LONGEST_WORDS = 8 * 1024
# How long a program that is left is waited for: one that was told to end does so, and its session is free.
_PARTING_SECONDS = 5.0


class Transfer:
    """One program in a session, from its first word to its end; iterated over, it gives what it prints.

    `completed` is how it ended, once it has, with the last lines of its stderr and no stdout.  `limit` is put off
    with every byte that moves once the program has begun; around what it prints, the login shell may say
    `limit_bytes`.
    """

    def __init__(
        self,
        host: str,
        process: "asyncssh.SSHClientProcess[bytes]",
        marker: str,
        limit: asyncio.Timeout,
        limit_bytes: int,
    ) -> None:
        self.completed: Completed | None = None
        self.has_ended = False
        self._host = host
        self._process = process
        self._marker = marker
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._answer = AnswerReader(marker)
        self._ready = b""
        self._words = b""
        self._is_heard = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @property
    def has_begun(self) -> bool:
        """Whether the program runs, or has run, as far as was heard."""
        return self._answer.has_begun

    async def begin(self, sent: Sent, *, more: bool) -> None:
        """Hand over what was `sent` for the program and wait until it has begun; there may be `more` to send.

        Raises ConnectionLost, and Refused if the login shell does not run it.
        """
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(sent.stdin)
            if not more:
                self._process.stdin.write_eof()
        while not self._answer.has_begun:
            self._ready = await self._more()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes that the program prints.

        Raises Unavailable if it does not come to its end, Refused if a login shell spoils the answer.
        """
        while self.completed is None:
            if piece := await self._next():
                return piece
        raise StopAsyncIteration

    async def send(self, chunks: AsyncIterator[bytes]) -> Completed:
        """Feed the chunks to the program until they or it have come to their end, and return how it ended.

        Raises what iterating does, and what `chunks` raise; its stdout is part of the answer.
        """
        feeding, hearing = asyncio.create_task(self._feed(chunks)), asyncio.create_task(self._hear())
        try:
            await asyncio.wait((feeding, hearing), return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                await feeding
            return await hearing
        finally:
            feeding.cancel()
            hearing.cancel()
            await asyncio.gather(feeding, hearing, return_exceptions=True)

    def end_input(self) -> None:
        """Let a program that keeps its input find the end of it."""
        with contextlib.suppress(OSError):
            self._process.stdin.write_eof()

    async def leave(self) -> None:
        """End the program if it has not ended, and wait a short while until it has."""
        self._listening.cancel()
        await asyncio.wait((self._listening,))
        if not self.has_ended:
            await self._part()
        if self.has_ended:
            forget(self._process)

    async def _part(self) -> None:
        """End a program that goes on."""
        if not self._limit.expired():
            self._limit.reschedule(None)
        # Of one that only waits, nothing else would be heard.
        with contextlib.suppress(OSError):
            self._process.terminate()
        self._process.channel.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PARTING_SECONDS):
                await self._process.wait_closed()
                self.has_ended = True

    async def _feed(self, chunks: AsyncIterator[bytes]) -> None:
        async for chunk in chunks:
            for at in range(0, len(chunk), PIECE_BYTES):
                # The program may end, or read no further, before it has got everything.
                try:
                    self._process.stdin.write(chunk[at : at + PIECE_BYTES])
                    await self._process.stdin.drain()
                except (asyncssh.DisconnectError, OSError):
                    return
                self._moved()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write_eof()

    async def _hear(self) -> Completed:
        heard = bytearray()
        while (completed := self.completed) is None:
            heard += await self._next()
            if len(heard) > self._limit_bytes:
                raise self._too_long()
        return replace(completed, stdout=heard.decode("utf-8", "replace"))

    async def _next(self) -> bytes:
        """Return what `_more` does, for a program that has begun."""
        piece, self._ready = self._ready, b""
        if piece:
            return piece
        try:
            return await self._more()
        except ConnectionLost as error:
            raise Unavailable(error.sentence.format(site=self._host), str(error)) from error

    async def _more(self) -> bytes:
        """Return what more of its stdout is surely the program's; b"" says nothing.  Raises ConnectionLost."""
        try:
            self._is_heard.set()
            said = await self._read(self._process.stdout)
            if not said:
                await self._conclude()
            self._is_heard.clear()
        except (asyncssh.DisconnectError, OSError) as error:
            raise ConnectionLost(f"{self._host}: {error}") from error
        piece = self._answer.feed(said)
        if len(self._answer.kept) > self._limit_bytes:
            raise self._too_long()
        self._moved()
        return piece

    async def _conclude(self) -> None:
        """Keep how the program ended, which has said its last word."""
        await self._listening
        await outputs.close(self._process)
        self.has_ended = True
        words = self._words.decode("utf-8", "replace")
        try:
            status = self._answer.status()
        except (ConnectionLost, InputTaken) as error:
            said = self._answer.kept.decode("utf-8", "replace") + words
            shell = self._process.exit_status
            raise unreadable.told(self._host, error, shell, said, has_begun=self.has_begun) from error
        self.completed = Completed(status, "", last_words(words, self._marker))

    def _read(self, output: "asyncssh.SSHReader[bytes]") -> Awaitable[bytes]:
        return outputs.read(self._process, output, WINDOW_BYTES, lambda: self._answer.is_whole)

    async def _listen(self) -> None:
        """Keep the end of what is said on stderr, which is read whenever stdout is, that neither may stop it."""
        # That of a lost connection is told by who reads stdout.
        with contextlib.suppress(asyncssh.DisconnectError, OSError):
            while said := await self._read(self._process.stderr):
                self._moved()
                self._words = (self._words + said)[-_LONGEST_WORDS:]
                await self._is_heard.wait()

    def _moved(self) -> None:
        if self.has_begun and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + STALL_SECONDS)

    def _too_long(self) -> AnswerTooLong:
        kilobytes = self._limit_bytes // 1024
        return AnswerTooLong(sentences.ANSWER_TOO_LONG.format(host=self._host, kilobytes=kilobytes))
