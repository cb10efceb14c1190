"""The page of single sign-on: a browser with a Kerberos ticket logs in without a password."""

from functools import partial
from http.client import responses
from typing import Any

from jupyterhub.handlers import BaseHandler
from tornado import web
from tornado.escape import xhtml_escape
from tornado.httputil import url_concat
from traitlets import Unicode
from traitlets.config import LoggingConfigurable

from . import accounts, negotiate, sentences
from .errors import AuthFailed, BadTicket, LoginServersUnreachable, TicketExpired
from .negotiate import NotDelegated, SignedOn, SignOnRefused
from .threads import LoginThreads
from .way_back import WayBack

PATH = "/negotiate"

# What a browser says of a page that its user opens (Fetch Metadata Request Headers, W3C); an old one says nothing.
_OPENED = {"Site": ("none", "same-origin"), "Mode": ("navigate",), "Dest": ("document",)}
_THREADS = 4  # each is busy for milliseconds, unless the account database is slow


class SingleSignOn(LoggingConfigurable):
    """Login by the Kerberos ticket that a browser has; off unless a keytab is set.

    The realm, the refused names, the time-out and the store are those of the authenticator.
    """

    keytab = Unicode(
        "",
        config=True,
        help="""Path of a keytab that the hub can read, with the key of HTTP/<name in people's address bar>. With
        it, people can log in by their browser's Kerberos ticket. Default "": they cannot, because only an
        administrator of the realm can make that key.""",
    )

    def __init__(self, authenticator: Any) -> None:
        super().__init__(parent=authenticator)
        self._authenticator = authenticator
        self._threads = LoginThreads(_THREADS)

    def routes(self) -> list[tuple[str, type[BaseHandler], dict[str, "SingleSignOn"]]]:
        """Return what `Authenticator.get_handlers` adds to the hub; nothing when single sign-on is off."""
        return [(PATH, NegotiateHandler, {"single_sign_on": self})] if self.keytab else []

    async def accept(self, authorization: str) -> SignedOn | None:
        """Return who an Authorization header proves, with their ticket; None without a Negotiate token.

        Raises SignOnRefused, or another AuthFailed when the person is not to blame.
        """
        token = negotiate.read_header(authorization)
        if token is None:
            return None
        check = partial(self._check, token)
        try:
            return await self._threads.run(check, self._authenticator.login_timeout_seconds)
        except TimeoutError as error:
            raise LoginServersUnreachable("no answer in time") from error

    def _check(self, token: bytes) -> SignedOn:
        authenticator = self._authenticator
        store, denied = authenticator.tickets, authenticator.denied_users | authenticator.blocked_users
        who = negotiate.sign_on(token, self.keytab, store.folder, store.realm, denied)
        if authenticator.pam_service and not accounts.exists(who.user):
            raise SignOnRefused(sentences.NOBODY_HERE, f"this machine does not know {who.user}")
        return who


class NegotiateHandler(WayBack, BaseHandler):  # type: ignore[misc]
    """Log a person in by their browser's ticket and lead them to `next`; every refusal links to the login form.

    `signed_on` is who they are, once they proved it: the authenticator takes it in place of a password.
    """

    signed_on: SignedOn | None = None

    def initialize(self, single_sign_on: SingleSignOn) -> None:
        """Take what the route was made with."""
        self._single_sign_on = single_sign_on

    async def get(self) -> None:
        """Ask for a ticket, or take the one in the Authorization header."""
        if not self._is_opened():
            raise self._refusal(403, sentences.OTHER_PAGE)
        try:
            self.signed_on = await self._single_sign_on.accept(self.request.headers.get("Authorization", ""))
        except AuthFailed as error:
            # Quoted and cut: names in it were chosen by whoever made the ticket.
            self.log.warning("Single sign-on failed: %s: %.300r", type(error).__name__, error.detail)
            theirs = isinstance(error, SignOnRefused | BadTicket | TicketExpired)
            if isinstance(error, NotDelegated):
                raise self._of_its_settings(403, error.message, sentences.NOT_DELEGATED_TITLE) from error
            raise self._refusal(403 if theirs else 503, error.message) from error
        if self.signed_on is None:
            refusal = self._of_its_settings(401, sentences.NO_TICKET_SHOWN, sentences.NO_TICKET_TITLE)
            refusal.headers["WWW-Authenticate"] = "Negotiate"
            raise refusal
        try:
            user = await self.login_user({"username": self.signed_on.user})
        except web.HTTPError as error:
            raise self._refusal(error.status_code, error.log_message or sentences.NOT_ALLOWED) from error
        if user is None:
            raise self._refusal(403, sentences.NOT_ALLOWED)
        self.set_header("WWW-Authenticate", self.signed_on.answer)
        self.redirect(self.get_next_url(user))

    def _is_opened(self) -> bool:
        """Return whether the person opens this page, as far as the browser tells."""
        # Browsers show a ticket also to what a page of another site embeds.
        told = self.request.headers
        return all(told.get(f"Sec-Fetch-{name}", may[0]) in may for name, may in _OPENED.items())

    def _refusal(self, status: int, sentence: str) -> "_Refusal":
        return _Refusal(status, sentence, sentences.NOT_SIGNED_ON_TITLE, self._form())

    def _of_its_settings(self, status: int, sentence: str, headline: str) -> "_Refusal":
        """Return a refusal whose cause may be how the browser is set up."""
        return _Refusal(status, sentence, headline, self._form(), _how_to_set_up())

    def _form(self) -> str:
        return str(url_concat(self.settings["login_url"], {"next": self.get_argument("next", "")}))


def _how_to_set_up() -> str:
    ways = "".join(
        f"<li>{xhtml_escape(way)}</li>" for way in (sentences.SET_UP_FIREFOX, sentences.SET_UP_CHROMIUM)
    )
    title = xhtml_escape(sentences.BROWSER_TITLE)
    return f'<details id="browser-settings"><summary>{title}</summary><ul>{ways}</ul></details>'


class _Refusal(web.HTTPError):
    """What JupyterHub shows as a page with a sentence, `more` of it in HTML, and the way to the login form.

    Our page of errors has the `headline` too.
    """

    def __init__(self, status: int, sentence: str, headline: str, form: str, more: str = "") -> None:
        # Without a reason JupyterHub makes a headline of the sentence.
        super().__init__(status, "%s", sentence, reason=responses[status])
        self.headline = headline
        self.headers = {"Cache-Control": "no-store"}
        link = f'<a id="password-login" href="{xhtml_escape(form)}">{xhtml_escape(sentences.USE_PASSWORD)}</a>'
        self.jupyterhub_html_message = f"{xhtml_escape(sentence)}</p>{more}<p>{link}"
