"""Addresses that no page has, when somebody opens them: typed wrong, an old bookmark, that of a form."""

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from job_service.http.pages.route import Page, router, seen
from job_service.http.problems import Problem
from job_service.sentences import http as sentences

_API = "api/"


class Elsewhere(Page):
    """A page at all addresses outside the API, for browsers; programs read there what they read anywhere."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the address of a request is one of them."""
        found, more = super().matches(scope)
        is_api = more.get("path_params", {}).get("path", "").startswith(_API)
        if is_api or not Headers(scope=scope).get("Sec-Fetch-Mode"):
            return Match.NONE, {}
        return found, more


pages = router(Elsewhere)


@pages.get("/new/{path:path}")
async def form(request: Request) -> Response:
    """Lead from the address of a form, to which it can only be sent, to where it begins."""
    return seen(request, "/new")


@pages.get("/{path:path}")
async def nothing() -> Response:
    """Say that there is no such page."""
    raise Problem(404, "not_found", sentences.NO_SUCH_PAGE)
