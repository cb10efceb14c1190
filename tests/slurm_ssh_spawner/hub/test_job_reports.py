import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy
from jupyterhub import orm
from jupyterhub.user import User

from lab.plain_http import NO_TLS
from slurm_ssh.job import LaunchId, mark
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from slurm_ssh_spawner.launch.reports import Live, token_hash
from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support import builders, composing, launching
from tests.support.hub import ComposedSpawner
from tests.support.local import LocalSite

TOKEN = "0123456789abcdef0123456789abcdef"
SECOND = LaunchId("ffffffffffff")


class Site:
    """A hub with launches, and their jobs that report."""

    def __init__(self, running: RunningHub, core: Hub) -> None:
        self.app = running.app
        self.core = core
        self.post = running.post
        self.person = running.person

    def expect(self, launch_id: LaunchId, server: str = "", token: str = TOKEN) -> Live:
        job = builders.job(launch_id=launch_id, job_id="42", mark=mark("jupyter", "hub", launch_id))
        return self.core.launcher.reports.expect(job, server, token_hash(token))

    async def report(self, launch_id: str = builders.LAUNCH_ID, *, token: str = TOKEN, **body: Any) -> int:
        """Report as a job and return the status of the answer."""
        answer = await self.post(f"launches/{launch_id}", token, **(body or {"json": {"port": 8888}}))
        return answer.status_code


@pytest.fixture
async def site(start: Callable[[type], Awaitable[RunningHub]], tmp_path: Path) -> AsyncIterator[Site]:
    running, local = await start(ComposedSpawner), LocalSite(tmp_path)
    local.install_slurm()
    offer = builders.live(local.home, sites={"geneva": launching.site(local)})
    tickets: Any = launching.Tickets()
    core = composing.hub(offer, tickets, f"sqlite:///{tmp_path}/launches.sqlite", local)
    running.app.tornado_settings[SETTING] = core
    yield Site(running, core)
    await core.close()


@pytest.fixture
def alice(site: Site) -> User:
    return site.person("alice")


@pytest.fixture
async def live(site: Site, alice: User) -> Live:
    return site.expect(builders.LAUNCH_ID)


def _reported(live: Live) -> list[str | int]:
    stages = [f"{stage.name}: {stage.text}" for stage in live.progress.stages]
    return [*stages, *live.progress.notices, *([live.port.number] if live.port.number else [])]


async def test_a_job_reports_its_stage_and_its_port(site: Site, live: Live) -> None:
    assert await site.report(json={"stage": "starting"}) == 204
    assert await site.report(json={"stage": "modules", "text": "Loading \u00e4\n\x1b[1m"}) == 204
    assert await site.report(json={"port": 8888}) == 204
    assert _reported(live) == ["starting: ", "modules: Loading \u00e4  [1m", 8888]


