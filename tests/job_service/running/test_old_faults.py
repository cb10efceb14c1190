"""What the older services did wrong with jobs on their way and at their end; each test is named after a fault."""

import asyncio
import base64
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from job_service.stages import Stage
from slurm_ssh.ssh.transport import Completed
from tests.job_service.running.crowd import Crowd
from tests.job_service.running.service import Service, holds, project_of_all


async def test_no_failed_state(service: Service, site: Crowd) -> None:
    site.ends = lambda _: 7 << 8
    done = await service.over(await service.accept())
    assert (done.stage, done.failed, done.exit_code) == (Stage.FAILED, True, 7)
    assert "exit status 7" in done.reason


async def test_a_job_absent_from_the_queue_was_completed(service: Service, site: Crowd) -> None:
    site.lasts = 10_000
    absent, another = await service.accept("alice"), await service.accept("bob")
    for record in (absent, another):
        await service.until(record, lambda job: job.stage is Stage.RUNNING)
    del site.jobs[site.of(absent.job_id)[0].number]
    assert (await service.over(absent)).stage is Stage.FAILED
    assert (await service.get(another)).stage is Stage.RUNNING


@pytest.mark.parametrize("answer", ["", "END|0\n", "JOBID|STATE|...\n", "Welcome to Geneva!\n"])
async def test_an_empty_answer_completed_all(service: Service, site: Crowd, answer: str) -> None:
    site.lasts = 10_000
    records = [await service.accept(owner) for owner in ("alice", "bob")]
    for record in records:
        await service.until(record, lambda job: job.stage is Stage.RUNNING)
    before = [await service.get(record) for record in records]
    site.squeue_says, asked = Completed(0, answer, ""), site.asked.total()
    began = site.clock.now()
    await holds(lambda: site.asked.total() - asked > 3 and site.clock.now() - began > timedelta(minutes=2))
    after = [await service.get(record) for record in records]
    assert [(each.stage, each.version) for each in after] == [(each.stage, each.version) for each in before]
    site.squeue_says, site.lasts = None, 0
    assert {(await service.over(record)).stage for record in records} == {Stage.SUCCESSFUL}


async def test_a_crash_between_submit_and_store_lost_the_job(service: Service, site: Crowd) -> None:
    never = asyncio.Event()
    site.held = lambda _, program: never if "/sbatch" in program else None
    record = await service.accept()
    await holds(lambda: bool(site.of(record.job_id)))
    assert (await service.get(record)).native_id is None
    await service.stop()
    await service.start()
    done = await service.over(record)
    assert (done.stage, done.attempts, len(site.jobs)) == (Stage.SUCCESSFUL, 1, 1)
    assert site.runs[record.job_id] == 1


async def test_the_used_time_refunded_instead_of_the_unused(service: Service, site: Crowd) -> None:
    number = await project_of_all(service)
    record = await service.accept(project="neuro", project_id=number, limit_s=3600)
    done = await service.over(record)
    project = await service.store.projects.get("geneva", "neuro")
    quota = await service.store.ledger.quota(project, "alice")
    assert done.elapsed_s == site.of(record.job_id)[0].used == 20
    assert (quota.time_left, project.time_left) == (project.user_time - 20, project.init_time - 20)


async def test_session_ids_in_the_database_and_on_command_lines(
    service: Service, site: Crowd, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a program, which everybody at the front end sees, nor in a script, a database or a log."""
    caplog.set_level(logging.DEBUG)
    site.lasts = 10_000
    record = await service.accept()
    await service.until(record, lambda job: job.stage is Stage.RUNNING)
    assert record.job_id in site.tickets
    ticket = service.reader.read("alice")
    forms = {ticket.decode(), base64.b64encode(ticket).decode(), ticket.hex()}
    said = [caplog.text, await service.running.script(record), *(program for _, program in site.programs)]
    assert all([each for each in said if word in each] for word in ("#SBATCH", "/sbatch", "/squeue", "mkdir"))
    assert not [each for each in said for form in forms if form in each]
    kept = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert record.job_id.encode() in kept
    assert not [form for form in forms if form.encode() in kept]


async def test_cancel_marked_a_finished_job_cancelled(service: Service, site: Crowd) -> None:
    site.lasts = 10_000
    record = await service.accept()
    await service.until(record, lambda job: job.stage is Stage.RUNNING)
    # Nobody sees the end before the job is cancelled.
    site.is_silent = True
    site.end(site.of(record.job_id)[0], site.clock.now())
    assert (await service.running.cancel(record)).cancel_wanted
    site.is_silent = False
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
