import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from job_service import errors
from job_service.http import route
from job_service.http.caller import Administering, Caller, Reading, Submitting
from languages import current
from profiles.errors import ChoiceRefused
from slurm_ssh.errors import SiteUnreachable, SubmitRefused
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import SCOPES, Tokens, client

RAISED: list[Exception] = []


class Body(BaseModel):
    title: str


@pytest.fixture
def app(service: Serving) -> FastAPI:
    app = service.app()
    router = route.router("tests")

    @router.get("/raises")
    async def raises(caller: Reading) -> None:
        raise RAISED[-1]

    @router.post("/takes")
    async def takes(caller: Submitting, body: Body) -> str:
        return f"{caller.name} {body.title}"

    @router.get("/admin")
    async def admin(caller: Administering) -> str:
        return caller.name

    app.include_router(router, prefix="/api/v1")
    return app


async def test_health_needs_no_token(app: FastAPI) -> None:
    async with client(app) as nobody:
        got = await nobody.get("/api/v1/health")
    assert (got.status_code, got.json()) == (200, {"status": "ok"})
    assert len(got.headers["X-Request-ID"]) == 16
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]


async def test_the_service_is_found_with_and_without_its_place_on_the_hub(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8082") as direct:
        assert (await direct.get("/api/v1/health")).status_code == 200
        assert (await direct.get("/services/jobs/api/v1/health")).status_code == 200
        assert (await direct.get("/elsewhere/api/v1/health")).status_code == 404


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "no_token"),
        ({"Authorization": "Basic YTpi"}, "no_token"),
        ({"Authorization": "Bearer "}, "no_token"),
        ({"Cookie": "token=alice:read"}, "no_token"),
        ({"Authorization": "Bearer nonsense"}, "bad_token"),
        ({"Authorization": "token \x01"}, "bad_token"),
    ],
)
async def test_a_token_comes_by_its_header_or_not_at_all(app: FastAPI, headers: dict[str, str], code: str) -> None:
    async with client(app, **headers) as somebody:
        got = await somebody.get("/api/v1/raises?token=alice:read")
    assert (got.status_code, got.json()["code"]) == (401, code)
    assert got.headers["WWW-Authenticate"].startswith("Bearer")
    assert got.headers["Content-Type"] == "application/problem+json"
    assert got.json()["request_id"] == got.headers["X-Request-ID"]


async def test_the_hubs_own_word_for_bearer_is_taken_too(app: FastAPI) -> None:
    async with client(app, Authorization="token alice:submit") as alice:
        assert (await alice.post("/api/v1/takes", json={"title": "a"})).json() == "alice a"


@pytest.mark.parametrize(("token", "code"), [("away", "hub_unavailable"), ("busy", "hub_busy")])
async def test_while_the_hub_does_not_say_a_token_is_nobodys(app: FastAPI, token: str, code: str) -> None:
    async with client(app, token) as somebody:
        got = await somebody.get("/api/v1/raises")
    assert (got.status_code, got.json()["code"]) == (503, code)
    assert int(got.headers["Retry-After"]) > 0


