"""A program of the hub's admin that gives certificates: run without a shell, heard for a short while."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import cast

from slurm_ssh.text import one_line

PROGRAM_SECONDS = 10.0
"""How long it may take."""

# More than what it has printed needs to come once it has ended.
_MOMENT_SECONDS = 0.5
_LONGEST = 64 * 1024
_LONGEST_SAID = 300
# It is told nothing of the hub's own secrets, some of which are in the hub's environment.
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ")


class NoCertificate(Exception):  # noqa: N818 - named by what happened
    """There is no certificate; its text is for the log.  `is_temporary` if a later try may succeed."""

    def __init__(self, detail: str, *, is_temporary: bool = False) -> None:
        super().__init__(detail)
        self.is_temporary = is_temporary


async def run(words: Sequence[str], names: Mapping[str, str], data: bytes) -> bytes:
    """Run a program with names put into its words and `data` on its stdin; return what it prints.

    What it has begun and leaves running, such as an agent, may hold its pipes: they are read until it has ended
    itself, and for a moment more.  Raises NoCertificate.
    """
    command = [_filled(word, names) for word in words]
    transport, program = await _begun(command)
    try:
        _feed(transport, data)
        async with asyncio.timeout(PROGRAM_SECONDS):
            await program.has_ended.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MOMENT_SECONDS):
                await program.is_silent.wait()
        status = transport.get_returncode()
    except TimeoutError as error:
        late = f"{command[0]}: has not ended within {PROGRAM_SECONDS:g} s"
        raise NoCertificate(late, is_temporary=True) from error
    finally:
        _end(transport)
        await program.has_ended.wait()
    if status:
        why = one_line(program.heard[2].decode("utf-8", "replace"), _LONGEST_SAID)
        raise NoCertificate(f"{command[0]}: exit status {status}: {why}", is_temporary=True)
    return bytes(program.heard[1])


class _Program(asyncio.SubprocessProtocol):
    """The beginning of what a program prints to stdout and stderr, by their numbers, and whether it has ended."""

    def __init__(self) -> None:
        self.heard = {1: bytearray(), 2: bytearray()}
        self.has_ended, self.is_silent = asyncio.Event(), asyncio.Event()
        self._open = set(self.heard)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        heard = self.heard[fd]
        heard += data[: _LONGEST - len(heard)]

    def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open:
            self.is_silent.set()

    def process_exited(self) -> None:
        self.has_ended.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        # It has ended, and its pipes are closed.
        self._transport.close()


_Begun = tuple[asyncio.SubprocessTransport, _Program]


async def _begun(command: Sequence[str]) -> _Begun:
    """Return a program that has begun.  Raises NoCertificate."""
    environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    loop = asyncio.get_running_loop()
    beginning = asyncio.ensure_future(
        loop.subprocess_exec(_Program, *command, env=environ, cwd="/", start_new_session=True)
    )
    try:
        # Cancelled itself it would wait for ever, for pipes that nobody opens any more.
        return await asyncio.shield(beginning)
    except OSError as error:
        raise NoCertificate(f"{command[0]}: {error.strerror}") from error
    except asyncio.CancelledError:
        beginning.add_done_callback(_end_at_once)
        raise


def _end_at_once(beginning: asyncio.Future[_Begun]) -> None:
    if not beginning.cancelled() and not beginning.exception():
        _end(beginning.result()[0])


def _filled(word: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _feed(transport: asyncio.SubprocessTransport, data: bytes) -> None:
    # It need not read what it is sent.
    stdin = cast(asyncio.WriteTransport, transport.get_pipe_transport(0))
    stdin.write(data)
    stdin.close()


def _end(transport: asyncio.SubprocessTransport) -> None:
    """End a program, and what it has begun, if it has not ended by itself; leave its pipes alone."""
    if transport.get_returncode() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
    # `close` of the transport would take its end from who waits for it.
    for number in range(3):
        if pipe := transport.get_pipe_transport(number):
            pipe.close()
