import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from slurm_ssh.job import Job, JobReport, JobState, LaunchId, mark
from slurm_ssh.jobs import folders
from slurm_ssh_spawner.launch import endings
from slurm_ssh_spawner.launch.clock import clock
from slurm_ssh_spawner.launch.endings import Endings
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
from tests.support import builders, composing
from tests.support.local import LocalSite
from tests.support.waiting import until

_TIMEOUT = JobReport(JobState.ENDED, "TIMEOUT")
_FAILED = JobReport(JobState.ENDED, "FAILED")


class _Hub:
    """What a hub has of launches that end, at a site on this machine."""

    def __init__(self, local: LocalSite) -> None:
        here = {"slurm_path": str(local.slurm), "job_folder": f"{local.home}/{{owner}}/jobs"}
        self.catalogue: Catalogue = builders.catalogue(sites={"geneva": builders.site(**here)})
        self.local = local
        self.records = LaunchRecords(f"sqlite:///{local.home}/launches")
        self._core = composing.core(self.catalogue.sites, composing.NoTickets(KeyError()), self.records, local)
        self.endings = Endings(self._core, self.records)

    async def began(self, number: int = 1, server: str = "", *, was_up: bool = True, user: str = "alice") -> Job:
        launch_id = LaunchId(f"{number:012x}")
        self.endings.begun(user, server)
        await self.records.begin(launch_id, builders.launch(self.catalogue, user=user), server=server)
        self.records.submitted(launch_id, str(number))
        if was_up:
            self.records.reached(launch_id, "n1", 8888, 0)
        return builders.job(
            launch_id=launch_id, job_id=str(number), mark=mark("jupyter", "hub", launch_id), user=user, owner=user
        )

    async def ended(self, job: Job, report: JobReport = _TIMEOUT) -> LaunchRecord:
        self.endings.seen(job, report)
        while self.endings._telling:
            await asyncio.wait(self.endings._telling)
        return await self.record(job)

    async def record(self, job: Job) -> LaunchRecord:
        await self.records.settled()
        found = await self.records.get(job.launch_id)
        assert found
        return found

    def told(self, user: str = "alice") -> list[str]:
        return [str(notice) for notice in self.endings.notices(user)]

    async def close(self) -> None:
        await self.endings.close()
        await self._core.close()
        await self.records.close()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.ending._LOOK_SECONDS", 0.01)


@pytest.fixture
async def hub(local: LocalSite) -> AsyncIterator[_Hub]:
    hub = _Hub(local)
    yield hub
    await hub.close()


async def test_an_end_is_kept_with_its_reason_and_the_end_of_its_log(hub: _Hub) -> None:
    job = await hub.began()
    log = Path(folders.log_path(hub.catalogue.sites["geneva"], "alice", job.launch_id))
    log.parent.mkdir(parents=True)
    log.write_text("one\n\x1b[1mtwo\x07\n")
    hub.local.tell("job", f"JobId=1 JobName={job.mark} JobState=TIMEOUT TimeLimit=02:00:00\n")
    record = await hub.ended(job)
    assert (record.end_reason, record.end_log) == ("The job's time limit of 2h was up.", "one\ntwo")
    (notice,) = hub.endings.notices("alice")
    assert record.ended
    assert notice.sentence == (
        f"Your server at Geneva ended at {clock(record.ended)}. The job's time limit of 2h was up."
    )
    assert notice.log == "one\ntwo"


async def test_what_is_kept_of_a_log_is_short(hub: _Hub) -> None:
    job = await hub.began()
    log = Path(folders.log_path(hub.catalogue.sites["geneva"], "alice", job.launch_id))
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"{'x' * 1000}{number}\n" for number in range(20)))
    record = await hub.ended(job)
    assert len(record.end_log) == 4000
    assert record.end_log.endswith("x19")


async def test_slurms_word_is_kept_at_once(hub: _Hub) -> None:
    job = await hub.began()
    hub.local.holds = [asyncio.Event()]
    (held,) = hub.local.holds
    hub.endings.seen(job, _TIMEOUT)
    record = await hub.record(job)
    assert (record.end_reason, hub.told()) == ("TIMEOUT", [])
    assert record.ended
    held.set()
    await until(lambda: hub.told() != [])


async def test_an_end_is_one_line_of_the_log(hub: _Hub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "slurm_ssh_spawner")
    job = await hub.began()
    first = hub.endings.seen(job, _FAILED)
    assert hub.endings.seen(job, _FAILED) is first
    await hub.ended(job, _FAILED)
    hub.records.stopped(job)
    await hub.ended(job, _FAILED)
    assert [line for line in caplog.messages if "ended" in line] == [
        f"{job.mark}, job 1 at geneva for alice, ended (FAILED): Slurm at Geneva does not say why the job ended."
    ]


