"""What a browser keeps for the service: its token, and for minutes a login that has begun.

Other people's pages may be on the same origin: servers of the hub are.  So a cookie alone opens nothing.  With it
comes a word that only our pages have, or the browser says that a person opened a page.
"""

import hmac
import json
from urllib.parse import unquote, urlsplit

from fastapi import Request, Response

from job_service.http.problems import Problem
from job_service.sentences import http as sentences

XSRF_HEADER, XSRF_FIELD = "X-XSRFToken", "_xsrf"
"""Where the word comes that only our pages have: from their script, from their forms."""

_TOKEN, _LOGIN = "jupyterhub-jobs", "jupyterhub-jobs-login-"
_SESSION_OF_HUB = "jupyterhub-session-id"
_TOKEN_DAYS = 30.0
_LOGIN_SECONDS = 600
_LONGEST_PATH = 2000


def token(request: Request) -> str | None:
    """Return the token that a browser keeps, None if it has none of ours."""
    kept = request.cookies.get(_TOKEN)
    return request.app.state.logins.read(_TOKEN, kept, _TOKEN_DAYS) if kept else None


def session(request: Request) -> str:
    """Return the browser's session with the hub, which ends with a logout there."""
    return request.cookies.get(_SESSION_OF_HUB, "")[:100]


def xsrf(request: Request) -> str:
    """Return what the pages for this browser send back."""
    kept = token(request)
    return request.app.state.logins.xsrf(kept) if kept else ""


def check(request: Request, kept: str, sent: str) -> None:
    """Raise a Problem unless what was sent is from a page of ours that is for this browser's token."""
    expected = request.app.state.logins.xsrf(kept)
    if not hmac.compare_digest(sent.encode(errors="replace"), expected.encode()):
        raise Problem(403, "xsrf", sentences.NOT_OUR_PAGE, hint=sentences.LOAD_AGAIN)


def keep_token(request: Request, response: Response, value: str) -> None:
    """Have the browser keep a token, until it is closed."""
    _keep(request, response, _TOKEN, value, f"{root(request)}/")


def forget_token(request: Request, response: Response) -> None:
    """Have the browser forget its token."""
    response.delete_cookie(_TOKEN, f"{root(request)}/", secure=_is_https(request), httponly=True, samesite="lax")


def keep_login(request: Request, response: Response, state: str, verifier: str, path: str) -> None:
    """Have the browser keep for some minutes what a login needs at its end, which then leads to a path."""
    value = json.dumps([state, verifier, path])
    _keep(request, response, _login(state), value, f"{root(request)}/oauth_callback", _LOGIN_SECONDS)


def login(request: Request, state: str) -> tuple[str, str] | None:
    """Return verifier and path of the login with this state, None if this browser did not begin it."""
    name = _login(state)
    kept = request.cookies.get(name)
    value = request.app.state.logins.read(name, kept, _LOGIN_SECONDS / 86400) if kept else None
    if value is None:
        return None
    begun, verifier, path = json.loads(value)
    return (verifier, path) if hmac.compare_digest(begun.encode(), state.encode(errors="replace")) else None


def forget_login(request: Request, response: Response, state: str) -> None:
    """Have the browser forget a login."""
    response.delete_cookie(
        _login(state), f"{root(request)}/oauth_callback", secure=_is_https(request), httponly=True, samesite="lax"
    )


def own_path(request: Request, path: str) -> str:
    """Return a path of the service's pages as it is, for anything else the path of the first one."""
    home = f"{root(request)}/"
    try:
        parts = urlsplit(path)
        decoded = unquote(parts.path, errors="strict")
    except ValueError:
        return home
    is_ours = (
        len(path) <= _LONGEST_PATH
        and path.isascii()
        and path.isprintable()
        and not any(each in path for each in ' \\"<>')
        and not (parts.scheme or parts.netloc)
        and path.startswith(home)
        and decoded.isprintable()
        and "\\" not in decoded
        and "//" not in decoded
        and not {".", ".."} & set(decoded.split("/"))
        and not decoded.startswith(f"{home}api")
    )
    return path if is_ours else home


def root(request: Request) -> str:
    """Return the path of the service as whoever asks has it."""
    place: str = request.scope.get("root_path", "")
    return place


def see_that_it_is_opened(request: Request) -> None:
    """Raise a Problem unless the browser says that somebody opens this as a page of its own.

    No script can say so: not one of another origin, nor one of a server of the same origin.
    """
    said = [request.headers.get(f"Sec-Fetch-{name}", "") for name in ("Mode", "Dest")]
    if said != ["navigate", "document"]:
        hint = "" if any(said) else sentences.NEW_BROWSER
        raise Problem(403, "not_a_page", sentences.NOT_OPENED, hint=hint)


def _login(state: str) -> str:
    return _LOGIN + "".join(each for each in state[:40] if each.isascii() and (each.isalnum() or each in "-_"))


def _keep(
    request: Request, response: Response, name: str, value: str, path: str, seconds: int | None = None
) -> None:
    signed = request.app.state.logins.signed(name, value)
    secure = _is_https(request)
    response.set_cookie(name, signed, seconds, path=path, secure=secure, httponly=True, samesite="lax")


def _is_https(request: Request) -> bool:
    """Return whether the browser speaks https: the proxies between it and here have said so."""
    said = request.headers.get("X-Forwarded-Proto", request.url.scheme)
    return said.partition(",")[0].strip().lower() == "https"
