"""A ticket through programs of the site's own."""

from kernels.fragment import Fragment
from kernels.shell import Shell, join
from profiles.catalogue.site import TicketCommand
from slurm_ssh import sentences
from slurm_ssh.delivery.protocol import Delivered, Run
from slurm_ssh.errors import Broken, Refused
from slurm_ssh.ssh.transport import Completed

_MISSING = {126, 127}


class CommandDelivery:
    """`push` gets the ticket on its stdin, before a job and at every renewal; `release` runs after the job."""

    def __init__(self, title: str, command: TicketCommand) -> None:
        self._title = title
        self._command = command

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Delivered:
        """Push, and set the job's KRB5CCNAME if the catalogue has one."""
        await self._push(run, owner, launch_id, ticket)
        if self._command.ccache is None:
            return Delivered()
        return Delivered(Fragment(environ={"KRB5CCNAME": _filled(self._command.ccache, owner, launch_id)}))

    async def renew(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> str:
        """Push again."""
        await self._push(run, owner, launch_id, ticket)
        return ""

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """Run `release`.  Raises Broken if it fails."""
        if self._command.release is None:
            return
        answer = await run(_line(self._command.release, owner, launch_id), b"")
        if answer.status:
            raise Broken(sentences.TICKET_NOT_REMOVED.format(site=self._title), _said(answer))

    async def _push(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> None:
        answer = await run(_line(self._command.push, owner, launch_id), ticket)
        if answer.status in _MISSING:
            program = self._command.push[0]
            missing = sentences.TICKET_PROGRAM_MISSING.format(site=self._title, program=program)
            raise Broken(missing, _said(answer))
        if answer.status:
            raise Refused(sentences.TICKET_NOT_PUSHED.format(site=self._title, reason=_said(answer)))


def _line(words: tuple[str, ...], owner: str, launch_id: str) -> Shell:
    return join([_filled(word, owner, launch_id) for word in words])


def _filled(word: str, owner: str, launch_id: str) -> str:
    return word.replace("{launch_id}", launch_id).replace("{owner}", owner)


def _said(answer: Completed) -> str:
    """Return the last line that a program said."""
    lines = [line.strip() for line in (answer.stderr.strip() or answer.stdout).splitlines() if line.strip()]
    return lines[-1][-300:].rstrip(".") if lines else sentences.EXIT_STATUS.format(status=answer.status)
