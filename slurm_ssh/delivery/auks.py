"""A ticket through the site's auksd, which keeps one for each person, and auks' plug-in in Slurm.

auksd and its plug-in keep the tickets of running jobs fresh as long as auksd has a newer one *before* a job's
own ends: so every renewal is pushed at once.
"""

import base64
import binascii
import time
from dataclasses import replace
from datetime import UTC, datetime

from kerberos_auth import ccache
from kerberos_auth import sentences as login_sentences
from kerberos_auth.errors import BadTicket
from kernels.fragment import Fragment
from kernels.shell import Shell, join, quote
from profiles.catalogue.ticket import Auks
from slurm_ssh import sentences
from slurm_ssh.delivery.protocol import Delivered, Run
from slurm_ssh.errors import Broken, LaunchError, Refused, Unavailable
from slurm_ssh.ssh.transport import Completed

# These calls have to end within the time that a program at a site may take (remote.COMMAND_SECONDS).
_CALL_SECONDS = 14
# A delegated ticket may end a little before the one it was made from.
_SLACK_SECONDS = 60

# auks' negative error numbers, as an exit status shows them; `timeout` and the shell add their own.
_NO_TICKET = {4}
_UNREACHABLE = {247, 124}
# The daemon hung up; the answer was empty; the answer was no; the ticket was not taken as proof of who it is.
_REFUSED = {145, 146, 147, 153}
_MISSING = {126, 127}

# A ping ends with 90 whatever is wrong; the push after it says what.
_PUSH = """\
folder=$(mktemp -d) || exit 1
trap 'rm -rf -- "$folder"' EXIT
trap 'exit 1' HUP INT TERM
ask() {{
    timeout {seconds} {auks} "$@" >/dev/null && return
    s=$?; echo "auks $1: exit status $s" >&2; return $s
}}
[ -n "${{KRB5CCNAME:-}}" ] || {{ echo 'no KRB5CCNAME' >&2; exit 4; }}
ask -p; s=$?; [ $s = 0 ] || [ $s = 90 ] || exit $s
{remove}
ask -a || exit
ask -g -C "$folder/ticket" || exit
base64 < "$folder/ticket"
"""


_KEEP = Shell(":")
# Whether that was possible is seen by what auksd keeps afterwards.
_REMOVE = Shell("ask -r")

# Slurm starts a job without its ticket if the plug-in is `optional`.
_LOOK = """\
has_ticket() {{
  [ -n "${{KRB5CCNAME-}}" ] && [ -r "${{KRB5CCNAME#FILE:}}" ] && {{ ! command -v klist >/dev/null || klist -s; }}
}}
has_ticket || notice {sentence}"""


SBATCH = Delivered(sbatch_options=("--auks=done",), unset=("SLURM_SPANK_AUKS",))
"""How sbatch is called for every job: the ticket is auksd's matter."""


class AuksDelivery:
    """The ticket that the owner's login delegated is pushed to auksd, and what auksd keeps then is read back.

    auksd replaces a ticket only by one that can be renewed for longer, or for as long and ends later; otherwise
    it reports success and keeps the old one.  That one may be another's or have expired: so pushing is an exchange
    of its own before the submission, which is not made then.
    """

    def __init__(self, title: str, auks: Auks) -> None:
        self._title = title
        self._auks = auks

    def fragment(self, owner: str, launch_id: str) -> Fragment:  # noqa: ARG002
        """Return what tells a person whose job has no ticket."""
        look = _LOOK.format(sentence=quote(sentences.JOB_WITHOUT_TICKET.format(site=self._title)))
        return Fragment(before=Shell(look))

    async def place(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> Delivered:
        """Push, and have Slurm give the job what auksd keeps.

        `--auks=yes` would let sbatch push once more from its own KRB5CCNAME, which a job must not inherit, and
        turn itself off without a word if it found none; SLURM_SPANK_AUKS would win over the option.
        """
        notice = await self._push(run, ticket)
        return replace(SBATCH, fragment=self.fragment(owner, launch_id), notice=notice)

    async def renew(self, run: Run, owner: str, launch_id: str, ticket: bytes) -> str:  # noqa: ARG002
        """Push; the job's own loop takes the newer ticket from auksd."""
        return await self._push(run, ticket)

    async def release(self, run: Run, owner: str, launch_id: str) -> None:
        """Leave auksd's ticket where it is: the person's other jobs live on it."""

    async def _push(self, run: Run, ticket: bytes) -> str:
        """Return a sentence for the person if auksd keeps a ticket that ends before `ticket`, else ""."""
        pushed = _usable(ticket)
        kept = await self._exchanged(run, _KEEP)
        if kept.end <= time.time():
            # auksd keeps one that could have been renewed for longer, also when it has expired.
            kept = await self._exchanged(run, _REMOVE)
        if kept.principal != pushed.principal:
            raise Broken(
                sentences.SERVER_HAS_ANOTHERS.format(site=self._title),
                f"pushed for {pushed.principal}, got one of {kept.principal}",
            )
        if kept.end <= time.time():
            raise Refused(
                sentences.SERVER_HAS_EXPIRED.format(site=self._title),
                f"ends {kept.end}, may be renewed until {kept.renew_until}; pushed: {pushed}",
            )
        return "" if kept.end >= pushed.end - _SLACK_SECONDS else _sentence(kept.end)

    async def _exchanged(self, run: Run, remove: Shell) -> ccache.Facts:
        """Push, and return what auksd keeps then."""
        conf = ("-f", self._auks.conf) if self._auks.conf else ()
        auks = join((self._auks.path, *conf))
        answer = await run(Shell(_PUSH.format(seconds=_CALL_SECONDS, auks=auks, remove=remove)), b"")
        if answer.status:
            raise self._error(answer)
        return self._kept(answer.stdout)

    def _kept(self, answer: str) -> ccache.Facts:
        try:
            return ccache.parse(base64.b64decode(answer))
        except (binascii.Error, BadTicket) as error:
            raise Broken(sentences.SERVER_UNREADABLE.format(site=self._title), str(error)) from error

    def _error(self, answer: Completed) -> LaunchError:
        title, detail = self._title, answer.stderr.strip()[-500:]
        if answer.status in _NO_TICKET:
            return Refused(sentences.NOT_FORWARDED.format(host=title), detail)
        if answer.status in _UNREACHABLE:
            return Unavailable(sentences.SERVER_UNREACHABLE.format(site=title), detail)
        if answer.status in _REFUSED:
            return Refused(sentences.SERVER_REFUSED.format(site=title), detail)
        if answer.status in _MISSING:
            missing = sentences.TICKET_PROGRAM_MISSING.format(site=title, program=self._auks.path)
            return Broken(missing, detail)
        return Broken(sentences.SERVER_FAILED.format(site=title), detail)


def _usable(ticket: bytes) -> ccache.Facts:
    try:
        facts = ccache.parse(ticket)
    except BadTicket as error:
        raise Refused(login_sentences.TICKET_UNUSABLE, str(error)) from error
    if facts.end <= time.time():
        # auks would not say so.
        raise Refused(login_sentences.TICKET_EXPIRED)
    return facts


def _sentence(end: int) -> str:
    return sentences.TICKET_ENDS.format(end=datetime.fromtimestamp(end, UTC))
