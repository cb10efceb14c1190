"""Pages at the address of a server that is not there: it does not run, or the proxy finds nobody."""

from collections.abc import Awaitable
from http.client import responses
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.base import UserUrlHandler
from tornado import web

from slurm_ssh_spawner.hub import moments
from slurm_ssh_spawner.hub.overview import overview
from slurm_ssh_spawner.hub.shared import SETTING
from slurm_ssh_spawner.launch.records.stops import Reader

_LONGEST_ADDRESS = 2000
_NOT_RUNNING = "not_running.html"


class KnowsServer:
    """Of a handler that may show `not_running.html`: the page says what is known of that server.

    Its pages know whether the server is that of who looks at them: `is_own`.
    """

    def render_template(self, name: str, sync: bool = False, **values: Any) -> Any:
        """Render as JupyterHub does."""
        render: Any = super().render_template  # type: ignore[misc]
        if (owner := values.get("user")) is not None:
            values["is_own"] = owner is self.current_user  # type: ignore[attr-defined]
        if sync or name != _NOT_RUNNING:
            return render(name, sync, **values)
        return self._with_server(render, values)

    async def _with_server(self, render: Any, values: dict[str, Any]) -> str:
        handler: Any = self
        owner, server = values["user"], values["server_name"]
        reader = Reader(is_owner=owner is handler.current_user, sees_names=handler.has_scope("admin:servers"))
        told = await overview(handler.settings[SETTING], owner, reader)
        # Who may open one server of somebody's is not told of the others.
        is_told = handler.has_scope(f"read:servers!server={owner.name}/{server}")
        more = {
            "overview": told,
            "view": told.of(server) if is_told else None,
            "back_to": handler.get_argument("next", ""),
        }
        rendered: Awaitable[str] = render(_NOT_RUNNING, **{**moments.functions(), **more, **values})
        return await rendered


class ServerAddress(KnowsServer, UserUrlHandler):  # type: ignore[misc]
    """`/hub/user/...`, where the proxy leads while there is no such server."""

    def render_template(self, name: str, sync: bool = False, **values: Any) -> Any:
        """Render as JupyterHub does; who starts the server comes back to where they are."""
        return super().render_template(name, sync, back_to=self.request.uri, **values)


class ProxyError(BaseHandler):  # type: ignore[misc]
    """`/hub/error/...?url=...`, what the proxy shows for an address behind which nobody answers.

    The proxy asks for it, so nobody is logged in here: what became of a server is asked for by the page's script.
    """

    async def get(self, status: str) -> None:
        """Answer with the page."""
        number = int(status) if len(status) == len("503") else 500
        template = "nobody_there.html" if number == 503 else "error.html"
        page = await self.render_template(
            template,
            status_code=number,
            status_message=responses.get(number, ""),
            address=_path(self.get_argument("url", "")[:_LONGEST_ADDRESS]),
        )
        self.set_header("Content-Type", "text/html")
        self.finish(page)


def _path(address: str) -> str:
    """Return the path of an address, "" if it is none."""
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def server_at(path: str, prefix: str, owner: str, servers: Any) -> str:
    """Return the name of a person's server that has the address; `prefix` is that of all, such as `/`.

    Raises 404 if it is not an address of theirs.
    """
    user, _, rest = path.removeprefix(f"{prefix}user/").partition("/")
    if not path.startswith(f"{prefix}user/") or unquote(user) != owner:
        raise web.HTTPError(404)
    name = unquote(rest.partition("/")[0])
    return name if name in servers else ""
