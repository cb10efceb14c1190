"""A ticket through programs of the site's own."""

from kernels.fragment import Fragment
from kernels.shell import Shell, join
from profiles.catalogue.ticket import TicketCommand
from slurm_ssh import sentences
from slurm_ssh.delivery.protocol import Delivered, Placing, Run, put
from slurm_ssh.errors import Broken, LaunchError, Refused
from slurm_ssh.ssh.transport import Completed

_MISSING = {126, 127}


class CommandDelivery:
    """`push` gets the ticket on its stdin, before a job and at every renewal; `release` runs after the job."""

    def __init__(self, title: str, command: TicketCommand) -> None:
        self._title = title
        self._command = command

    def fragment(self, owner: str, launch_id: str) -> Fragment:
        """Return what sets the job's KRB5CCNAME if the catalogue has one."""
        ccache = self._command.ccache
        return Fragment(environ={} if ccache is None else {"KRB5CCNAME": _filled(ccache, owner, launch_id)})

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Delivered:  # noqa: ARG002
        """Have the program run."""
        placing = self._placing(owner, launch_id, ticket)
        return Delivered(self.fragment(owner, launch_id), placing=placing)

    async def renew(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> str:
        """Push again."""
        await put(run, self._placing(owner, launch_id, ticket))
        return ""

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """Run `release`.  Raises Broken if it fails."""
        if self._command.release is None:
            return
        answer = await run(_line(self._command.release, owner, launch_id), b"")
        if answer.status:
            raise Broken(sentences.TICKET_NOT_REMOVED.format(site=self._title), _said(answer))

    def _placing(self, owner: str, launch_id: str, ticket: bytes) -> Placing:
        push = _line(self._command.push, owner, launch_id)
        # What the program leaves of the ticket is no part of what comes after it.
        program = f"head -c {len(ticket)} | {{ {push}; s=$?; cat >/dev/null; exit $s; }}"
        return Placing(Shell(program), ticket, self._error)

    def _error(self, answer: Completed) -> LaunchError:
        if answer.status in _MISSING:
            program = self._command.push[0]
            missing = sentences.TICKET_PROGRAM_MISSING.format(site=self._title, program=program)
            return Broken(missing, _said(answer))
        return Refused(sentences.TICKET_NOT_PUSHED.format(site=self._title, reason=_said(answer)))


def _line(words: tuple[str, ...], owner: str, launch_id: str) -> Shell:
    return join([_filled(word, owner, launch_id) for word in words])


def _filled(word: str, owner: str, launch_id: str) -> str:
    return word.replace("{launch_id}", launch_id).replace("{owner}", owner)


def _said(answer: Completed) -> str:
    """Return the last line that a program said."""
    lines = [line.strip() for line in (answer.stderr.strip() or answer.stdout).splitlines() if line.strip()]
    return lines[-1][-300:].rstrip(".") if lines else sentences.EXIT_STATUS.format(status=answer.status)
