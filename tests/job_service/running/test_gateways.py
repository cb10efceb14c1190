"""Jobs at a gateway, from when they are accepted to when their files are removed: what goes wrong costs none."""

import asyncio
import contextlib
import io
import sqlite3
import tarfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from job_service.errors import NotFound, TooLarge, WrongStage
from job_service.record import JobRecord
from job_service.stages import Stage
from job_service.store.accounting import NewProject
from slurm_ssh.errors import Unavailable
from tests.job_service.running.crowd import Crowd, FastClock
from tests.job_service.running.service import Service, a_site, holds
from tests.support import gateway_kinds, gateways
from tests.support.gateway_kinds import UNICORE, There, pieces
from tests.support.waiting import is_over


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    folder = tmp_path_factory.mktemp("unicore")
    with gateways.running("unicore", folder / "gateway", slots=4) as running:
        yield gateway_kinds.of_standin(UNICORE, running, folder)


@pytest.fixture
async def clock() -> FastClock:
    # What is asked here runs at its own pace.
    return FastClock(100.0)


@pytest.fixture
async def service(
    tmp_path: Path, url: str, site: Crowd, clock: FastClock, standin: There
) -> AsyncIterator[Service]:
    standin.breaks()
    made = Service(tmp_path, url, site, clock, gateways={"daint": {"own_lines": True, **standin.entry}})
    await made.start()
    yield made
    standin.breaks()
    await made.stop()


async def _accept(service: Service, line: str, stage: Stage = Stage.READY, **spec: Any) -> JobRecord:
    values = {"system": "daint", "folder": "", "owner": "heidi", "stage": stage}
    return await service.accept(spec={"system": "daint", "line": line, **spec}, **values)


def _counted(service: Service, line: str = "true") -> str:
    return f"echo ran >>{service.folder}/runs; {line}"


def _is(*stages: Stage) -> Callable[[JobRecord], bool]:
    return lambda job: job.stage in stages


async def _read(service: Service, record: JobRecord, path: str) -> bytes:
    async with service.files.get(record, path) as (_, chunks):
        return b"".join([chunk async for chunk in chunks])


# -- sent, followed, ended -------------------------------------------------------------------------------------


async def test_a_job_is_sent_and_followed_to_its_end(service: Service) -> None:
    record = await _accept(service, 'echo "$JOB_ID"; sleep 0.5')
    done = await service.over(record)
    assert (done.stage, done.exit_code, done.submission, done.attempts) == (Stage.SUCCESSFUL, 0, "sent", 1)
    assert done.native_id
    assert done.ended
    assert done.remove_after == done.ended + timedelta(days=28)
    stages = await service.events(record)
    assert stages[:2] == [Stage.READY, Stage.QUEUED]
    assert stages[-1] is Stage.SUCCESSFUL
    assert await _read(service, done, "stdout") == f"{record.job_id}\n".encode()
    assert "echo" not in await service.running.script(done)


async def test_nobody_needs_a_ticket(service: Service) -> None:
    service.reader.missing.add("heidi")
    record = await service.until(await _accept(service, "sleep 600"), _is(Stage.RUNNING))
    # Of her own no ticket is kept for it.
    await service.accept("alice", stage=Stage.NEW)
    held = service.folder / ".hold-jobs"
    await holds(lambda: held.exists() and "alice" in held.read_text())
    assert "heidi" not in held.read_text()
    await service.running.cancel(record)
    assert (await service.over(record)).stage is Stage.CANCELED


async def test_a_job_that_fails_says_how(service: Service) -> None:
    done = await service.over(await _accept(service, "exit 7"))
    assert (done.stage, done.failed, done.exit_code) == (Stage.FAILED, True, 7)
    assert done.reason == "The job failed with exit code 7."


async def test_what_ran_is_charged_and_no_more_than_was_held(service: Service) -> None:
    wanted = NewProject("daint", "neuro", init_time=10**6, user_time=10**6, is_open=True)
    project = await service.store.projects.add(wanted, "ruth")
    values = {"system": "daint", "folder": "", "owner": "heidi", "project": "neuro", "project_id": project.id}
    began = time.monotonic()
    record = await service.accept(spec={"system": "daint", "line": "sleep 1"}, **values)
    assert (await service.store.ledger.quota(project, "heidi")).time_left == 10**6 - 3600
    done = await service.over(record)
    assert done.elapsed_s is not None
    assert 0 <= done.elapsed_s <= time.monotonic() - began + 1
    assert (await service.store.ledger.quota(project, "heidi")).time_left == 10**6 - done.elapsed_s


