"""Share: a server's owner lets in others, a guest accepts or leaves; all of it without scripts.

People need no scope of JupyterHub's for it: these pages make its shares themselves, so that nothing but what they
allow can be shared.
"""

from datetime import datetime
from typing import Any

from jupyterhub.utils import get_browser_protocol, url_path_join
from tornado import web
from tornado.httputil import url_concat

from slurm_ssh_spawner.hub import guests, moments
from slurm_ssh_spawner.hub.home import Page
from slurm_ssh_spawner.hub.kept_current import KeptCurrent
from slurm_ssh_spawner.hub.overview import overview
from slurm_ssh_spawner.sentences import guests as sentences

MINUTES = (60, 4 * 60, 24 * 60, 7 * 24 * 60)
"""For how long somebody may be invited, the default first."""

_COOKIE = "jupyterhub-invitation"
_LOGIN_SECONDS = 1800
_LONGEST_CODE = 100


class SharePage(KeptCurrent, Page):
    """`/hub/share?server=...`: who has access to a server of theirs, and a form that invites somebody."""

    @web.authenticated
    async def get(self) -> None:
        """Show it.  403 for a server that cannot be shared."""
        name, _ = self.shared_server()
        await self.show_guests(name)

    def shared_server(self) -> tuple[str, Any]:
        """Return name and row of the server that the request names.  Raises 404; 403 if it cannot be shared."""
        name, spawner = self.own()
        if not spawner.ready:
            raise web.HTTPError(403, sentences.NOT_UP)
        if not guests.is_shareable(self.shared.catalogue.current, spawner.profile_key):
            raise web.HTTPError(403, sentences.NOT_SHARED)
        return name, spawner.orm_spawner

    async def show_guests(self, name: str, **more: Any) -> None:
        """Answer with the page."""
        row = self.current_user.orm_spawners[name]
        lists = {"guests": guests.guests(row), "invitations": guests.invitations(row), "offered": MINUTES}
        await self.show("share.html", server=name, **lists, **more)

    def lead_back(self, name: str) -> None:
        """Lead to the page."""
        self.redirect(url_concat(url_path_join(self.hub.base_url, "share"), {"server": name}))


class Invite(SharePage):
    """`/hub/share/invite`: makes an invitation, whose link is shown once."""

    @web.authenticated
    async def get(self) -> None:
        """Lead to Home, as every address that only forms are sent to."""
        self.go_home()

    @web.authenticated
    async def post(self) -> None:
        """Make it and show the page with its link.  400 for a time that is not offered."""
        name, row = self.shared_server()
        minutes = _number(self.get_body_argument("minutes", ""))
        if minutes not in MINUTES:
            raise web.HTTPError(400, sentences.NOT_SO_LONG)
        ends = await self._job_ends(name)
        # Nothing is awaited from here on: of two requests at once, the second has to count what the first made.
        self.shared_server()
        if len(row.shares) + len(row.share_codes) >= guests.MOST:
            self.set_status(409)
            await self.show_guests(name, problem=sentences.TOO_MANY.format(most=guests.MOST))
            return
        code, until = guests.invite(self.db, row, minutes, ends)
        await self.show_guests(name, link=self._link(code), until=until)

    async def _job_ends(self, name: str) -> datetime | None:
        """Return when the job's time is up, None if that is not known."""
        view = (await overview(self.shared, self.current_user)).of(name)
        return view.report.ends if view else None

    def _link(self, code: str) -> str:
        public = self.settings.get("public_url")
        protocol = public.scheme if public else get_browser_protocol(self.request)
        host = public.netloc if public else self.request.host
        return url_concat(f"{protocol}://{host}{url_path_join(self.hub.base_url, 'accept-share')}", {"code": code})


class TakeBack(Invite):
    """`/hub/share/take-back`: ends the access of a guest, or an invitation, of a server of theirs."""

    @web.authenticated
    async def post(self) -> None:
        """End it and lead back; what has ended already is no mistake."""
        name, spawner = self.own()
        end = {"guest": guests.take_back_access, "invitation": guests.take_back_invitation}
        kind = self.get_body_argument("kind", "")
        if kind not in end:
            raise web.HTTPError(400)
        key = _number(self.get_body_argument("key", ""))
        end[kind](spawner.orm_spawner, key, self.current_user.name)
        self.lead_back(name)


class Leave(Page):
    """`/hub/share/leave`: ends one's own access to somebody else's server."""

    @web.authenticated
    async def post(self) -> None:
        """End it and lead to Home."""
        owner, server = self.get_body_argument("owner", ""), self.get_body_argument("server", "")
        guests.leave(self.current_user, owner, server)
        self.go_home()


class AcceptInvitation(Page):
    """`/hub/accept-share?code=...`: what an invitation means, and its acceptance; JupyterHub's page has less."""

    async def get(self) -> None:
        """Show what it means.  403 for one that cannot be used.

        Who has to log in first comes back without the code in an address: JupyterHub would log it with `next`.
        """
        if self.current_user is None:
            self._remember(self.get_argument("code", "")[:_LONGEST_CODE])
            self.redirect(url_concat(self.get_login_url(), {"next": self.request.path}))
            return
        found = self._invitation()
        row = found.spawner
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        page = await self.render_template(
            "accept-share.html",
            code=self._code(),
            owner=row.user.name,
            server=row.display_name or row.name,
            until=moments.utc(found.expires_at),
            **moments.functions(),
        )
        self.finish(page)

    @web.authenticated
    async def post(self) -> None:
        """Let the person in, and lead to the server."""
        row = guests.accept(self.db, self._invitation(), self.current_user)
        self.redirect(self.users[row.user].server_url(row.name))

    def _invitation(self) -> Any:
        code = self._code()
        found = guests.invitation(self.db, code) if code.isascii() else None
        if found is None or not self._is_up(found.spawner):
            raise web.HTTPError(403, sentences.INVITATION_OVER)
        if found.spawner.user is self.current_user.orm_user:
            raise web.HTTPError(403, sentences.YOUR_OWN)
        return found

    def _remember(self, code: str) -> None:
        self.set_signed_cookie(
            _COOKIE,
            code,
            expires_days=None,
            max_age=_LOGIN_SECONDS,
            path=self.request.path,
            httponly=True,
            samesite="Lax",
            secure=get_browser_protocol(self.request) == "https",
        )

    def _code(self) -> str:
        """Return the code of the address, or that of before the login."""
        kept: bytes = self.get_signed_cookie(_COOKIE, max_age_days=1) or b""
        code: str = self.get_argument("code", "") or kept.decode(errors="replace")
        return code[:_LONGEST_CODE]

    def _is_up(self, row: Any) -> bool:
        spawner = self.users[row.user].spawners[row.name]
        return spawner.ready and guests.is_shareable(self.shared.catalogue.current, spawner.profile_key)


def _number(typed: str) -> int:
    """Return the number that was sent, -1 for what is none."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < len("1000000000") else -1
