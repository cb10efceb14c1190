import json
from collections.abc import Awaitable, Callable

import pytest
from jupyterhub import orm
from jupyterhub.user import User

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
    assert await site.report(alice, second.launch_id) == 204
    assert second.reported == [8888]
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
    raw += [b"", b"port=8888", b"{", b"\xff\xfe", b"\0", b"[" * 100_000, b'{"port": ' + b"1" * 100_000 + b"}"]
    raw += [b'{"port": 8888' + b" " * 100_000 + b"}"]
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
