"""The whole way of a notebook at a site whose jobs PBS runs: from the form to a job, to its server, to its end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyterhub.app import JupyterHub

from lab.plain_http import NO_TLS
from slurm_ssh_spawner.hub.shared import SETTING, Hub
from tests.support import builders, composing, launching
from tests.support.launching import LaunchingHub
from tests.support.ports import free_port
from tests.support.small_pbs import PbsSite
from tests.support.small_pbs import site as pbs_site
from tests.support.waiting import until
from tests.support.whole_job import stub


@pytest.fixture
def pbs(tmp_path: Path) -> PbsSite:
    return PbsSite(tmp_path)


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pbs: PbsSite
) -> AsyncIterator[LaunchingHub]:
    monkeypatch.setattr("slurm_ssh.core.ABSENT_SECONDS", 0.01)
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        catalogue = builders.live(
            tmp_path,
            sites={"geneva": pbs_site(pbs, tunnel={"kind": "ssh"})},
            profiles={"hello": builders.profile(name="Hello", command=stub("answer"))},
        )
        tickets: Any = launching.Tickets()
        url, ports = f"sqlite:///{tmp_path}/launches.sqlite", (free_port(),)
        shared = composing.hub(catalogue, tickets, url, pbs, ports)
        hub.app.tornado_settings[SETTING] = shared
        yield hub
        await shared.launcher.close()


async def test_a_notebook_is_started_by_the_form_answers_and_is_stopped(hub: LaunchingHub, pbs: PbsSite) -> None:
    alice = await hub.person("alice")
    shared: Hub = hub.core
    page = (await alice.page("spawn/alice")).text
    assert "Hello" in page
    assert "workq" in page
    fields = [("profile", "hello"), ("site", "geneva"), ("partition", "short"), ("cores", "2")]
    answer = await alice.post("spawn/alice", fields, follow=False)
    assert answer.status_code == 302, launching.told(answer.text)
    await until(lambda: bool(alice.user.spawners[""].ready))
    ((number, said),) = pbs.jobs.items()
    assert (said["job_state"], said["queue"], said["Account_Name"]) == ("R", "short", "physics")
    assert said["Resource_List"]["select"] == "1:ncpus=2:mem=1024mb"
    async with httpx.AsyncClient(verify=NO_TLS, trust_env=False) as browser:
        assert (await browser.get(alice.user.spawners[""].server.url)).text == "hello\n"
    assert "Geneva" in (await alice.page("home")).text
    (status, _) = await alice.call("DELETE")
    assert status in {202, 204}
    await until(lambda: pbs.jobs[number]["job_state"] == "F")
    await until(lambda: not alice.user.spawners[""].active)
    assert shared.launcher.routes() == ()
    assert [path.suffix for path in (pbs.home / "alice" / "jobs").iterdir()] == [".log"]
