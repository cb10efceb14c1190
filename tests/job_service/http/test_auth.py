import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from job_service.http import auth
from job_service.http.auth import HubTokens
from job_service.http.caller import READ, SUBMIT, HubAway
from job_service.http.problems import Problem
from tests.support import loopback

ALICE = {
    "name": "alice",
    "kind": "user",
    "groups": ["neuro"],
    "scopes": [READ, SUBMIT, "access:services!service=jobs"],
    "token_id": "a17",
}


class Hub:
    """A hub byte by byte: it notes which tokens it was asked about, and answers each with what `says` it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.says: tuple[int, bytes] | None = (200, json.dumps(ALICE).encode())
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                assert head.startswith(b"GET /hub/api/user HTTP/1.1\r\n")
                self.asked += [
                    line[21:] for line in head.decode().split("\r\n") if line.startswith("Authorization: token ")
                ]
                if self.says is None:
                    await reader.read()
                    return
                status, body = self.says
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def _serving(hub: Hub) -> AsyncIterator[HubTokens]:
    server = await asyncio.start_server(hub.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tokens = HubTokens("jobs", f"http://127.0.0.1:{port}/hub/api", "the-services-own")
    try:
        async with server:
            yield tokens
            await tokens.close()
    finally:
        server.close()


async def test_the_hub_says_whose_a_token_is_and_is_asked_once_a_minute() -> None:
    hub = Hub()
    async with _serving(hub) as tokens:
        alice = await tokens.caller("good")
        assert alice is not None
        assert (alice.name, alice.groups, alice.token_id) == ("alice", frozenset({"neuro"}), "a17")
        assert alice.is_person
        assert SUBMIT in alice.scopes
        assert await tokens.caller("good") == alice
    assert hub.asked == ["good"]


async def test_certificates_not_checked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Named after a fault of an older service: of a hub that cannot show that it is one nothing is asked."""
    hub, tls = Hub(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(loopback.certificate(tmp_path))
    server = await asyncio.start_server(hub.answer, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    tokens = HubTokens("jobs", f"https://localhost:{port}/hub/api", "the-services-own")
    async with server:
        with pytest.raises(HubAway):
            await tokens.caller("good")
        await tokens.close()
        server.close()
    assert hub.asked == []
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


async def test_what_the_hub_does_not_know_is_no_token() -> None:
    hub = Hub()
    hub.says = 403, b"{}"
    async with _serving(hub) as tokens:
        assert await tokens.caller("bad") is None
        for odd in ("two words", "line\nend", "ü", "\x00", ""):
            assert await tokens.caller(odd) is None
    assert hub.asked == ["bad"]


async def test_a_token_needs_access_to_this_service() -> None:
    hub = Hub()
    for scopes in ([SUBMIT], [SUBMIT, "access:services!service=other"]):
        hub.says = 200, json.dumps({**ALICE, "scopes": scopes}).encode()
        async with _serving(hub) as tokens:
            with pytest.raises(Problem) as refused:
                await tokens.caller(f"good{len(scopes)}")
        assert (refused.value.status_code, refused.value.code) == (403, "scope_missing")
    hub.says = 200, json.dumps({**ALICE, "scopes": [SUBMIT, "access:services"]}).encode()
    async with _serving(hub) as tokens:
        assert await tokens.caller("all") is not None


async def test_a_services_token_is_no_persons() -> None:
    hub = Hub()
    hub.says = 200, json.dumps({**ALICE, "kind": "service"}).encode()
    async with _serving(hub) as tokens:
        found = await tokens.caller("good")
    assert found is not None
    assert not found.is_person


@pytest.mark.parametrize("says", [(500, b"{}"), (502, b""), (200, b"<html>"), (404, b"{}"), None])
async def test_while_the_hub_gives_no_answer_known_tokens_go_on(
    says: tuple[int, bytes] | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hub = Hub()
    async with _serving(hub) as tokens:
        alice = await tokens.caller("known-token")
        hub.says = says
        if says is None:
            monkeypatch.setattr(auth, "_ASK_SECONDS", 0.05)
        with pytest.raises(HubAway):
            await tokens.caller("other-token")
        assert await tokens.caller("known-token") == alice
    assert "known-token" not in caplog.text
    assert "other-token" not in caplog.text


async def test_a_hub_that_is_gone_is_away() -> None:
    hub = Hub()
    async with _serving(hub) as tokens:
        pass
    with pytest.raises(HubAway):
        await tokens.caller("good")
    await tokens.close()
