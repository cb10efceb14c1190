"""The application in this process, and clients of it."""

from typing import Any

import httpx

from job_service.http.auth import HubLogins
from job_service.http.caller import ADMIN, READ, SUBMIT, Caller, HubAway, TooManyTokens
from job_service.http.hub_servers import HubServers

SCOPES = {
    "read": frozenset({READ}),
    "submit": frozenset({READ, SUBMIT}),
    "starts": frozenset({READ, SUBMIT}),
    "admin": frozenset({READ, SUBMIT, ADMIN}),
}


class Tokens:
    """Whose tokens are: `alice:submit` is alice's with the scope to submit; `away` and `busy` find the hub so."""

    async def caller(self, token: str, _session: str = "") -> Caller | None:
        if token == "away":
            raise HubAway("nobody there")
        if token == "busy":
            raise TooManyTokens
        name, _, scope = token.partition(":")
        if scope not in SCOPES:
            return None
        scopes = SCOPES[scope]
        if scope == "starts":
            scopes |= {f"{each}!user={name}" for each in ("servers", "start:servers", "read:servers")}
        return Caller(name, frozenset({"people"}), scopes, token_id="a1", is_person=name != "robot")


def client(app: Any, token: str = "", **headers: str) -> httpx.AsyncClient:
    """Return a client of the application with a token of `Tokens`."""
    if token:
        headers["Authorization"] = f"Bearer {token}"
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://hub.test/services/jobs", headers=headers)


OPENED = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
"""What a browser says when somebody opens a page."""

ROOT = "/services/jobs"


def logins(api_url: str = "http://127.0.0.1:9/hub/api") -> HubLogins:
    """Return what has a hub log browsers in."""
    return HubLogins("jobs", api_url, "the-services-own", ROOT)


def servers(api_url: str = "http://127.0.0.1:9/hub/api") -> HubServers:
    """Return what has a hub start servers."""
    return HubServers(api_url, "/hub/")


def cookie(token: str) -> str:
    """Return the cookie of a browser that is logged in with a token."""
    return logins().signed("jupyterhub-jobs", token)


def xsrf(token: str) -> str:
    """Return what the pages for that browser send back."""
    return logins().xsrf(token)


def browser(app: Any, token: str = "", **headers: str) -> httpx.AsyncClient:
    """Return a client that opens pages as a browser does, logged in with a token of `Tokens`."""
    kept = httpx.Cookies()
    if token:
        kept.set("jupyterhub-jobs", cookie(token), "hub.test", f"{ROOT}/")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=f"http://hub.test{ROOT}",
        headers={**OPENED, **headers},
        cookies=kept,
    )


def listens(app: Any, owner: str) -> bool:
    """Return whether somebody waits for a change of anything of an owner's."""
    return f"owner {owner}" in app.state.kept.news._waiting


def waits(app: Any, job_id: str) -> bool:
    """Return whether somebody waits for a change of a job."""
    return job_id in app.state.kept.news._waiting
