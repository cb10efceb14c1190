"""A site on this machine: programs run as a site runs them, through REMOTE_COMMAND and its markers."""

from dataclasses import dataclass
from pathlib import Path

from kernels.shell import Shell
from slurm_ssh_spawner.transport import REMOTE_COMMAND, Completed, unwrap, wrap
from tests.support import shells


@dataclass
class LocalSite:
    """Runs programs with `home` as the home directory."""

    home: Path

    async def run(self, program: Shell, data: bytes = b"") -> Completed:
        """Run a program with data on its stdin; a `delivery.Run`."""
        marker = "answer-0011223344556677"
        answer = shells.run(
            ["sh", "-c", REMOTE_COMMAND],
            wrap(program, data, {}, marker),
            {"HOME": str(self.home), "USER": "alice"},
            cwd=str(self.home),
        )
        return unwrap(answer.stdout.decode(), answer.stderr.decode(), marker)
