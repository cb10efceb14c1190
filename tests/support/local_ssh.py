"""A connection to this machine without SSH: programs run in a login shell, their bytes go through pipes.

It has what our code uses of asyncssh's, and is as unkind: a session counts until its program has ended, and nobody
hears a program whose session was given up.
"""

import asyncio
import contextlib
import copy
import os
import signal
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from typing import Any

import asyncssh


class LocalSsh:
    """Runs programs by the command `shell`, in `environ`; at most `sessions` at once.

    `shell` finds the program as `$SSH_ORIGINAL_COMMAND`; without one, sh runs it.
    """

    def __init__(self, environ: Mapping[str, str], shell: str = "", sessions: int = 10) -> None:
        self.sessions = sessions
        self._environ = environ
        self._shell = shell
        self._is_closed = False
        self._programs: list[_Program] = []

    def is_closed(self) -> bool:
        return self._is_closed

    def set_keepalive(self, _seconds: float) -> None:
        """There is nothing between the two ends."""

    async def create_process(self, command: str, **_: Any) -> "_Program":
        if self._is_closed:
            raise asyncssh.ConnectionLost("Connection lost")
        self._programs = [each for each in self._programs if not each.is_over]
        if len(self._programs) >= self.sessions:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "open failed")
        program = _Program(self)
        self._programs.append(program)
        await program.begin(self._shell or command, {**self._environ, "SSH_ORIGINAL_COMMAND": command})
        if self._is_closed:
            program.abort()
        # Whoever has it may empty it once it has ended, as asyncssh's, which the connection then knows no more.
        return copy.copy(program)

    async def open_connection(
        self, host: str, port: int, **_: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(host, port)

    def hang_up(self) -> None:
        """Be lost, and all that runs with it."""
        self._is_closed = True
        for each in self._programs:
            each.abort()

    def close(self) -> None:
        self.hang_up()

    async def wait_closed(self) -> None:
        """There is nothing to wait for."""

    async def stop(self) -> None:
        """End all that runs."""
        self.hang_up()
        for each in self._programs:
            each.kill(signal.SIGKILL)
            await each.wait_closed()


class _Program:
    """One program: its process, and its channel."""

    def __init__(self, ssh: LocalSsh) -> None:
        self.channel = self
        self.exit_status: int | None = None
        self._ssh = ssh
        self._begun: asyncio.subprocess.Process | None = None

    async def begin(self, command: str, environ: Mapping[str, str]) -> None:
        """Begin it in a session of its own, as sshd does."""
        usual = {"PATH": "/usr/bin:/bin", "USER": "alice", "SSH_CLIENT": "127.0.0.1 1 22"}
        self._begun = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**usual, **environ},
            cwd="/",
            start_new_session=True,
        )
        self.stdin = _Writer(self._begun.stdin)
        self.stdout = _Reader(self._begun.stdout, self._ssh)
        self.stderr = _Reader(self._begun.stderr, self._ssh)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._begun is not None and self._begun.returncode is not None

    @property
    def returncode(self) -> int | None:
        """How it ended, as soon as it has, whoever still holds its outputs."""
        return self._begun.returncode if self._begun else None

    def kill(self, number: int) -> None:
        """Send a signal to it and to all that it has begun."""
        if self._begun and not self.is_over:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._begun.pid, number)

    def terminate(self) -> None:
        self.kill(signal.SIGTERM)

    def abort(self) -> None:
        """Hear it no more, and feed it no more."""
        transport: Any = self._begun._transport if self._begun else None  # type: ignore[attr-defined]
        for number in (0, 1, 2) if transport else ():
            if pipe := transport.get_pipe_transport(number):
                pipe.close()

    async def wait_closed(self) -> None:
        if self._begun:
            self.exit_status = await self._begun.wait()
            # That it may have left its input unread is no error of anybody.
            with contextlib.suppress(OSError):
                self.stdin.stream.close()
                await self.stdin.stream.wait_closed()


class _Reader:
    """One of its outputs."""

    def __init__(self, stream: Any, ssh: LocalSsh) -> None:
        self._stream = stream
        self._ssh = ssh

    def at_eof(self) -> bool:
        return bool(self._stream.at_eof())

    async def read(self, most: int) -> bytes:
        said: bytes = await self._stream.read(most)
        if not said and self._ssh.is_closed():
            raise asyncssh.ConnectionLost("Connection lost")
        return said


class _Writer:
    """Its input."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, data: bytes) -> None:
        if self.stream.is_closing():
            raise BrokenPipeError
        self.stream.write(data)

    def write_eof(self) -> None:
        if self.stream.is_closing():
            raise BrokenPipeError
        self.stream.write_eof()

    async def drain(self) -> None:
        await self.stream.drain()
