"""Who calls, and what they may: a token of the hub, its owner, its scopes.

Routes say what they need by the type of a parameter: `Reading`, `Submitting` or `Administering`.
"""

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from job_service.http.problems import Problem
from job_service.sentences import http as sentences
from profiles.offer.offer import Person

READ, SUBMIT, ADMIN = "custom:jobs:read", "custom:jobs:submit", "custom:jobs:admin"
"""What a token may: see its owner's jobs and what there is; send and change them; everybody's.

The hub knows that each has the one before.
"""

_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_KINDS = frozenset({"bearer", "token"})
_LONGEST_TOKEN = 1000

_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token of the hub, in the header `Authorization: Bearer TOKEN`. Nowhere else is one looked for.",
)


@dataclass(frozen=True)
class Caller:
    """Whose token came with a request: name and groups on the hub, and the scopes of the token.

    A token that is not a person's is that of a service of the hub; its `name` may also be a person's.
    """

    name: str
    groups: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    token_id: str | None = None
    is_person: bool = True

    @property
    def person(self) -> Person:
        """The same for the gate."""
        return Person(self.name, self.groups)

    @property
    def is_admin(self) -> bool:
        """Whether the token may see and change everybody's."""
        return ADMIN in self.scopes


class HubAway(Exception):  # noqa: N818
    """The hub does not say whose token it is; why, is for the log."""


class HubBusy(Exception):  # noqa: N818
    """The hub is asked about too many tokens at once that it may never have given to anybody."""


class Authenticator(Protocol):
    """Knows whose a token is."""

    async def caller(self, token: str) -> Caller | None:
        """Return whose it is, None for one that is none; it may be any text.  Raises HubAway, HubBusy, Problem."""


def token_of(request: Request) -> str | None:
    """Return the token that came in the header, None if none did; queries and cookies are not looked at."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip()[:_LONGEST_TOKEN] or None if kind.lower() in _KINDS else None


async def identify(request: Request) -> Caller:
    """Return who calls; raises a Problem."""
    token = token_of(request)
    if token is None:
        raise Problem(401, "no_token", sentences.NO_TOKEN, hint=sentences.SEND_A_TOKEN, headers=_CHALLENGE)
    auth: Authenticator = request.app.state.auth
    try:
        caller = await auth.caller(token)
    except HubAway as error:
        raise Problem(503, "hub_unavailable", sentences.HUB_AWAY) from error
    except HubBusy as error:
        raise Problem(503, "hub_busy", sentences.HUB_BUSY) from error
    if caller is None:
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem(401, "bad_token", sentences.BAD_TOKEN, hint=sentences.SEND_A_TOKEN, headers=headers)
    return caller


def lacking(scope: str) -> Problem:
    """Return the problem of a token that lacks a scope."""
    detail = sentences.SCOPE_MISSING.format(scope=scope)
    return Problem(403, "scope_missing", detail, hint=sentences.ASK_FOR_SCOPE, members={"scope": scope})


async def _anybody(request: Request, needed: SecurityScopes, _: Annotated[object, Depends(_scheme)]) -> Caller:
    caller: Caller = request.state.caller
    for scope in needed.scopes:
        if scope not in caller.scopes:
            raise lacking(scope)
    return caller


async def _person(caller: Annotated[Caller, Depends(_anybody)]) -> Caller:
    if not caller.is_person:
        raise Problem(403, "not_a_person", sentences.NOT_A_PERSON)
    return caller


Reading = Annotated[Caller, Security(_person, scopes=[READ])]
"""A person whose token may see their jobs."""

Submitting = Annotated[Caller, Security(_person, scopes=[SUBMIT])]
"""A person whose token may send and change their jobs."""

Administering = Annotated[Caller, Security(_anybody, scopes=[ADMIN])]
"""An admin, or a service of the hub that may do the same, such as one that reads metrics."""
