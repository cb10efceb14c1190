import asyncio
import json
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx
import pytest
from jupyterhub import orm
from jupyterhub.user import User

from lab.plain_http import NO_TLS
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders
from tests.support.hub import ComposedSpawner, ReportedSpawner


@pytest.fixture
async def site(start: Callable[[type], Awaitable[RunningHub]]) -> RunningHub:
    return await start(ReportedSpawner)


@pytest.fixture
def alice(site: RunningHub) -> User:
    user = site.person("alice")
    user.spawners[""].launch_id = builders.LAUNCH_ID
    return user


async def test_a_job_reports_its_stage_and_its_port(site: RunningHub, alice: User) -> None:
    assert await site.report(alice, json={"stage": "starting"}) == 204
    assert await site.report(alice, json={"stage": "modules", "text": "Loading \u00e4\n\x1b[1m"}) == 204
    assert await site.report(alice, json={"port": 8888}) == 204
    assert alice.spawners[""].reported == ["starting: ", "modules: Loading \u00e4  [1m", 8888]


async def test_a_text_that_was_cut_within_a_character_is_taken(site: RunningHub, alice: User) -> None:
    assert await site.report(alice, content=b'{"stage": "a", "text": "\xc3"}') == 204
    assert alice.spawners[""].reported == ["a: \ufffd"]


async def test_a_job_of_a_named_server_reports_to_that_server(site: RunningHub, alice: User) -> None:
    second = alice.get_or_create_spawner("second", "")
    second.launch_id = "ffffffffffff"
    assert await site.report(alice, second.launch_id, token=site.token_of(alice, "second")) == 204
    assert second.reported == [8888]
    assert alice.spawners[""].reported == []


async def test_no_other_token_of_its_owner_reports_for_a_server(
    site: RunningHub, alice: User, subtests: pytest.Subtests
) -> None:
    alice.get_or_create_spawner("second", "")
    tokens = {
        "read:users:name": alice.new_api_token(scopes=["read:users:name!user"]),
        "all of theirs": alice.new_api_token(),
        "this server": alice.new_api_token(scopes=["access:servers!server=alice/"], note="Server at /user/alice/"),
        "another server of theirs": site.token_of(alice, "second"),
    }
    site.token_of(alice)
    for body in ({"port": 5555}, {"stage": "failed", "text": "Give up."}, {"stage": "notice", "text": "Pay bob."}):
        for which, token in tokens.items():
            with subtests.test(token=which, body=body):
                assert await site.report(alice, token=token, json=body) == 403
    assert alice.spawners[""].reported == []


async def test_a_browser_that_is_logged_in_reports_nothing(site: RunningHub, alice: User) -> None:
    site.token_of(alice)
    async with httpx.AsyncClient(verify=NO_TLS, trust_env=False, base_url=site.app.hub.url) as browser:
        browser.cookies.set("_xsrf", "x")
        answer = await browser.post(f"api/launches/{builders.LAUNCH_ID}", json={"port": 8888})
    assert answer.status_code == 403
    assert alice.spawners[""].reported == []


async def test_the_first_and_the_last_port_are_ports(site: RunningHub, alice: User) -> None:
    assert [await site.report(alice, json={"port": port}) for port in (1024, 65535)] == [204, 204]


async def test_whatever_else_is_reported_is_refused(
    site: RunningHub, alice: User, subtests: pytest.Subtests
) -> None:
    ports = (True, False, None, "8888", 8888.0, 0, -1, 80, 1023, 65536, 10**30, [8888], {"a": 1}, 1e400)
    bodies = [{"port": port} for port in ports]
    bodies += [{"stage": stage} for stage in ("", None, 1, ["starting"], "<b>starting</b>", "A", "a" * 32, "1")]
    bodies += [{"stage": "a", "text": text} for text in (None, 1, [], "a" * 3001)]
    bodies += [{"stage": "a", "text": "a", "more": 1}, {"text": "a"}]
    bodies += [{}, [], [{"port": 8888}], "port", 8888, None, {"port": 8888, "stage": "starting"}]
    bodies += [{"port": 8888, "ip": "10.0.0.1"}, {"cmd": "id"}, {"Port": 8888}]
    raw = [json.dumps(body).encode() for body in bodies]
    raw += [b"", b"port=8888", b"{", b"\xff\xfe", b"\0", b"[" * 10_000, b'{"port": ' + b"1" * 10_000 + b"}"]
    raw += [b"[" * 19_000, b'{"a":' * 3_000]
    for body in raw:
        with subtests.test(body=body[:40]):
            assert await site.report(alice, content=body) == 400
    assert alice.spawners[""].reported == []


