"""What every delivery of tickets does, and the one that does nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from kernels.fragment import Fragment
from kernels.shell import Shell
from slurm_ssh.errors import LaunchError
from slurm_ssh.ssh.transport import Completed

Run = Callable[[Shell, bytes], Awaitable[Completed]]
"""Runs a program at the site as the owner, with data on its stdin and the delegated ticket as KRB5CCNAME."""


@dataclass(frozen=True)
class Placing:
    """How a ticket is put in its place at a site, in an exchange of its own or as one step of a submission.

    `program` finds `data` at the beginning of its stdin, and takes neither more nor less.  What it does first,
    `enter`, is alike for all jobs of an owner, and need be done only once for some; `step` is the rest.  `error`
    returns what to tell if it has failed.
    """

    step: Shell
    data: bytes = field(repr=False)
    error: Callable[[Completed], LaunchError]
    enter: Shell = field(default_factory=Shell)

    @property
    def program(self) -> Shell:
        """All of it."""
        return Shell(self.enter + self.step)


async def put(run: Run, placing: Placing) -> None:
    """Put a ticket in its place by an exchange of its own.  Raises what `Placing.error` returns."""
    answer = await run(placing.program, placing.data)
    if answer.status:
        raise placing.error(answer)


@dataclass(frozen=True)
class Delivered:
    """What makes a job use the ticket in its place, and what is left to do before the job is submitted.

    `sbatch_options` stand on sbatch's command line; the variables in `unset` are not in its environment.
    `notice` is a sentence for the person, "" if all is well.  `placing` is None if nothing is left.
    """

    fragment: Fragment = field(default_factory=Fragment)
    sbatch_options: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    notice: str = ""
    placing: Placing | None = None


class TicketDelivery(Protocol):
    """Puts a ticket where a job finds it, keeps it fresh there, and takes it away again.

    `ticket` is a credential cache file of the owner.  All three raise the families of `errors`.
    """

    def fragment(self, owner: str, launch_id: str) -> Fragment:
        """Return what the ticket adds to the job's script; asks nobody."""

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Delivered:
        """Return how a job that is about to be submitted gets `ticket`.

        An exchange with the site is made only if what it says decides whether there is to be a job.
        """

    async def renew(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> str:
        """Give a running job a newer ticket, where it looks already; may be done any number of times.

        Returns a sentence for the person, "" if all is well.  If it raises, the job has the ticket it had.
        """

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """Remove what was placed at the site for this launch alone; nothing happens if it is gone."""


class NoDelivery:
    """The job has no ticket."""

    def fragment(self, owner: str, launch_id: str) -> Fragment:  # noqa: ARG002
        """Return nothing."""
        return Fragment()

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Delivered:  # noqa: ARG002
        """Add nothing to the job."""
        return Delivered()

    async def renew(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> str:  # noqa: ARG002
        """There is nothing to renew."""
        return ""

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """There is nothing to remove."""
