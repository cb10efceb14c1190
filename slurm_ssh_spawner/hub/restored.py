"""Servers that ran before the hub started: whether they still do, and how one that is silent is kept."""

import asyncio
import logging
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from jupyterhub import __version__ as jupyterhub_version
from jupyterhub.objects import Server
from jupyterhub.spawner import Spawner
from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import Job
from slurm_ssh.tunnels.answer import IN_PLACE
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.records import DatabaseAway, LaunchRecord
from slurm_ssh_spawner.launch.reports import Live

_ANSWER_SECONDS = 5
# Somebody waits for a page meanwhile.
_READ_SECONDS = 2
_LONGEST_ANSWER = 1024**2
_LOOKS_AT_ONCE = 50

_log = logging.getLogger(__name__)


class Standing(Enum):
    """What is known of a server that ran before."""

    OVER = auto()
    NEVER_UP = auto()
    UP = auto()
    SILENT = auto()
    """Nobody answers there, or the way there is not open, but Slurm does not say that its job is over."""


@dataclass(frozen=True)
class Found:
    """How a server stands, and where.

    `url` is "" if its tunnel could not be made again, `place` None if it is not known.  `profile_key` is what its
    record says, "" if that was not needed.
    """

    standing: Standing
    url: str = ""
    place: Place | None = None
    profile_key: str = ""


@dataclass(frozen=True)
class Was:
    """What JupyterHub has kept of a server: `path` is its own, `place` None if only its record may say it."""

    profile_key: str
    place: Place | None
    path: str


class Looker:
    """Owner of the HTTP client that looks at servers, some at once: each look has all of its time for itself."""

    def __init__(self) -> None:
        self._client = SimpleAsyncHTTPClient(
            force_instance=True, max_clients=_LOOKS_AT_ONCE, max_buffer_size=_LONGEST_ANSWER
        )
        self._free = asyncio.Semaphore(_LOOKS_AT_ONCE)

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    async def answers(self, url: str) -> bool:
        """Return whether a server answers at `url` now, with whatever status; a tunnel in its place does not."""
        # Of a HEAD's answer nobody reads a body.
        look = HTTPRequest(
            url,
            method="HEAD",
            follow_redirects=False,
            connect_timeout=_ANSWER_SECONDS,
            request_timeout=_ANSWER_SECONDS,
        )
        async with self._free:
            try:
                answer = await self._client.fetch(look, raise_error=False)
            except (OSError, HTTPClientError):
                return False
        return IN_PLACE not in answer.headers

    async def read(self, url: str, token: str) -> bytes:
        """Return what a server answers to a question that presents its own token, b"" if it does not."""
        ask = HTTPRequest(
            url,
            headers={"Authorization": f"token {token}"},
            follow_redirects=False,
            connect_timeout=_READ_SECONDS,
            request_timeout=_READ_SECONDS,
        )
        async with self._free:
            try:
                answer = await self._client.fetch(ask, raise_error=False)
            except (OSError, HTTPClientError):
                return b""
        return answer.body if answer.code == HTTPStatus.OK else b""


async def find(launcher: Launcher, looker: Looker, live: Live, was: Was, deadline: Deadline) -> Found:
    """Return how a server stands that ran before.

    Raises DatabaseAway if the record is needed and cannot be read.
    """
    job, place, silent, profile_key = live.job, was.place, Standing.SILENT, ""
    if record := await _record(launcher, live, was):
        if record.stop_wanted:
            launcher.unattended.owe_stop(job)
        if not record.is_open:
            return Found(Standing.OVER)
        place, profile_key = place or Place.of(record), record.profile_key
        silent = Standing.SILENT if place else Standing.NEVER_UP
    url = ""
    if place:
        url, place = await _reached(launcher, job, place, deadline)
    if url and await looker.answers(f"{url}{was.path}"):
        return Found(Standing.UP, url, place, profile_key)
    is_over = (await launcher.report(job, deadline)).state.is_over
    return Found(Standing.OVER if is_over else silent, url, place, profile_key)


async def _record(launcher: Launcher, live: Live, was: Was) -> LaunchRecord | None:
    try:
        record = await launcher.records.get(live.job.launch_id)
    except DatabaseAway:
        if was.place is None:
            raise
        return None
    if record is None:
        _log.warning("%s: its record was lost; what JupyterHub has kept takes its place", live.job.mark)
        launcher.records.restore(live.job, live.server, was.profile_key, live.token_hash)
    return record


async def _reached(launcher: Launcher, job: Job, place: Place, deadline: Deadline) -> tuple[str, Place]:
    try:
        return await launcher.reach(job, place, deadline)
    except LaunchError as error:
        _log.warning("%s cannot be reached: %s", job.mark, error)
        return "", place


class KeptServer(Server):  # type: ignore[misc]
    """A server that is taken for up: JupyterHub cancels the job of one that is silent when the hub starts."""

    async def wait_up(self, *_args: Any, **_kwargs: Any) -> HTTPResponse:
        """Answer in the place of the server."""
        headers = HTTPHeaders({"X-JupyterHub-Version": jupyterhub_version})
        return HTTPResponse(HTTPRequest(self.url), HTTPStatus.OK, headers)


def keep(spawner: Spawner) -> None:
    """Let JupyterHub, which is starting, take the spawner's server for up."""
    if spawner.orm_spawner.server is not None:
        spawner.server = KeptServer(orm_server=spawner.orm_spawner.server)


def move(spawner: Spawner, url: str) -> None:
    """Have JupyterHub, and soon its proxy, reach the spawner's server at `url`."""
    where = urlsplit(url)
    spawner.server.ip, spawner.server.port = where.hostname, where.port
