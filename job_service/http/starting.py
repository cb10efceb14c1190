"""An interactive job type is started: the list of its datasets at the site, then its server by the hub."""

from dataclasses import dataclass

from fastapi import Request

from job_service.accepting.servers import Server
from job_service.http import cookies
from job_service.http.caller import Caller, Servers, token_of
from job_service.http.given import Kept
from job_service.spec import JobSpec


@dataclass(frozen=True)
class Started:
    """A server that starts: its `name` on the hub, and the path of the page there that leads to it."""

    name: str
    path: str
    server: Server


async def start(request: Request, kept: Kept, caller: Caller, spec: JobSpec, key: str | None = None) -> Started:
    """Start the server of an interactive type with the token of whoever calls.

    With a `key` that came before for the same description, a server that runs for it is the answer.  Raises what
    `Acceptance.server` and `Servers.start` do, and TooMany for very many at once.
    """
    servers: Servers = request.app.state.servers
    servers.check(caller)
    token = token_of(request) or cookies.token(request) or ""
    with kept.lists.one(caller.name):
        server = await kept.service.accepting.server(caller.person, spec, key)
        name = await servers.start(caller.name, token, server)
    return Started(name, servers.page(caller.name, name), server)
