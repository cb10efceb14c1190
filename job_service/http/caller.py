"""Who calls, and what they may: a token of the hub, its owner, its scopes.

Routes say what they need by the type of a parameter: `Reading`, `Submitting` or `Administering`.
"""

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from job_service.accepting.servers import Server
from job_service.http import cookies
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
    description=(
        "A token of the hub, in the header `Authorization: Bearer TOKEN`. Only the service's own pages do without."
    ),
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


class TooManyTokens(Exception):  # noqa: N818
    """The hub is asked about too many tokens at once that it may never have given to anybody."""


class Authenticator(Protocol):
    """Knows whose a token is."""

    async def caller(self, token: str, session: str = "") -> Caller | None:
        """Return whose it is, None for one that is none; it may be any text.

        Raises HubAway, TooManyTokens, Problem.
        `session` is a browser's with the hub: once that has ended, what was known of the token is not used.
        """


@dataclass(frozen=True)
class Begun:
    """A login that has begun: the `url` to go to, the `state` that comes back with a code, and its `verifier`."""

    url: str
    state: str
    verifier: str


class Servers(Protocol):
    """Starts servers of the hub for people, by their own tokens."""

    def check(self, caller: Caller) -> None:
        """See that the token of whoever calls may start servers.  Raises ScopeMissing."""

    def page(self, user: str, name: str) -> str:
        """Return the path of the page that follows the start of a server, and leads to it."""

    async def start(self, user: str, token: str, server: Server) -> str:
        """Start a server of the person whose token it is, and return its name.  Raises JobError."""


class Logins(Protocol):
    """Has the hub, whose pages are below the path `hub`, log browsers in, and signs what they keep."""

    hub: str

    def begin(self) -> Begun:
        """Begin a login."""

    async def finish(self, code: str, verifier: str) -> str:
        """Return the token for a code.  Raises HubAway."""

    def signed(self, name: str, value: str) -> str:
        """Return a value as a browser may keep it in the cookie of this name."""

    def read(self, name: str, kept: str, days: float) -> str | None:
        """Return what was signed for that name so many days ago at most, None for anything else."""

    def xsrf(self, token: str) -> str:
        """Return what a page of ours sends back while a browser has this token."""


def token_of(request: Request) -> str | None:
    """Return the token that came in the header, None if none did; queries are not looked at."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip()[:_LONGEST_TOKEN] or None if kind.lower() in _KINDS else None


async def identify(request: Request) -> Caller:
    """Return who calls: by a token in the header, or by a page of ours in a browser; raises a Problem."""
    token, session = token_of(request), ""
    if token is None:
        token, session = cookies.token(request), cookies.session(request)
        if token is None:
            raise Problem(401, "no_token", sentences.NO_TOKEN, hint=sentences.SEND_A_TOKEN, headers=_CHALLENGE)
        # Whatever it is that asks, also a GET: pages of others are on the same origin.
        cookies.check(request, token, request.headers.get(cookies.XSRF_HEADER, ""))
    caller = await whose(request, token, session)
    if caller is None:
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem(401, "bad_token", sentences.BAD_TOKEN, hint=sentences.SEND_A_TOKEN, headers=headers)
    return caller


async def whose(request: Request, token: str, session: str = "") -> Caller | None:
    """Return whose a token is, None for one that is none; raises a Problem."""
    auth: Authenticator = request.app.state.auth
    try:
        return await auth.caller(token, session)
    except HubAway as error:
        raise Problem(503, "hub_unavailable", sentences.HUB_AWAY) from error
    except TooManyTokens as error:
        raise Problem(503, "hub_busy", sentences.HUB_BUSY) from error


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
