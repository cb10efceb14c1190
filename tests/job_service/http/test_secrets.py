"""A token is in its header and nowhere else: in no log, answer, script or database, and in nothing's `repr`."""

import asyncio
import json
import logging
from pathlib import Path

import pytest
from fastapi import FastAPI

from job_service.http.app import make_app
from job_service.http.auth import HubTokens
from job_service.http.caller import Caller, HubAway
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import SCOPES, client, logins, servers
from tests.job_service.http.test_auth import Hub, _serving
from tests.job_service.http.test_jobs import COMMAND, V1

TOKEN, OTHER, SERVICES = "5ec4e7a11ce", "5ec4e7b0b0b", "5ec4e7e4e4e"


class Tokens:
    """One token is alice's; of each other one the hub says nothing, or that it is away."""

    def __init__(self) -> None:
        self.seen: list[Caller] = []

    async def caller(self, token: str, _session: str = "") -> Caller | None:
        if token == "away":
            raise HubAway("nobody there")
        if token != TOKEN:
            return None
        self.seen.append(Caller("alice", frozenset(), SCOPES["admin"], token_id="a1"))
        return self.seen[-1]


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def app(service: Serving, tokens: Tokens) -> FastAPI:
    return make_app(service, tokens, logins(), servers())  # type: ignore[arg-type]


async def test_credentials_logged(
    app: FastAPI, service: Serving, tokens: Tokens, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Named after a fault of an older service: a token is nowhere, whatever becomes of a request."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    async with client(app, TOKEN) as alice, client(app, OTHER) as nobody:
        query = {"token": TOKEN, "access_token": OTHER}
        sent = await alice.post(f"{V1}/jobs", json=COMMAND, params=query, headers={"Idempotency-Key": "k"})
        assert sent.status_code == 201
        job = f"{V1}/jobs/{sent.json()['job_id']}"
        payload = {"Payload": json.dumps({"command": "hostname"})}
        answers = [
            sent,
            await alice.post("/api/jobs/geneva/", headers=payload, params={**query, "wait": 0}),
            await alice.post(f"{V1}/preview", json=COMMAND, params=query),
            *[await alice.get(f"{job}{each}", params=query) for each in ("", "/events", "/script", "/files")],
            await alice.put(f"{job}/files/in.dat", content=b"x", params=query),
            await alice.patch(job, json={"title": 1}, params=query),
            await alice.get("/nowhere", params=query),
            await alice.post(f"{V1}/jobs", content=b"{", headers={"Content-Type": "application/json"}),
            *[await nobody.get(each, params=query) for each in (f"{V1}/jobs", "/api/jobs/")],
        ]
        assert {each.status_code for each in answers} == {200, 201, 400, 401, 404, 422}
        service.running.refusal = ZeroDivisionError("broken")
        answers.append(await alice.post(f"{job}/cancel", params=query))
        assert answers[-1].status_code == 500
        said += [f"{each.text} {each.headers}" for each in answers]
    # The test's own client writes addresses.
    logged = " ".join(each.getMessage() for each in caplog.records if not each.name.startswith("http"))
    assert "ZeroDivisionError" in caplog.text
    said += [logged, repr(tokens.seen), repr(app.state.__dict__), repr(service)]
    kept = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert b"hostname" in kept
    for secret in (TOKEN, OTHER):
        assert not [each for each in said if secret in each]
        assert secret.encode() not in kept


async def test_the_hub_is_asked_about_a_token_and_nobody_is_told_which(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hub = Hub()
    async with _serving(hub) as whose:
        assert await whose.caller(TOKEN)
        for says in ((403, b"{}"), (500, b"broken"), (200, b"no JSON"), (418, b"tea")):
            hub.says = says
            told = ""
            try:
                assert await whose.caller(f"{OTHER}{says[0]}") is None
            except HubAway as away:
                told = f"{away} {away.__cause__!r}"
            assert OTHER not in told
        assert len(hub.asked) >= 5
        assert TOKEN not in f"{whose!r} {vars(whose)}"
    assert OTHER not in caplog.text
    assert TOKEN not in caplog.text


async def test_the_services_own_token_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    whose = HubTokens("jobs", "http://127.0.0.1:1/hub/api", SERVICES)
    with pytest.raises(HubAway) as away:
        await asyncio.wait_for(whose.caller(TOKEN), 60)
    for each in (repr(whose), str(away.value), repr(away.value.__cause__), caplog.text):
        assert SERVICES not in each
        assert TOKEN not in each
    await whose.close()