async def test_a_report_asks_jupyterhubs_database_nothing(site: Site, alice: User) -> None:
    # A hundred jobs that start at once report some times each, and pages wait meanwhile.
    token, asked = alice.new_api_token(), []
    live = site.expect(builders.LAUNCH_ID, token=token)
    engine = site.app.db.get_bind()

    def asks(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sqlalchemy.event.listen(engine, "before_cursor_execute", asks)
    try:
        assert await site.report(token=token, json={"stage": "starting"}) == 204
    finally:
        sqlalchemy.event.remove(engine, "before_cursor_execute", asks)
    assert _reported(live) == ["starting: "]
    assert asked == []


async def test_a_job_reports_several_stages_at_once(site: Site, live: Live) -> None:
    stages = [{"stage": "modules", "text": "Loading a"}, {"stage": "notice", "text": "Slow."}, {"stage": "loaded"}]
    assert await site.report(json=stages) == 204
    assert _reported(live) == ["modules: Loading a", "loaded: ", "Slow."]


async def test_what_is_reported_beside_what_nobody_understands_counts(site: Site, live: Live) -> None:
    assert await site.report(json=[{"stage": "A"}, {"port": 8888}, 1, [], {"stage": "loaded"}]) == 204
    assert _reported(live) == ["loaded: "]


async def test_a_text_that_was_cut_within_a_character_is_taken(site: Site, live: Live) -> None:
    assert await site.report(content=b'{"stage": "a", "text": "\xc3"}') == 204
    assert _reported(live) == ["a: \ufffd"]


async def test_a_job_of_a_named_server_reports_to_that_server(site: Site, live: Live) -> None:
    second = site.expect(SECOND, "second", "another-token")
    assert await site.report(SECOND, token="another-token") == 204
    assert _reported(second) == [8888]
    assert _reported(live) == []


async def test_no_other_token_of_its_owner_reports_for_a_server(
    site: Site, alice: User, live: Live, subtests: pytest.Subtests
) -> None:
    site.expect(SECOND, "second", "another-token")
    tokens = {
        "read:users:name": alice.new_api_token(scopes=["read:users:name!user"]),
        "all of theirs": alice.new_api_token(),
        "this server": alice.new_api_token(scopes=["access:servers!server=alice/"], note="Server at /user/alice/"),
        "another server of theirs": "another-token",
    }
    for body in ({"port": 5555}, {"stage": "failed", "text": "Give up."}, {"stage": "notice", "text": "Pay bob."}):
        for which, token in tokens.items():
            with subtests.test(token=which, body=body):
                assert await site.report(token=token, json=body) == 403
    assert _reported(live) == []


async def test_a_browser_that_is_logged_in_reports_nothing(site: Site, live: Live) -> None:
    async with httpx.AsyncClient(verify=NO_TLS, timeout=60, trust_env=False, base_url=site.app.hub.url) as browser:
        browser.cookies.set("_xsrf", "x")
        answer = await browser.post(f"api/launches/{builders.LAUNCH_ID}", json={"port": 8888})
    assert answer.status_code == 403
    assert _reported(live) == []


async def test_the_first_and_the_last_port_are_ports(site: Site, live: Live) -> None:
    assert [await site.report(json={"port": port}) for port in (1024, 65535)] == [204, 204]


async def test_whatever_else_is_reported_is_refused(site: Site, live: Live, subtests: pytest.Subtests) -> None:
    ports = (True, False, None, "8888", 8888.0, 0, -1, 80, 1023, 65536, 10**30, [8888], {"a": 1}, 1e400)
    bodies = [{"port": port} for port in ports]
    bodies += [{"stage": stage} for stage in ("", None, 1, ["starting"], "<b>starting</b>", "A", "a" * 32, "1")]
    bodies += [{"stage": "a", "text": text} for text in (None, 1, [], "a" * 3001)]
    bodies += [{"stage": "a", "text": "a", "more": 1}, {"text": "a"}]
    bodies += [
        {},
        [],
        [{"port": 8888}],
        [[{"stage": "a"}]],
        [{"stage": "A"}],
        "port",
        8888,
        None,
        {"port": 8888, "stage": "starting"},
    ]
    bodies += [{"port": 8888, "ip": "10.0.0.1"}, {"cmd": "id"}, {"Port": 8888}]
    raw = [json.dumps(body).encode() for body in bodies]
    raw += [b"", b"port=8888", b"{", b"\xff\xfe", b"\0", b"[" * 10_000, b'{"port": ' + b"1" * 10_000 + b"}"]
    raw += [b"[" * 19_000, b'{"a":' * 3_000]
    for body in raw:
        with subtests.test(body=body[:40]):
            assert await site.report(content=body) == 400
    assert _reported(live) == []


async def test_a_job_that_nobody_waits_for_is_told_so_by_a_mark_of_the_hubs_own(
    site: Site, alice: User, live: Live
) -> None:
    for token in (alice.new_api_token(), "none-any-more"):
        answer = await site.post("launches/ffffffffffff", token, json={"stage": "job"})
        assert answer.status_code == 404
        assert (answer.json()["unknown_launch"], answer.json()["has_token"]) == (True, True)
    answer = await site.post("launches/ffffffffffff", None, json={"stage": "job"})
    assert (answer.json()["unknown_launch"], answer.json()["has_token"]) == (True, False)
    answer = await site.post(f"launches/{builders.LAUNCH_ID}", alice.new_api_token(), json={})
    assert "unknown_launch" not in answer.json()


@pytest.mark.parametrize("path", ["launches/0123456789ab", "users/alice/servers/", "users/alice/servers/second"])
@pytest.mark.parametrize("announced", ["Content-Length: 90000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_long_body_is_not_read_whoever_sends_it(
    site: Site, alice: User, path: str, announced: str, is_known: bool
) -> None:
    hub = urlsplit(site.app.hub.url)
    sender = f"Authorization: token {alice.new_api_token()}\r\n" if is_known else ""
    head = f"POST {hub.path}api/{path} HTTP/1.1\r\nHost: {hub.netloc}\r\n{sender}{announced}\r\n\r\n"
    reader, writer = await asyncio.open_connection(hub.hostname, hub.port)
    writer.write(head.encode())
    if "chunked" in announced:
        writer.write(b"20000\r\n" + b" " * 0x20000 + b"\r\n")
    async with asyncio.timeout(60):
        # Nothing more was sent: the answer waits for no body.
        assert await reader.readline() == b"HTTP/1.1 400 Bad Request\r\n"
    writer.close()


async def test_an_unknown_launch_is_not_found(site: Site, live: Live) -> None:
    assert await site.report("ffffffffffff") == 404


async def test_a_launch_that_was_stopped_or_has_ended_is_not_found(site: Site, live: Live) -> None:
    site.core.launcher.reports.end(builders.LAUNCH_ID)
    assert await site.report() == 404
    site.core.launcher.reports.forget(builders.LAUNCH_ID)
    assert await site.report() == 404


async def _recorded(site: Site) -> None:
    offer = builders.launch(site.core.catalogue.current)
    await site.core.launcher.records.begin(builders.LAUNCH_ID, offer, token_hash=token_hash(TOKEN))


async def test_a_job_of_an_earlier_hub_reports_to_its_record(site: Site, alice: User) -> None:
    await _recorded(site)
    assert await site.report(json={"stage": "modules", "text": "python"}) == 204
    assert await site.report(token=alice.new_api_token()) == 403
    assert await site.report() == 204
    record = await site.core.launcher.records.get(builders.LAUNCH_ID)
    assert record is not None
    assert record.port == 8888
    live = await site.core.launcher.reports.take_up(record)
    assert (_reported(live), await live.presented()) == (["modules: python", 8888], TOKEN)
    assert not site.core.launcher.reports.is_held(builders.LAUNCH_ID)


async def test_a_job_of_an_earlier_hub_that_is_to_be_stopped_is_not_known(site: Site, alice: User) -> None:
    await _recorded(site)
    await site.core.launcher.records.want_stop(builders.LAUNCH_ID)
    assert await site.report() == 404


async def test_what_cannot_be_kept_is_not_taken(site: Site, live: Live, tmp_path: Path) -> None:
    (tmp_path / "launches.sqlite").rename(tmp_path / "away")
    assert await site.report() == 503
    assert _reported(live) == []
    (tmp_path / "away").rename(tmp_path / "launches.sqlite")
    assert await site.report() == 204
    assert _reported(live) == [8888]


async def test_what_is_no_launch_id_has_no_route(site: Site, live: Live, subtests: pytest.Subtests) -> None:
    for launch_id in ("0123456789AB", "0123456789ab0", "None", "", "..%2f", "0123456789ab/x"):
        with subtests.test(launch_id=launch_id):
            assert await site.report(launch_id) == 404


async def test_without_a_token_nothing_is_told(site: Site, live: Live, subtests: pytest.Subtests) -> None:
    for token in (None, "", "5ec4e7"):
        with subtests.test(token=token):
            answer = await site.post(f"launches/{builders.LAUNCH_ID}", token, json={"port": 8888})
            assert answer.status_code == 403
    assert _reported(live) == []


async def test_a_service_has_no_launches(site: Site, alice: User, live: Live) -> None:
    service = orm.Service(name="culler")
    alice.db.add(service)
    alice.db.commit()
    answer = await site.post(f"launches/{builders.LAUNCH_ID}", service.new_api_token(), json={"port": 8888})
    assert answer.status_code == 403


async def test_a_running_hub_has_no_route_of_batchspawner(site: Site, alice: User) -> None:
    answer = await site.post("batchspawner", alice.new_api_token(), json={"cmd": ["id"]})
    assert answer.status_code == 404
