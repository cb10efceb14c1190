"""What changes on the page of a start, and its end before it is over."""

import asyncio
import time
from typing import Any

from jupyterhub.handlers.pages import SpawnPendingHandler
from jupyterhub.scopes import has_scope
from jupyterhub.utils import url_escape_path, url_path_join
from tornado import web
from tornado.httputil import url_concat

from slurm_ssh_spawner.hub.home import Page, StopServer
from slurm_ssh_spawner.hub.not_there import KnowsServer
from slurm_ssh_spawner.hub.start_view import start_view

# What a button of ours sends besides choices.
_NOT_CHOICES = {"_xsrf", "server", "user"}
_LOOKS, _LOOK_SECONDS = 40, 0.25


class StartAddress(KnowsServer, SpawnPendingHandler):  # type: ignore[misc]
    """`/hub/spawn-pending/...`: a start on its way, or what became of it."""


class StartPart(Page):
    """`/hub/home/start`: what changes on the page of a start, for the page that is open.

    Who may see the page of somebody else's start, as an administrator, is told too, without the buttons.
    The header `X-Start` says what has become of it: `starting`, `stopping`, `up`, `failed` or `off`; `X-Now` is
    the hub's clock, in seconds since 1970, so that the part is the same until something changes.
    """

    def _record_activity(self, *_args: object, **_kwargs: object) -> bool:
        """An open page is no activity of its person."""
        return False

    async def get(self) -> None:
        """Answer with the part of the page, nothing where no start is under way; 403 for who is not logged in."""
        if self.current_user is None:
            raise web.HTTPError(403)
        user = self._whose()
        name: str = self.get_argument("server", "")
        if name and name not in user.orm_spawners:
            raise web.HTTPError(404)
        spawner, start = user.spawners[name], await start_view(user, name)
        phase = "failed" if start and start.failure else _phase(spawner)
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Start", phase)
        self.set_header("X-Now", str(time.time()))
        is_own = user is self.current_user
        if start and start.waits:
            # Whether another cluster is free is asked for meanwhile, if what is known is old.
            self.shared.launcher.unattended.do(self.shared.look_again(self.current_user.name))
        if phase == "starting" and start:
            # Nothing in it is awaited; rendered without that it takes a fraction of the time.
            said = {"start": start, "user": user, "is_own": is_own, "is_part": True}
            self.finish(self.render_template("start_parts.html", sync=True, **said))
        else:
            self.finish("")

    def _whose(self) -> Any:
        """Return the person of the start; 404 for a start that the one who asks may not see."""
        name: str = self.get_argument("user", self.current_user.name)
        if name == self.current_user.name:
            return self.current_user
        # As for the page itself.
        may_see = has_scope(f"servers!user={name}", self.expanded_scopes, db=self.db) if name else False
        if not may_see or (user := self.find_user(name)) is None:
            raise web.HTTPError(404)
        return user


class CancelStart(StopServer):
    """`/hub/home/cancel`: takes back a start; with a site, leads to the form with the choices that were sent."""

    @web.authenticated
    async def post(self) -> None:
        """Stop it, and lead to Home or to the form."""
        name, spawner = self.own()
        self.demand("delete:servers", name)
        if spawner.pending == "spawn":
            await self.stop_server(self.current_user, name)
        choices = {
            key: self.get_body_argument(key) for key in self.request.body_arguments if key not in _NOT_CHOICES
        }
        if "site" not in choices:
            self.go_home()
            return
        # JupyterHub shows no form of a server that is being stopped.
        for _ in range(_LOOKS):
            if spawner.active:
                await asyncio.sleep(_LOOK_SECONDS)
        user = self.current_user.escaped_name
        self.redirect(url_concat(url_path_join(self.hub.base_url, "spawn", user, url_escape_path(name)), choices))


def _phase(spawner: object) -> str:
    pending = {"spawn": "starting", "stop": "stopping"}.get(str(getattr(spawner, "pending", "")))
    return pending or ("up" if getattr(spawner, "ready", False) else "off")
