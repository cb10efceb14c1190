"""Arrays: sent once, each task with its own end, the array's stage made of theirs."""

from datetime import timedelta

import pytest

from job_service.errors import WrongStage
from job_service.record import JobRecord
from job_service.running import observing
from job_service.stages import Stage
from tests.job_service.running.crowd import Crowd, SlurmJob
from tests.job_service.running.service import Service, project_of_all
from tests.job_service.running.test_running import is_at, losing


def _status(fails: int) -> object:
    def status(job: SlurmJob) -> int:
        return 7 << 8 if job.task == fails else 0

    return status


async def _all(service: Service, array: JobRecord) -> list[JobRecord]:
    return list(await service.store.jobs.tasks(array.job_id))


async def test_one_failing_and_one_cancelled_leave_the_others_alone(service: Service, site: Crowd) -> None:
    site.ends = _status(3)  # type: ignore[assignment]
    site.waits = 10**6
    number = await project_of_all(service)
    (project,) = await service.store.projects.all()
    array, own = await service.accept_array(40, project="neuro", project_id=number)
    task = await service.until(own[5], is_at(Stage.QUEUED))
    assert task.native_id == "101_5"
    await service.running.cancel(task)
    await service.until(task, is_at(Stage.CANCELED))
    site.waits = 1
    done = await service.over(array)
    found = await _all(service, array)
    stages = [each.stage for each in found]
    assert (stages[3], stages[5]) == (Stage.FAILED, Stage.CANCELED)
    assert stages.count(Stage.SUCCESSFUL) == 38
    assert (found[3].exit_code, found[4].exit_code, found[5].started) == (7, 0, None)
    assert (done.stage, done.failed, done.native_id, done.attempts) == (Stage.FAILED, True, "101", 1)
    assert "38 were successful, 1 failed, 1 were cancelled" in done.reason
    assert {name: count for name, count in site.runs.items() if count != 1} == {}
    assert len(site.runs) == 39
    entries = (await service.store.ledger.entries(project, limit=500)).items
    assert array.job_id not in {each.job_id for each in entries}
    charged = {each.job_id: -each.seconds for each in entries if each.kind == "charge"}
    assert charged == {each.job_id: 20 for each in found if each.task != 5}
    assert sum(each.seconds for each in entries if each.kind in {"hold", "release"}) == 0


async def test_an_array_is_sent_once_whatever_is_lost(service: Service, site: Crowd) -> None:
    losing("/sbatch", "after", site)
    array, own = await service.accept_array(3)
    done = await service.over(array)
    assert (done.stage, done.native_id, done.attempts) == (Stage.SUCCESSFUL, "101", 1)
    assert [each.native_id for each in await _all(service, array)] == ["101_0", "101_1", "101_2"]
    assert set(site.runs) == {f"{array.job_id}.{each.task}" for each in own}


async def test_a_doubt_about_one_that_has_ended_is_settled_by_what_its_tasks_left(
    service: Service, site: Crowd
) -> None:
    losing("/sbatch", "after", site)
    site.waits, site.lasts, site.forgets = 1, 1, 0
    array, _ = await service.accept_array(3)
    done = await service.over(array)
    assert (done.stage, done.attempts) == (Stage.SUCCESSFUL, 1)
    assert {each.stage for each in await _all(service, array)} == {Stage.SUCCESSFUL}


async def test_all_of_an_array_are_cancelled_at_once(service: Service, site: Crowd) -> None:
    site.lasts = 10**6
    array, own = await service.accept_array(4)
    running = await service.until(array, is_at(Stage.RUNNING))
    await service.until(own[0], is_at(Stage.RUNNING))
    await service.running.cancel(await service.get(running))
    done = await service.over(array)
    assert done.stage is Stage.CANCELED
    found = await _all(service, array)
    assert {each.stage for each in found} == {Stage.CANCELED}
    assert {each.reason for each in found} == {"The job was cancelled."}
    (cancels,) = {program for _, program in site.programs if "/scancel" in program}
    assert cancels.count("/scancel") == 1


async def test_an_array_that_was_never_sent_is_cancelled_with_its_tasks(service: Service, site: Crowd) -> None:
    site.is_away = True
    array, own = await service.accept_array(3)
    await service.running.cancel(await service.get(array))
    for each in own:
        assert (await service.over(each)).stage is Stage.CANCELED
    assert not site.jobs


