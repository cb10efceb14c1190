"""What people see of their tickets: a page to give the password again, a banner, and refusals with a link."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.login import LoginHandler, LogoutHandler
from tornado import web
from tornado.escape import xhtml_escape
from tornado.httputil import url_concat

from . import new_ticket, sentences
from .errors import AuthFailed
from .keeping import TicketKeeping
from .moments import Moment
from .new_ticket import NewTicket
from .notices import Notice
from .way_back import WayBack

Route = tuple[str, type[BaseHandler], dict[str, TicketKeeping]]


def routes(keeping: TicketKeeping) -> list[Route]:
    """Return what `Authenticator.get_handlers` adds to the hub."""
    return [
        ("/login", LoginPage, {}),
        ("/ticket", TicketHandler, {"keeping": keeping}),
        ("/logout", TicketLogoutHandler, {"keeping": keeping}),
    ]


def ticket_notice(user: Any) -> "Notice | News | None":
    """Return what the page's banner tells a user; for `c.JupyterHub.template_vars`, whose pages name it."""
    authenticator = getattr(user, "authenticator", None)
    keeping = getattr(authenticator, "keeping", None)
    if not isinstance(keeping, TicketKeeping):
        return None
    return _news(authenticator, user.name) or keeping.notices.of(user.name)


def _news(authenticator: Any, user: str) -> "News | None":
    new: NewTicket = authenticator.new_ticket
    if not new.is_news(user):
        return None
    try:
        ends = Moment.of(authenticator.tickets.get(user).end)
    except AuthFailed:
        return None
    return News(sentences.NEW_TICKET_UNTIL, ends, partial(new.was_told, user))


class NoTicket(web.HTTPError):
    """403 for a start without a usable ticket, naming whose is missing: as a page with a link, or as JSON."""

    def __init__(self, user: str, handler: Any, error: AuthFailed) -> None:
        asker = getattr(handler, "current_user", None)
        mine = asker is not None and asker.name == user and getattr(asker, "kind", "") == "user"
        sentence = error.message if mine else sentences.TICKET_MISSING_OF.format(user=user)
        super().__init__(403, "%s", sentence, reason="Forbidden")
        self.jupyterhub_message = sentence
        self.jupyterhub_html_message = xhtml_escape(sentence)
        if mine:
            link = xhtml_escape(_login_url(handler))
            self.jupyterhub_html_message += (
                f' <a id="log-in-again" href="{link}">{xhtml_escape(sentences.LOG_IN_AGAIN)}</a>'
            )


def _login_url(handler: Any) -> str:
    base = handler.hub.base_url
    # Not the address of a call that a page's script made.
    back = handler.request.path if handler.request.path.startswith(f"{base}spawn") else f"{base}home"
    return str(url_concat(f"{base}login", {"next": back}))


class LoginPage(WayBack, LoginHandler):  # type: ignore[misc]
    """JupyterHub's login form."""

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Return a field's text; a password of no text is refused as a wrong one: tornado would quote it."""
        if name == new_ticket.FIELD:
            return value.decode("utf-8", "surrogateescape")
        return str(super().decode_argument(value, name))

    async def prepare(self) -> None:
        """Let others' pages be answered between the forms of a crowd."""
        await self.authenticator.turns.mine()
        await super().prepare()


class TicketHandler(WayBack, BaseHandler):  # type: ignore[misc]
    """`/hub/ticket`: what is known of a person's ticket, and a form to replace it while their servers go on."""

    def initialize(self, keeping: TicketKeeping) -> None:
        """Take what the route was made with."""
        self._keeping = keeping

    async def refresh_auth(self, user: Any, force: bool = False) -> Any:  # noqa: ARG002 - JupyterHub's signature
        """Let people in whose ticket has expired: here they get a new one."""
        return user

    @web.authenticated
    async def get(self) -> None:
        """Show the page."""
        await self._show("")

    @web.authenticated
    async def post(self) -> None:
        """Check the password as a login does and go back; a refusal shows the page again."""
        if refusal := await self.authenticator.new_ticket.take(self, new_ticket.typed(self) or ""):
            self.set_status(refusal.status)
            await self._show(refusal.sentence)
            return
        self.redirect(self.get_next_url(self.current_user, default=f"{self.hub.base_url}home"))

    async def _show(self, error: str) -> None:
        try:
            ticket = self.authenticator.tickets.get(self.current_user.name)
        except AuthFailed:
            ticket = None
        self.set_header("Cache-Control", "no-store")
        self.finish(
            await self.render_template(
                "ticket.html",
                ticket=ticket,
                ends=Moment.of(ticket.end) if ticket else None,
                # What the banner says stands on the page, and leads to it.
                ticket_notice=None,
                renew_until=Moment.of(ticket.renew_until) if ticket and ticket.renewable else None,
                error=error,
                next=self.get_argument("next", ""),
                sentences=sentences,
            )
        )


@dataclass(frozen=True)
class News:
    """A new ticket, told once: the page that shows it calls `seen`; `message` has a place for the time `until`."""

    message: str
    until: Moment
    seen: Callable[[], None]


class TicketLogoutHandler(LogoutHandler):  # type: ignore[misc]
    """JupyterHub's logout, after which a ticket may go too."""

    _left = 0
    _prospect, _until = "", 0

    def initialize(self, keeping: TicketKeeping) -> None:
        """Take what the route was made with."""
        self._keeping = keeping

    async def handle_logout(self) -> None:
        """Have the ticket removed as configured."""
        if self.current_user:
            self._left = sum(spawner.active for spawner in self.current_user.spawners.values())
            self._keeping.logged_out(self.current_user.name)
            self._prospect, self._until = self._keeping.prospect(self.current_user.name)

    async def render_logout_page(self) -> None:
        """Say what goes on without its person; else lead to the login as JupyterHub does."""
        if not self._left or self.shutdown_on_logout:
            await super().render_logout_page()
            return
        self._jupyterhub_user = None
        said = (
            sentences.ONE_SERVER_GOES_ON if self._left == 1 else sentences.SERVERS_GO_ON.format(servers=self._left)
        )
        until = Moment.of(self._until) if self._until else None
        self.finish(
            await self.render_template(
                "logged_out.html", said=said, prospect=self._prospect, until=until, sentences=sentences
            )
        )
