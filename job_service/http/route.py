"""A route of the API: it learns who calls before it reads a body, and reads one within limits.

FastAPI would read the body first.  Bodies end with 413 where they get too long and with 408 where nothing comes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.params import Depends as DependsOn
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from job_service.http.caller import identify
from job_service.http.problems import Problem
from job_service.sentences import http as sentences

JSON_BYTES = 1024 * 1024
"""The longest body that is not a file."""

STALL_SECONDS = 60.0
"""How long nothing may come from, or be taken by, whoever asked."""

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OpenRoute(APIRoute):
    """A route for everybody, also without a token; `most` are the bytes of its body, None: it looks itself."""

    most: ClassVar[int | None] = JSON_BYTES

    def get_route_handler(self) -> _Handler:
        """Return what answers a request of this route."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            await self.admit(request)
            if self.body_field:
                _see_that_it_is_json(request)
            return await handler(bounded(request, self.most))

        return handle

    async def admit(self, request: Request) -> None:
        """Raise a Problem if the request is not to be looked at."""


class Route(OpenRoute):
    """A route for those who have a token; whose it is, the routes' parameters get as Caller."""

    async def admit(self, request: Request) -> None:
        """Raise a Problem if nobody can say who calls."""
        request.state.caller = await identify(request)


class UploadRoute(Route):
    """A route whose body may be of any length, and is read as it comes."""

    most = None


def bounded(request: Request, most: int | None) -> Request:
    """Return a request whose body ends with a Problem where it gets too long, or nothing comes."""
    return Request(request.scope, _Body(request.receive, most), request._send)


def _see_that_it_is_json(request: Request) -> None:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind and not (kind.startswith("application/") and kind.endswith(("/json", "+json"))):
        raise Problem(415, "unsupported", sentences.SEND_JSON, hint=sentences.SAY_JSON)


class _Body:
    """A request's `receive` with limits on what it gives."""

    def __init__(self, receive: Receive, most: int | None) -> None:
        self._receive, self._most = receive, most
        self._length = 0

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                message = await self._receive()
        except TimeoutError as error:
            detail = sentences.NO_DATA.format(seconds=round(STALL_SECONDS))
            raise Problem(408, "stalled", detail, headers={"Connection": "close"}) from error
        self._length += len(message.get("body", b""))
        if self._most is not None and self._length > self._most:
            raise Problem(413, "too_large", sentences.BODY_TOO_LARGE.format(most=self._most))
        return message


def router(tag: str, kind: type[OpenRoute] = Route, *needed: DependsOn) -> APIRouter:
    """Return a router for one topic of the API, all of whose routes depend on what is `needed`."""
    return APIRouter(tags=[tag], route_class=kind, dependencies=needed)
