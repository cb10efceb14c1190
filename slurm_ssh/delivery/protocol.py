"""What every delivery of tickets does, and the one that does nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from kernels.fragment import Fragment
from kernels.shell import Shell
from slurm_ssh.ssh.transport import Completed

Run = Callable[[Shell, bytes], Awaitable[Completed]]
"""Runs a program at the site as the owner, with data on its stdin and the delegated ticket as KRB5CCNAME."""


@dataclass(frozen=True)
class Delivered:
    """What makes a job use the ticket in its place.

    `sbatch_options` stand on sbatch's command line; the variables in `unset` are not in its environment.
    `notice` is a sentence for the person, "" if all is well.
    """

    fragment: Fragment = field(default_factory=Fragment)
    sbatch_options: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    notice: str = ""


class TicketDelivery(Protocol):
    """Puts a ticket where a job finds it, keeps it fresh there, and takes it away again.

    `ticket` is a credential cache file of the owner.  All three raise the families of `errors`.
    """

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Delivered:
        """Put `ticket` in place for a job that is about to be submitted."""

    async def renew(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> str:
        """Give a running job a newer ticket, where it looks already; may be done any number of times.

        Returns a sentence for the person, "" if all is well.  If it raises, the job has the ticket it had.
        """

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """Remove what `place` left at the site for this launch alone; nothing happens if it is gone."""


class NoDelivery:
    """The job has no ticket."""

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Delivered:  # noqa: ARG002
        """Add nothing to the job."""
        return Delivered()

    async def renew(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> str:  # noqa: ARG002
        """There is nothing to renew."""
        return ""

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """There is nothing to remove."""
