"""Why a front end did not let a person in, as far as that can be found out afterwards."""

import asyncio
from dataclasses import dataclass
from functools import partial

from kerberos_auth import tickets
from kerberos_auth.errors import AuthFailed, LoginServersUnreachable
from kerberos_auth.tickets import Ticket
from slurm_ssh import sentences
from slurm_ssh.errors import FrontEndRefused, KdcSilent, LaunchError, Refused, Unavailable

_TICKET = "gssapi-with-mic"
# As long as a login itself may take; libkrb5 waits 25 s for a silent KDC.
_KDC_SECONDS = 8


@dataclass(frozen=True)
class Refusal:
    """A login that came to nothing.

    `offered` are the methods by which the front end lets people begin, empty if it does not say; `is_asked_more`
    if it put a question; `said` is for the log.
    """

    host: str
    title: str
    offered: frozenset[str]
    is_asked_more: bool
    said: str

    async def explained(self, ticket: Ticket) -> LaunchError:
        """Return what to tell: tickets are not taken, or not enough, or could not be had, or one was refused."""
        place = {"host": self.host, "site": self.title}
        if self.offered and _TICKET not in self.offered:
            offers = f"{self.host} offers {', '.join(sorted(self.offered))}: see GSSAPIAuthentication of its sshd"
            return FrontEndRefused(sentences.TAKES_NO_TICKETS.format(**place), offers)
        # Questions that come only after a ticket: so this one was accepted.
        if self.is_asked_more and self.offered and "keyboard-interactive" not in self.offered:
            return FrontEndRefused(sentences.SECOND_FACTOR.format(**place), self.said)
        if problem := await _no_ticket(ticket, self.host, self.title):
            return problem
        sent = f"{self.host}: {self.said}; it was sent a ticket: see the account there, .k5login, and its keytab"
        return FrontEndRefused(sentences.NOT_LET_IN.format(**place), sent)


async def not_forwarded(ticket: Ticket, host: str, title: str) -> LaunchError:
    """Return what to tell of a login that was let in but took no ticket along."""
    if not ticket.forwardable:
        return Refused(sentences.NOT_FORWARDABLE, "see forwardable in the hub's krb5.conf, and the KDC's flags")
    return await _no_ticket(ticket, host, title) or Refused(sentences.NOT_FORWARDED.format(host=host))


async def is_kdc_silent(ticket: Ticket, host: str) -> bool:
    """Return whether no KDC answers to whoever wants a ticket for the host."""
    return isinstance(await _no_ticket(ticket, host, ""), Unavailable)


def kdc_silent(title: str, detail: str) -> Unavailable:
    """Return what to tell of a KDC that does not answer."""
    return KdcSilent(sentences.LOGIN_SERVERS_SILENT.format(site=title), detail)


async def _no_ticket(ticket: Ticket, host: str, title: str) -> LaunchError | None:
    """Return what keeps the KDC from giving a ticket for the host, None if it gives one."""
    check = partial(tickets.check_service, ticket, f"host@{host}")
    try:
        async with asyncio.timeout(_KDC_SECONDS):
            await asyncio.get_running_loop().run_in_executor(None, check)
    except (TimeoutError, LoginServersUnreachable) as error:
        return kdc_silent(title, str(error) or "no answer in time")
    except AuthFailed as error:
        detail = f"host/{host}: {error.detail}; the catalogue needs the full name that the KDC knows"
        return FrontEndRefused(sentences.NO_TICKET_FOR.format(host=host), detail)
    return None
