"""A name and a password become a ticket: PAM decides, then the KDC gives it.  Nothing is stored here."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from . import accounts, gss, names, pam
from .errors import AuthFailed, LoginRefused, LoginServersUnreachable
from .taken import Taken
from .threads import LoginThreads


@dataclass
class Attempt:
    """One try to log in, for the log; `typed` is cut, since people type passwords into name fields."""

    typed: str
    principal: str = "-"
    step: str = "names"
    started: float = field(default_factory=time.monotonic)

    def line(self, error: AuthFailed) -> str:
        """Return what the log says when it ended with `error`."""
        ms = (time.monotonic() - self.started) * 1000
        return (
            f"Login failed: user={self.typed[:32]!r} principal={self.principal} step={self.step} ms={ms:.0f}"
            f" {type(error).__name__}: {error.detail}"
        )


@dataclass(frozen=True)
class PasswordLogin:
    """Logs people of `realm` in, in `threads`, within `timeout_seconds`.

    `pam_service` "" leaves PAM out; `keytab` "" does not verify the KDC.  Nobody else may write to `folder`.
    """

    threads: LoginThreads
    timeout_seconds: float
    realm: str
    pam_service: str
    keytab: str
    folder: Path

    async def take(self, attempt: Attempt, password: str, denied: Collection[str]) -> Taken:
        """Return the ticket that the typed name and password give.

        Raises LoginRefused, also for names in `denied`, for whom nobody is asked; PasswordExpired,
        LoginServersUnreachable, or another AuthFailed.
        """
        who = names.identify(attempt.typed, self.realm, denied)
        attempt.principal = who.principal
        names.check_password(password)
        try:
            data = await self.threads.run(partial(self._ask, attempt, who, password), self.timeout_seconds)
        except TimeoutError as error:
            raise LoginServersUnreachable("no answer in time") from error
        attempt.step = "allowed"
        return Taken(who.user, who.principal, data)

    def _ask(self, attempt: Attempt, who: names.Identity, password: str) -> bytes:
        """Ask PAM, then the KDC, in a thread; a password that PAM refused never costs a try at the KDC."""
        if self.pam_service:
            attempt.step = "account"
            # pam_krb5 lets in also whom this machine does not know.
            if not accounts.exists(who.user):
                raise LoginRefused("this machine does not know the name")
            attempt.step = "pam"
            pam.decide(self.pam_service, who.user, password)
        attempt.step = "kdc"
        return gss.acquire(who.principal, password, self.folder, self.keytab)
