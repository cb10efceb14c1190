"""Whether somebody who was let in may go on: asked for their pages, and when a server of theirs is started."""

import logging
from typing import Any

from .errors import AuthFailed
from .pages import NoTicket
from .renewal import RenewalLoop
from .store import TicketStore

# For a page; longer than a KDC takes that answers.
_PATIENCE_SECONDS = 5

_log = logging.getLogger(__name__)


class Staying:
    """Lets people go on whose ticket in the store is good."""

    def __init__(self, store: TicketStore, renewal: RenewalLoop) -> None:
        self._store = store
        self._renewal = renewal

    async def may_go_on(self, user: Any, handler: Any) -> bool:
        """Return whether the user's ticket is good; one that is about to end is renewed first, if that is quick.

        Raises NoTicket if it is not and the person, who was let in before, is now about to start a server.
        """
        await self._renewal.refresh(user.name, _PATIENCE_SECONDS)
        try:
            self._store.get(user.name)
        except AuthFailed as error:
            _log.warning("%s must log in again: %s", user.name, error)
            user._auth_refreshed = None  # else the answer is not asked again for auth_refresh_age
            if handler is None:
                return False
            # JupyterHub 6.1.1 reads this attribute, which only requests with a token have: 500 without it.
            if not hasattr(handler, "_token_authenticated"):
                handler._token_authenticated = False
            # What a person may do is known once they were let in; then False would lead to no login form.
            let_in = hasattr(handler, "parsed_scopes") and handler.current_user is user
            if let_in and not handler._token_authenticated:
                raise NoTicket(user.name, handler, error) from error
            return False
        return True

    def may_start(self, user: Any, handler: Any) -> None:
        """Raise NoTicket, which names whose ticket is missing, unless it is good."""
        try:
            self._store.get(user.name)
        except AuthFailed as error:
            user._auth_refreshed = None
            raise NoTicket(user.name, handler, error) from error
