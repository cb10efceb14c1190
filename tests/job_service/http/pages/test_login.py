import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from jupyterhub.httpclient import JupyterHubHTTPClient

from job_service.http.app import make_app
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import ROOT, Tokens, browser, logins, servers


class Hub:
    """A hub byte by byte, which has a token for each code but `bad`; it notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("POST /hub/api/oauth2/token HTTP/1.1\r\n")
        length = next(int(line[16:]) for line in head.split("\r\n") if line.lower().startswith("content-length: "))
        sent = parse_qs((await reader.readexactly(length)).decode())
        self.asked.append(sent)
        status, body = (400, {}) if sent["code"] == ["bad"] else (200, {"access_token": "alice:submit"})
        text = json.dumps(body).encode()
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(text), text)
        )
        writer.close()


@asynccontextmanager
async def logging_in(service: Serving) -> AsyncIterator[tuple[FastAPI, Hub]]:
    hub = Hub()
    server = await asyncio.start_server(hub.answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hub/api"
    async with server:
        yield make_app(service, Tokens(), logins(url), servers(url)), hub  # type: ignore[arg-type]
        await JupyterHubHTTPClient.loop_instance().close()


async def test_somebody_is_led_to_the_hub_and_back_to_their_bookmark(service: Serving) -> None:
    async with logging_in(service) as (app, hub), browser(app) as page:
        got = await page.get("/projects?of=me")
        assert (got.status_code, got.headers["Location"]) == (
            303,
            f"{ROOT}/login?next=%2Fservices%2Fjobs%2Fprojects%3Fof%3Dme",
        )
        begun = await page.get("/login", params={"next": f"{ROOT}/projects?of=me"})
        to = urlsplit(begun.headers["Location"])
        asked = {name: value for name, (value,) in parse_qs(to.query).items()}
        assert to.path == "/hub/api/oauth2/authorize"
        assert (asked["client_id"], asked["redirect_uri"]) == ("service-jobs", f"{ROOT}/oauth_callback")
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert "scope" not in asked
        back = await page.get("/oauth_callback", params={"code": "good", "state": asked["state"]})
        assert (back.status_code, back.headers["Location"]) == (303, f"{ROOT}/projects?of=me")
        (sent,) = hub.asked
        assert sent["code_verifier"]
        assert sent["code_verifier"] != [asked["code_challenge"]]
        assert (await page.get("/")).status_code == 200
        # What was used up is of no use to anybody.
        again = await page.get("/oauth_callback", params={"code": "good", "state": asked["state"]})
        assert again.status_code == 403


async def test_cookies_are_for_this_service_and_no_script(service: Serving) -> None:
    async with logging_in(service) as (app, _), browser(app, **{"X-Forwarded-Proto": "https,http"}) as page:
        begun = await page.get("/login")
        state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
        kept = begun.headers["Set-Cookie"]
        for said in ("HttpOnly", "Secure", "SameSite=lax", f"Path={ROOT}/oauth_callback", "Max-Age=600"):
            assert said in kept
        # The client keeps no cookies of https for http.
        page.cookies.set(kept.partition("=")[0], kept.partition("=")[2].partition(";")[0])
        back = await page.get("/oauth_callback", params={"code": "good", "state": state})
        token, state_gone = back.headers.get_list("Set-Cookie")
        for said in ("HttpOnly", "Secure", "SameSite=lax", f"Path={ROOT}/;"):
            assert said in f"{token};"
        assert "alice:submit" not in token
        assert "Max-Age=0" in state_gone


async def test_over_plain_http_cookies_are_not_secure(service: Serving) -> None:
    async with logging_in(service) as (app, _), browser(app) as page:
        assert "Secure" not in (await page.get("/login")).headers["Set-Cookie"]


async def test_nobody_is_logged_in_by_a_login_that_they_did_not_begin(service: Serving) -> None:
    async with logging_in(service) as (app, hub), browser(app) as mallory, browser(app) as alice:
        begun = await mallory.get("/login")
        state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
        got = await alice.get("/oauth_callback", params={"code": "good", "state": state})
        assert got.status_code == 403
        assert "Set-Cookie" not in got.headers
        assert not hub.asked
        for query in ({"code": "bad", "state": state}, {"error": "access_denied", "state": state}, {}):
            got = await mallory.get("/oauth_callback", params=query)
            assert got.status_code in (403, 503)
            assert "jupyterhub-jobs=" not in got.headers.get("Set-Cookie", "")


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/services/jobs/",
        "/\\evil.example",
        f"{ROOT}\\..\\..\\evil",
        f"{ROOT}/../../hub/logout",
        f"{ROOT}/%2e%2e/%2E%2e/hub/logout",
        f"{ROOT}/..%2f..%2fhub",
        f"{ROOT}//evil.example",
        f"{ROOT}/%00",
        f"{ROOT}/a\r\nSet-Cookie: a=b",
        f"{ROOT}/%0d%0aSet-Cookie:%20a=b",
        f"{ROOT}/api/v1/jobs",
        f"{ROOT}x",
        "/hub/admin",
        "javascript:alert(1)",
        f"{ROOT}/{'x' * 3000}",
        "http:///",
        "//[",
    ],
)
async def test_a_login_leads_to_own_pages_only(service: Serving, path: str) -> None:
    async with logging_in(service) as (app, _), browser(app) as page:
        begun = await page.get("/login", params={"next": path})
        state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
        back = await page.get("/oauth_callback", params={"code": "good", "state": state})
        assert (back.status_code, back.headers["Location"]) == (303, f"{ROOT}/")


@pytest.mark.parametrize("path", ["/services/jobs", "/services/jobs?q=one"])
async def test_the_place_of_the_service_leads_to_its_first_page(app: FastAPI, path: str) -> None:
    # A cookie is for what lies below it.
    async with browser(app, "alice:submit") as page:
        got = await page.get(f"http://hub.test{path}")
    assert (got.status_code, got.headers["Location"]) == (307, "/services/jobs/")


async def test_logout_is_a_form_that_forgets_the_browser(app: FastAPI) -> None:
    async with browser(app, "alice:submit") as page:
        assert (await page.get("/logout")).status_code == 404
        refused = await page.post("/logout", data={"_xsrf": "guessed"})
        assert refused.status_code == 403
        word = logins().xsrf("alice:submit")
        got = await page.post("/logout", data={"_xsrf": word})
        assert (got.status_code, got.headers["Location"]) == (303, "/hub/logout")
        assert "Max-Age=0" in got.headers["Set-Cookie"]
        assert (await page.get("/")).status_code == 303
