"""Servers of the hub, started with the token of whoever wants one: as if they had done it themselves."""

import asyncio
import itertools
import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.services.auth import check_scopes

from job_service.accepting.servers import PATH, Server
from job_service.errors import HubBusy, HubUnavailable, JobError, NoServer, ScopeMissing, TicketNeeded
from job_service.http.caller import Caller
from job_service.sentences import http as sentences
from languages import current
from slurm_ssh.text import one_line

SCOPES = ("start:servers", "read:servers")
"""What the token of whoever starts a server needs, each with `!user=NAME`; `servers!user` has both."""

# The hub waits for ten seconds whether a start fails.
_SECONDS = 30.0
_TRIES = 3
_LONGEST_NAME = 26
_LONGEST_REASON = 500
_NO_NAME = re.compile(r"[^a-z0-9]+")
# What JupyterHub says of a server that somebody else of the same person has started meanwhile.
_TAKEN = re.compile(r" is (already running|pending \w+)$")

_log = logging.getLogger(__name__)


class HubServers:
    """Starts named servers by the API of the hub at `api_url`, whose pages are below the path `hub`."""

    def __init__(self, api_url: str, hub: str) -> None:
        self._api_url = api_url.rstrip("/")
        self.hub = hub

    def check(self, caller: Caller) -> None:
        """See that the token of whoever calls may start servers.  Raises ScopeMissing."""
        for scope in SCOPES:
            if not check_scopes(f"{scope}!user={caller.name}", caller.scopes):
                said = sentences.SCOPE_MISSING.format(scope=f"{scope}!user")
                raise ScopeMissing(said, sentences.ASK_FOR_SCOPE)

    def page(self, user: str, name: str) -> str:
        """Return the path of the page that follows the start of a server, and leads to it."""
        return f"{self.hub}spawn-pending/{quote(user, safe='')}/{name}"

    async def start(self, user: str, token: str, server: Server) -> str:
        """Start a server of the person whose token it is, and return its name.

        It is named after its job type, with a number if a server of that name runs.  One that runs already with
        the same list of datasets, or without any with the same choices, is what was asked for.  Raises
        ScopeMissing, TicketNeeded, NoServer, HubBusy, HubUnavailable.
        """
        person = _Person(f"{self._api_url}/users/{quote(user, safe='')}", token)
        for _ in range(_TRIES):
            running = await person.servers()
            for name, known in running.items():
                if _is_it(name, known, server):
                    return name
            name = next(each for each in _names(server.type_key) if each not in running)
            if await person.start(name, server):
                return name
        raise NoServer(sentences.SERVER_TAKEN.format(type=server.title), sentences.START_AGAIN)


def _names(type_key: str) -> Iterator[str]:
    """Yield names for servers of a type, as JupyterHub takes them."""
    name = _NO_NAME.sub("-", type_key).strip("-")
    name = (name if name[:1].isalpha() else f"type-{name}")[:_LONGEST_NAME].strip("-")
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))


def _options(known: Any) -> Mapping[str, Any]:
    """Return the choices of a server, as the hub describes it."""
    found = known.get("user_options") if isinstance(known, dict) else None
    return found if isinstance(found, dict) else {}


def _is_it(name: str, known: Any, server: Server) -> bool:
    """Return whether a server, as the hub describes it, runs or starts and is the one that is wanted."""
    options, own = _options(known), next(_names(server.type_key))
    is_of_type = name == own or name.startswith(f"{own}-")
    is_alike = options.get(PATH) == server.path if server.path else is_of_type and options == server.options
    return is_alike and known.get("pending") != "stop"


class _Person:
    """The hub, as somebody with a token sees it."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"token {token}", "Accept-Language": current()}

    async def servers(self) -> Mapping[str, Any]:
        """Return their servers that run, start or stop, by name."""
        status, said = await self._asked("GET", "")
        found = said.get("servers")
        if status == 200 and isinstance(found, dict):
            return found
        # Without the scope the hub says whatever else it may.
        raise _refused(403 if status == 200 else status, said)

    async def start(self, name: str, server: Server) -> bool:
        """Start one, and return whether it is the one of that name now, and not another that was quicker."""
        body = {"display_name": server.title, "user_options": dict(server.options)}
        status, said = await self._asked("POST", f"/servers/{name}", body)
        if status == 400 and _TAKEN.search(str(said.get("message", ""))):
            return False
        if status not in {201, 202}:
            raise _refused(status, said)
        # The hub says the same of a start that another request of theirs has begun, whatever with.
        try:
            status, found = await self._asked("GET", f"/servers/{name}")
        except HubUnavailable:
            return True
        wanted, options = server.options, _options(found)
        return status != 200 or all(options.get(each) == wanted.get(each) for each in ("profile", PATH))

    async def _asked(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        client = JupyterHubHTTPClient.loop_instance()
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await client.fetch(
                    f"{self._url}{path}",
                    method=method,
                    headers=self._headers,
                    json=body,
                    raise_for_status=False,
                    allow_redirects=False,
                )
                status, text = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("the hub did not answer to %s of a server: %s", method, error)
            said = sentences.HUB_SILENT if method == "POST" else sentences.HUB_STARTS_NOTHING
            raise HubUnavailable(said) from error
        try:
            found = json.loads(text) if text else {}
        except ValueError:
            found = {}
        return status, found if isinstance(found, dict) else {}


def _refused(status: int, said: Mapping[str, Any]) -> JobError:
    """Return what to tell of an answer that is no yes."""
    message = one_line(str(said.get("message") or ""), _LONGEST_REASON).strip()
    if status == 429:
        return HubBusy(sentences.HUB_STARTS_MANY)
    if status == 403 and message.startswith("auth has expired"):
        return TicketNeeded(sentences.LOGIN_OVER, sentences.LOG_IN_AND_START)
    if status in {401, 403}:
        missing = sentences.SCOPE_MISSING.format(scope=" or ".join(f"{each}!user" for each in SCOPES))
        return ScopeMissing(missing, sentences.ASK_FOR_SCOPE)
    if "Named servers are not enabled" in message:
        return NoServer(sentences.NO_NAMED_SERVERS, sentences.ASK_FOR_NAMED_SERVERS)
    if "already has the maximum of" in message:
        return NoServer(sentences.TOO_MANY_SERVERS, sentences.REMOVE_A_SERVER)
    if not message or (status >= 500 and status != 503):
        _log.warning("the hub answered %d to the start of a server: %s", status, message or "nothing")
    return NoServer(sentences.NOT_STARTED.format(reason=message or sentences.NO_REASON.format(status=status)))
