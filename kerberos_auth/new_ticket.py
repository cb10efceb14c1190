"""A new ticket for the password of somebody who is logged in: on the ticket's page, or where a start needs it."""

import time
from dataclasses import dataclass
from typing import Any

from tornado import web

from . import sentences
from .errors import AuthFailed, TicketExpired

# A page that comes later says nothing of it any more.
_NEWS_SECONDS = 300

FIELD = "password"
"""What forms call the password."""


@dataclass(frozen=True)
class Refusal:
    """Why a password brought no ticket: the status of the answer, and a sentence for the person."""

    status: int
    sentence: str


def typed(handler: Any) -> str | None:
    """Take the password out of the form that a request brought; None if there is none in it.

    Whoever reads the form afterwards does not see it.  Bytes that are no text become surrogates, which are refused
    before anybody is asked; tornado would quote them in the log.
    """
    brought = handler.request.body_arguments.pop(FIELD, None)
    handler.request.arguments.pop(FIELD, None)
    return brought[-1].decode("utf-8", "surrogateescape") if brought else None


class NewTicket:
    """Gives people who are logged in new tickets; the checks, threads and limits are those of a login."""

    def __init__(self, authenticator: Any) -> None:
        self._authenticator = authenticator
        self._taken: dict[str, float] = {}

    typed = staticmethod(typed)

    def why_asked(self, user: str) -> str:
        """Return why the user must give their password before a server can start, "" if their ticket is good."""
        try:
            self._authenticator.tickets.get(user)
        except TicketExpired:
            return sentences.EXPIRED_AT_START
        except AuthFailed:
            return sentences.NO_TICKET_AT_START
        return ""

    async def take(self, handler: Any, password: str) -> Refusal | None:
        """Check the password of the person whose request it is, and store the ticket that it gives.

        None means that it is stored.  The password is kept nowhere.
        """
        data = {"username": handler.current_user.name, "password": password}
        try:
            done = await self._authenticator.get_authenticated_user(handler, data)
        except web.HTTPError as error:
            return Refusal(error.status_code, str(error.get_message()))
        if not done:
            return Refusal(403, sentences.PASSWORD_REFUSED)
        self._taken[handler.current_user.name] = time.monotonic()
        return None

    def is_news(self, user: str) -> bool:
        """Return whether the user was given a new ticket just now, and has not been told."""
        return time.monotonic() - self._taken.get(user, -_NEWS_SECONDS) < _NEWS_SECONDS

    def was_told(self, user: str) -> None:
        """Note that a page has told the user of their new ticket."""
        self._taken.pop(user, None)