async def test_one_that_is_refused_fails_with_its_tasks(service: Service, site: Crowd) -> None:
    site.refuses = "Batch job submission failed: Invalid job array specification"
    array, own = await service.accept_array(3)
    done = await service.over(array)
    for each in own:
        over = await service.over(each)
        assert (over.stage, over.reason, over.native_id) == (Stage.FAILED, done.reason, None)


async def test_tasks_that_ended_while_the_service_was_down_are_learned_of(service: Service, site: Crowd) -> None:
    site.waits, site.lasts = 10**6, 60
    site.ends = _status(1)  # type: ignore[assignment]
    array, own = await service.accept_array(3)
    await service.until(own[2], is_at(Stage.QUEUED))
    await service.stop()
    site.forgets, site.waits = 0, 1
    await site.clock.wait(300)
    site.goes_on()
    await service.start()
    done = await service.over(array)
    assert done.stage is Stage.FAILED
    assert [each.stage for each in await _all(service, array)] == [
        Stage.SUCCESSFUL,
        Stage.FAILED,
        Stage.SUCCESSFUL,
    ]


async def test_the_accounting_tells_of_tasks(service: Service, site: Crowd) -> None:
    site.accounting, site.forgets = True, 0
    site.waits, site.lasts = 30, 1
    array, _ = await service.accept_array(3)
    assert (await service.over(array)).stage is Stage.SUCCESSFUL
    assert [each.elapsed_s for each in await _all(service, array)] == [1, 1, 1]


async def test_one_task_can_be_held_and_released(service: Service, site: Crowd) -> None:
    site.waits = 10**6
    array, own = await service.accept_array(3)
    task = await service.until(own[1], is_at(Stage.QUEUED))
    await service.running.hold(task)
    task = await service.until(task, is_at(Stage.HELD))
    assert (await service.get(own[0])).stage is Stage.QUEUED
    await service.running.release(task)
    await service.until(task, is_at(Stage.QUEUED))
    assert (await service.get(array)).stage is Stage.QUEUED


async def test_what_is_done_with_the_array_is_not_done_with_a_task(service: Service) -> None:
    array, own = await service.accept_array(2, stage=Stage.NEW)
    for act in (service.running.start, service.running.remove, service.running.prepare):
        with pytest.raises(WrongStage, match=array.job_id):
            await act(own[0])
    await service.running.start(await service.get(array))
    done = await service.over(array)
    await service.running.remove(done)
    for each in own:
        await service.until(each, is_at(Stage.DELETED))
    removed = await service.until(array, lambda job: job.removed is not None)
    assert removed.stage is Stage.DELETED


async def test_the_ticket_stays_until_the_last_task_is_over(service: Service, site: Crowd) -> None:
    site.ends = _status(9)  # type: ignore[assignment]
    site.lasts = 10**6
    array, _ = await service.accept_array(2)
    await service.until(array, is_at(Stage.RUNNING))
    assert array.job_id in site.tickets
    site.lasts = 1
    await service.over(array)
    await service.until(array, lambda _: array.job_id not in site.tickets)


async def test_tasks_cancelled_at_the_site_before_they_began_are_canceled(service: Service, site: Crowd) -> None:
    site.waits = 10**6
    array, own = await service.accept_array(3)
    for each in own:
        await service.until(each, is_at(Stage.QUEUED))
    first, *rest = sorted(site.of(array.job_id), key=lambda job: job.task or 0)
    site.cancel(first)
    gone = await service.until(own[0], is_at(Stage.CANCELED))
    assert "at the site" in gone.reason
    assert (await service.get(own[1])).stage is Stage.QUEUED
    for job in rest:
        site.cancel(job)
    done = await service.over(array)
    assert (done.stage, {each.stage for each in await _all(service, array)}) == (Stage.CANCELED, {Stage.CANCELED})


async def test_a_task_that_goes_on_after_it_was_given_up_is_cancelled_alone(service: Service, site: Crowd) -> None:
    site.lasts = 10**6
    array, own = await service.accept_array(3)
    for each in own:
        await service.until(each, is_at(Stage.RUNNING))
    now = site.clock.now()
    given_up = observing.over(Stage.FAILED, "gave up", now, timedelta(hours=1))
    await service.store.jobs.change(await service.get(own[1]), given_up.changes, given_up.event)
    await service.stop()
    await service.start()
    job = next(job for job in site.of(array.job_id) if job.task == 1)
    await service.until(array, lambda _: job.word == "CANCELLED")
    assert [each.word for each in site.of(array.job_id) if each.task != 1] == ["RUNNING"] * 2
    assert [(await service.get(each)).stage for each in (own[0], own[2])] == [Stage.RUNNING] * 2
