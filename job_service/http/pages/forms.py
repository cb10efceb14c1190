"""Forms that take long to fill in: what was typed in one that was not taken is not lost, but for files."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response

from job_service.http import cookies
from job_service.http.pages import multipart, rendering
from job_service.http.pages.route import Page, form_of
from job_service.http.problems import Problem
from job_service.http.route import bounded
from job_service.sentences.pages import login as say

_LONGEST_LINK = 1800
_READ_SECONDS = 60
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class FormPage(Page):
    """A page of such a form.

    Whoever was logged out meanwhile finds it filled in after the login; so does whoever has logged in anew, whose
    page is for the login of before.
    """

    async def admitted(self, request: Request, handler: _Handler) -> Response:
        """Answer a request of somebody who is logged in."""
        try:
            return await super().admitted(request, handler)
        except Problem as problem:
            if problem.code != "xsrf":
                raise
            return kept(request, request.state.fields, 403, say.OTHER_LOGIN)

    async def logged_out(self, request: Request) -> Response:
        """Return the page that keeps what was typed; whoever has only opened a page is led to the login."""
        if request.method != "POST":
            return await super().logged_out(request)
        # Anybody could send one: they have so long together, and after it what was typed is in the page before.
        with request.app.state.kept.forms.one("of nobody"), suppress(TimeoutError):
            async with asyncio.timeout(_READ_SECONDS):
                return kept(request, await self.typed(request), 401, say.LOGGED_OUT)
        return await super().logged_out(request)

    async def typed(self, request: Request) -> dict[str, list[str]]:
        """Return the fields of the form.  Raises a Problem."""
        return await form_of(request)


class FormWithFiles(FormPage):
    """A page that takes a form whose last fields may be files, of any length."""

    async def sent(self, request: Request, token: str) -> Request:
        """Return a request whose fields have been read, if the form is one of ours; files are still to come."""
        request = bounded(request, None)
        sent = await multipart.opened(request.stream(), request.headers.get("Content-Type", ""))
        request.state.fields, request.state.sent = sent.fields, sent
        try:
            cookies.check(request, token, sent.fields.get(cookies.XSRF_FIELD, [""])[0])
        except Problem:
            await multipart.passed_over(sent)
            raise
        return request

    async def typed(self, request: Request) -> dict[str, list[str]]:
        """Return the fields of the form; its files are passed over."""
        stream = bounded(request, None).stream()
        sent = await multipart.opened(stream, request.headers.get("Content-Type", ""))
        await multipart.passed_over(sent)
        return sent.fields


class FilledPage(FormPage):
    """A page that shows a form filled in, and does nothing: as a link may do, it need not be sent by ours."""

    async def sent(self, request: Request, token: str) -> Request:  # noqa: ARG002 - no matter whose page sends it
        """Return a request whose form has been read."""
        request.state.fields = await form_of(request)
        return request


def kept(request: Request, fields: Mapping[str, list[str]], status: int, detail: str) -> Response:
    """Return the page that keeps the fields of a form, and leads back to it."""
    pairs = [
        (name, value) for name, values in fields.items() if name != cookies.XSRF_FIELD for value in values if value
    ]
    path = f"{cookies.root(request)}/new?{urlencode(pairs)}"
    # What is too long for an address goes with the form once more.
    login = f"{cookies.root(request)}/login"
    back = f"{login}?next={quote(path, safe='')}" if len(path) <= _LONGEST_LINK else ""
    return rendering.page(
        request, "kept.html", status, detail=detail, pairs=pairs, login=login, back=back, is_out=status == 401
    )
