"""Where a job reports how far it is."""

import json
from typing import Any, Protocol, cast

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from slurm_ssh.job import LaunchId
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.bodies import SmallBody
from slurm_ssh_spawner.launch.progress import stage_of

_LOWEST_PORT = 1024
_HIGHEST_PORT = 65535


class Reportable(Protocol):
    """What the handler needs of a spawner."""

    launch_id: LaunchId | None
    token_id: int | None

    def job_reports_port(self, port: int) -> None:
        """Take note that the job's server listens on `port`."""

    def job_reports_stage(self, name: str, text: str) -> None:
        """Take note of what the job is doing; `text` may hold anything that can be printed."""


@web.stream_request_body
class LaunchReportHandler(SmallBody, APIHandler):  # type: ignore[misc]
    """`POST /hub/api/launches/<LaunchId>` with the job's own token.

    The body is `{"stage": NAME, "text": TEXT}` (see progress.stage_of) or `{"port": N}`.
    """

    @web.authenticated
    def post(self, launch_id: str) -> None:
        """Pass a report on.

        404 if the token's owner has no such launch, 403 if it is another token of theirs, 400 for any other body.
        """
        spawner = self._spawner(launch_id)
        token = self.get_token()
        # Whoever may read a person's name, as a service does, could else lead them to a server of somebody else.
        if token is None or token.id != spawner.token_id:
            raise web.HTTPError(403, sentences.NOT_THIS_SERVERS_TOKEN)
        body = _report(self.request.body)
        if "port" in body:
            spawner.job_reports_port(body["port"])
        else:
            spawner.job_reports_stage(*body["stage"])
        self.set_status(204)

    def write_error(self, status_code: int, **more: Any) -> None:
        """Mark an answer by which a job knows that nobody waits for it, and ends: at any other one it goes on.

        That is the 404 of this hub, not a proxy's, and the answer to a token that is none any more, as that of a
        server that was stopped.
        """
        if status_code == 404 or (status_code == 403 and self.current_user is None):
            self.finish({"status": status_code, "message": sentences.NO_SUCH_LAUNCH, "unknown_launch": True})
        else:
            super().write_error(status_code, **more)

    def _spawner(self, launch_id: str) -> Reportable:
        # A service has no spawners.
        spawners = getattr(self.current_user, "spawners", {})
        for spawner in list(spawners.values()):
            if getattr(spawner, "launch_id", None) == launch_id:
                return cast(Reportable, spawner)
        raise web.HTTPError(404, sentences.NO_SUCH_LAUNCH)


def _report(raw: bytes) -> dict[str, Any]:
    try:
        # A text that was cut short may end within a character.
        body = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        body = None
    match body:
        case {"port": int(port), **rest} if not rest and _LOWEST_PORT <= port <= _HIGHEST_PORT:
            return {"port": port}
        case {"stage": name, **rest} if rest.keys() <= {"text"} and (
            stage := stage_of(name, rest.get("text", ""))
        ):
            return {"stage": stage}
    raise web.HTTPError(400, sentences.NOT_A_REPORT)