async def test_those_at_sites_go_on_beside_them(service: Service, site: Crowd) -> None:
    there, here = await _accept(service, "true"), await service.accept()
    assert {(await service.over(each)).stage for each in (there, here)} == {Stage.SUCCESSFUL}
    assert (await service.get(here)).native_id == "101"
    assert len(site.jobs) == 1


# -- cancelled, held, removed ----------------------------------------------------------------------------------


async def test_a_job_that_runs_is_cancelled(service: Service) -> None:
    record = await service.until(await _accept(service, "sleep 600"), _is(Stage.RUNNING))
    assert (await service.running.cancel(record)).cancel_wanted
    done = await service.over(record)
    assert (done.stage, done.failed, done.reason) == (Stage.CANCELED, False, "The job was cancelled.")


async def test_a_job_that_failed_before_it_could_be_cancelled_has_failed(
    service: Service, standin: There, tmp_path: Path
) -> None:
    pid, go = tmp_path / "pid", tmp_path / "go"
    line = f"echo $$ >{pid}; until [ -e {go} ]; do sleep 0.05; done; exit 7"
    record = await service.until(await _accept(service, line), _is(Stage.RUNNING))
    standin.breaks(away="busy")
    await holds(lambda: service.running.stand("daint").is_stale)
    await service.running.cancel(await service.get(record))
    assert service.running.owes(await service.get(record)) == (
        "The job will be cancelled as soon as Daint can be told."
    )
    await holds(pid.exists)
    go.touch()
    await holds(lambda: is_over(int(pid.read_text())))
    standin.breaks()
    done = await service.over(record)
    assert (done.stage, done.exit_code) == (Stage.FAILED, 7)


async def test_a_job_that_was_not_sent_is_cancelled_at_once(service: Service, ran: Callable[[], int]) -> None:
    record = await _accept(service, _counted(service), stage=Stage.NEW)
    await service.running.prepare(record)
    assert (await service.running.cancel(record)).stage is Stage.CANCELED
    assert ran() == 0


async def test_no_job_is_held(service: Service) -> None:
    record = await service.until(await _accept(service, "sleep 600"), _is(Stage.RUNNING))
    with pytest.raises(WrongStage, match="Daint cannot hold jobs"):
        await service.running.hold(record)
    await service.running.cancel(record)


async def test_a_job_is_removed_with_its_files(service: Service, standin: There) -> None:
    done = await service.over(await _accept(service, "echo x >result"))
    assert standin.standin
    folder = standin.standin.folder / (done.native_id or "")
    assert folder.is_dir()
    await service.running.remove(done)
    await service.until(done, lambda job: job.removed is not None)
    assert not folder.exists()


async def test_a_removal_is_owed_while_the_gateway_is_away(service: Service, standin: There) -> None:
    done = await service.over(await _accept(service, "true"))
    standin.breaks(away="busy")
    removed = await service.running.remove(done)
    await holds(lambda: bool(service.running.owes(removed)))
    assert service.running.stand("daint").owed == 1
    standin.breaks()
    await service.until(done, lambda job: job.removed is not None)


# -- answers that are lost, outages, restarts --------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
async def test_an_answer_that_is_lost_costs_no_job_and_makes_no_second(
    service: Service, standin: There, ran: Callable[[], int], fault: str
) -> None:
    record = await _accept(service, _counted(service), stage=Stage.NEW)
    await service.running.prepare(record)
    standin.breaks(submission=fault)
    await service.running.start(record)
    await service.until(record, lambda job: job.submission == "in_doubt")
    standin.breaks()
    done = await service.over(record)
    assert done.stage is Stage.SUCCESSFUL
    assert done.attempts == (2 if fault == "lost_before" else 1)
    assert ran() == 1


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
async def test_a_place_that_was_made_though_nobody_heard_is_used(
    service: Service, standin: There, ran: Callable[[], int], fault: str
) -> None:
    standin.breaks(submission=fault)
    record = await _accept(service, _counted(service))
    await service.until(record, lambda job: "could not be sent yet" in job.reason or job.submission != "none")
    standin.breaks()
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
    assert ran() == 1


async def test_a_job_that_never_arrives_is_given_up(service: Service, standin: There) -> None:
    record = await _accept(service, "true", stage=Stage.NEW)
    await service.running.prepare(record)
    standin.breaks(submission="lost_before")
    await service.running.start(record)
    done = await service.over(record)
    assert (done.stage, done.attempts) == (Stage.FAILED, 3)
    assert "was sent to Daint 3 times" in done.reason


async def test_a_doubt_is_cancelled_if_it_was_none(
    service: Service, standin: There, ran: Callable[[], int]
) -> None:
    record = await _accept(service, _counted(service), stage=Stage.NEW)
    await service.running.prepare(record)
    standin.breaks(submission="lost_before")
    await service.running.start(record)
    doubted = await service.until(record, lambda job: job.submission == "in_doubt")
    await service.running.cancel(doubted)
    assert (await service.over(record)).stage is Stage.CANCELED
    assert ran() == 0


