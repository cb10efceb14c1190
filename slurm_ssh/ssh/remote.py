"""One person at one site: runs programs there, once more if the connection was lost, with errors as sentences."""

from dataclasses import dataclass

from kernels.shell import Shell
from profiles.catalogue.site import Site
from slurm_ssh import sentences
from slurm_ssh.errors import Unavailable
from slurm_ssh.ssh.connection import LONGEST_ANSWER
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.transport import Completed, ConnectionLost

# Slurm's own clients give up on a silent controller after 9 s (sbatch) to 18 s (squeue), sometimes twice.
COMMAND_SECONDS = 60.0


@dataclass(frozen=True)
class Remote:
    """A person's access to a site."""

    pool: ConnectionPool
    login: Login
    site: Site

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
            raise Unavailable(sentences.CONNECTION_LOST.format(site=self.site.title), str(error)) from error

    async def run_once(self, program: Shell, data: bytes = b"", limit_bytes: int = LONGEST_ANSWER) -> Completed:
        """Run a program; ConnectionLost means that it may or may not have done its work."""
        try:
            async with self.pool.connection(self.login, self.site) as connection:
                return await connection.run(
                    program,
                    data,
                    environ=self.site.environment,
                    timeout_seconds=COMMAND_SECONDS,
                    limit_bytes=limit_bytes,
                )
        except TimeoutError as error:
            late = sentences.NO_ANSWER.format(site=self.site.title, seconds=round(COMMAND_SECONDS))
            raise Unavailable(late) from error
