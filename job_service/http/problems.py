"""Errors as people and programs get them: `application/problem+json`, one shape for all.

`{type, title, status, detail, code, field?, fields?, hint?, request_id}`: `detail` and `hint` are sentences for
the person, `code` is a word for programs.  `fields` names all that is wrong with a sentence each, `field` is the
first.
"""

import logging
from collections.abc import Mapping
from functools import singledispatch
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from job_service import errors
from job_service.errors import JobError
from job_service.http import wrong
from job_service.sentences import http as sentences
from job_service.store.errors import Outdated
from kerberos_auth.errors import AuthFailed
from profiles.errors import ChoiceRefused
from slurm_ssh import errors as site_errors
from slurm_ssh.errors import LaunchError
from slurm_ssh.text import one_line

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 10
_LONGEST_NAME = 100
_TYPES = frozenset({"str", "int", "float"})

_log = logging.getLogger(__name__)

_JOB_ERRORS: dict[type[JobError], int] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.QuotaExceeded: 403,
    errors.Banned: 403,
    errors.NotAMember: 403,
    errors.TooMany: 429,
    errors.KeyReused: 422,
    errors.TicketNeeded: 409,
    errors.WrongStage: 409,
    errors.IsArray: 409,
    errors.TooLarge: 413,
    errors.NoSpace: 507,
    errors.ScopeMissing: 403,
    errors.NoServer: 409,
    errors.HubUnavailable: 503,
    errors.HubBusy: 503,
    errors.StoreAway: 503,
}
_SITE_ERRORS: dict[type[LaunchError], tuple[int, str]] = {
    site_errors.TransfersBusy: (429, "too_many"),
    site_errors.Unavailable: (503, "site_unavailable"),
    site_errors.Refused: (502, "refused_by_site"),
    site_errors.Broken: (502, "site_broken"),
    site_errors.InDoubt: (503, "in_doubt"),
}
_CODES = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported"}


class Problem(HTTPException):
    """A request that is refused by HTTP itself: `detail` is a sentence, `members` are added to the body."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code, self.hint, self.members = code, hint, dict(members or {})


def install(app: FastAPI) -> None:
    """Have everything that goes wrong in an application's routes answered as a problem."""
    for kind in (
        HTTPException,
        RequestValidationError,
        JobError,
        LaunchError,
        ChoiceRefused,
        AuthFailed,
        Outdated,
    ):
        app.add_exception_handler(kind, _answered)


@singledispatch
def of(error: Exception) -> Problem:  # noqa: ARG001 - one that nobody foresaw
    """Return the problem that an error is to whoever asked."""
    return Problem(500, "internal", sentences.WENT_WRONG)


def answer(request_id: str, problem: Problem) -> JSONResponse:
    """Return the response for a problem; who is to come again later is told when."""
    status, headers, hint = problem.status_code, dict(problem.headers or {}), problem.hint
    if status == 500:
        hint = sentences.TELL_REQUEST.format(request_id=request_id)
    if status in {429, 503}:
        headers.setdefault("Retry-After", str(RETRY_SECONDS))
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": problem.detail,
        "code": problem.code,
        **({"hint": hint} if hint else {}),
        **problem.members,
        "request_id": request_id,
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def malformed(reason: str) -> Problem:
    """Return the problem of a request that cannot be read; `reason` is a sentence's end."""
    return Problem(400, "malformed", sentences.MALFORMED.format(reason=reason))


async def _answered(request: Request, error: Exception) -> Response:
    if isinstance(error, LaunchError):
        _log.warning("request %s: %s", request.state.request_id, error)
    problem = of(error)
    # Of the application's errors only that of an address that no route has is no Problem.
    if problem.status_code == 404 and isinstance(error, HTTPException) and not isinstance(error, Problem):
        problem.hint = _but_for_a_slash(request)
    return answer(request.state.request_id, problem)


def _but_for_a_slash(request: Request) -> str:
    """Return what to write if only a slash at its end makes the address of a request one that there is not."""
    path = request.scope["path"]
    has_one = path.endswith("/")
    other = {**request.scope, "path": path[:-1] if has_one else f"{path}/"}
    if all(route.matches(other)[0] is Match.NONE for route in request.app.router.routes):
        return ""
    return sentences.OMIT_THE_SLASH if has_one else sentences.ADD_A_SLASH


def _fields(said: Mapping[str, str]) -> dict[str, Any]:
    return {"field": next(iter(said)), "fields": dict(said)} if said else {}


@of.register
def _(error: Problem) -> Problem:
    return error


@of.register
def _(error: HTTPException) -> Problem:
    status = error.status_code
    detail = {
        400: sentences.MALFORMED.format(reason=sentences.NOT_READABLE),
        404: sentences.NO_SUCH_PAGE,
        405: sentences.NO_SUCH_METHOD,
    }.get(status, sentences.REFUSED)
    return Problem(status, _CODES.get(status, "refused"), detail, headers=error.headers)


@of.register
def _(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return malformed(sentences.NOT_JSON)
    said = {_name(each["loc"]): wrong.sentence(each["type"], each.get("ctx", {})) for each in found}
    return Problem(422, "invalid", sentences.WRONG_FIELDS, members=_fields(said))


def _name(place: tuple[int | str, ...]) -> str:
    """Return the name of a field from where it stands, such as (body, choices, cores)."""
    name = place[1:]
    # Of several types that a value may have, pydantic names the one that it is not.
    if len(name) > 1 and str(name[-1]) in _TYPES:
        name = name[:-1]
    return one_line(".".join(map(str, name)), _LONGEST_NAME) or str(place[0])


@of.register
def _(error: JobError) -> Problem:
    status = next((_JOB_ERRORS[kind] for kind in type(error).__mro__ if kind in _JOB_ERRORS), 400)
    members: dict[str, Any] = {}
    if isinstance(error, errors.Invalid):
        members = _fields(error.fields)
    if isinstance(error, errors.QuotaExceeded):
        members = {"needed": error.needed, "left": error.left}
    return Problem(status, error.code, error.message, hint=error.hint, members=members)


@of.register
def _(error: LaunchError) -> Problem:
    kinds = (_SITE_ERRORS[kind] for kind in type(error).__mro__ if kind in _SITE_ERRORS)
    status, code = next(kinds, (502, "site_broken"))
    members = {"quoted": error.quoted} if error.quoted else {}
    return Problem(status, code, error.message, members=members)


@of.register
def _(error: ChoiceRefused) -> Problem:
    said = {each.field: each.said for each in error.all}
    return Problem(422, "invalid", error.message, members=_fields(said))


@of.register
def _(error: AuthFailed) -> Problem:
    return Problem(409, "ticket_needed", error.message)


@of.register
def _(error: Outdated) -> Problem:  # noqa: ARG001 - it says no more
    return Problem(409, "changed_meanwhile", sentences.CHANGED_MEANWHILE)
