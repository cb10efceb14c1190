"""Where a job reports how far it is."""

import json
from http import HTTPStatus
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.bodies import SmallBody
from slurm_ssh_spawner.hub.shared import SETTING
from slurm_ssh_spawner.launch.progress import stage_of
from slurm_ssh_spawner.launch.records import DatabaseAway
from slurm_ssh_spawner.launch.reports import UnknownLaunch, WrongToken

_LOWEST_PORT = 1024
_HIGHEST_PORT = 65535


@web.stream_request_body
class LaunchReportHandler(SmallBody, APIHandler):  # type: ignore[misc]
    """`POST /hub/api/launches/<LaunchId>` with the job's own token, whose hash is in the launch's record.

    The body is `{"stage": NAME, "text": TEXT}` (see progress.stage_of), a list of such, or `{"port": N}`.
    """

    def check_xsrf_cookie(self) -> None:
        """Look at no cookie: none counts here."""

    async def get_current_user(self) -> None:
        """Look nobody up: what is presented is compared with the token of the launch, not with JupyterHub's own.

        Of a hundred jobs that report at once each would cost it a dozen questions and a commit.
        """
        self._jupyterhub_user = None

    async def post(self, launch_id: str) -> None:
        """Take a report, and answer 204 once it can be forgotten no more.

        404 if there is no such launch that goes on, 403 without its own server's token, 400 for any other body,
        503 while the records cannot be used.
        """
        reports = self.settings[SETTING].launcher.reports
        try:
            live = await reports.of(launch_id, self.get_auth_token() or "")
            body = _report(self.request.body)
            if "port" in body:
                await reports.port(live, body["port"])
            for stage in body.get("stages", ()):
                reports.stage(live, *stage)
        except UnknownLaunch:
            raise web.HTTPError(404, sentences.NO_SUCH_LAUNCH) from None
        except WrongToken:
            # Whoever may read a person's name, as a service does, could else lead them to somebody else's server.
            raise web.HTTPError(403, sentences.NOT_THIS_SERVERS_TOKEN) from None
        except DatabaseAway as error:
            raise web.HTTPError(503, error.message) from error
        self.set_status(204)

    def write_error(self, status_code: int, **more: Any) -> None:
        """Mark the answer by which a job knows that nobody waits for it, and ends: at any other one it goes on.

        That is the 404 of this hub, not a proxy's.  Whoever looks at the way is told whether a token came along.
        """
        if status_code == HTTPStatus.NOT_FOUND:
            said = {"unknown_launch": True, "has_token": bool(self.get_auth_token())}
            self.finish({"status": status_code, "message": sentences.NO_SUCH_LAUNCH, **said})
        else:
            super().write_error(status_code, **more)


def _report(raw: bytes) -> dict[str, Any]:
    try:
        # A text that was cut short may end within a character.
        body = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        body = None
    match body:
        case {"port": int(port), **rest} if not rest and _LOWEST_PORT <= port <= _HIGHEST_PORT:
            return {"port": port}
    each_stage = map(_stage, body if isinstance(body, list) else [body])
    # What is said beside what nobody understands counts.
    if stages := [stage for stage in each_stage if stage]:
        return {"stages": stages}
    raise web.HTTPError(400, sentences.NOT_A_REPORT)


def _stage(body: Any) -> tuple[str, str] | None:
    match body:
        case {"stage": name, **rest} if rest.keys() <= {"text"}:
            return stage_of(name, rest.get("text", ""))
    return None
