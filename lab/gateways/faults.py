"""What may be broken at a stand-in while it runs, by writing `faults.json` in its folder."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from starlette.datastructures import URL
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Connections = dict[tuple[str, int], asyncio.Transport]
"""The connections that are open, by the client's address."""


class Faults(BaseModel):
    """What is broken now; each stays until it is taken away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    submission: Literal["", "lost_before", "lost_after"] = ""
    """The connection ends without an answer to a new job: before there is one, or once there is."""

    away: Literal["", "closed", "busy", "missing"] = ""
    """All connections end without an answer; or there is 503, as by a proxy whose server is down, or 404.

    So a server answers whose application is just being replaced.
    """

    redirect: str = ""
    """An origin such as `https://elsewhere:8080`, to which all requests are sent on."""

    certificate: str = ""
    """A PEM that is shown in place of its own, to connections that begin from now on."""

    is_session_over: bool = False
    """No session of UNICORE is known."""


def read(folder: Path) -> Faults:
    """Return what is broken now: nothing where there is no file."""
    try:
        text = (folder / "faults.json").read_text()
    except FileNotFoundError:
        return Faults()
    return Faults.model_validate_json(text)


def write(folder: Path, faults: Faults) -> None:
    """Break this, and nothing else, from the next request on."""
    new = folder / "faults.json.new"
    new.write_text(faults.model_dump_json())
    new.replace(folder / "faults.json")


class Breaking:
    """Around a stand-in: what is broken happens here, so that it itself is always right."""

    def __init__(
        self, app: ASGIApp, folder: Path, connections: Connections, is_submission: Callable[[Scope], bool]
    ) -> None:
        self._app = app
        self._folder = folder
        self._connections = connections
        self._is_submission = is_submission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or do what is written instead."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        faults = read(self._folder)
        lost = faults.submission if self._is_submission(scope) else ""
        if faults.away == "closed" or lost == "lost_before":
            await self._hang_up(scope, receive)
        elif faults.away == "busy":
            await PlainTextResponse("No server behind this.", 503)(scope, receive, send)
        elif faults.away == "missing":
            await PlainTextResponse("Nothing here.", 404)(scope, receive, send)
        elif faults.redirect:
            elsewhere = URL(scope=scope)
            target = faults.redirect + elsewhere.path + (f"?{elsewhere.query}" if elsewhere.query else "")
            await RedirectResponse(target, 307)(scope, receive, send)
        elif lost:
            await self._app(scope, receive, _to_nobody)
            await self._hang_up(scope, receive)
        else:
            await self._app(scope, receive, send)

    async def _hang_up(self, scope: Scope, receive: Receive) -> None:
        self._connections[tuple(scope["client"])].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _to_nobody(_message: Message) -> None:
    """Lose what was to be sent."""