async def test_a_token_may_what_its_scopes_say(app: FastAPI) -> None:
    async with client(app, "alice:read") as alice, client(app, "robot:admin") as robot:
        refused = await alice.post("/api/v1/takes", json={"title": "a"})
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert refused.json()["scope"] == "custom:jobs:submit"
        assert (await robot.post("/api/v1/takes", json={"title": "a"})).json()["code"] == "not_a_person"
        assert (await robot.get("/api/v1/admin")).json() == "robot"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.NotFound("There is no such job."), 404, "not_found"),
        (errors.QuotaExceeded("Too much.", 7200, 3600), 403, "quota_exceeded"),
        (errors.TicketNeeded("Log in."), 409, "ticket_needed"),
        (errors.TooMany("Wait."), 429, "too_many"),
        (errors.NoSpace("Full."), 507, "no_space"),
        (errors.StoreAway("Away."), 503, "store_away"),
        (SubmitRefused("No.", "sbatch: error"), 502, "refused_by_site"),
        (SiteUnreachable("geneva cannot be reached."), 503, "site_unavailable"),
        (ChoiceRefused("cores", "1 to 4.", [ChoiceRefused("time", "8 hours.")]), 422, "invalid"),
    ],
)
async def test_errors_are_problems(app: FastAPI, error: Exception, status: int, code: str) -> None:
    RAISED.append(error)
    async with client(app, "alice:read") as alice:
        got = await alice.get("/api/v1/raises")
    body = got.json()
    assert (got.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"] == error.message  # type: ignore[attr-defined]
    assert ("Retry-After" in got.headers) == (status in {429, 503})


async def test_a_quota_problem_has_both_numbers_and_a_choice_problem_all_fields(app: FastAPI) -> None:
    async with client(app, "alice:read") as alice:
        RAISED.append(errors.QuotaExceeded("Too much.", 7200, 3600))
        quota = (await alice.get("/api/v1/raises")).json()
        RAISED.append(ChoiceRefused("cores", "1 to 4.", [ChoiceRefused("time", "8 hours.")]))
        choice = (await alice.get("/api/v1/raises")).json()
    assert (quota["needed"], quota["left"]) == (7200, 3600)
    assert (choice["field"], choice["fields"]) == ("cores", {"cores": "1 to 4.", "time": "8 hours."})


async def test_what_nobody_foresaw_is_told_by_its_number_alone(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    RAISED.append(ZeroDivisionError("secret"))
    async with client(app, "alice:read") as alice:
        got = await alice.get("/api/v1/raises")
    assert (got.status_code, got.json()["code"]) == (500, "internal")
    assert "secret" not in got.text
    assert got.json()["request_id"] in got.json()["hint"]
    assert "ZeroDivisionError" in caplog.text


async def test_what_is_nowhere_and_what_is_not_taken_are_problems_too(app: FastAPI) -> None:
    async with client(app, "alice:submit") as alice:
        nowhere, method = await alice.get("/nowhere"), await alice.delete("/api/v1/takes")
        fields = await alice.post("/api/v1/takes", json={})
        unread = await alice.post("/api/v1/takes", content=b"{", headers={"Content-Type": "application/json"})
        deep = await alice.post(
            "/api/v1/takes", content=b"[" * 100_000, headers={"Content-Type": "application/json"}
        )
    assert [each.json()["code"] for each in (nowhere, method)] == ["not_found", "method_not_allowed"]
    assert method.headers["Allow"] == "POST"
    assert (fields.status_code, list(fields.json()["fields"])) == (422, ["title"])
    assert [each.status_code for each in (unread, deep)] == [400, 400]
    assert all(
        each.headers["Content-Type"] == "application/problem+json" for each in (nowhere, method, fields, deep)
    )


async def test_a_body_is_read_only_up_to_its_limit_and_only_for_those_with_a_token(app: FastAPI) -> None:
    asked = 0

    async def endless():
        nonlocal asked
        while True:
            asked += 1
            yield b" " * 65536

    async with client(app, "alice:submit") as alice, client(app) as nobody:
        got = await alice.post("/api/v1/takes", content=endless(), headers={"Content-Type": "application/json"})
        assert (got.status_code, got.json()["code"]) == (413, "too_large")
        assert asked <= 18
        asked = 0
        assert (await nobody.post("/api/v1/takes", content=endless())).status_code == 401
        assert asked == 0


async def test_who_sends_nothing_is_not_waited_for(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "STALL_SECONDS", 0.0)

    async def nothing():
        await asyncio.Event().wait()
        yield b""

    async with client(app, "alice:submit") as alice:
        got = await alice.post("/api/v1/takes", content=nothing())
    assert (got.status_code, got.json()["code"]) == (408, "stalled")


async def test_the_log_has_one_line_for_each_request_and_never_a_token(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "job_service.http")
    async with client(app, "alice:submit") as alice:
        await alice.post("/api/v1/takes?token=hush", json={"title": "quiet"})
    (line,) = [each.getMessage() for each in caplog.records if each.name == "job_service.http.exchange"]
    assert "alice POST /services/jobs/api/v1/takes 200" in line
    assert "hush" not in line
    assert "alice:submit" not in caplog.text


async def test_a_name_in_the_log_is_one_line_and_no_longer_than_names_are(
    service: Serving, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def caller(_self: object, _token: str, _session: str = "") -> Caller:
        return Caller("eve\n2026-01-01 root \x1b[2J" + "x" * 10_000, scopes=SCOPES["read"])

    monkeypatch.setattr(Tokens, "caller", caller)
    caplog.set_level(logging.INFO, "job_service.http")
    async with client(service.app(), "any") as eve:
        await eve.get("/api/v1/jobs")
    (line,) = [each.getMessage() for each in caplog.records if each.name == "job_service.http.exchange"]
    assert line.isprintable()
    assert len(line) < 300


async def test_problems_are_in_the_readers_language_and_language_does_not_stay(app: FastAPI) -> None:
    before = current()
    async with client(app, **{"Accept-Language": "fr"}) as reader:
        await reader.get("/nowhere")
    assert current() == before
