"""A route of the pages: only whom a browser shows it sees it, forms are ours, and errors are pages too."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from job_service.errors import JobError
from job_service.http import cookies, problems
from job_service.http.caller import identify, whose
from job_service.http.pages import rendering
from job_service.http.pages.multipart import MOST_FIELDS
from job_service.http.problems import Problem
from job_service.http.route import JSON_BYTES, bounded
from job_service.sentences import http as sentences
from job_service.sentences.pages import login as say
from job_service.store.errors import Outdated
from kerberos_auth.errors import AuthFailed
from profiles.errors import ChoiceRefused
from slurm_ssh.errors import LaunchError

_FORM = "application/x-www-form-urlencoded"
# What a page tells whoever opened it; anything else is a mistake of ours, which the log has.
_TOLD = (HTTPException, RequestValidationError, JobError, LaunchError, ChoiceRefused, AuthFailed, Outdated)

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OpenPage(APIRoute):
    """A page for everybody."""

    def get_route_handler(self) -> _Handler:
        """Return what answers a request of this route."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                cookies.see_that_it_is_opened(request)
                return await self.admitted(request, handler)
            except _TOLD as error:
                return self.refused(request, problems.of(error))

        return handle

    async def admitted(self, request: Request, handler: _Handler) -> Response:
        """Answer a request, if it is to be answered.  Raises a Problem."""
        return await handler(bounded(request, JSON_BYTES))

    def refused(self, request: Request, problem: Problem) -> Response:
        """Return the page that says what went wrong."""
        return rendering.problem(request, problem)


class Page(OpenPage):
    """A page for people who are logged in; whoever is not, is led to the login and back.

    The fields of a form are read and looked at before anything is done; see `Fields`.
    """

    async def admitted(self, request: Request, handler: _Handler) -> Response:
        """Answer a request of somebody who is logged in."""
        token = cookies.token(request)
        caller = await whose(request, token, cookies.session(request)) if token else None
        if token is None or caller is None:
            return await self.logged_out(request)
        request.state.caller = caller
        if request.method == "POST":
            request = await self.sent(request, token)
        return await handler(request)

    async def sent(self, request: Request, token: str) -> Request:
        """Return a request whose form has been read, if the form is one of ours.  Raises a Problem."""
        request.state.fields = fields = await form_of(request)
        cookies.check(request, token, fields.get(cookies.XSRF_FIELD, [""])[0])
        return request

    async def logged_out(self, request: Request) -> Response:
        """Return what somebody is answered who is not logged in.  Raises a Problem."""
        return _to_login(request)


class Part(APIRoute):
    """A part of a page, for the script of our pages alone, which sends a word that no other page has."""

    def get_route_handler(self) -> _Handler:
        """Return what answers a request of this route."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            request.state.caller = await identify(request)
            return await handler(request)

        return handle


async def form_of(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form without files.  Raises a Problem."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
        raise Problem(415, "unsupported", sentences.REFUSED)
    return read(await bounded(request, JSON_BYTES).body())


def read(body: bytes) -> dict[str, list[str]]:
    """Return the fields of a form.  Raises a Problem."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise problems.malformed(sentences.NOT_READABLE) from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def router(kind: type[APIRoute] = Page) -> APIRouter:
    """Return a router for some pages."""
    return APIRouter(route_class=kind)


async def _fields(request: Request) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = request.state.fields
    return fields


Fields = Annotated[dict[str, list[str]], Depends(_fields)]
"""What was sent by a form of ours: values by the names of fields."""


def one(fields: Mapping[str, list[str]], name: str) -> str:
    """Return the one value of a field, "" for none."""
    return fields.get(name, [""])[0].strip()


def seen(request: Request, path: str) -> Response:
    """Return what leads a browser to a path of the service after a form was sent."""
    return RedirectResponse(f"{cookies.root(request)}{path}", 303)


def _to_login(request: Request) -> Response:
    if request.method == "POST":
        # What was typed is still in the page that sent it, and would be lost on the way.
        raise Problem(401, "logged_out", say.LOGGED_OUT, hint=say.LOG_IN_ELSEWHERE)
    path = request.url.path
    here = path if path.startswith(cookies.root(request)) else f"{cookies.root(request)}{path}"
    if request.url.query:
        here += f"?{request.url.query}"
    return RedirectResponse(f"{cookies.root(request)}/login?next={quote(here, safe='')}", 303)
