"""Launches that an earlier hub began: which one a start goes on with, and how a hub starts servers by itself."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from jupyterhub import orm
from jupyterhub.utils import url_escape_path, url_path_join
from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from slurm_ssh.errors import Unavailable
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.storing import forget_token
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.stops import BY_HUB

WAIT_SECONDS = 7 * 24 * 3600
"""For which JupyterHub itself lets a launch go on: how long it may wait was decided when it was begun."""

_ANSWER_SECONDS = 60
_PAUSE_SECONDS = 0.5
_STARTS_AT_ONCE = 50
# For the minute that a hub may look at a server behind a site that does not answer.
_TRIES = 120
_TOKEN_SECONDS = 300


async def find(launcher: Launcher, user: str, server: str, options: Mapping[str, Any]) -> LaunchRecord | None:
    """Return the launch of an earlier hub that a start with these options is to go on with, None for a new one.

    It does with the newest one of that server, if the options are those it was begun with or there are none; all
    others are stopped, and one whose job is over is none.  Raises DatabaseAway, and Unavailable if it cannot be
    known whether there is one.
    """
    chosen = None
    for record in await launcher.records.open_of(user, server):
        job = record.job(launcher.hub_name)
        if launcher.reports.is_held(record.launch_id) or launcher.is_submitting(job):
            continue
        is_meant = record.token_hash and (not options or dict(options) == dict(record.choices))
        if chosen is None and is_meant:
            found = await launcher.unattended.found(job)
            if found and not await launcher.is_settled(found):
                # Its record may have no number yet.
                chosen = replace(record, job_id=found.job_id)
        else:
            await launcher.unattended.give_up(job, BY_HUB)
    return chosen


class OwnApi:
    """Asks this hub, by its own API, for what a person's browser asks it for."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._asking: set[asyncio.Task[HTTPResponse]] = set()
        # Not JupyterHub's: what waits here for long must not hold up its talk with the proxy.
        self._client = SimpleAsyncHTTPClient(force_instance=True, max_clients=_STARTS_AT_ONCE)

    def close(self) -> None:
        """Ask no more; starts that are under way go on."""
        self._client.close()

    async def ready(self) -> None:
        """Return when the hub listens: then it has begun to look at each server that ran before."""
        look = HTTPRequest(self._app.hub.api_url, request_timeout=_ANSWER_SECONDS)
        while (await self._answer(look)).error:  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE_SECONDS)

    async def start(self, name: str, server: str, choices: Mapping[str, str]) -> None:
        """Start a person's server with these choices, those of last time for none.

        Waits while the hub still looks at that server.  Raises Unavailable if it will not start it.
        """
        user = orm.User.find(self._app.db, name)
        if user is None or name in self._app.authenticator.blocked_users:
            raise Unavailable(sentences.NO_SUCH_PERSON.format(user=name))
        for _ in range(_TRIES):
            if self._pending(user, server) in {None, "spawn"}:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        # Once: after a start that was refused, the next one may begin another launch.
        answer = await self._begun(user, server, choices)
        if answer and answer.error:
            raise Unavailable(sentences.NOT_STARTED_AGAIN.format(user=name), _message(answer))

    async def _begun(self, user: orm.User, server: str, choices: Mapping[str, str]) -> HTTPResponse | None:
        """Return the hub's answer, None if the start is under way: the answer may come much later."""
        asking = asyncio.create_task(self._asked(user, server, choices))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        while not asking.done():
            await asyncio.wait((asking,), timeout=_PAUSE_SECONDS)
            if self._pending(user, server) == "spawn":
                return None
        return asking.result()

    def _pending(self, user: orm.User, server: str) -> str | None:
        """Return what the hub does with a server: "spawn", "stop" or "check"; None for nothing."""
        spawner = self._app.users[user].spawners.get(server)
        return (spawner and spawner.pending) or None

    async def _asked(self, user: orm.User, server: str, choices: Mapping[str, str]) -> HTTPResponse:
        person = self._app.users[user]
        token = person.new_api_token(
            note="Server goes on after a restart", expires_in=_TOKEN_SECONDS, scopes=[f"servers!user={user.name}"]
        )
        which = ("servers", url_escape_path(server)) if server else ("server",)
        path = ("users", url_escape_path(user.name), *which)
        request = HTTPRequest(
            url_path_join(self._app.hub.api_url, *path),
            method="POST",
            headers={"Authorization": f"token {token}"},
            body=json.dumps(dict(choices)).encode() if choices else b"",
            request_timeout=_ANSWER_SECONDS,
        )
        try:
            return await self._answer(request)
        finally:
            forget_token(self._app.db, token)

    async def _answer(self, request: HTTPRequest) -> HTTPResponse:
        """Return the hub's answer, one with an error if there is none."""
        try:
            return await self._client.fetch(request, raise_error=False)
        except (OSError, HTTPClientError) as error:
            return HTTPResponse(request, HTTPStatus.SERVICE_UNAVAILABLE, error=error)


def _message(answer: HTTPResponse) -> str:
    try:
        return f"{answer.code} {json.loads(answer.body)['message']}"
    except (ValueError, KeyError, TypeError):
        return str(answer.code)
