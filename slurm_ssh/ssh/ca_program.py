"""A program of the hub's admin that gives certificates: run without a shell, heard for a short while."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any, cast

from slurm_ssh.text import one_line

PROGRAM_SECONDS = 10.0
"""How long it may take."""

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

    Raises NoCertificate.
    """
    command = [_filled(word, names) for word in words]
    program = await _begun(command)
    try:
        async with asyncio.timeout(PROGRAM_SECONDS):
            _, said, complaint = await asyncio.gather(
                _feed(cast(asyncio.StreamWriter, program.stdin), data),
                _heard(cast(asyncio.StreamReader, program.stdout)),
                _heard(cast(asyncio.StreamReader, program.stderr)),
            )
            status = await program.wait()
    except TimeoutError as error:
        late = f"{command[0]}: has not ended within {PROGRAM_SECONDS:g} s"
        raise NoCertificate(late, is_temporary=True) from error
    finally:
        await _ended(program)
    if status:
        why = one_line(complaint.decode("utf-8", "replace"), _LONGEST_SAID)
        raise NoCertificate(f"{command[0]}: exit status {status}: {why}", is_temporary=True)
    return said


async def _begun(command: Sequence[str]) -> asyncio.subprocess.Process:
    """Return a program that has begun.  Raises NoCertificate."""
    environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    pipe = asyncio.subprocess.PIPE
    beginning = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environ, cwd="/", start_new_session=True
        )
    )
    try:
        # Cancelled itself it would wait for ever, for pipes that nobody opens any more.
        return await asyncio.shield(beginning)
    except OSError as error:
        raise NoCertificate(f"{command[0]}: {error.strerror}") from error
    except asyncio.CancelledError:
        beginning.add_done_callback(_end_at_once)
        raise


def _end_at_once(beginning: asyncio.Future[asyncio.subprocess.Process]) -> None:
    if not beginning.cancelled() and not beginning.exception():
        _end(beginning.result())


def _filled(word: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        word = word.replace(f"{{{name}}}", value)
    return word


async def _feed(stdin: asyncio.StreamWriter, data: bytes) -> None:
    # It need not read what it is sent.
    stdin.write(data)
    with contextlib.suppress(OSError):
        await stdin.drain()
    stdin.close()
    with contextlib.suppress(OSError):
        # What it waits for is set whether or not anybody waits.
        await asyncio.shield(stdin.wait_closed())


async def _heard(stream: asyncio.StreamReader) -> bytes:
    """Return the beginning of what a program prints, once it has ended that."""
    heard = bytearray()
    while data := await stream.read(_LONGEST):
        heard += data[: _LONGEST - len(heard)]
    return bytes(heard)


async def _ended(program: asyncio.subprocess.Process) -> None:
    """End it, and what it has begun, if it has not ended by itself."""
    _end(program)
    await program.wait()


def _end(program: asyncio.subprocess.Process) -> None:
    if program.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
    # A pipe with more in it than was read never ends by itself, and `wait` waits for all of them.  asyncio has no
    # public name for them; closing all at once would also take the program's end from who waits for it.
    transport = cast(Any, program)._transport
    for number in range(3):
        if pipe := transport.get_pipe_transport(number):
            pipe.close()
