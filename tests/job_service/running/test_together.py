"""Jobs of one person that wait at once go to a site in few exchanges, and each as if it were sent alone."""

from collections import Counter

import pytest

from job_service.record import JobRecord
from job_service.running import routine
from job_service.stages import Stage
from job_service.store.values import Changes
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.transport import Completed, Late
from tests.job_service.running.crowd import Crowd, scripts_of
from tests.job_service.running.service import Service

JOBS = 12


@pytest.fixture(autouse=True)
def _nobody_else_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no routine find the jobs before they wait all together."""
    monkeypatch.setattr(routine, "SWEEP_SECONDS", 10**9)


async def _accepted(service: Service) -> list[JobRecord]:
    """Return jobs of which the service was not told yet."""
    return [await service.accept(is_told=False) for _ in range(JOBS)]


def _tell(service: Service, records: list[JobRecord]) -> None:
    """Have them all wait to be sent at the same moment."""
    for record in records:
        service.running.wake(record)


async def _ends(service: Service, records: list[JobRecord]) -> Counter[Stage]:
    return Counter([(await service.over(record)).stage for record in records])


async def test_jobs_that_wait_go_together_each_once(service: Service, site: Crowd) -> None:
    records = await _accepted(service)
    _tell(service, records)
    assert await _ends(service, records) == {Stage.SUCCESSFUL: JOBS}
    assert site.submissions == [JOBS]
    assert all(site.runs[record.job_id] == 1 for record in records)
    for record in records:
        assert "#SBATCH --job-name=job-hub-" + record.job_id in (
            await service.store.jobs.text(record.job_id) or ""
        )
        assert (await service.get(record)).attempts == 1


async def test_one_that_slurm_refuses_keeps_none_of_the_others(service: Service, site: Crowd) -> None:
    records = await _accepted(service)
    refused = records[2]
    site.refused.add(refused.job_id)
    _tell(service, records)
    assert await _ends(service, records) == {Stage.SUCCESSFUL: JOBS - 1, Stage.FAILED: 1}
    assert (await service.get(refused)).stage is Stage.FAILED
    assert not site.of(refused.job_id)
    assert all(len(site.of(record.job_id)) == 1 for record in records if record is not refused)


async def test_one_whose_folder_cannot_be_made_keeps_none_of_the_others(service: Service, site: Crowd) -> None:
    records = await _accepted(service)
    site.strange.add(records[1].job_id)
    _tell(service, records)
    assert await _ends(service, records) == {Stage.SUCCESSFUL: JOBS - 1, Stage.FAILED: 1}
    assert (await service.get(records[1])).attempts == 0


@pytest.mark.parametrize("mishap", ["before", "after", "killed", "late"])
async def test_all_whose_answer_is_lost_are_in_doubt_and_run_once(
    service: Service, site: Crowd, mishap: str
) -> None:
    records = await _accepted(service)
    lost: list[str] = []

    def first(_login: Login, program: str) -> str:
        if "/sbatch" not in program or lost:
            return ""
        lost.append(mishap)
        return mishap

    site.mishap = first
    _tell(service, records)
    assert await _ends(service, records) == {Stage.SUCCESSFUL: JOBS}
    assert all(site.runs[record.job_id] == 1 for record in records)


async def test_one_that_is_cancelled_before_it_is_sent_is_not(service: Service, site: Crowd) -> None:
    records = await _accepted(service)
    cancelled = await service.store.jobs.get(records[3].job_id)
    await service.running.cancel(cancelled)
    _tell(service, records)
    assert await _ends(service, records) == {Stage.SUCCESSFUL: JOBS - 1, Stage.CANCELED: 1}
    assert not site.of(cancelled.job_id)


async def test_one_that_changes_meanwhile_is_sent_all_the_same(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = await _accepted(service)
    change_all = service.store.jobs.change_all
    changed: list[JobRecord] = []

    async def after_somebody_else(wanted: list[tuple[JobRecord, Changes, str]]) -> list[JobRecord | None]:
        if len(wanted) > 1 and not changed:
            changed.append(wanted[0][0])
            await service.store.jobs.change(wanted[0][0], {"title": "another"})
        return await change_all(wanted)

    monkeypatch.setattr(service.store.jobs, "change_all", after_somebody_else)
    _tell(service, records)
    assert await _ends(service, records) == {Stage.SUCCESSFUL: JOBS}
    assert [(await service.get(each)).title for each in changed] == ["another"]
    assert all(len(site.of(record.job_id)) == 1 for record in records)


async def test_those_behind_which_slurm_is_too_slow_are_sent_by_themselves(service: Service, site: Crowd) -> None:
    does = site._sbatch

    def slow(login: Login, program: str, data: bytes) -> Completed:
        """Come to no more than one job before nobody waits any longer."""
        jobs = scripts_of(data.decode())
        if len(jobs) == 1:
            return does(login, program, data)
        site.submissions.append(len(jobs))
        mark, script = next(iter(jobs.items()))
        site._submitted(login, mark[-12:], script)
        raise Late("\n== sbatch\n")

    site.__dict__["_sbatch"], site.takes = slow, 0.3
    records = await _accepted(service)
    _tell(service, records)
    assert await _ends(service, records) == {Stage.SUCCESSFUL: JOBS}
    assert all(site.runs[record.job_id] == 1 for record in records)
    assert max([(await service.get(record)).attempts for record in records]) == 2
