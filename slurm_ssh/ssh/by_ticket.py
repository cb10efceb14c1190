"""Logins with a person's own Kerberos ticket, which goes along; and why one came to nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from kerberos_auth.errors import AuthFailed, ClocksDiffer, LoginServersUnreachable
from kerberos_auth.tickets import Ticket
from slurm_ssh import sentences
from slurm_ssh.errors import Broken, FrontEndRefused, KdcSilent, LaunchError, Refused, Unavailable
from slurm_ssh.ssh.proof import Refusal

_METHOD = "gssapi-with-mic"
# GSS_C_DELEG_FLAG of RFC 2744.
_DELEGATED = 1
# As long as a login itself may take; libkrb5 waits 25 s for a silent KDC.
_KDC_SECONDS = 8


@dataclass(frozen=True)
class ByTicket:
    """A person's ticket, as a proof."""

    ticket: Ticket

    def options(self, host: str) -> Mapping[str, Any]:
        """Return what has asyncssh use the ticket, and nothing else, and send it along."""
        return {
            # The second only to notice that it is asked for.
            "preferred_auth": f"{_METHOD},keyboard-interactive",
            "gss_store": self.ticket.ccache,
            "gss_host": host,
            "gss_delegate_creds": True,
            "client_keys": None,
        }

    async def is_held_up(self, host: str) -> str:
        """Return that no KDC answers to whoever wants a ticket for the host, "" if one does."""
        is_silent = isinstance(await self._no_ticket(host, ""), Unavailable)
        return "the KDC gives no ticket for it in time" if is_silent else ""

    async def refused(self, refusal: Refusal) -> LaunchError:
        """Return what to tell: tickets are not taken, or not enough, or could not be had, or one was refused."""
        host, place = refusal.host, {"host": refusal.host, "site": refusal.title}
        if refusal.offered is not None and _METHOD not in refusal.offered:
            offers = f"{host} offers {refusal.offers}: see GSSAPIAuthentication of its sshd"
            return FrontEndRefused(sentences.TAKES_NO_TICKETS.format(**place), offers)
        if refusal.is_second_factor():
            return FrontEndRefused(sentences.SECOND_FACTOR.format(**place), refusal.said)
        if problem := await self._no_ticket(host, refusal.title):
            return problem
        sent = f"{host}: {refusal.said}; it was sent a ticket: see the account there, .k5login, and its keytab"
        return FrontEndRefused(sentences.NOT_LET_IN.format(**place), sent)

    async def check(self, ssh: Any, host: str, title: str) -> None:
        """Give a connection up with which the ticket did not go along.  Raises what to tell then."""
        # asyncssh has no public way to ask; a login without delegation succeeds silently.
        context = ssh.get_gss_context()
        security = context._ctx if context else None
        if security and security.actual_flags & _DELEGATED:
            return
        ssh.abort()
        if not self.ticket.forwardable:
            raise Refused(sentences.NOT_FORWARDABLE, "see forwardable in the hub's krb5.conf, and the KDC's flags")
        raise await self._no_ticket(host, title) or Refused(sentences.NOT_FORWARDED.format(host=host))

    async def _no_ticket(self, host: str, title: str) -> LaunchError | None:
        """Return what keeps the KDC from giving a ticket for the host, None if it gives one."""
        # Where nobody has a ticket there need be no libkrb5.
        from kerberos_auth import gss  # noqa: PLC0415

        check = partial(gss.check_service, self.ticket, f"host@{host}")
        try:
            async with asyncio.timeout(_KDC_SECONDS):
                await asyncio.get_running_loop().run_in_executor(None, check)
        except (TimeoutError, LoginServersUnreachable) as error:
            return kdc_silent(title, str(error) or "no answer in time")
        except ClocksDiffer as error:
            # No refusal: nobody gets in, and what waits to be sent may wait until a clock is set.
            return Broken(error.message, f"host/{host}: {error.detail}: see the clock of this machine")
        except AuthFailed as error:
            detail = f"host/{host}: {error.detail}; the catalogue needs the full name that the KDC knows"
            return FrontEndRefused(sentences.NO_TICKET_FOR.format(host=host), detail)
        return None


def kdc_silent(title: str, detail: str) -> Unavailable:
    """Return what to tell of a KDC that does not answer."""
    return KdcSilent(sentences.LOGIN_SERVERS_SILENT.format(site=title), detail)
