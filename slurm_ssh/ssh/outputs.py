"""What a program prints, read until it has ended, however long something goes on that it left running."""

import asyncio
from collections.abc import Callable

import asyncssh

MOMENT_SECONDS = 2.0
"""How long nothing must come of a program that has ended, and whose answer is there, before no more is awaited."""


async def read(
    process: "asyncssh.SSHClientProcess[bytes]",
    output: "asyncssh.SSHReader[bytes]",
    most: int,
    is_answered: Callable[[], bool],
) -> bytes:
    """Return what comes next of one of its outputs, so many bytes at most; b"" if nothing does any more.

    sshd ends an output once nobody holds it open any more: `something &` in a start-up file of the shell does for
    days.  So the end is also where the program has ended, all of its answer is there, and then nothing comes.
    """
    while True:
        has_ended = process.returncode is not None and is_answered()
        try:
            async with asyncio.timeout(MOMENT_SECONDS):
                return await output.read(most)
        except TimeoutError:
            if has_ended:
                return b""


async def close(process: "asyncssh.SSHClientProcess[bytes]") -> None:
    """Wait until the session of a program is closed whose outputs are read; what holds them open loses them."""
    if not (process.stdout.at_eof() and process.stderr.at_eof()):
        process.channel.abort()
    await process.wait_closed()
