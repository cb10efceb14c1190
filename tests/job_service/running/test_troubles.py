"""What goes wrong for long, or for one of many: nobody else waits for it, and nothing is forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from job_service.errors import NoSpace, StoreAway, TicketNeeded
from job_service.running.clock import Clock
from job_service.stages import Stage
from job_service.store.database import Database
from job_service.store.jobs import Jobs
from slurm_ssh.ssh.transport import Completed
from tests.job_service.running.crowd import Crowd, FastClock
from tests.job_service.running.service import Service, holds, project_of_all


async def passes(service: Service, **much: float) -> None:
    """Return once so much time has gone by."""
    until = service.clock.now() + timedelta(**much)
    await holds(lambda: service.clock.now() > until)


def catalogue_of(service: Service) -> Path:
    return service.folder / "catalogue.yaml"


# -- sites and observers -------------------------------------------------------------------------------------


async def test_jobs_at_a_site_that_left_the_catalogue_are_kept_and_go_on_when_it_is_back(
    service: Service, site: Crowd
) -> None:
    site.waits = 10_000
    alice = await service.accept("alice", system="bern")
    await service.accept("bob", system="geneva")
    await service.until(alice, lambda job: job.native_state == "PENDING")
    await service.stop()
    path = catalogue_of(service)
    whole = path.read_text()
    without = path.read_text().replace("bern:", "basel:")
    assert without != whole
    path.write_text(without)
    service.live = type(service.live)(str(path))
    await service.start()
    await holds(lambda: service.running.stand("bern").is_stale)
    assert service.running.stand("bern").live == 1
    assert service.running.is_stale(await service.get(alice))
    assert service.holds.users() == {"alice", "bob"}
    wanted = await service.running.cancel(await service.get(alice))
    await holds(lambda: "as soon as" in service.running.owes(wanted))
    await service.stop()
    path.write_text(whole)
    service.live = type(service.live)(str(path))
    await service.start()
    assert (await service.over(alice)).stage is Stage.CANCELED


async def test_jobs_that_a_site_has_begun_to_hide_go_on(service: Service, site: Crowd) -> None:
    site.lasts = 10_000
    records = [await service.accept(owner) for owner in ("alice", "bob")]
    for record in records:
        await service.until(record, lambda job: job.stage is Stage.RUNNING)
    site.lasts = 400
    await passes(service, seconds=10)
    site.hides = True
    done = [await service.over(record) for record in records]
    assert [each.stage for each in done] == [Stage.SUCCESSFUL] * 2
    assert [each.elapsed_s for each in done] == [400, 400]


async def keeps_busy(service: Service, site: Crowd) -> None:
    """Have a job of carol's in doubt, so that the site is asked as often as it ever is."""
    site.mishap = lambda login, program: "before" if login.owner == "carol" and "/sbatch" in program else ""
    record = await service.accept("carol")
    await service.until(record, lambda job: job.attempts == 1)
    # While its folder cannot be seen, nobody knows whether it has begun.
    del site.folders[record.job_id]


async def test_owners_of_jobs_that_a_site_hides_are_asked_seldom_while_nothing_changes(
    service: Service, site: Crowd
) -> None:
    site.hides, site.waits = True, 100_000
    for owner in ("alice", "bob"):
        record = await service.accept(owner)
        await service.until(record, lambda job: job.native_state == "PENDING")
    await keeps_busy(service, site)
    began = service.clock.now()
    site.asked.clear()
    await holds(lambda: max(site.asked["alice"], site.asked["bob"]) > 40)
    seldom = min(site.asked["alice"], site.asked["bob"])
    # At first it is more often.
    assert seldom <= 8 + (service.clock.now() - began) / timedelta(seconds=30)


