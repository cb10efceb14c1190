"""Home: a person's servers, and what may be done with them, all of it without scripts."""

from typing import Any

from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_escape_path, url_path_join
from tornado import web
from tornado.httputil import url_concat

from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import in_use, links, moments, naming
from slurm_ssh_spawner.hub.not_there import server_at
from slurm_ssh_spawner.hub.overview import Overview, overview
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from slurm_ssh_spawner.hub.stopping import StopsServers
from slurm_ssh_spawner.hub.storing import store


class Page(BaseHandler):  # type: ignore[misc]
    """What the pages of this module share."""

    @property
    def shared(self) -> Hub:
        """What all spawners share."""
        found: Hub = self.settings[SETTING]
        return found

    @web.authenticated
    async def get(self) -> None:
        """Lead to Home: at an address that only forms are sent to, a login or a page that is loaded again ends."""
        self.go_home()

    async def show(self, template: str, **values: Any) -> None:
        """Answer with a page about the person's servers as they are now."""
        told: Overview = await overview(self.shared, self.current_user)
        self.set_header("Cache-Control", "no-store")
        # Nothing in it is awaited; rendered without that it takes a fraction of the time.
        values |= {"overview": told, "may_name": self.allow_named_servers, **moments.functions()}
        self.finish(self.render_template(template, sync=True, **values))

    def go_home(self) -> None:
        """Lead to Home."""
        self.redirect(url_path_join(self.hub.base_url, "home"))

    def own(self) -> tuple[str, Any]:
        """Return name and spawner of the server of theirs that the request names.  Raises 404.

        Cards and pages that administrators see too send whose server it is.
        """
        if self.get_argument("user", self.current_user.name) != self.current_user.name:
            raise web.HTTPError(404, sentences.NO_SUCH_SERVER)
        name: str = self.get_argument("server", "")
        if name not in self.current_user.orm_spawners and name:
            raise web.HTTPError(404, sentences.NO_SUCH_SERVER)
        return name, self.current_user.spawners[name]

    def demand(self, scope: str, server: str) -> None:
        """Raise 403 unless the request may do that with a server of theirs: what JupyterHub's API demands."""
        if not self.has_scope(f"{scope}!server={self.current_user.name}/{server}"):
            raise web.HTTPError(403, sentences.NOT_ALLOWED)


class HomePage(Page):
    """`/hub/home`.  Nobody waits for a cluster here: what is old of what is known is asked for meanwhile."""

    @web.authenticated
    async def get(self) -> None:
        """Show it."""
        shared = self.shared
        shared.launcher.unattended.do(shared.look_again(self.current_user.name))
        await self.show("home.html")


class ServersPart(Page):
    """`/hub/home/servers`: what changes on Home, for the page that is open."""

    def _record_activity(self, *_args: Any, **_kwargs: Any) -> bool:
        """An open page is no activity of its person."""
        return False

    async def get(self) -> None:
        """Answer with the part of the page; 403 for who is not logged in, in place of the way to the login."""
        if self.current_user is None:
            raise web.HTTPError(403)
        await self.show("home_parts.html")


class ServerPart(ServersPart):
    """`/hub/home/server?at=/user/...`: the card of a server, for the page that stands at its address."""

    async def get(self) -> None:
        """Answer with the card.  403 for who is not logged in, 404 for an address that is not theirs."""
        user = self.current_user
        if user is None:
            raise web.HTTPError(403)
        name = server_at(self.get_query_argument("at", ""), self.base_url, user.name, user.orm_spawners)
        if name in user.spawners and user.spawners[name].ready:
            # It may have ended a moment ago: that is looked at as often as somebody asks, and not for long.
            await user.spawners[name].poll_and_notify()
        await self.show("server_part.html", server=name)


class NewServer(Page):
    """`/hub/home/new`: a server with a name, or the default one, then its form with the choices sent."""

    @web.authenticated
    async def post(self) -> None:
        """Lead to the form; show Home with a sentence if there can be no further server of that name."""
        user, title = self.current_user, naming.title(self.get_body_argument("name", ""))
        # No choices, and for no address.
        for name in ("name", "_xsrf"):
            self.request.body_arguments.pop(name, None)
        if not title and (not self.allow_named_servers or not user.spawners[""].active):
            self._form("")
            return
        if not self.allow_named_servers:
            raise web.HTTPError(400, sentences.NO_NAMED_SERVERS)
        taken, most = naming.titles(user), await self.get_current_user_named_server_limit()
        name = naming.slug(title, taken)
        if problem := naming.problem(name, taken, most):
            self.set_status(409)
            await self.show("home.html", problem=problem, typed=title)
            return
        self.demand("start:servers", name)
        # As the API of JupyterHub makes one.
        user._new_orm_spawner(name, title or name)
        self._form(name)

    def _form(self, name: str) -> None:
        user = self.current_user
        form = url_path_join(self.hub.base_url, "spawn", user.escaped_name, url_escape_path(name))
        sent = {name: self.get_body_arguments(name) for name in self.request.body_arguments}
        self.redirect(url_concat(form, links.choices_in(sent)))


class StopServer(StopsServers, Page):
    """`/hub/home/stop`: stops a server of theirs, or takes back its start; asks first if it is in use."""

    @web.authenticated
    async def post(self) -> None:
        """Stop it and lead to Home, or show what would be lost."""
        name, spawner = self.own()
        self.demand("delete:servers", name)
        if spawner.ready and not self.get_body_argument("sure", ""):
            use = await in_use.of(spawner, self.shared.looker)
            if use.is_worth_a_question:
                await self.show("stop_server.html", server=name, use=use)
                return
        await self.stop_server(self.current_user, name)
        self.go_home()


class ForgetServer(Page):
    """`/hub/home/forget`: removes a named server that does not run from JupyterHub; its records stay."""

    @web.authenticated
    async def post(self) -> None:
        """Remove it and lead to Home.  400 for the default server, and for one that runs."""
        name, spawner = self.own()
        self.demand("delete:servers", name)
        if not name or spawner.active:
            raise web.HTTPError(400, sentences.NOT_FORGETTABLE)
        user = self.current_user
        await user._delete_spawner(spawner)
        self.db.delete(spawner.orm_spawner)
        user.spawners.pop(name, None)
        store(self.db)
        self.go_home()
