"""A job that reports with the token that its start gave it, as it finds it in its environment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from jupyterhub.app import JupyterHub

from lab.plain_http import NO_TLS
from tests.support import launching
from tests.support.launching import LaunchingHub
from tests.support.waiting import until


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        (hub.local.slurm / "refusal").unlink()
        yield hub


def _environ(hub: LaunchingHub) -> dict[str, str]:
    """Return what the submitted job has in its environment."""
    lines = hub.local.told("sbatch.environ").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


async def _report(hub: LaunchingHub, launch_id: str, token: str, **said: object) -> int:
    url = f"{hub.app.hub.url}api/launches/{launch_id}"
    async with httpx.AsyncClient(verify=NO_TLS, timeout=60, trust_env=False) as client:
        answer = await client.post(url, headers={"Authorization": f"token {token}"}, json=said)
    return answer.status_code


async def _ask(hub: LaunchingHub, method: str, server: str, token: str) -> int:
    url = f"{hub.app.hub.url}api/users/alice/{f'servers/{server}' if server else 'server'}"
    async with httpx.AsyncClient(verify=NO_TLS, timeout=60, trust_env=False) as client:
        return (await client.request(method, url, headers={"Authorization": f"token {token}"})).status_code


async def test_the_token_of_a_start_reports_and_no_other(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    starting = asyncio.create_task(alice.call("POST", json={}))
    await until(lambda: hub.local.told("submissions") != "")
    spawner, token = alice.user.spawners[""], _environ(hub)["JUPYTERHUB_API_TOKEN"]
    launch_id = spawner._job.launch_id
    queued = f"42|{{}}|alice|None|jupyter-hub-{launch_id}\n"
    hub.local.tell("queue", queued.format("PENDING|n/a"))
    for other in (alice.user.new_api_token(scopes=["read:users:name!user"]), alice.user.new_api_token()):
        assert await _report(hub, launch_id, other, stage="failed", text="Bob says so.") == 403
    assert await _report(hub, launch_id, token, stage="modules", text="python") == 204
    for method, server in (("POST", "south"), ("DELETE", ""), ("POST", "")):
        assert await _ask(hub, method, server, token) == 403
    assert [stage.name for stage in spawner._progress.stages] == ["modules"]
    assert await _report(hub, launch_id, token, stage="failed", text="No module.") == 204
    hub.local.tell("queue", queued.format("FAILED|n1"))
    status, said = await starting
    assert (status, "No module." in said) == (400, True)
