"""What is alike in every exchange: its number, language, safe headers, and one line in the log.

The line says who, what, status and milliseconds; of an address only the path, so no token that somebody puts
into a query comes into the log.
"""

import asyncio
import logging
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from job_service.errors import JobError
from job_service.http import problems
from job_service.http.route import STALL_SECONDS
from languages import preferred, speaking
from languages.catalogues import SOURCE
from slurm_ssh.errors import LaunchError
from slurm_ssh.text import one_line

_log = logging.getLogger(__name__)

_HEADERS = {
    "Cache-Control": "private, no-cache",
    # What people's programs wrote is never a page of this origin, whatever it says that it is.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LONGEST_PATH = 200
_LONGEST_NAME = 100
_LONGEST_REASON = 500


class Exchange:
    """Middleware around all routes."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app, self._root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == self._root_path:
            # Addresses in pages, and cookies, are for what lies below it.
            await RedirectResponse(f"{self._root_path}/")(scope, receive, send)
            return
        # The hub's proxy sends on the whole path.
        if scope["path"].startswith(f"{self._root_path}/"):
            scope["root_path"] = self._root_path
        with speaking(self._language(scope)):
            await _Answer(scope, receive, send).by(self._app)

    def _language(self, scope: Scope) -> str:
        """Return in which language is answered: programs in English, people as their browser asks."""
        is_api = scope["path"].removeprefix(self._root_path).startswith("/api/")
        return SOURCE if is_api else preferred(Headers(scope=scope).get("Accept-Language", ""))


class _Answer:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._id = secrets.token_hex(8)
        self._began = time.monotonic()
        self._status: int | None = None
        scope.setdefault("state", {})["request_id"] = self._id

    async def by(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self._receive, self._sent)
        except ClientDisconnect:
            self._write("gone")
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked gets an answer
            await self._failed(error)
        else:
            self._write("")

    async def _failed(self, error: Exception) -> None:
        """Answer an error that no route has; an answer that has begun just ends, before it is whole."""
        if self._status is None:
            _log.error("request %s", self._id, exc_info=error)
            answer = problems.answer(self._id, problems.of(Exception()))
            await answer(self._scope, self._receive, self._sent)
            self._write("failed")
        elif isinstance(error, TimeoutError | OSError):
            self._write("gone")
        elif isinstance(error.__cause__, HTTPException | JobError | LaunchError):
            self._write(f"broke off: {one_line(str(error.__cause__), _LONGEST_REASON)}")
        else:
            _log.error("request %s", self._id, exc_info=error)
            self._write("broke off")

    async def _sent(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        # Who takes nothing of an answer does not keep what it is read from.
        async with asyncio.timeout(STALL_SECONDS):
            await self._send(message)

    def _write(self, note: str) -> None:
        caller = self._scope["state"].get("caller")
        _log.info(
            "%s %s %s %s %s %d ms %s",
            self._id,
            one_line(caller.name, _LONGEST_NAME) if caller else "-",
            self._scope["method"],
            one_line(self._scope["path"], _LONGEST_PATH),
            self._status,
            round((time.monotonic() - self._began) * 1000),
            note,
        )
