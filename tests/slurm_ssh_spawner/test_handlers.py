import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.user import User
from traitlets.config import Config

from slurm_ssh_spawner.spawner import SlurmSSHSpawner
from tests.support import builders, shells
from tests.support.hub import NoProxy, ReportedSpawner

StartHub = Callable[..., Awaitable[JupyterHub]]


class _Site:
    """A hub with people, and the requests that their jobs make."""

    def __init__(self, app: JupyterHub, client: httpx.AsyncClient) -> None:
        self._app = app
        self._client = client

    def person(self, name: str) -> User:
        person = orm.User(name=name)
        self._app.db.add(person)
        self._app.db.commit()
        return self._app.users[person]

    async def post(self, path: str, token: str | None, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"token {token}"} if token else {}
        return await self._client.post(f"{self._app.hub.url}api/{path}", headers=headers, **body)

    async def report(self, user: User, launch_id: str = builders.LAUNCH_ID, **body: Any) -> int:
        """Report as a job of the user and return the status of the answer."""
        answer = await self.post(
            f"launches/{launch_id}", user.new_api_token(), **(body or {"json": {"port": 8888}})
        )
        return answer.status_code


@pytest.fixture
async def start(
    hub_app: StartHub, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[type], Awaitable[_Site]]]:
    # The hub keeps its cookie secret where it stands.
    monkeypatch.chdir(tmp_path)
    async with httpx.AsyncClient(trust_env=False) as client:

        async def start(spawner: type) -> _Site:
            config = Config({"JupyterHub": {"proxy_class": NoProxy, "spawner_class": spawner}})
            return _Site(await hub_app(config), client)

        yield start


@pytest.fixture
async def site(start: Callable[[type], Awaitable[_Site]]) -> _Site:
    return await start(ReportedSpawner)


@pytest.fixture
def alice(site: _Site) -> User:
    user = site.person("alice")
    user.spawners[""].launch_id = builders.LAUNCH_ID
    return user


async def test_a_job_reports_its_stage_and_its_port(site: _Site, alice: User) -> None:
    assert await site.report(alice, json={"stage": "starting"}) == 204
    assert await site.report(alice, json={"port": 8888}) == 204
    assert alice.spawners[""].reported == ["starting", 8888]


async def test_a_job_of_a_named_server_reports_to_that_server(site: _Site, alice: User) -> None:
    second = alice.get_or_create_spawner("second", "")
    second.launch_id = "ffffffffffff"
    assert await site.report(alice, second.launch_id) == 204
    assert second.reported == [8888]
    assert alice.spawners[""].reported == []


async def test_the_first_and_the_last_port_are_ports(site: _Site, alice: User) -> None:
    assert [await site.report(alice, json={"port": port}) for port in (1024, 65535)] == [204, 204]


async def test_whatever_else_is_reported_is_refused(site: _Site, alice: User, subtests: pytest.Subtests) -> None:
    ports = (True, False, None, "8888", 8888.0, 0, -1, 80, 1023, 65536, 10**30, [8888], {"a": 1}, 1e400)
    bodies = [{"port": port} for port in ports]
    bodies += [{"stage": stage} for stage in ("running", "", None, 1, ["starting"], "<b>starting</b>")]
    bodies += [{}, [], [{"port": 8888}], "port", 8888, None, {"port": 8888, "stage": "starting"}]
    bodies += [{"port": 8888, "ip": "10.0.0.1"}, {"cmd": "id"}, {"Port": 8888}]
    raw = [json.dumps(body).encode() for body in bodies]
    raw += [b"", b"port=8888", b"{", b"\xff\xfe", b"\0", b"[" * 100_000, b'{"port": ' + b"1" * 100_000 + b"}"]
    raw += [b'{"port": 8888' + b" " * 100_000 + b"}"]
    for body in raw:
        with subtests.test(body=body[:40]):
            assert await site.report(alice, content=body) == 400
    assert alice.spawners[""].reported == []


async def test_the_launch_of_somebody_else_is_not_found(site: _Site, alice: User) -> None:
    assert await site.report(site.person("mallory")) == 404
    assert alice.spawners[""].reported == []


async def test_an_unknown_launch_is_not_found(site: _Site, alice: User) -> None:
    assert await site.report(alice, "ffffffffffff") == 404


async def test_a_launch_that_has_ended_is_not_found(site: _Site, alice: User) -> None:
    alice.spawners[""].launch_id = None
    assert await site.report(alice) == 404


async def test_what_is_no_launch_id_has_no_route(site: _Site, alice: User, subtests: pytest.Subtests) -> None:
    for launch_id in ("0123456789AB", "0123456789ab0", "None", "", "..%2f", "0123456789ab/x"):
        with subtests.test(launch_id=launch_id):
            assert await site.report(alice, launch_id) == 404


async def test_without_a_token_nothing_is_told(site: _Site, alice: User, subtests: pytest.Subtests) -> None:
    for token in (None, "", "5ec4e7"):
        with subtests.test(token=token):
            answer = await site.post(f"launches/{builders.LAUNCH_ID}", token, json={"port": 8888})
            assert answer.status_code == 403
    assert alice.spawners[""].reported == []


async def test_a_service_has_no_launches(site: _Site, alice: User) -> None:
    service = orm.Service(name="culler")
    alice.db.add(service)
    alice.db.commit()
    answer = await site.post(f"launches/{builders.LAUNCH_ID}", service.new_api_token(), json={"port": 8888})
    assert answer.status_code == 404


async def test_a_running_hub_has_no_route_of_batchspawner(site: _Site, alice: User) -> None:
    answer = await site.post("batchspawner", alice.new_api_token(), json={"cmd": ["id"]})
    assert answer.status_code == 404


async def test_a_restored_server_can_be_reported_about(start: Callable[[type], Awaitable[_Site]]) -> None:
    site = await start(SlurmSSHSpawner)
    alice = site.person("alice")
    alice.spawners[""].load_state({"job": builders.job().to_state()})
    assert await site.report(alice, json={"stage": "starting"}) == 204
    assert (await anext(alice.spawners[""].progress()))["message"] == "The notebook server is starting."
    assert await site.report(alice, json={"port": 8888}) == 204


_ROUTES = """
{imports}
from jupyterhub.apihandlers import default_handlers
print(*(pattern for pattern, *_ in default_handlers if "batch" in pattern or "launches" in pattern))
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import slurm_ssh_spawner.spawner",
        "import batchspawner, slurm_ssh_spawner.spawner",
        "import slurm_ssh_spawner.spawner, batchspawner",
    ],
)
def test_our_route_is_there_and_batchspawners_is_not_in_whatever_order_they_come(imports: str) -> None:
    answer = shells.run([sys.executable, "-c", _ROUTES.format(imports=imports)])
    assert answer.lines == [r"/api/launches/([0-9a-f]{12})"]


def test_the_core_needs_neither_jupyterhub_nor_batchspawner() -> None:
    text = "import sys, slurm_ssh_spawner.launcher; print(*sys.modules)"
    (modules,) = shells.run([sys.executable, "-c", text]).lines
    assert {"jupyterhub", "batchspawner", "tornado", "traitlets"}.isdisjoint(modules.split())
