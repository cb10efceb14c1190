"""What others cannot do with somebody's browser: every page, and every route of the API with a cookie."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from job_service.http.pages import elsewhere
from job_service.http.pages.route import OpenPage, Page, Part
from job_service.http.pages.routers import ROUTERS
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import browser, client, cookie, xsrf
from tests.job_service.http.test_jobs import V1, sent
from tests.job_service.http.test_sweep import OPEN, filled, operations

ALICE = "alice:admin"


def pages(kind: type[APIRoute]) -> Iterator[tuple[str, str]]:
    """Yield methods and paths of all routes of a kind."""
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, kind):
                for method in route.methods or ():
                    yield method, route.path


async def test_only_a_page_that_somebody_opens_is_answered(app: FastAPI) -> None:
    """A server of the hub is on the same origin: its scripts may ask anything, but not so."""
    for mode, dest in (
        ("cors", "empty"),
        ("same-origin", "empty"),
        ("navigate", "iframe"),
        ("no-cors", "object"),
        ("", ""),
    ):
        said = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
        async with browser(app, ALICE, **said) as script:
            for method, path in pages(OpenPage):
                got = await script.request(
                    method, filled(path, job_id="0a1b2c3d4e5f"), data={"_xsrf": xsrf(ALICE)}
                )
                # To programs, which say nothing of it, there is nothing.
                is_nothing = not mode and path in {each.path for each in elsewhere.pages.routes}
                assert got.status_code == (404 if is_nothing else 403), (method, path)
                assert xsrf(ALICE) not in got.text


async def test_no_form_of_others_does_anything(app: FastAPI, service: Serving) -> None:
    async with client(app, "alice:submit") as alice, browser(app, ALICE) as page:
        job_id = await sent(alice)
        told = list(service.running.told)
        swept = 0
        for method, path in pages(Page):
            # What is kept is shown filled in, as by a link; nothing is done by that.
            if method != "POST" or path == "/new/filled":
                continue
            swept += 1
            for word in ("", "guessed", xsrf("bob:submit"), "é"):
                got = await page.post(filled(path, job_id=job_id), data={"_xsrf": word} if word else {})
                assert got.status_code in (403, 415), (path, word)
                got = await page.post(filled(path, job_id=job_id), data={"_xsrf": word}, files={"file": ("", b"")})
                assert got.status_code in (403, 415), (path, word)
        assert swept > 8
        assert service.running.told == told
        assert not await service.administration.bans()


async def test_nothing_is_changed_by_opening_a_page(app: FastAPI, service: Serving) -> None:
    async with client(app, "alice:submit") as alice, browser(app, ALICE) as page:
        job_id = await sent(alice)
        told = list(service.running.told)
        for method, path in pages(Page):
            if method == "POST":
                assert (await page.get(filled(path, job_id=job_id))).status_code in (200, 303, 404), path
        assert [each for each in service.running.told if each not in told and each[0] != "script"] == []


async def test_a_cookie_alone_opens_no_route_of_the_api(app: FastAPI, service: Serving) -> None:
    kept = {"Cookie": f"jupyterhub-jobs={cookie(ALICE)}"}
    async with client(app, **kept) as script:
        for method, path, _ in operations(app):
            if (method, path) in OPEN:
                continue
            for word in ({}, {"X-XSRFToken": "guessed"}, {"X-XSRFToken": xsrf("bob:submit")}):
                got = await script.request(method, filled(path), headers=word)
                assert (got.status_code, got.json()["code"]) == (403, "xsrf"), (method, path)
        for _, path in pages(Part):
            assert (await script.get(filled(path))).status_code == 403, path
    assert not service.running.told


async def test_with_its_word_a_page_of_ours_has_the_api(app: FastAPI) -> None:
    kept = {"Cookie": f"jupyterhub-jobs={cookie('alice:submit')}", "X-XSRFToken": xsrf("alice:submit")}
    async with client(app, **kept) as script:
        assert (await script.get(f"{V1}/")).json()["name"] == "alice"
        assert "You have no jobs yet." in (await script.get("/parts/jobs")).text
        assert (await script.get(f"{V1}/admin/bans")).json()["code"] == "scope_missing"


async def test_a_header_counts_before_a_cookie(app: FastAPI) -> None:
    async with client(app, "bob:submit", Cookie=f"jupyterhub-jobs={cookie(ALICE)}") as bob:
        assert (await bob.get(f"{V1}/")).json()["name"] == "bob"


@pytest.mark.parametrize("kept", ["nonsense", "2|1:0|10:1|15:x|4:YQ==|00", "é", "", '"', "a" * 5000])
async def test_a_cookie_that_is_not_signed_is_none(app: FastAPI, kept: str) -> None:
    cookies = {"Cookie": f"jupyterhub-jobs={kept}".encode()}
    async with browser(app) as page, client(app) as script:
        assert (await page.get("/", headers=cookies)).status_code == 303
        assert (await script.get(f"{V1}/", headers=cookies)).json()["code"] == "no_token"


async def test_a_page_is_framed_by_nobody_and_runs_nothing_of_others(app: FastAPI) -> None:
    async with browser(app, ALICE) as page:
        for method, path in pages(Page):
            if method != "GET":
                continue
            got = await page.get(filled(path, job_id="0a1b2c3d4e5f"))
            if "text/html" not in got.headers.get("Content-Type", ""):
                continue
            policy = got.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy, path
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert got.headers["Cross-Origin-Opener-Policy"] == "noopener-allow-popups"
            assert got.headers["Cache-Control"] == "no-store"
            assert "<style" not in got.text
            assert " style=" not in got.text
            assert "<script>" not in got.text
            assert " onclick" not in got.text


async def test_while_the_hub_is_away_pages_say_so(app: FastAPI) -> None:
    async with browser(app, "away") as page:
        got = await page.get("/")
    assert (got.status_code, "The hub does not answer" in got.text) == (503, True)


async def test_who_is_logged_out_is_told_before_what_they_typed_is_lost(app: FastAPI) -> None:
    async with browser(app, "nobody:nothing") as page:
        got = await page.post("/cancel", data={"_xsrf": "x"})
    assert (got.status_code, "You are not logged in any more" in got.text) == (401, True)


async def test_a_form_that_is_too_long_or_broken_is_refused(app: FastAPI) -> None:
    async with browser(app, ALICE) as page:
        word = xsrf(ALICE)
        assert (await page.post("/cancel", data={"_xsrf": word, "job": "x" * 1_100_000})).status_code == 413
        many = "&".join(f"a{n}=1" for n in range(2600))
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await page.post("/cancel", content=f"_xsrf={word}&{many}", headers=kind)).status_code == 400
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        for body in (b"", b"--x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb', b"nonsense" * 100):
            got = await page.post("/new", content=body, headers=kind)
            assert got.status_code in (400, 403), body
        long = {"_xsrf": word, "command": "x" * 1_100_000}
        assert (await page.post("/new", data=long, files={"file": ("", b"")})).status_code == 413