@pytest.mark.parametrize("away", ["closed", "busy"])
async def test_two_minutes_away_change_nothing(
    service: Service, standin: There, clock: FastClock, away: str
) -> None:
    record = await service.until(await _accept(service, "sleep 3"), _is(Stage.RUNNING))
    standin.breaks(away=away)
    began = clock.now()
    await holds(lambda: clock.now() - began > timedelta(minutes=2))
    assert service.running.is_stale(record)
    assert service.running.stand("daint").reason
    assert (await service.get(record)).stage is Stage.RUNNING
    standin.breaks()
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
    assert not service.running.stand("daint").is_stale


async def test_one_that_ends_does_not_end_jobs(service: Service, ran: Callable[[], int]) -> None:
    record = await service.until(await _accept(service, _counted(service, "sleep 1")), _is(Stage.RUNNING))
    await service.stop()
    await service.start()
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
    assert ran() == 1


async def test_one_that_is_killed_while_it_sends_is_in_doubt_when_it_begins(
    service: Service, standin: There, ran: Callable[[], int]
) -> None:
    record = await _accept(service, _counted(service), stage=Stage.NEW)
    await service.running.prepare(record)
    record = await service.running.start(record)
    await service.until(record, lambda job: job.submission == "sent")
    await service.stop()
    # As it would be if its answer had never been written down.
    with contextlib.closing(sqlite3.connect(service.folder / "jobs.sqlite")) as database, database:
        forget = "update jobs set submission = 'sending', native_id = null, stage = 'READY' where job_id = ?"
        assert database.execute(forget, (record.job_id,)).rowcount == 1
    await service.start()
    done = await service.over(record)
    assert (done.stage, done.attempts) == (Stage.SUCCESSFUL, 1)
    assert ran() == 1


@pytest.mark.parametrize("kind", ["redirect", "password", "closed"])
async def test_a_job_waits_for_what_an_admin_has_to_mend(
    service: Service, standin: There, ran: Callable[[], int], kind: str
) -> None:
    credentials = Path(standin.entry["credentials"])
    right = credentials.read_text()
    if kind == "password":
        credentials.write_text("robot:wrong")
    else:
        standin.breaks(**({"redirect": "https://127.0.0.1:9"} if kind == "redirect" else {"away": "closed"}))
    try:
        record = await _accept(service, _counted(service))
        waits = await service.until(record, lambda job: "could not be sent yet" in job.reason)
        assert (waits.stage, waits.submission, waits.attempts) == (Stage.READY, "none", 0)
    finally:
        credentials.write_text(right)
        standin.breaks()
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
    assert ran() == 1


async def test_a_job_that_its_gateway_does_not_know_any_more_has_failed(service: Service) -> None:
    record = await service.until(await _accept(service, "sleep 600"), _is(Stage.RUNNING))
    backend = service.backends.of("daint")
    await backend.remove(service.handle(record))
    done = await service.over(record)
    assert (done.stage, done.reason) == (
        Stage.FAILED,
        "Daint does not know the job any more, so how it ended is not known.",
    )


# -- files -------------------------------------------------------------------------------------------------------


async def test_a_job_waits_for_its_inputs_and_another_gets_them_too(service: Service) -> None:
    inputs = {"inputs": ("in/one", "two"), "start": "when-complete"}
    record = await _accept(service, "cat in/one two", stage=Stage.NEW, **inputs)
    for path, data in (("in/one", b"1"), ("two", b"2")):
        await service.running.prepare(await service.get(record))
        await service.files.put(await service.get(record), path, pieces(data), 1)
        await service.running.arrived(record)
    done = await service.over(record)
    assert await _read(service, done, "stdout") == b"12"
    again = await _accept(service, "cat two in/one", stage=Stage.STAGINGIN, inputs_of=record.job_id, **inputs)
    assert await _read(service, await service.over(again), "stdout") == b"21"


async def test_what_lacks_is_told(service: Service) -> None:
    record = await _accept(service, "true", stage=Stage.NEW, inputs=("one", "two"), start="later")
    await service.running.prepare(record)
    await service.files.put(record, "one", pieces(b"1"), 1)
    await service.running.start(record)
    waits = await service.until(record, lambda job: "files are there: two." in job.reason)
    assert waits.stage is Stage.STAGINGIN
    await service.running.cancel(waits)


