"""Login and logout of a browser, by the hub: OAuth with PKCE, without a page that asks once more."""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from job_service.http import cookies
from job_service.http.caller import HubAway
from job_service.http.pages.route import OpenPage, router
from job_service.http.problems import Problem
from job_service.sentences import http as of_requests
from job_service.sentences.pages import login as say

opening, leaving = router(OpenPage), router()

Short = Annotated[str, Query(max_length=2000)]


@opening.get("/login")
async def login(request: Request, to: Annotated[str, Query(alias="next", max_length=4000)] = "") -> Response:
    """Lead a browser to the hub, and from there to one of our pages."""
    begun = request.app.state.logins.begin()
    answer = RedirectResponse(begun.url, 303)
    path = cookies.own_path(request, to)
    cookies.keep_login(request, answer, begun.state, begun.verifier, path)
    return answer


@opening.get("/oauth_callback")
async def back(request: Request, code: Short = "", state: Short = "", error: Short = "") -> Response:
    """Take what a browser brings back from the hub: a code, for which there is a token."""
    known = cookies.login(request, state)
    if known is None or error or not code:
        raise Problem(403, "login_failed", say.LOGIN_FAILED if known else say.LOGIN_UNKNOWN)
    verifier, path = known
    try:
        token = await request.app.state.logins.finish(code, verifier)
    except HubAway as away:
        raise Problem(503, "hub_unavailable", of_requests.HUB_AWAY) from away
    answer = RedirectResponse(path, 303)
    cookies.keep_token(request, answer, token)
    cookies.forget_login(request, answer, state)
    return answer


@leaving.post("/logout")
async def logout(request: Request) -> Response:
    """Forget a browser here, and have the hub log it out."""
    answer = RedirectResponse(f"{request.app.state.logins.hub}logout", 303)
    cookies.forget_token(request, answer)
    return answer