async def test_folders_of_two_that_wait_for_one_job_are_looked_at_seldom(service: Service, site: Crowd) -> None:
    site.waits = 100_000
    record = await service.accept("alice")
    await service.until(record, lambda job: job.native_state == "PENDING")
    late = site.late(record.job_id, "alice")
    await keeps_busy(service, site)
    began, before = service.clock.now(), len(site.programs)
    asked = site.asked.total()
    await holds(lambda: site.asked.total() - asked > 40)
    looks = [who for who, program in site.programs[before:] if who == "alice" and "look() {" in program]
    assert len(looks) <= 1 + (service.clock.now() - began) / timedelta(seconds=30)
    site.begin(late, service.clock.now())
    await service.until(record, lambda job: job.native_id == str(late.number))


async def test_a_job_that_slurm_takes_after_it_was_given_up_is_cancelled_as_its_owner(
    service: Service, site: Crowd, caplog: pytest.LogCaptureFixture
) -> None:
    site.waits = 100_000
    await service.accept("bob")
    site.mishap = lambda login, program: "before" if login.owner == "alice" and "/sbatch" in program else ""
    record = await service.accept("alice")
    lost = await service.over(record)
    assert (lost.stage, lost.attempts) == (Stage.FAILED, 3)
    service.reader.missing = {"alice"}
    late, unknown = site.late(record.job_id, "alice"), site.late("0" * 12, "alice")
    theirs = site.late(record.job_id, "mallory")
    await holds(lambda: service.running.stand("geneva").owed == 1)
    assert late.word == "PENDING"
    service.reader.missing, service.reader.ends = set(), {"alice": 2**31 - 5}
    await holds(lambda: late.word == "CANCELLED")
    await passes(service, minutes=6)
    assert (unknown.word, theirs.word) == ("PENDING", "PENDING")
    assert await service.get(record) == lost
    assert caplog.text.count("after it was given up") == 1
    assert service.running.stand("geneva").owed == 0


async def test_a_job_that_was_over_and_is_put_back_at_the_site_is_left_alone(
    service: Service, site: Crowd
) -> None:
    record = await service.accept("alice")
    await service.over(record)
    site.waits = 100_000
    await service.accept("bob")
    (again,) = site.of(record.job_id)
    again.word, again.submitted, again.began, again.ended = "PENDING", service.clock.now(), None, None
    again.reason = "BeginTime"
    asked = site.asked.total()
    await holds(lambda: site.asked.total() - asked > 3)
    await passes(service, minutes=1)
    assert (again.word, service.running.stand("geneva").owed) == ("PENDING", 0)


async def test_an_answer_that_was_asked_before_another_turns_no_clock_back(service: Service, site: Crowd) -> None:
    site.waits = 10_000
    begins = await service.accept("alice")
    await service.until(begins, lambda job: job.native_state == "PENDING")
    late, asks = asyncio.Event(), asyncio.Event()

    def held(_login: object, program: str) -> asyncio.Event | None:
        """Hold the answer to their own question, which a job in doubt has them put."""
        if "/squeue" not in program or " -u alice " not in program:
            return None
        asks.set()
        return late

    site.held = held
    site.mishap = lambda _, program: "before" if "/sbatch" in program else ""
    doubted = await service.accept("alice")
    await asks.wait()
    site.mishap = lambda _, __: ""
    site.begin(site.of(begins.job_id)[0], site.clock.now())
    site.lasts = 10_000
    await service.until(begins, lambda job: job.stage is Stage.RUNNING)
    late.set()
    await service.until(doubted, lambda job: job.submission == "sent")
    assert await service.events(begins) == [Stage.READY, Stage.QUEUED, Stage.RUNNING]


