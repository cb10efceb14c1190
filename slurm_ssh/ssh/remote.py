"""One person at one site: runs programs there, once more if the connection was lost, with errors as sentences."""

from dataclasses import dataclass, field

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import sentences
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import NoAnswer, Unavailable
from slurm_ssh.ssh.connection import LONGEST_ANSWER
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
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
            raise Unavailable(error.sentence.format(site=self.site.title), str(error)) from error

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
                    timeout_seconds=min(COMMAND_SECONDS, self.deadline.left),
                    limit_bytes=limit_bytes,
                )
        except TimeoutError as error:
            sentence = sentences.NO_ANSWER if self.deadline.left else sentences.TOO_SLOW
            seconds = COMMAND_SECONDS if self.deadline.left else self.deadline.seconds
            late = sentence.format(site=self.site.title, seconds=round(seconds))
            if isinstance(error, NotBegunInTime):
                raise Unavailable(late) from error
            raise NoAnswer(late, error.heard if isinstance(error, Late) else "") from error
