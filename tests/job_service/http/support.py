"""The application in this process, and clients of it."""

from typing import Any

import httpx

from job_service.http.caller import ADMIN, READ, SUBMIT, Caller, HubAway, HubBusy

SCOPES = {
    "read": frozenset({READ}),
    "submit": frozenset({READ, SUBMIT}),
    "admin": frozenset({READ, SUBMIT, ADMIN}),
}


class Tokens:
    """Whose tokens are: `alice:submit` is alice's with the scope to submit; `away` and `busy` find the hub so."""

    async def caller(self, token: str) -> Caller | None:
        if token == "away":
            raise HubAway("nobody there")
        if token == "busy":
            raise HubBusy
        name, _, scope = token.partition(":")
        if scope not in SCOPES:
            return None
        return Caller(name, frozenset({"people"}), SCOPES[scope], token_id="a1", is_person=name != "robot")


def client(app: Any, token: str = "", **headers: str) -> httpx.AsyncClient:
    """Return a client of the application with a token of `Tokens`."""
    if token:
        headers["Authorization"] = f"Bearer {token}"
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://hub.test/services/jobs", headers=headers)
