"""How a ticket reaches a job: by the site's `ticket.delivery`."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from kernels.fragment import Fragment
from kernels.shell import Shell, quote
from profiles.schema import Site
from slurm_ssh_spawner.errors import Refused
from slurm_ssh_spawner.transport import Completed

Run = Callable[[Shell, bytes], Awaitable[Completed]]
"""Runs a program at the site as the owner, with data on its stdin."""


class TicketDelivery(Protocol):
    """Puts a ticket where a job finds it, and takes it away again."""

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Fragment:
        """Put `ticket` (a credential cache file) in place and return what makes the job use it."""

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """Remove what `place` left at the site; nothing happens if it is gone."""


class NoDelivery:
    """The job has no ticket."""

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Fragment:  # noqa: ARG002
        """Add nothing to the job."""
        return Fragment()

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """There is nothing to remove."""


class CopyDelivery:
    """A file of mode 0600 in a folder of mode 0700 that only the owner can enter."""

    def __init__(self, title: str, folder: str) -> None:
        """`folder` is the site's ticket_folder, which may hold `{owner}`."""
        self._title = title
        self._folder = folder

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Fragment:
        """Write the file beside and rename it, so that a reader never sees half a ticket."""
        answer = await run(self._write(owner, launch_id, len(ticket)), ticket)
        if answer.status:
            raise Refused(
                f"Your ticket could not be put into {self._of(owner)} at {self._title}: "
                f"{answer.stderr.strip()[-300:] or 'no reason was given'}."
            )
        path = self._path(owner, launch_id)
        return Fragment(environ={"KRB5CCNAME": f"FILE:{path}"}, after=Shell(f"rm -f -- {quote(path)}"))

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """Remove the file, for a job that could not do it at its end."""
        await run(Shell(f"rm -f -- {quote(self._path(owner, launch_id))}"), b"")

    def _write(self, owner: str, launch_id: str, size: int) -> Shell:
        folder, path = quote(self._of(owner)), quote(self._path(owner, launch_id))
        # -O and the mode are looked at after mkdir: a folder made by somebody else is never used.
        return Shell(
            f"umask 077; mkdir -p -- {folder} || exit 1\n"
            f"[ -d {folder} ] && [ ! -L {folder} ] && [ -O {folder} ] ||"
            f" {{ echo 'the folder is not your own' >&2; exit 1; }}\n"
            f"case $(ls -ld -- {folder}) in d???--[-S]---*) ;;"
            f" *) echo 'others may enter the folder (it should have mode 0700)' >&2; exit 1;; esac\n"
            # A connection that is lost half way looks like the end of the ticket.
            f"cat > {path}.new && [ $(wc -c < {path}.new) = {size} ] && mv -f -- {path}.new {path} ||"
            f" {{ rm -f -- {path}.new; exit 1; }}"
        )

    def _of(self, owner: str) -> str:
        # With a slash at the end, a test for a link would look at what the link leads to.
        return self._folder.replace("{owner}", owner).rstrip("/")

    def _path(self, owner: str, launch_id: str) -> str:
        return f"{self._of(owner)}/{launch_id}.ccache"


def of(site: Site) -> TicketDelivery:
    """Return the delivery that the site's `ticket.delivery` names."""
    if site.ticket.delivery == "copy" and site.ticket_folder:
        return CopyDelivery(site.title, site.ticket_folder)
    return NoDelivery()
