"""The accounts of sites as which jobs run for people who have none there: their tickets, kept from keytabs."""

import asyncio
import logging
from collections.abc import Mapping

from job_service.sentences import running as say
from kerberos_auth.errors import AuthFailed
from kerberos_auth.keytabs import KeytabTickets
from kerberos_auth.tickets import Ticket
from languages import for_log
from profiles.catalogue.accounts import RunAs
from profiles.catalogue.site import Site

_log = logging.getLogger(__name__)


class Accounts:
    """Owner of what is known of them; `sites` may change at any time.  Sites are named by their keys."""

    def __init__(self, sites: Mapping[str, Site], tickets: KeytabTickets) -> None:
        self._sites = sites
        self._tickets = tickets
        self._problems: dict[str, str] = {}

    def get(self, site: str) -> Ticket:
        """Return the facts of the valid ticket of a site's account.

        Raises AuthFailed with a sentence for people.
        """
        return self._tickets.get(self._able(site).principal)

    def read(self, site: str) -> bytes:
        """Return the valid ticket itself: a secret.  Raises AuthFailed likewise."""
        return self._tickets.read(self._able(site).principal)

    def principal(self, site: str) -> str:
        """Return the principal of a site's account, "" if it has none."""
        account = self._account(site)
        return account.principal if account else ""

    def stamp(self, site: str) -> tuple[int, int] | None:
        """Return what is another one after each new ticket, None while there is none."""
        try:
            ticket = self.get(site)
        except AuthFailed:
            return None
        return int(ticket.start), int(ticket.end)

    async def keep(self) -> None:
        """Take a new ticket for each account whose time it is; what goes wrong is logged."""
        accounts = [(site, account) for site in tuple(self._sites) if (account := self._account(site))]
        await asyncio.gather(*(self._keep(site, account) for site, account in accounts))

    async def _keep(self, site: str, account: RunAs) -> None:
        try:
            await self._tickets.keep(account.principal, account.keytab)
        except AuthFailed as error:
            # Once for as long as it stays the same.
            if self._problems.get(site) != (problem := error.detail or for_log(error.message)):
                self._problems[site] = problem
                _log.warning("%s, as whom jobs run at %s, gets no ticket: %s", account.principal, site, problem)
        else:
            self._problems.pop(site, None)

    def _able(self, site: str) -> RunAs:
        """Return the account that has a ticket."""
        account = self._account(site)
        if account is None:
            raise AuthFailed(say.ACCOUNT_GONE.format(site=self._title(site)))
        if not self._tickets.has(account.principal):
            raise AuthFailed(say.ACCOUNT_WITHOUT_TICKET.format(site=self._title(site)))
        return account

    def _account(self, site: str) -> RunAs | None:
        found = self._sites.get(site)
        return found.jobs.run_as if found and found.jobs else None

    def _title(self, site: str) -> str:
        found = self._sites.get(site)
        return found.title if found else site