async def test_a_job_that_nobody_waits_for_is_told_so_by_a_mark_of_the_hubs_own(
    site: RunningHub, alice: User
) -> None:
    for token in (alice.new_api_token(), "none-any-more"):
        answer = await site.post("launches/ffffffffffff", token, json={"stage": "job"})
        assert answer.status_code in (403, 404)
        assert answer.json()["unknown_launch"] is True
    answer = await site.post(f"launches/{builders.LAUNCH_ID}", alice.new_api_token(), json={})
    assert "unknown_launch" not in answer.json()


@pytest.mark.parametrize("path", ["launches/0123456789ab", "users/alice/servers/", "users/alice/servers/second"])
@pytest.mark.parametrize("announced", ["Content-Length: 90000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_long_body_is_not_read_whoever_sends_it(
    site: RunningHub, alice: User, path: str, announced: str, is_known: bool
) -> None:
    hub = urlsplit(site.app.hub.url)
    sender = f"Authorization: token {alice.new_api_token()}\r\n" if is_known else ""
    head = f"POST {hub.path}api/{path} HTTP/1.1\r\nHost: {hub.netloc}\r\n{sender}{announced}\r\n\r\n"
    reader, writer = await asyncio.open_connection(hub.hostname, hub.port)
    writer.write(head.encode())
    if "chunked" in announced:
        writer.write(b"20000\r\n" + b" " * 0x20000 + b"\r\n")
    async with asyncio.timeout(20):
        # Nothing more was sent: the answer waits for no body.
        assert await reader.readline() == b"HTTP/1.1 400 Bad Request\r\n"
    writer.close()


async def test_the_launch_of_somebody_else_is_not_found(site: RunningHub, alice: User) -> None:
    assert await site.report(site.person("mallory")) == 404
    assert alice.spawners[""].reported == []


async def test_an_unknown_launch_is_not_found(site: RunningHub, alice: User) -> None:
    assert await site.report(alice, "ffffffffffff") == 404


async def test_a_launch_that_has_ended_is_not_found(site: RunningHub, alice: User) -> None:
    alice.spawners[""].launch_id = None
    assert await site.report(alice) == 404


async def test_what_is_no_launch_id_has_no_route(site: RunningHub, alice: User, subtests: pytest.Subtests) -> None:
    for launch_id in ("0123456789AB", "0123456789ab0", "None", "", "..%2f", "0123456789ab/x"):
        with subtests.test(launch_id=launch_id):
            assert await site.report(alice, launch_id) == 404


async def test_without_a_token_nothing_is_told(site: RunningHub, alice: User, subtests: pytest.Subtests) -> None:
    for token in (None, "", "5ec4e7"):
        with subtests.test(token=token):
            answer = await site.post(f"launches/{builders.LAUNCH_ID}", token, json={"port": 8888})
            assert answer.status_code == 403
    assert alice.spawners[""].reported == []


async def test_a_service_has_no_launches(site: RunningHub, alice: User) -> None:
    service = orm.Service(name="culler")
    alice.db.add(service)
    alice.db.commit()
    answer = await site.post(f"launches/{builders.LAUNCH_ID}", service.new_api_token(), json={"port": 8888})
    assert answer.status_code == 404


async def test_a_running_hub_has_no_route_of_batchspawner(site: RunningHub, alice: User) -> None:
    answer = await site.post("batchspawner", alice.new_api_token(), json={"cmd": ["id"]})
    assert answer.status_code == 404


async def test_a_restored_server_can_be_reported_about(start: Callable[[type], Awaitable[RunningHub]]) -> None:
    site = await start(ComposedSpawner)
    alice = site.person("alice")
    alice.spawners[""].load_state({"job": builders.job().to_state()})
    assert await site.report(alice, json={"stage": "starting"}) == 204
    assert await site.report(alice, json={"port": 8888}) == 204
