"""One person at one site: runs programs and moves data there, with errors as sentences.

What was certainly not run because the connection was lost, or may be run twice, is begun once more.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import NoAnswer, Unavailable
from slurm_ssh.ssh.connection import LONGEST_ANSWER
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transfer import Transfer
from slurm_ssh.ssh.transport import Completed, ConnectionLost, Late, NotBegun, NotBegunInTime

# Slurm's own clients give up on a silent controller after 9 s (sbatch) to 18 s (squeue), sometimes twice.
COMMAND_SECONDS = 60.0
# For a connection and a program, or two if the first connection was lost.
WORK_SECONDS = 120.0


@dataclass(frozen=True)
class Remote:
    """A person's access to a site for one piece of work, which has to be done by its deadline."""

    pool: ConnectionPool
    login: Login
    site: Site
    deadline: Deadline = field(default_factory=lambda: Deadline.after(WORK_SECONDS))

    async def run(self, program: Shell, data: bytes = b"", limit_bytes: int = LONGEST_ANSWER) -> Completed:
        """Run a program that may be run twice, and is if the connection is lost under it.

        Raises Unavailable if it did not come to its end, Refused if it printed more than `limit_bytes`, and what
        `ConnectionPool.connection` raises.
        """
        try:
            return await self.run_once(program, data, limit_bytes)
        except ConnectionLost:
            pass
        try:
            return await self.run_once(program, data, limit_bytes)
        except ConnectionLost as error:
            raise self._lost(error) from error

    async def run_once(self, program: Shell, data: bytes = b"", limit_bytes: int = LONGEST_ANSWER) -> Completed:
        """Run a program once; what is certain not to have run is begun again, over a new connection.

        Raises as `run` does, but ConnectionLost if the program may or may not have done its work, NotBegun if it
        has not.  NoAnswer and AnswerTooLong leave that open too; after any other error it has not run.
        """
        try:
            return await self._run(program, data, limit_bytes)
        except NotBegun:
            return await self._run(program, data, limit_bytes)

    async def _run(self, program: Shell, data: bytes, limit_bytes: int) -> Completed:
        try:
            async with self.pool.connection(self.login, self.site, self.deadline) as connection:
                return await connection.run(
                    program,
                    data,
                    environ=self.site.environment,
                    timeout_seconds=self._seconds,
                    limit_bytes=limit_bytes,
                )
        except TimeoutError as error:
            raise self._late(error) from error

    async def send(self, program: Shell, chunks: AsyncIterator[bytes]) -> Completed:
        """Run a program once with the chunks on its stdin, as `Connection.send` does.

        The deadline is for its beginning, before which no chunk is taken.  Raises what `run_once` does, but
        Unavailable, such as TransferStalled and TransfersBusy, for all that does not come to its end.
        """
        try:
            try:
                return await self._send(program, chunks)
            except NotBegun:
                return await self._send(program, chunks)
        except ConnectionLost as error:
            raise self._lost(error) from error
        except Late as error:
            raise self._late(error) from error

    async def _send(self, program: Shell, chunks: AsyncIterator[bytes]) -> Completed:
        async with self.pool.connection(self.login, self.site, self.deadline) as connection:
            return await connection.send(
                program, chunks, environ=self.site.environment, timeout_seconds=self._seconds
            )

    @asynccontextmanager
    async def receive(
        self, program: Shell, data: bytes = b"", *, keeps_input: bool = False
    ) -> AsyncIterator[Transfer]:
        """Give a program that has begun, and whose stdout is to be iterated over, as `Connection.receive` does.

        The deadline is for its beginning, until when it may be run twice, and is if the connection is lost.
        """
        async with AsyncExitStack() as stack:
            try:
                try:
                    begun = await self._receive(stack, program, data, keeps_input)
                except ConnectionLost:
                    begun = await self._receive(stack, program, data, keeps_input)
            except ConnectionLost as error:
                raise self._lost(error) from error
            except Late as error:
                raise self._late(error) from error
            yield begun

    async def _receive(self, stack: AsyncExitStack, program: Shell, data: bytes, keeps_input: bool) -> Transfer:
        connection = await stack.enter_async_context(self.pool.connection(self.login, self.site, self.deadline))
        seconds = self._seconds
        environ = self.site.environment
        receiving = connection.receive(
            program, data, environ=environ, timeout_seconds=seconds, keeps_input=keeps_input
        )
        return await stack.enter_async_context(receiving)

    @property
    def _seconds(self) -> float:
        """For how long a program is waited for."""
        return min(COMMAND_SECONDS, self.deadline.left)

    def _lost(self, error: ConnectionLost) -> Unavailable:
        return Unavailable(error.sentence.format(site=self.site.title), str(error))

    def _late(self, error: TimeoutError) -> Unavailable:
        """Return what to tell of a program that did not end, or begin, in time."""
        sentence = sentences.NO_ANSWER if self.deadline.left else sentences.TOO_SLOW
        seconds = COMMAND_SECONDS if self.deadline.left else self.deadline.seconds
        late = sentence.format(site=self.site.title, seconds=round(seconds))
        if isinstance(error, NotBegunInTime):
            return Unavailable(late)
        return NoAnswer(late, error.heard if isinstance(error, Late) else "")
