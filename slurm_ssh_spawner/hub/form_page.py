"""The page of the options form as JupyterHub has it, but no link starts a server, and it says which one it is."""

from typing import Any

from jupyterhub.handlers.pages import SpawnHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado.httputil import url_concat

from slurm_ssh_spawner.hub import shared


class FormHandler(SpawnHandler):  # type: ignore[misc]
    """`/hub/spawn[/<user>[/<server>]]`; choices in the query (`?profile=KEY&time=2h`) fill in the form."""

    def _get_user_options(self, query_options: dict[str, list[str]]) -> dict[str, Any]:
        """Return none: with any, JupyterHub starts the server at once."""
        shared.note_link(query_options)
        return {}

    def post(self, user_name: str | None = None, server_name: str = "", display_name: str = "") -> Any:
        """Start, with the name that people see in the query, as `get` has it."""
        return super().post(user_name, server_name, display_name or self.get_query_argument("display_name", ""))

    @needs_scope("servers")
    async def _post(self, user_name: str, server_name: str, display_name: str) -> Any:
        """Start it; what starts or runs already, as after a second tap, is led to."""
        user = self.current_user if user_name == self.current_user.name else self.find_user(user_name)
        spawner = user.spawners.get(server_name) if user else None
        if spawner and spawner.ready:
            self.redirect(self.get_next_url(user, default=user.server_url(server_name)))
        elif spawner and spawner.pending:
            self.redirect(self._get_pending_url(user, server_name))
        else:
            await super()._post(user_name=user_name, server_name=server_name, display_name=display_name)

    def render_template(self, name: str, sync: bool = False, **values: Any) -> Any:
        """Return a page; that of the form also gets which server it is for, and where it is sent."""
        if name == "spawn.html":
            values |= self._of_the_server(values["for_user"])
        return super().render_template(name, sync, **values)

    def _of_the_server(self, user: Any) -> dict[str, Any]:
        server = self.path_args[1] if len(self.path_args) > 1 and self.path_args[1] else ""
        known = user.orm_spawners.get(server) if server else None
        title = self.get_query_argument("display_name", "") or getattr(known, "display_name", "") or server
        carried = {
            name: self.get_query_argument(name)
            for name in ("next", "display_name")
            if self.get_query_argument(name, "")
        }
        return {
            "server_title": title,
            "may_name": self.allow_named_servers,
            "unnamed": url_path_join(self.hub.base_url, "spawn", user.escaped_name),
            # Nothing else of the address: a token of an earlier refusal, and choices, which are in the form.
            "action": url_concat(self.request.path, carried),
        }
