"""The JupyterHub side: a login form's name and password become a stored ticket.  All else is next door."""

import logging
import os
from functools import partial
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.handlers import BaseHandler
from tornado import web
from traitlets import Enum, Float, Set, TraitError, Unicode, default, validate

from languages import for_log, requests

from . import checks, groups, gss, names, pages, roles, sentences
from .errors import AuthFailed, BadTicket, LoginRefused, NameRefused, PasswordExpired, TicketExpired
from .keeping import TicketKeeping
from .login_help import LoginHelp
from .new_ticket import NewTicket
from .outcome import Outcome
from .passwords import Attempt, PasswordLogin
from .renewal import Counts
from .shutdown import at_the_end
from .single_sign_on import NegotiateHandler, SingleSignOn
from .staying import Staying
from .store import TicketStore
from .taken import Taken
from .threads import LoginThreads
from .turns import Turns

# A login takes some 30 ms, so only hanging servers ever use them up.
_LOGIN_THREADS = 16
# Of their own: no page waits for the logins of others.
_GROUP_THREADS = 4
_GROUPS_PATIENCE_SECONDS = 5
# Where JupyterHub's model of somebody who logs in has their ticket until all checks are passed.
_TAKEN = "ticket"


class KerberosPAMAuthenticator(Authenticator):  # type: ignore[misc]
    """PAM decides, then GSSAPI takes a Kerberos ticket with the same password.

    `tickets` is the store; whoever is logged in has a ticket in it until it expires.  Needs no root and no
    local accounts of its own.  Nothing that asks PAM or a KDC runs on the event loop.
    """

    sentences = sentences
    """For pages that are not made here."""

    realm = Unicode(
        "",
        config=True,
        help="""The Kerberos realm whose people may log in. Names of any other realm are refused. Default "":
        default_realm of krb5.conf, because PAM uses that realm too.""",
    )
    pam_service = Unicode(
        "jupyterhub",
        config=True,
        help="""The PAM service (a file in /etc/pam.d with auth and account) that decides about a login. Names
        that the machine does not know are refused before it is asked. Default "jupyterhub": a file of its own,
        so that rules for consoles do not apply. Give pam_krb5 the option `defer_pwchange`, or PAM tries to set an
        expired password to itself. "": the KDC alone decides, for hubs without accounts.""",
    )
    ticket_folder = Unicode(
        "/run/jupyterhub/krb5",
        config=True,
        help="""The folder of all tickets. It belongs to this hub alone, with mode 0700, and is made if missing.
        Default under /run, because tickets should be in memory and not outlive a reboot.""",
    )
    keytab = Unicode(
        "",
        config=True,
        help="""Path of a keytab that the hub can read: the KDC must prove that it knows the same key. Default "":
        the KDC is not verified, because no keytab exists on every machine. Then whoever can answer in the
        KDC's place on the network can log in as anybody. Set it in production, to one with the key of
        host/<full name of the hub>: libkrb5 uses no other for this.""",
    )
    verify_kdc = Enum(
        ("auto", "require", "off"),
        "auto",
        config=True,
        help="""Whether the KDC must prove itself at each login. Default "auto": yes if `keytab` is set, which must
        then be readable. "require": a hub without a keytab does not start; use it in production. "off": no.""",
    )
    login_timeout_seconds = Float(
        12,
        min=0.1,
        config=True,
        help="""Seconds to wait for PAM and the KDC; then the login ends with "cannot be reached". Default 12, so
        that a person has an answer within 15 seconds. libkrb5 itself waits 25 seconds for a silent KDC.""",
    )
    password_change_text = Unicode(
        "",
        config=True,
        help="""What people read when their password has expired; plain text. Say where they can change it.
        Default "": with kpasswd, because every site has it, in their language.""",
    )
    denied_users = Set(
        Unicode(),
        default_value=set(names.NEVER),
        config=True,
        help="""Names that can never log in or be users of this hub. Add your service accounts. Default {"root"},
        because a principal of that name must not become an account.""",
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        try:
            checks.enforce(self.check_settings(), self.log)
            # The hub makes its authenticator before it looks at them.
            checks.enforce(roles.of_hub(self.parent, manages_groups=self.manage_groups), self.log)
            self._realm = self.realm or gss.default_realm()
            self.tickets = TicketStore(Path(self.ticket_folder), self._realm)
            self.single_sign_on = SingleSignOn(self)
            self.login_help = LoginHelp(parent=self)
        except AuthFailed as error:
            # JupyterHub prints any other exception as a page of traceback.
            raise SystemExit(sentences.CANNOT_START.format(reason=error)) from error
        for user, reason in self.tickets.sweep().items():
            self.log.warning("Removed the stored ticket of %s: %s", user, reason)
        if foreign := self.tickets.all_foreign():
            self.log.error("%s", for_log(foreign))
        core_log = logging.getLogger(__package__)
        core_log.parent = self.log
        core_log.setLevel(self.log.getEffectiveLevel())
        self.keeping = TicketKeeping(self)
        self._staying = Staying(self.tickets, self.keeping.renewal)
        self.new_ticket = NewTicket(self)
        self._group_threads = LoginThreads(_GROUP_THREADS)
        self.turns = Turns()
        self._passwords = self.password_login(self.tickets.folder)

    def password_login(self, folder: Path) -> PasswordLogin:
        """Return the way from a password to a ticket that these settings make; `folder` is nobody else's.

        Raises AuthFailed if krb5.conf has no default_realm and none is set.
        """
        return PasswordLogin(
            LoginThreads(_LOGIN_THREADS),
            self.login_timeout_seconds,
            self.realm or gss.default_realm(),
            self.pam_service,
            "" if self.verify_kdc == "off" else self.keytab,
            folder,
        )

    def check_settings(self) -> tuple[Outcome, ...]:
        """Return what can be said of the settings without asking a KDC or PAM."""
        sign_on = str(self.config.SingleSignOn.get("keytab", ""))
        facts = self.realm, self.pam_service, self.keytab, self.verify_kdc, sign_on, bool(self.username_map)
        return tuple(checks.kerberos(checks.Told(type(self).__name__, *facts), os.environ))

    @default("refresh_pre_spawn")
    def _refresh_pre_spawn_default(self) -> bool:
        return True

    @validate("auth_refresh_age")
    def _auth_refresh_age_not_zero(self, proposal: dict[str, Any]) -> int:
        age: int = proposal["value"]
        if age <= 0:
            raise TraitError(sentences.REFRESH_AGE)
        return age

    @property
    def credentials(self) -> TicketStore:
        """People's tickets, for other plug-ins of the hub."""
        return self.tickets

    def ticket_counts(self) -> Counts:
        """Return how many tickets there are, and how their renewals went."""
        return self.keeping.renewal.counts()

    @property
    def service_ticket_folder(self) -> Path:
        """The hub's private folder, where other plug-ins may keep tickets of services."""
        return self.tickets.folder

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """Return the routes of the login form, of a person's ticket and, where it is set up, of single sign-on.

        JupyterHub asks once, on the event loop, when it starts: tickets are renewed from then on.
        """
        requests.install(BaseHandler, app.tornado_settings)
        self.keeping.start(app)
        at_the_end(self._close)
        return [*pages.routes(self.keeping), *self.single_sign_on.routes()]

    async def _close(self) -> None:
        await self.keeping.close()
        self.tickets.close()

    def normalize_username(self, username: str) -> str:
        """Return the user a name means; a name that means nobody comes back only in small letters."""
        try:
            return names.identify(username, self._realm, self.denied_users).user
        except NameRefused:
            return username.lower()

    def validate_username(self, username: str) -> bool:
        """True for names that a login could have given."""
        try:
            user = names.identify(username, self._realm, self.denied_users).user
        except NameRefused:
            return False
        return user == username and bool(super().validate_username(username))

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Return the user as `{"name": , "ticket": }`, or None for a refused login; nothing is stored yet.

        With `manage_groups` also `groups`: the user's groups on this machine.

        Raises web.HTTPError, whose text JupyterHub shows in the login form: 400 for a form without a name,
        403 for an expired password, 503 when PAM or the KDC cannot say.
        """
        if isinstance(handler, NegotiateHandler) and handler.signed_on:
            return await self._with_ticket(handler.signed_on)
        if "username" not in data:
            raise web.HTTPError(400, sentences.NAME_AND_PASSWORD)
        attempt = Attempt(data["username"])
        denied = self.denied_users | self.blocked_users
        try:
            return await self._with_ticket(await self._passwords.take(attempt, data.pop("password", ""), denied))
        except LoginRefused as error:
            self.log.warning(attempt.line(error))
            return None
        except PasswordExpired as error:
            self.log.warning(attempt.line(error))
            raise web.HTTPError(403, self.password_change_text or sentences.PASSWORD_CHANGE) from error
        except AuthFailed as error:
            self.log.error(attempt.line(error))
            raise web.HTTPError(503, error.message) from error

    async def _with_ticket(self, taken: Taken) -> dict[str, Any]:
        model = {**await self._model(taken.user), _TAKEN: taken}
        # What JupyterHub does now for each is some ten milliseconds of its loop.
        await self.turns.mine()
        return model

    async def run_post_auth_hook(self, handler: Any, auth_model: dict[str, Any]) -> dict[str, Any] | None:
        """Run the site's hook, and store the ticket of somebody who is let in.

        JupyterHub calls this when all its checks of who may use the hub are passed, and nothing after it refuses.
        Raises web.HTTPError with a sentence if the ticket cannot be stored.
        """
        taken: Taken = auth_model.pop(_TAKEN)
        let_in: dict[str, Any] | None = await super().run_post_auth_hook(handler, auth_model)
        if let_in:
            try:
                self.keeping.keep(taken)
            except AuthFailed as error:
                self.log.error(
                    "Login failed: principal=%s step=store %s: %s",
                    taken.principal,
                    type(error).__name__,
                    error.detail,
                )
                raise web.HTTPError(
                    403 if isinstance(error, BadTicket | TicketExpired) else 503, error.message
                ) from error
        return let_in

    async def _model(self, user: str) -> dict[str, Any]:
        """Return what JupyterHub is told of a user who is let in, with `manage_groups` also their groups here.

        Groups are None, which leaves them as they were, while the machine's group database does not answer.
        """
        if not self.manage_groups:
            return {"name": user}
        try:
            found = await self._group_threads.run(partial(groups.of, user), _GROUPS_PATIENCE_SECONDS)
        except (TimeoutError, OSError) as error:
            self.log.warning("The groups of %s could not be read: %s", user, str(error) or "no answer in time")
            return {"name": user, "groups": None}
        return {"name": user, "groups": found}

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """True while the user's ticket is good, with `manage_groups` their groups; False asks for a new login.

        Raises NoTicket when the person was let in before and is now about to start a server.
        """
        if not await self._staying.may_go_on(user, handler):
            return False
        return await self._model(user.name) if self.manage_groups else True

    def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """Refuse a start without a usable ticket, by whomever: raises NoTicket, which names whose is missing."""
        self._staying.may_start(user, spawner.handler)
        self.keeping.renewal.look()

    def post_spawn_stop(self, user: Any, spawner: Any) -> None:
        """Let the ticket go with the last server, if so configured."""
        self.keeping.server_stopped(user.name, spawner)

    def delete_user(self, user: Any) -> None:
        """Forget the user and the ticket."""
        super().delete_user(user)
        self.keeping.forget(user.name)
