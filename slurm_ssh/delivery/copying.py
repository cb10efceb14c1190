"""A ticket as a private file in a folder that the front end and the nodes share."""

from functools import partial

from kernels.fragment import Fragment
from kernels.shell import Shell, quote
from slurm_ssh import private_folder, sentences
from slurm_ssh.delivery.protocol import Delivered, Placing, Run, put
from slurm_ssh.errors import Refused
from slurm_ssh.ssh.transport import Completed

_WRONG_FOLDER = {
    private_folder.FOREIGN: sentences.TICKET_FOLDER_FOREIGN,
    private_folder.OPEN: sentences.TICKET_FOLDER_OPEN,
    private_folder.REPLACEABLE: sentences.TICKET_FOLDER_REPLACEABLE,
}


class CopyDelivery:
    """A file of mode 0600 in a folder of mode 0700 that only the owner can enter."""

    def __init__(self, title: str, folder: str) -> None:
        """`folder` is the site's ticket_folder, which may hold `{owner}`."""
        self._title = title
        self._folder = folder

    def fragment(self, owner: str, launch_id: str) -> Fragment:
        """Return what names the file in the job's KRB5CCNAME, and removes it at the end."""
        path = self._path(owner, launch_id)
        return Fragment(environ={"KRB5CCNAME": f"FILE:{path}"}, after=Shell(f"rm -f -- {quote(path)}"))

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Delivered:  # noqa: ARG002
        """Have the file written."""
        placing = self._placing(owner, launch_id, ticket)
        return Delivered(self.fragment(owner, launch_id), placing=placing)

    async def renew(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> str:
        """Put another file at the same path: a program that has the older one open reads on in that."""
        await put(run, self._placing(owner, launch_id, ticket))
        return ""

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """Remove the file, for a job that could not do it at its end."""
        await run(Shell(f"rm -f -- {quote(self._path(owner, launch_id))}"), b"")

    def _placing(self, owner: str, launch_id: str, ticket: bytes) -> Placing:
        enter = private_folder.enter(self._of(owner), "{owner}" in self._folder)
        return Placing(_write(launch_id, len(ticket)), ticket, partial(self._error, owner), enter)

    def _error(self, owner: str, answer: Completed) -> Refused:
        if wrong := _WRONG_FOLDER.get(answer.status):
            return Refused(wrong.format(folder=private_folder.named(answer.stderr), site=self._title))
        said = answer.stderr.strip()[-300:].rstrip(".") or sentences.EXIT_STATUS.format(status=answer.status)
        return Refused(sentences.TICKET_NOT_COPIED.format(folder=self._of(owner), site=self._title, reason=said))

    def _of(self, owner: str) -> str:
        # With a slash at the end, a test for a link would look at what the link leads to.
        return self._folder.replace("{owner}", owner).rstrip("/")

    def _path(self, owner: str, launch_id: str) -> str:
        return f"{self._of(owner)}/{launch_id}.ccache"


def _write(launch_id: str, size: int) -> Shell:
    """Return the step that writes the ticket beside and renames it: nobody ever reads half of one."""
    name = quote(f"{launch_id}.ccache")
    return Shell(
        # A connection that is lost half way looks like the end of the ticket.
        f"head -c {size} > {name}.new && [ $(wc -c < {name}.new) = {size} ] && mv -f -- {name}.new {name} ||"
        f" {{ rm -f -- {name}.new; exit 1; }}"
    )