async def test_files_are_no_larger_than_the_gateway_takes(service: Service) -> None:
    record = await _accept(service, "true", stage=Stage.NEW)
    await service.running.prepare(record)
    with pytest.raises(TooLarge):
        await service.files.put(record, "large", pieces(b""), 2 << 30)
    with pytest.raises(NotFound):
        await _read(service, record, "large")
    with pytest.raises(NotFound):
        await service.files.list(await _accept(service, "true", stage=Stage.NEW), "folder")


async def test_the_results_come_as_an_archive(service: Service) -> None:
    done = await service.over(await _accept(service, "mkdir results; printf 0123 >results/a; printf x >'b c'"))
    async with service.files.archive(done) as chunks:
        whole = io.BytesIO(b"".join([chunk async for chunk in chunks]))
    with tarfile.open(fileobj=whole) as archive:
        names = {each.name for each in archive}
        assert {"./results", "./results/a", "./b c", "./stdout"} <= names
        assert not {name for name in names if ".job" in name}
        found = archive.extractfile("./results/a")
        assert found is not None
        assert found.read() == b"0123"


async def test_the_log_is_followed(service: Service) -> None:
    record = await _accept(service, "printf 'one\\ntwo\\n'; sleep 1; echo three")
    await service.until(record, _is(Stage.RUNNING))
    over, said = asyncio.Event(), b""
    async with service.files.log(await service.get(record), "stdout", follow=over) as (begins, chunks):
        async for chunk in chunks:
            said += chunk
            if said == b"one\ntwo\n":
                await service.over(record)
                over.set()
    assert (begins, said) == (0, b"one\ntwo\nthree\n")
    done = await service.get(record)
    for tail, expected in ((1, (8, b"three\n")), (2, (4, b"two\nthree\n")), (9, (0, said)), (0, (14, b""))):
        async with service.files.log(done, "stdout", tail=tail) as (begins, chunks):
            assert (begins, b"".join([chunk async for chunk in chunks])) == expected, tail


async def test_files_wait_for_a_gateway_that_is_away(service: Service, standin: There) -> None:
    done = await service.over(await _accept(service, "true"))
    standin.breaks(away="busy")
    with pytest.raises(Unavailable, match="Daint is busy"):
        await service.files.list(done)


async def test_the_password_is_in_no_log_and_no_row(
    service: Service, standin: There, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("DEBUG")
    await service.over(await _accept(service, "exit 3"))
    standin.breaks(redirect="https://127.0.0.1:9")
    record = await _accept(service, "true")
    await service.until(record, lambda job: "could not be sent yet" in job.reason)
    await service.running.cancel(record)
    await service.stop()
    kept = b"".join(each.read_bytes() for each in tmp_path.glob("jobs.sqlite*"))
    await service.start()
    assert record.job_id.encode() in kept
    assert gateways.PASSWORD.encode() not in kept
    assert gateways.PASSWORD not in caplog.text


# -- the catalogue changes -------------------------------------------------------------------------------------


async def _catalogue_says(service: Service, gateways: dict[str, Any], **sites: Any) -> None:
    """Have the catalogue say so from now on."""
    service.offers(gateways, **sites)
    await service.live.refreshed()


@pytest.mark.parametrize("stage", [Stage.RUNNING, Stage.NEW])
async def test_one_that_was_taken_out_before_a_start_costs_no_job_once_it_is_back(
    service: Service, standin: There, ran: Callable[[], int], stage: Stage
) -> None:
    first = Stage.NEW if stage is Stage.NEW else Stage.READY
    record = await service.until(await _accept(service, _counted(service, "sleep 1"), first), _is(stage))
    await service.stop()
    entry = {"daint": {"own_lines": True, **standin.entry}}
    await _catalogue_says(service, {})
    service.live = service.opened()
    await service.start()
    if stage is Stage.NEW:
        record = await service.running.start(record)
    here = await service.accept()
    await service.over(here)
    # Nobody's ticket is of use to it, whatever the catalogue says.
    assert service.running.stand("daint").live == 1
    assert "heidi" not in (service.folder / ".hold-jobs").read_text()
    await _catalogue_says(service, entry)
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
    assert ran() == 1


async def test_a_site_may_have_the_name_of_a_gateway_that_was(service: Service, standin: There) -> None:
    there = await service.until(await _accept(service, "sleep 600"), _is(Stage.RUNNING))
    await _catalogue_says(service, {}, daint=a_site(title="Daint"))
    here = await service.accept(system="daint")
    assert ((await service.over(here)).stage, here.folder) == (
        Stage.SUCCESSFUL,
        f"/scratch/alice/jobs/{here.job_id}",
    )
    # What is at the gateway still is its.
    await service.running.cancel(there)
    assert (await service.over(there)).reason == "The job was cancelled."
