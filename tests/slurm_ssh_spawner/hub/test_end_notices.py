import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub

from slurm_ssh.job import JobReport, JobState, LaunchId, mark
from slurm_ssh.jobs import folders
from slurm_ssh_spawner.launch.clock import clock
from tests.support import builders, launching
from tests.support.launching import LaunchingHub, Person
from tests.support.waiting import until

_NOTICE = re.compile(r'<div class="[^"]*launch-notice"[^>]*>\s*(.*?)\s*</div>', re.DOTALL)


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    monkeypatch.setattr("slurm_ssh.jobs.ending._LOOK_SECONDS", 0.01)
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _ended(hub: LaunchingHub, number: int, server: str = "", *, log: str = "", was_up: bool = True) -> None:
    """Let a launch of alice's end."""
    launcher, catalogue = hub.core.launcher, hub.core.catalogue.current
    launch_id = LaunchId(f"{number:012x}")
    await launcher.records.begin(launch_id, builders.launch(catalogue), server=server)
    if was_up:
        launcher.records.reached(launch_id, "n1", 8888, 0)
    job = builders.job(launch_id=launch_id, job_id=str(number), mark=mark("jupyter", "hub", launch_id))
    path = Path(folders.log_path(catalogue.sites["geneva"], "alice", launch_id))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(log)
    before = len(launcher.notices("alice"))
    launcher.endings.seen(job, JobReport(JobState.ENDED, "TIMEOUT"))
    await until(lambda: len(launcher.notices("alice")) > before)


async def _told(person: Person, path: str) -> list[str]:
    return _NOTICE.findall((await person.page(path)).text)


async def test_an_end_stands_on_every_page_until_that_server_is_started_again(hub: LaunchingHub) -> None:
    alice, bob = await hub.person("alice"), await hub.person("bob")
    await _ended(hub, 1)
    await _ended(hub, 2, "south")
    for path in ("spawn", "spawn/alice/south", "token"):
        south, default = await _told(alice, path)
        assert default.startswith("Your server at Geneva ended at ")
        assert default.endswith(". The job&#39;s time limit was up.")
        assert south.startswith("Your server south at Geneva ended at ")
    assert await _told(bob, "token") == []
    await alice.send([("profile", "jupyterlab")], "south")
    (left,) = await _told(alice, "token")
    assert left.startswith("Your server at Geneva ended at ")


async def test_when_it_ended_is_left_to_the_readers_clock(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _ended(hub, 1)
    (record,) = await hub.core.launcher.records.last_ended(datetime.min.replace(tzinfo=UTC))
    assert record.ended
    (told,) = await _told(alice, "token")
    time = f'<time datetime="{record.ended.isoformat(timespec="seconds")}">{clock(record.ended)}</time>'
    assert told.startswith(f"Your server at Geneva ended at {time}. ")


async def test_whatever_a_job_has_written_is_text(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _ended(hub, 1, log="<script>alert(1)</script>\n<b>bold</b>\n")
    (told,) = await _told(alice, "token")
    assert (
        '<pre class="mb-0" tabindex="0">&lt;script&gt;alert(1)&lt;/script&gt;\n&lt;b&gt;bold&lt;/b&gt;</pre>'
        in told
    )


async def test_how_a_start_ended_is_not_said_twice_on_one_page(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await _ended(hub, 1, was_up=False)
    await _ended(hub, 2, "south")
    assert len(await _told(alice, "token")) == 2
    answer = await alice.send([("profile", "jupyterlab"), ("time", "99h")], "east")
    assert "spawn-error-msg" in answer.text
    (told,) = _NOTICE.findall(answer.text)
    assert told.startswith("Your server south at Geneva ended at ")
