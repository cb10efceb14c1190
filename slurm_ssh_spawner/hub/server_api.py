"""JupyterHub's API of servers with a look at the choices in each request, before JupyterHub stores them.

Only their shape is looked at here, as none but text ever gets into its database; what they mean is decided at the
start, by the gate.
"""

from typing import Any

from jupyterhub.apihandlers.users import UserServerAPIHandler
from tornado import web

from profiles.errors import ChoiceRefused
from profiles.offer.choices import MOST_BYTES, Choices
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.bodies import SmallBody
from slurm_ssh_spawner.hub.shared import SETTING
from slurm_ssh_spawner.hub.stopping import StopsServers

_PATCHED = frozenset({"name", "display_name", "user_options"})


@web.stream_request_body
class ServerHandler(SmallBody, StopsServers, UserServerAPIHandler):  # type: ignore[misc]
    """`/hub/api/users/<name>/servers/<server>` as JupyterHub has it; 400 for choices of another shape."""

    # In JSON each letter of a choice may take six bytes.
    longest_body = 6 * MOST_BYTES

    async def delete(self, user_name: str, server_name: str = "") -> None:
        """Stop a server as JupyterHub has it, but answer with the sentence of a stop that failed, not with 204."""
        user = self.find_user(user_name)
        spawner = user.spawners[server_name] if user and server_name in user.spawners else None
        # Who may not stop it leaves nothing behind.
        if spawner is not None and self.has_scope(f"delete:servers!server={user.name}/{server_name}"):
            spawner.stop_failure = None
        await super().delete(user_name, server_name)
        if failure := getattr(spawner, "stop_failure", None):
            raise failure

    def write_error(self, status_code: int, **more: Any) -> None:
        """Answer, and keep for who has asked why somebody else's server was not started."""
        # There may have been an error before JupyterHub knew who asks.
        asker: Any = getattr(self, "_jupyterhub_user", None)
        error = more.get("exc_info", (None, None))[1]
        owner, server = self.path_args[0], self.path_args[1] if len(self.path_args) > 1 else ""
        is_of_another = asker is not None and asker.name != owner and self.has_scope(f"start:servers!user={owner}")
        if self.request.method == "POST" and is_of_another and isinstance(error, web.HTTPError):
            problem = getattr(error, "jupyterhub_message", "") or error.get_message()
            self.settings[SETTING].refusals.note(asker.name, owner, server or "", problem)
        super().write_error(status_code, **more)

    def get_json_body(self) -> Any:
        """Return the body; as JupyterHub has it, but for what would end there in a 500."""
        body = super().get_json_body()
        if self.request.method == "PATCH":
            _check_patch(body)
        if isinstance(body, dict):
            _check(body.get("user_options"))
        return body

    def get_server_json_body(self) -> dict[str, Any]:
        """Return the body with the choices under `user_options`, wherever they were."""
        body: dict[str, Any] = super().get_server_json_body()
        _check(body["user_options"])
        return body


def _check_patch(body: Any) -> None:
    if body is not None and (not isinstance(body, dict) or not _PATCHED.issuperset(body)):
        raise web.HTTPError(400, sentences.NOT_CHANGEABLE.format(names=", ".join(sorted(_PATCHED))))
    for name in ("name", "display_name"):
        if body and not isinstance(body.get(name, ""), str):
            raise web.HTTPError(400, sentences.NOT_TEXT.format(name=name))


def _check(options: Any) -> None:
    if isinstance(options, dict):
        try:
            Choices.of(options)
        except ChoiceRefused as error:
            raise web.HTTPError(400, error.message) from error