async def test_who_stopped_a_server_knows_it(hub: _Hub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "slurm_ssh_spawner")
    job = await hub.began()
    await hub.records.want_stop(job.launch_id)
    hub.records.stopped(job)
    await until(lambda: "ended (CANCELLED): stopped" in caplog.text)
    assert hub.told() == []
    assert (await hub.record(job)).end_reason == "stopped"


async def test_a_reason_that_was_announced_counts(hub: _Hub) -> None:
    job = await hub.began()
    hub.records.will_end(job.launch_id, "It was stopped by ruth, an administrator of the hub.")
    await hub.records.want_stop(job.launch_id)
    hub.records.stopped(job)
    await until(lambda: hub.told() != [])
    (told,) = hub.told()
    assert told.endswith("It was stopped by ruth, an administrator of the hub.")
    hub.records.will_end(job.launch_id, "Something else.")
    hub.records.explain(job.launch_id, "CANCELLED", "The job was cancelled at Geneva by alice.", "")
    assert (await hub.record(job)).end_reason == "It was stopped by ruth, an administrator of the hub."


async def test_a_named_server_is_named_and_one_that_never_came_up_did_not(hub: _Hub) -> None:
    await hub.ended(await hub.began(1, "south"))
    await hub.ended(await hub.began(2, "east", was_up=False))
    east, south = hub.told()
    assert south.startswith("Your server south at Geneva ended at ")
    assert east.startswith("Your server east at Geneva did not come up; the start was over at ")
    assert [notice.never_up for notice in hub.endings.notices("alice")] == [True, False]


async def test_a_server_that_is_started_again_has_no_end_any_more(hub: _Hub) -> None:
    first = await hub.began(1)
    await hub.ended(await hub.began(2, "south"))
    await hub.began(3)
    await hub.ended(first)
    assert [told.split(" at ")[0] for told in hub.told()] == ["Your server south"]
    await hub.began(4, "south")
    assert hub.told() == []


async def test_nobody_is_told_of_somebody_elses_servers(hub: _Hub) -> None:
    await hub.ended(await hub.began())
    assert hub.told("bob") == []
    assert len(hub.told()) == 1


async def test_an_end_is_told_for_a_day(hub: _Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    await hub.ended(await hub.began())
    assert len(hub.told()) == 1
    monkeypatch.setattr(endings, "_TOLD", timedelta(0))
    assert hub.told() == []


async def test_what_ended_before_the_hub_started_is_told_too(hub: _Hub) -> None:
    await hub.ended(await hub.began(1))
    await hub.began(2)
    hub.records.end(LaunchId(f"{2:012x}"), "NODE_FAIL")
    await hub.ended(await hub.began(3, "south"))
    await hub.began(4, "south")
    await hub.began(5, user="bob")
    await hub.records.want_stop(LaunchId(f"{5:012x}"))
    hub.records.end(LaunchId(f"{5:012x}"), "CANCELLED")
    await hub.records.settled()
    later = _Hub(hub.local)
    await later.endings.recall()
    (told,) = later.told()
    assert told.startswith("Your server at Geneva ended at ")
    assert told.endswith(". A node of the job failed.")
    assert later.told("bob") == []
    await later.close()


async def test_a_database_that_is_away_tells_nothing_and_breaks_nothing(
    hub: _Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.records.worker.AGAIN_SECONDS", 0.01)
    job = await hub.began()
    await hub.records.settled()
    database = tmp_path / "launches"
    database.rename(tmp_path / "away")
    hub.endings.seen(job, _TIMEOUT)
    await hub.endings.recall()
    assert hub.told() == []
    (tmp_path / "away").rename(database)
    await until(lambda: hub.told() != [])


async def test_a_site_that_is_gone_is_why_nothing_is_known(hub: _Hub) -> None:
    job = await hub.began()
    sites: Any = hub.catalogue.sites
    sites.clear()
    record = await hub.ended(job)
    assert record.end_reason.startswith("The site geneva is no longer in the catalogue.")
    assert hub.told()[0].startswith("Your server at geneva ended at ")


@pytest.mark.parametrize(("days", "said"), [(0, "{:%H:%M %Z}"), (1, "{:%a %H:%M %Z}")])
def test_a_moment_has_its_zone_and_on_another_day_its_weekday(days: int, said: str) -> None:
    now = datetime.now(UTC)
    moment = (now + timedelta(days=days)).astimezone()
    assert clock(moment, now) == said.format(moment)
