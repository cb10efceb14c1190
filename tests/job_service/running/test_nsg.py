"""Jobs at NSG, which tells little and forgets what is cancelled: what goes wrong costs none."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from job_service.record import JobRecord
from job_service.stages import Stage
from tests.job_service.running.crowd import Crowd, FastClock
from tests.job_service.running.service import Service, holds
from tests.support import gateway_kinds, gateways
from tests.support.gateway_kinds import NSG, There, pieces


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    folder = tmp_path_factory.mktemp("nsg")
    with gateways.running("nsg", folder / "gateway", slots=4, **NSG.settings) as running:
        yield gateway_kinds.of_standin(NSG, running, folder)


@pytest.fixture
async def clock() -> FastClock:
    # It is asked once a minute.
    return FastClock(500.0)


@pytest.fixture
async def service(
    tmp_path: Path, url: str, site: Crowd, clock: FastClock, standin: There
) -> AsyncIterator[Service]:
    standin.breaks()
    made = Service(tmp_path, url, site, clock, gateways={"nsg": standin.entry})
    await made.start()
    yield made
    standin.breaks()
    await made.stop()


def _counted(service: Service, line: str = "true") -> str:
    return f"echo ran >>{service.folder}/runs; {line}"


async def _waiting(service: Service, line: str) -> JobRecord:
    """Return a job that only has to be started: its file is there."""
    spec = {"type": "at-nsg", "command": None, "system": "nsg", "inputs": ("job.zip",), "start": "later"}
    record = await service.accept(spec=spec, system="nsg", folder="", owner="heidi", stage=Stage.NEW)
    await service.running.prepare(record)
    data = NSG.inputs(line)["job.zip"]
    await service.files.put(record, "job.zip", pieces(data), len(data))
    return record


async def _sent(service: Service, line: str) -> JobRecord:
    record = await service.running.start(await _waiting(service, line))
    return await service.until(record, lambda job: job.submission == "sent")


async def _read(service: Service, record: JobRecord, path: str) -> bytes:
    async with service.files.get(record, path) as (_, chunks):
        return b"".join([chunk async for chunk in chunks])


async def test_a_job_is_sent_and_followed_to_its_end_and_needs_no_ticket(service: Service) -> None:
    service.reader.missing.add("heidi")
    began = time.monotonic()
    record = await _sent(service, "echo here; sleep 0.5")
    done = await service.over(record)
    assert (done.stage, done.exit_code, done.attempts) == (Stage.SUCCESSFUL, 0, 1)
    assert done.elapsed_s is not None
    assert done.elapsed_s <= time.monotonic() - began + 1
    assert await _read(service, done, "STDOUT") == b"here\n"
    async with service.files.log(done, "stdout", tail=1) as (_, chunks):
        assert b"".join([chunk async for chunk in chunks]) == b"here\n"
    assert not list((service.folder / "inputs").iterdir())


async def test_a_program_that_fails_is_a_job_that_failed(service: Service) -> None:
    done = await service.over(await _sent(service, "exit 7"))
    assert (done.stage, done.failed, done.exit_code) == (Stage.FAILED, True, 7)
    assert done.reason == "The job failed with exit code 7."


async def test_a_job_that_is_cancelled_is_gone_there_and_cancelled_here(service: Service, standin: There) -> None:
    record = await _sent(service, "sleep 600")
    await service.running.cancel(record)
    done = await service.over(record)
    assert (done.stage, done.failed, done.reason) == (Stage.CANCELED, False, "The job was cancelled.")
    assert standin.standin
    assert not (standin.standin.folder / (done.native_id or "")).exists()


async def test_a_job_that_ended_before_it_could_be_cancelled_keeps_its_results(
    service: Service, standin: There
) -> None:
    record = await _sent(service, "echo kept")
    standin.breaks(away="busy")
    assert standin.standin
    left = standin.standin.folder / (record.native_id or "") / "output/output.tar.gz"
    await holds(lambda: service.running.stand("nsg").is_stale and left.exists())
    await service.running.cancel(await service.get(record))
    standin.breaks()
    done = await service.over(record)
    assert (done.stage, done.exit_code) == (Stage.SUCCESSFUL, 0)
    assert await _read(service, done, "STDOUT") == b"kept\n"


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
async def test_an_answer_that_is_lost_costs_no_job_and_makes_no_second(
    service: Service, standin: There, ran: Callable[[], int], fault: str
) -> None:
    record = await _waiting(service, _counted(service))
    standin.breaks(submission=fault)
    await service.running.start(record)
    await service.until(record, lambda job: job.submission == "in_doubt")
    standin.breaks()
    done = await service.over(record)
    assert (done.stage, done.attempts) == (Stage.SUCCESSFUL, 2 if fault == "lost_before" else 1)
    assert ran() == 1


@pytest.mark.parametrize("away", ["closed", "busy"])
async def test_two_minutes_away_change_nothing(
    service: Service, standin: There, clock: FastClock, away: str
) -> None:
    record = await _sent(service, "sleep 3")
    standin.breaks(away=away)
    began = clock.now()
    await holds(lambda: clock.now() - began > timedelta(minutes=2) and service.running.is_stale(record))
    assert (await service.get(record)).stage is Stage.QUEUED
    standin.breaks()
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_one_that_ends_does_not_end_jobs_nor_lose_files_that_wait(
    service: Service, ran: Callable[[], int]
) -> None:
    record = await _sent(service, _counted(service, "sleep 1"))
    waiting = await _waiting(service, _counted(service))
    await service.stop()
    await service.start()
    await service.running.start(waiting)
    for each in (record, waiting):
        assert (await service.over(each)).stage is Stage.SUCCESSFUL
    assert ran() == 2


async def test_a_job_is_removed_there_and_what_waited_for_it_here(service: Service, standin: There) -> None:
    done = await service.over(await _sent(service, "true"))
    never = await service.running.cancel(await _waiting(service, "true"))
    for each in (done, never):
        await service.running.remove(each)
        await service.until(each, lambda job: job.removed is not None)
    assert standin.standin
    assert not (standin.standin.folder / (done.native_id or "")).exists()
    assert not list((service.folder / "inputs").iterdir())
