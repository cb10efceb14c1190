"""Logins with an SSH certificate that is made for them; and why one came to nothing."""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from profiles.catalogue.accounts import LOGIN
from profiles.catalogue.login import PRINCIPAL_NAME
from slurm_ssh import sentences
from slurm_ssh.errors import Broken, FrontEndRefused, LaunchError, Refused, Unavailable
from slurm_ssh.ssh import signing
from slurm_ssh.ssh.ca_program import NoCertificate
from slurm_ssh.ssh.login import Login, Reachable
from slurm_ssh.ssh.proof import Refusal
from slurm_ssh.ssh.signing import Certified, Wanted

_METHOD = "publickey"
# Each may be a program.
_AT_ONCE = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ByCertificate:
    """A certificate of a person's for a site, as a proof."""

    certified: Certified

    def options(self, host: str) -> Mapping[str, Any]:  # noqa: ARG002 - all front ends are shown the same
        """Return what has asyncssh use the certificate, and nothing else."""
        return {
            # The second only to notice that it is asked for.
            "preferred_auth": f"{_METHOD},keyboard-interactive",
            "client_keys": [(self.certified.key, self.certified.certificate)],
            "gss_host": None,
        }

    async def is_held_up(self, host: str) -> str:  # noqa: ARG002
        """Nobody else is asked."""
        return ""

    async def refused(self, refusal: Refusal) -> LaunchError:
        """Return what to tell: certificates are not taken, or not enough, or this one is not."""
        host, place = refusal.host, {"host": refusal.host, "site": refusal.title}
        if refusal.offered is not None and _METHOD not in refusal.offered:
            offers = f"{host} offers {refusal.offers}: see PubkeyAuthentication of its sshd"
            return FrontEndRefused(sentences.TAKES_NO_CERTIFICATES.format(**place), offers)
        if refusal.is_second_factor():
            return FrontEndRefused(sentences.SECOND_FACTOR_AFTER_CERTIFICATE.format(**place), refusal.said)
        shown = self.certified
        principals = ", ".join(shown.certificate.principals)
        detail = (
            f"{host}: {refusal.said}; it was shown a certificate for {principals}, signed by {shown.authority}: "
            "see TrustedUserCAKeys and AuthorizedPrincipalsFile of its sshd, the account there, its clock, and "
            "the certificate's source_address"
        )
        return FrontEndRefused(sentences.CERTIFICATE_NOT_TAKEN.format(**place), detail)

    async def check(self, ssh: Any, host: str, title: str) -> None:
        """Nothing goes along that could be lacking."""


class Certificates:
    """Makes them: for whom, is decided here, since sites believe what a certificate says."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def made(self, login: Login, site: Reachable) -> ByCertificate:
        """Return a new certificate for a login at a site.

        Raises Refused if that login cannot be the person's, Unavailable if a program gives none now, Broken.
        """
        wanted = wanted_of(login, site)
        try:
            async with self._turns:
                certified = await signing.certified(wanted, site.login)
        except NoCertificate as error:
            if error.is_temporary:
                raise Unavailable(sentences.NO_CERTIFICATE_NOW.format(site=site.title), str(error)) from error
            raise Broken(sentences.NO_CERTIFICATE.format(site=site.title), str(error)) from error
        principals = ", ".join(wanted.principals)
        _log.info("certificate %d for %s at %s: %s", wanted.serial, login.user, login.site_key, principals)
        return ByCertificate(certified)


def wanted_of(login: Login, site: Reachable) -> Wanted:
    """Return what the certificate of a login says.  Raises Refused if it would be somebody else's."""
    owner = login.owner
    names = [each.replace("{owner}", owner).replace("{user}", login.user) for each in site.login.principals]
    # As a word of a program, a name could be an option, or be filled in.
    named = (*names, login.user) if site.login.command else names
    is_theirs = re.fullmatch(LOGIN, owner) and owner != "root" and site.is_login_of(login.user, owner)
    if not is_theirs or not all(re.fullmatch(PRINCIPAL_NAME, name) and "{" not in name for name in named):
        refused = sentences.NO_CERTIFICATE_FOR.format(site=site.title, login=owner)
        raise Refused(refused, f"{login.user!r} as {owner!r}: see login_name of {login.site_key}")
    return Wanted(login.user, owner, tuple(names), site.forwards)