async def test_what_is_wrong_with_one_job_keeps_no_other_as_it_was(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.lasts = 10_000
    change_all = Jobs.change_all
    bad: set[str] = set()

    async def picky(self: Jobs, wanted: Any) -> Any:
        if bad & {record.job_id for record, _, _ in wanted}:
            raise ValueError("what a database refuses")
        return await change_all(self, wanted)

    monkeypatch.setattr(Jobs, "change_all", picky)
    wrong, right = await service.accept("alice"), await service.accept("bob")
    bad.add(wrong.job_id)
    await service.until(right, lambda job: job.stage is Stage.RUNNING)
    assert (await service.get(wrong)).stage is Stage.QUEUED
    bad.clear()
    await service.until(wrong, lambda job: job.stage is Stage.RUNNING)


async def test_jobs_go_on_after_a_database_that_was_away_in_the_middle_of_everything(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, left = Database.write, [0]

    async def away(self: Database, work: Any) -> Any:
        left[0] += 1
        # Each third is written, though nobody hears of that.
        if left[0] % 3 == 0:
            await write(self, work)
        raise StoreAway("The database is away.")

    site.waits, site.lasts = 30, 60
    records = [await service.accept(f"user{number}") for number in range(6)]
    for lasts in (20, 60, 90):
        monkeypatch.setattr(Database, "write", away)
        await passes(service, seconds=lasts)
        monkeypatch.setattr(Database, "write", write)
        await passes(service, seconds=20)
    done = [await service.over(record) for record in records]
    assert left[0] > 6
    assert [each.stage for each in done] == [Stage.SUCCESSFUL] * 6
    assert [site.runs[each.job_id] for each in done] == [1] * 6


async def test_the_log_says_once_that_what_a_site_says_cannot_be_written_down(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(_self: Database, _work: Any) -> Any:
        raise StoreAway("The database is away.")

    site.waits = 30
    record = await service.until(await service.accept(), lambda job: job.stage is Stage.QUEUED)
    asked = service.running._followers.of("geneva").answered
    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", away)
        await passes(service, seconds=90)
    assert service.running._followers.of("geneva").answered > asked + 1
    assert caplog.text.count("What jobs at geneva do cannot be written down: The database is away.") == 1
    await service.over(record)


# -- what is done every so often -----------------------------------------------------------------------------


async def test_what_fails_in_a_routine_is_done_again(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_users: object) -> None:
        monkeypatch.undo()
        raise ValueError("a defect")

    monkeypatch.setattr(service.holds, "put", breaks)
    await service.accept("carol", stage=Stage.NEW)
    await holds(lambda: service.holds.users() == {"carol"})
    assert "a defect" in caplog.text


async def test_a_job_of_which_nobody_was_told_is_sent_all_the_same(
    service: Service, monkeypatch: pytest.MonkeyPatch, clock: FastClock
) -> None:
    monkeypatch.setattr(service.running, "wake", lambda _: None)
    record = await service.accept()
    clock.speed = 5000
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_a_job_that_nobody_starts_is_over_after_a_day(
    service: Service, site: Crowd, clock: FastClock
) -> None:
    record = await service.accept(stage=Stage.NEW, spec={"inputs": ("a",), "start": "when-complete"})
    await service.running.prepare(record)
    clock.speed = 100_000
    done = await service.until(record, lambda job: job.removed is not None)
    assert (done.stage, "within a day" in done.reason, site.jobs) == (Stage.CANCELED, True, {})
    assert done.ended
    assert done.ended - done.created >= timedelta(days=1)
    assert record.job_id not in site.folders


async def test_a_job_whose_inputs_do_not_come_is_over_after_a_week(
    service: Service, site: Crowd, clock: FastClock
) -> None:
    number = await project_of_all(service)
    of_project = {"project": "neuro", "project_id": number, "limit_s": 3600}
    spec = {"inputs": ("a", "b"), "start": "when-complete"}
    service.reader.ends = {"alice": 2**33}
    record = await service.accept(stage=Stage.NEW, spec=spec, **of_project)
    await service.running.prepare(record)
    site.folders[record.job_id].files.add("a")
    assert (await service.running.arrived(record)).stage is Stage.STAGINGIN
    clock.speed = 400_000
    done = await service.over(record)
    assert (done.stage, "within a week" in done.reason, site.jobs) == (Stage.CANCELED, True, {})
    assert done.ended
    assert done.ended - done.created >= timedelta(days=7)
    project = await service.store.projects.get("geneva", "neuro")
    assert (await service.store.ledger.quota(project, "alice")).time_left == 10**7


async def test_what_is_left_of_uploads_is_gone_after_a_day(
    service: Service, site: Crowd, clock: FastClock
) -> None:
    site.lasts = 10**9
    service.reader.ends = dict.fromkeys(("alice", "erin"), 2**33)
    for owner in ("erin", "alice"):
        record = await service.accept(owner)
        await service.until(record, lambda job: job.stage is Stage.RUNNING)
    await service.stop()
    clock.speed = 50_000
    service.reader.missing = {"erin"}
    began, parts = clock.now(), site.folders[record.job_id].parts
    parts.update(old=began, new=began + timedelta(days=2000))
    site.programs.clear()
    await service.start()
    await holds(lambda: "old" not in site.folders[record.job_id].parts)
    assert clock.now() - began >= timedelta(days=1)
    assert "new" in site.folders[record.job_id].parts
    swept = [who for who, program in site.programs if "put-*.part" in program]
    assert set(swept) == {"alice"}
    assert len(swept) <= (clock.now() - began) / timedelta(hours=6) + 1


async def test_files_wait_for_a_ticket_though_a_connection_of_before_is_open(
    service: Service, site: Crowd
) -> None:
    record = await service.accept(stage=Stage.NEW, spec={"inputs": ("a",), "start": "when-complete"})
    service.reader.missing = {"alice"}
    with pytest.raises(TicketNeeded, match="no Kerberos ticket"):
        service.access.remote(record)
    with pytest.raises(TicketNeeded, match="no Kerberos ticket"):
        await service.running.prepare(record)
    assert record.job_id not in site.folders
    service.reader.missing = set()
    await service.running.prepare(record)
    assert service.access.remote(record).login.user == "alice"


async def test_a_folder_for_which_there_is_no_space_is_told_as_that(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*_: object) -> Completed:
        return Completed(1, "", "mkdir: cannot create directory 'x': Disk quota exceeded")

    record = await service.accept(stage=Stage.NEW, spec={"inputs": ("a",), "start": "when-complete"})
    with monkeypatch.context() as patched:
        patched.setattr(site, "_make", make)
        with pytest.raises(NoSpace, match=r"at Geneva: mkdir: .* Disk quota exceeded\. Delete files"):
            await service.running.prepare(record)
        assert (await service.get(record)).stage is Stage.NEW
        sent = await service.over(await service.accept())
        assert (sent.stage, "Disk quota exceeded" in sent.reason) == (Stage.FAILED, True)
    await service.running.prepare(record)


async def test_folders_of_people_without_a_ticket_are_behind_nobodys(
    service: Service, site: Crowd, clock: FastClock
) -> None:
    site.lasts = 0
    gone, here = await service.accept("erin"), await service.accept("alice")
    for record in (gone, here):
        await service.over(record)
    service.reader.missing = {"erin"}
    clock.speed = 5000
    await service.until(here, lambda job: job.removed is not None)
    assert (await service.get(gone)).removed is None
    assert service.running.stand("geneva").owed == 0
    service.reader.missing = set()
    await service.until(gone, lambda job: job.removed is not None)


async def test_a_job_that_cannot_be_sent_for_long_is_one_line_in_the_log(
    service: Service, site: Crowd, caplog: pytest.LogCaptureFixture
) -> None:
    site.is_away = True
    record = await service.accept()
    await passes(service, minutes=10)
    site.is_away = False
    await service.over(record)
    assert caplog.text.count("could not be sent yet") == 1


async def test_nothing_is_begun_once_the_service_ends(service: Service, site: Crowd) -> None:
    site.lasts = 10_000
    record = await service.accept("bob")
    running = await service.until(record, lambda job: job.stage is Stage.RUNNING)
    waits = await service.accept("alice", stage=Stage.NEW)
    await service.running.close()
    waits = await service.store.jobs.change(waits, {"stage": Stage.READY}, "READY")
    service.running.wake(waits)
    service.running.wake(await service.store.jobs.change(running, {"cancel_wanted": service.clock.now()}))
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not names & {"alice at geneva", "bob at geneva", "follows geneva"}


# -- ends that are not known yet -----------------------------------------------------------------------------


async def ended_while_down(service: Service, site: Crowd, cancelled: bool = False) -> Any:
    """Return a job that Slurm had, and has forgotten since."""
    site.forgets, site.waits, site.lasts = 0.0, 10_000 if cancelled else 0, 10_000
    record = await service.accept()
    await service.until(record, lambda job: job.native_state == ("PENDING" if cancelled else "RUNNING"))
    (job,) = site.of(record.job_id)
    if cancelled:
        site.cancel(job)
    site.lasts = 20
    return record


async def test_an_accounting_that_is_away_is_waited_for(service: Service, site: Crowd) -> None:
    site.accounting = site.accounting_is_away = True
    record = await ended_while_down(service, site, cancelled=True)
    await holds(lambda: any("/sacct" in program for _, program in site.programs))
    site.accounting_is_away = False
    done = await service.over(record)
    assert (done.stage, done.reason) == (Stage.CANCELED, "The job was cancelled at the site.")


async def test_a_file_system_that_is_not_mounted_is_waited_for(service: Service, site: Crowd) -> None:
    record = await ended_while_down(service, site)
    kept = site.folders.pop(record.job_id)
    await holds(lambda: any('echo "$1 gone"' in program for _, program in site.programs))
    kept.end = (site.of(record.job_id)[0].native, 0, int(service.clock.now().timestamp()))
    site.folders[record.job_id] = kept
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_an_end_at_a_time_that_there_is_not_is_none(service: Service, site: Crowd) -> None:
    record = await ended_while_down(service, site)
    (job,) = site.of(record.job_id)
    await holds(lambda: job.word == "COMPLETED")
    site.folders[record.job_id].end = (job.native, 0, 999_999_999_999)
    done = await service.over(record)
    assert (done.stage, "vanished" in done.reason) == (Stage.FAILED, True)


# -- clocks --------------------------------------------------------------------------------------------------


def test_a_clock_that_is_set_back_goes_on_until_it_is_right_again() -> None:
    wall, steady = [datetime(2026, 3, 2, 12, tzinfo=UTC)], [0.0]
    clock = Clock(lambda: wall[0], lambda: steady[0])
    began = clock.now()
    wall[0] -= timedelta(hours=1)
    told = [began]
    for _ in range(121):
        wall[0] += timedelta(minutes=1)
        steady[0] += 60
        told.append(clock.now())
    assert told[1] - began == timedelta(seconds=30)
    assert told == sorted(set(told))
    assert told[-1] == wall[0]
    wall[0] += timedelta(hours=3)
    assert clock.now() == wall[0]


async def test_jobs_of_a_time_to_come_are_followed(service: Service, site: Crowd) -> None:
    site.waits = 10_000
    record = await service.accept()
    queued = await service.until(record, lambda job: job.native_state == "PENDING")
    await service.stop()
    await service.start()
    later = service.clock.now() + timedelta(hours=1)
    service.running.wake(await service.store.jobs.change(await service.get(queued), {"queued": later}))
    site.waits = 200
    done = await service.over(record)
    assert (done.stage, service.clock.now() < later) == (Stage.SUCCESSFUL, True)


async def test_a_folder_that_cannot_be_removed_keeps_no_other(
    service: Service, site: Crowd, clock: FastClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.lasts = 0
    stuck, here = await service.accept(), await service.accept()
    for record in (stuck, here):
        await service.over(record)
    real = site._remove

    def remove(login: Any, program: str, data: bytes) -> Completed:
        if stuck.job_id in program:
            return Completed(1, "", "rm: cannot remove 'x': Permission denied")
        return real(login, program, data)

    with monkeypatch.context() as patched:
        patched.setattr(site, "_remove", remove)
        clock.speed = 5000
        await service.until(here, lambda job: job.removed is not None)
        assert (await service.get(stuck)).removed is None
    await service.until(stuck, lambda job: job.removed is not None)
