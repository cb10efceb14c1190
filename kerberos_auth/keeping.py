"""When a ticket is removed from the hub, and for whom tickets are renewed."""

import asyncio
import time
from functools import partial
from typing import Any

from jupyterhub import orm
from jupyterhub.utils import maybe_future
from tornado import web
from traitlets import Enum
from traitlets.config import LoggingConfigurable

from . import accounts, sentences
from .ccache import parse
from .errors import AuthFailed
from .holds import Holds
from .negotiate import SignedOn
from .notices import Notices
from .renewal import RenewalLoop, can_go_on
from .taken import Taken
from .threads import LoginThreads
from .tickets import Ticket

# What a stopped job left at its site is tidied away with the ticket.
_TIDY_SECONDS = 60
_THREADS = 4
_HOUR_MINUTES = 60


class TicketKeeping(LoggingConfigurable):
    """Renews the tickets of people who have a server or are held, and removes those that nobody needs.

    A server counts that runs or starts; whoever is held has jobs that another process looks after.

    `parent` is the authenticator: its store and its refused names hold here too.
    """

    remove_ticket = Enum(
        ("never", "logout", "idle"),
        "logout",
        config=True,
        help="""When a ticket is removed before its end. Default "logout": when the person logs out. If they have
        running servers or jobs then, when the last of these has stopped, because the ticket is needed to watch
        and stop them. "idle": also when the last one of a logged-in person has stopped; their next page asks for
        a login. "never": not before its end. A deleted user's ticket is always removed.""",
    )

    def __init__(self, authenticator: Any) -> None:
        super().__init__(parent=authenticator)
        self._store = authenticator.tickets
        self._holds = Holds(self._store.folder)
        self._held: frozenset[str] = frozenset()
        self.renewal = RenewalLoop(self._store, self._wanted, self._may_go_on)
        self.notices = Notices(self._store, self.renewal.ends)
        self._threads = LoginThreads(_THREADS)
        self._app: Any = None

    def start(self, app: Any) -> None:
        """Begin to renew for the people of a JupyterHub application; the event loop runs."""
        self._app = app
        self._held = self._holds.users()
        if marked := self._store.marked() - self._held:
            for user in marked - self._with_servers_before(app):
                self.forget(user)
        self.renewal.start()

    async def close(self) -> None:
        """Renew no longer."""
        await self.renewal.close()

    def keep(self, taken: Taken) -> None:
        """Store the ticket of somebody who is let in, and take a logout back.

        Whoever opens a page with a browser may have a ticket there that is about to end: it never takes the place
        of one that lasts longer.  Raises what TicketStore.put raises.
        """
        if isinstance(taken, SignedOn) and self._lasts_longer(taken):
            self.log.info("Kept the ticket of %s, which lasts longer than that of the browser", taken.user)
        else:
            self._remark(self._store.put(taken.user, taken.cache, taken.principal))
        self._store.unmark(taken.user)

    def _remark(self, ticket: Ticket) -> None:
        if not ticket.forwardable:
            self.log.warning(
                "The ticket of %s may not be forwarded, so no site takes it: forwardable in the hub's krb5.conf "
                "and allow_forwardable of the principal at the KDC decide that",
                ticket.user,
            )
        if not ticket.renewable:
            self.log.warning(
                "The ticket of %s cannot be renewed: renew_lifetime in the hub's krb5.conf and maxrenewlife of "
                "the principal at the KDC decide that",
                ticket.user,
            )

    def _lasts_longer(self, taken: Taken) -> bool:
        try:
            stored = self._store.get(taken.user)
        except AuthFailed:
            return False
        new = Ticket.of(taken.user, parse(taken.cache), stored.path)
        new_ends = new.renew_until if can_go_on(new) else new.end
        return stored.forwardable and (self.renewal.ends(stored), stored.end) > (new_ends, new.end)

    def logged_out(self, user: str) -> None:
        """Remove the ticket of a person who logged out: now, or when their last server and hold have ended."""
        if self.remove_ticket == "never":
            return
        if user not in self._wanted():
            self.forget(user)
            return
        try:
            self._store.mark(user)
        except OSError as error:
            self.log.error("The ticket of %s will not be removed before its end: %s", user, error)

    def server_stopped(self, user: str, spawner: Any) -> None:
        """Remove the person's ticket soon if that was their last server and they need it no more."""
        if user in self._store.marked() or (self.remove_ticket == "idle" and not _failed_to_start(spawner)):
            self._remove_soon(user)

    def item(self, user: str) -> str:
        """Return what a page's navigation says of a ticket: how long it is valid; costs one small file read."""
        try:
            minutes = int(self._store.get(user).end - time.time()) // 60
        except AuthFailed:
            return sentences.ITEM_NONE
        if minutes < _HOUR_MINUTES:
            return sentences.ITEM_MINUTES.format(minutes=minutes)
        return sentences.ITEM_HOURS.format(hours=minutes // _HOUR_MINUTES)

    def prospect(self, user: str) -> tuple[str, int]:
        """Return what becomes of the ticket while servers go on without their person.

        A sentence with a place for a time, and that epoch second, 0 if there is no valid ticket.
        """
        try:
            ticket = self._store.get(user)
        except AuthFailed:
            return sentences.NO_TICKET_LEFT, 0
        ends = self.renewal.ends(ticket)
        if ends <= ticket.end:
            return sentences.CANNOT_BE_RENEWED, ends
        return sentences.RENEWED if self.remove_ticket == "never" else sentences.RENEWED_AND_REMOVED, ends

    def forget(self, user: str) -> None:
        """Remove the user's ticket now."""
        self._store.remove(user)
        self.log.info("Removed the ticket of %s", user)

    def _remove_soon(self, user: str) -> None:
        asyncio.get_running_loop().call_later(_TIDY_SECONDS, self._remove_if_idle, user)

    def _remove_if_idle(self, user: str) -> None:
        may_go = user in self._store.marked() or self.remove_ticket == "idle"
        if may_go and user not in self._wanted():
            self.forget(user)

    def _wanted(self) -> set[str]:
        """Return whose tickets are needed; asked twice a minute, which is when the end of a hold is noticed."""
        held = self._holds.users()
        for user in self._held - held:
            self._remove_soon(user)
        self._held = held
        return self._with_servers() | held

    def _with_servers(self) -> set[str]:
        users = list(self._app.users.values()) if self._app else []
        return {user.name for user in users if user.active}

    def _with_servers_before(self, app: Any) -> set[str]:
        """Return who had a server when the hub ended; JupyterHub makes their users only later."""
        rows = app.db.query(orm.User.name).join(orm.Spawner).filter(orm.Spawner.server_id.isnot(None))
        return {name for (name,) in rows}

    async def _may_go_on(self, user: str) -> bool:
        authenticator: Any = self.parent
        if user in authenticator.denied_users | authenticator.blocked_users:
            return False
        try:
            allowed = authenticator.allow_all or await maybe_future(authenticator.check_allowed(user, None))
        except web.HTTPError:
            return False
        if not allowed or not authenticator.pam_service:
            return bool(allowed)
        # The account may be in a directory that does not answer.
        return await self._threads.run(partial(accounts.exists, user), authenticator.login_timeout_seconds)


def _failed_to_start(spawner: Any) -> bool:
    start = spawner._spawn_future
    return start is not None and (not start.done() or start.cancelled() or start.exception() is not None)
