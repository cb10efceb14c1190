"""A start without a usable ticket: the form asks for the password, and the start goes on with a new one."""

from typing import Any

from jupyterhub.handlers import BaseHandler


class AsksPassword(BaseHandler):  # type: ignore[misc]
    """Of a handler of `/hub/spawn[/<user>[/<server>]]`, where the authenticator has a `new_ticket`.

    That is `kerberos_auth.new_ticket`.  A form asks nobody but the person whose server it is for.
    """

    _password: str | None = None
    _refusal: Any = None

    async def refresh_auth(self, user: Any, force: bool = False) -> Any:
        """Let in who sends their own form without a usable ticket: they are asked for their password here.

        The start looks again by itself, with `force`, so that nothing starts without a good login.
        """
        fresh = await super().refresh_auth(user, force)
        if fresh is not None or force or self.request.method != "POST" or not self._why_asked(user):
            return fresh
        self._refreshed_users.discard(user.name)
        return user

    def take_out_password(self) -> None:
        """Keep the password that the form brought for `wants_password`, and take it out of the form."""
        if giver := getattr(self.authenticator, "new_ticket", None):
            self._password = giver.typed(self)

    async def wants_password(self, user: Any) -> bool:
        """Return whether the start of a user's server needs their password, having tried one that came."""
        password, self._password = self._password, None
        giver = self._giver_to(user)
        if giver is None or not giver.why_asked(user.name):
            return False
        self._refusal = await giver.take(self, password) if password is not None else None
        return password is None or self._refusal is not None

    @property
    def password_status(self) -> int:
        """The status of a form that asks for the password."""
        return self._refusal.status if self._refusal else 403

    def asked_for(self, user: Any) -> dict[str, Any]:
        """Return what `ticket_password.html` says in the form for a user's server; nothing if nobody is asked."""
        giver = self._giver_to(user)
        if giver is None or not (why := giver.why_asked(user.name)):
            return {}
        refused = self._refusal.sentence if self._refusal else ""
        asked = {"why": why, "refused": refused, "is_sent": self.request.method == "POST"}
        # What the banner says stands in the form, and needs no other page.
        return {"ticket_password": asked, "ticket_notice": None}

    def _why_asked(self, user: Any) -> str:
        """Return why a user is asked for their password, "" if they are not."""
        giver = self._giver_to(user)
        return str(giver.why_asked(user.name)) if giver else ""

    def _giver_to(self, user: Any) -> Any:
        """Return what gives a user tickets if this is the form of their own server, else None."""
        if user is None or self._jupyterhub_user is not user:
            return None
        whose = self.path_args[0] if self.path_args else None
        return getattr(self.authenticator, "new_ticket", None) if whose in (None, user.name) else None
