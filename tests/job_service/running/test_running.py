"""Jobs from their acceptance to their end, over a real database; each runs once, whatever is lost."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from job_service.errors import TicketNeeded, WrongStage
from job_service.record import JobRecord
from job_service.stages import Stage
from job_service.store.jobs import Jobs
from slurm_ssh.errors import Unavailable
from slurm_ssh.ssh.login import Login
from tests.job_service.running.crowd import Crowd, FastClock, Folder
from tests.job_service.running.service import Service, holds, project_of_all


def losing(words: str, mishap: str, site: Crowd, times: int = 1) -> None:
    """Let a mishap befall the next programs with these words."""
    left = [times]

    def befalls(_login: Login, program: str) -> str:
        if words in program and left[0]:
            left[0] -= 1
            return mishap
        return ""

    site.mishap = befalls


def is_at(*stages: Stage) -> Callable[[JobRecord], bool]:
    """Return what says whether a job is in one of these stages."""
    return lambda job: job.stage in stages


# -- sent, followed, concluded -------------------------------------------------------------------------------


async def test_a_job_is_sent_and_followed_to_its_end(service: Service, site: Crowd) -> None:
    record = await service.accept()
    done = await service.over(record)
    assert (done.stage, done.exit_code, done.signal, done.elapsed_s) == (Stage.SUCCESSFUL, 0, None, 20)
    assert await service.events(record) == [Stage.READY, Stage.QUEUED, Stage.RUNNING, Stage.SUCCESSFUL]
    assert site.runs[record.job_id] == 1
    assert (done.native_id, done.attempts, done.submission) == ("101", 1, "sent")
    assert done.ended
    assert done.remove_after == done.ended + timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "code", "signal", "says"), [(7 << 8, 7, None, "exit status 7"), (9, None, 9, "killed (SIGKILL)")]
)
async def test_a_failure_has_its_code_or_signal_and_a_sentence(
    service: Service, site: Crowd, status: int, code: int | None, signal: int | None, says: str
) -> None:
    site.ends = lambda _: status
    done = await service.over(await service.accept())
    assert (done.stage, done.failed, done.exit_code, done.signal) == (Stage.FAILED, True, code, signal)
    assert says in done.reason


@pytest.mark.parametrize(
    ("wait_status", "last_words", "said"),
    [
        (1 << 8, "cp: out: No space left on device", "no space left"),
        (9, "slurmstepd-n1: error: Exceeded job memory limit", "used more memory than its"),
    ],
)
async def test_the_last_words_of_a_job_that_failed_add_to_why(
    service: Service, site: Crowd, wait_status: int, last_words: str, said: str
) -> None:
    site.ends = lambda _: wait_status
    # It does not run before its last words are there.
    site.submits.clear()
    record = await service.accept()
    site.folders.setdefault(record.job_id, Folder()).stderr = f"{last_words}\n"
    site.submits.set()
    await service.until(record, lambda job: said in job.reason)


async def test_what_slurm_refuses_is_over_with_its_words(service: Service, site: Crowd) -> None:
    site.refuses = "Batch job submission failed: Invalid qos specification"
    done = await service.over(await service.accept())
    assert (done.stage, done.submission, done.native_id) == (Stage.FAILED, "none", None)
    assert "quality of service" in done.reason


async def test_a_job_says_why_it_waits(service: Service, site: Crowd) -> None:
    site.waits = 10_000
    record = await service.accept()
    waits = await service.until(record, lambda job: job.native_state == "PENDING")
    assert waits.reason == "Other jobs are before yours in the queue of Geneva."
    (job,) = site.jobs.values()
    job.reason = "QOSMaxCpuPerUserLimit"
    await service.until(record, lambda job: "as this quality of service lets you: cores." in job.reason)
    job.reason = "SomethingNew"
    await service.until(record, lambda job: "which says: SomethingNew." in job.reason)


async def test_a_word_that_means_nothing_to_us_changes_no_stage(service: Service, site: Crowd) -> None:
    site.lasts = 10_000
    record = await service.accept()
    await service.until(record, is_at(Stage.RUNNING))
    site.of(record.job_id)[0].word = "DREAMING"
    seen = await service.until(record, lambda job: job.native_state == "DREAMING")
    assert seen.stage is Stage.RUNNING
    assert "DREAMING" in seen.reason


async def test_a_job_of_a_person_who_may_not_come_fails_with_a_sentence(service: Service, site: Crowd) -> None:
    site.barred = {"heidi"}
    done = await service.over(await service.accept("heidi"))
    said = "Geneva did not let you in and says: Your account has expired."
    assert (done.stage, done.reason) == (Stage.FAILED, said)
    fine = await service.over(await service.accept("alice"))
    assert fine.stage is Stage.SUCCESSFUL


async def test_a_job_waits_for_a_ticket(service: Service) -> None:
    service.reader.missing = {"erin"}
    record = await service.accept("erin")
    waits = await service.until(record, lambda job: "log in" in job.reason)
    assert waits.stage is Stage.READY
    service.reader.missing = set()
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_where_people_come_by_certificate_jobs_need_no_ticket_and_get_none(
    tmp_path: Path, url: str, site: Crowd, clock: FastClock
) -> None:
    by_certificate = {"login": {"kind": "certificate", "ca_key": "/etc/jupyterhub/ca"}, "ticket": {}}
    service = Service(tmp_path, url, site, clock, **by_certificate)
    service.reader.missing = {"alice"}
    await service.start()
    records = [await service.accept(is_told=False) for _ in range(3)]
    for record in records:
        service.running.wake(record)
    for record in records:
        assert (await service.over(record)).stage is Stage.SUCCESSFUL
        assert site.runs[record.job_id] == 1
    assert await service.store.jobs.ticket_ends("geneva") == {}
    await service.stop()


async def test_a_job_waits_while_its_site_is_away(service: Service, site: Crowd) -> None:
    site.is_away = True
    record = await service.accept()
    waits = await service.until(record, lambda job: "cannot be reached" in job.reason)
    assert (waits.stage, waits.submission, waits.attempts) == (Stage.READY, "none", 0)
    site.is_away = False
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_no_more_than_four_of_a_person_are_sent_at_once(service: Service, site: Crowd) -> None:
    site.takes = 0.05
    records = [await service.accept() for _ in range(12)]
    for record in records:
        await service.over(record)
    assert 1 <= site.most_at_once["alice"] <= 4


# -- inputs --------------------------------------------------------------------------------------------------


async def test_a_job_is_sent_once_its_inputs_are_there(service: Service, site: Crowd) -> None:
    record = await service.accept(stage=Stage.NEW, spec={"inputs": ("a.zip", "b"), "start": "when-complete"})
    await service.running.arrived(record)
    waits = await service.until(record, lambda job: "a.zip, b" in job.reason)
    assert waits.stage is Stage.STAGINGIN
    site.folders[record.job_id].files = {"a.zip"}
    await service.running.arrived(record)
    await service.until(record, lambda job: job.reason.endswith("there: b."))
    site.folders[record.job_id].files = {"a.zip", "b"}
    await service.running.arrived(record)
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_the_folder_of_a_job_is_made_for_files_that_come_before_it_is_sent(
    service: Service, site: Crowd
) -> None:
    record = await service.accept(stage=Stage.NEW, spec={"inputs": ("a.zip",), "start": "when-complete"})
    assert record.job_id not in site.folders
    await service.running.prepare(record)
    await service.running.prepare(record)
    site.folders[record.job_id].files = {"a.zip"}
    await service.running.arrived(record)
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_a_job_is_started_by_its_owner_once(service: Service) -> None:
    record = await service.accept(stage=Stage.NEW)
    assert (await service.running.start(record)).stage is Stage.READY
    with pytest.raises(WrongStage):
        await service.running.start(record)
    await service.over(record)
    with pytest.raises(WrongStage):
        await service.running.start(record)


# -- doubts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mishap", ["after", "late", "killed"])
async def test_a_job_whose_answer_was_lost_is_adopted(service: Service, site: Crowd, mishap: str) -> None:
    losing("/sbatch", mishap, site)
    record = await service.accept()
    done = await service.over(record)
    assert (done.stage, done.attempts, len(site.jobs)) == (Stage.SUCCESSFUL, 1, 1)
    assert site.runs[record.job_id] == 1


async def test_a_job_that_never_arrived_is_sent_again(service: Service, site: Crowd) -> None:
    losing("/sbatch", "before", site)
    record = await service.accept()
    done = await service.over(record)
    assert (done.stage, done.attempts, len(site.jobs)) == (Stage.SUCCESSFUL, 2, 1)
    sent = [event.at for event in await service.store.jobs.events(record.job_id) if "so it is sent" in event.text]
    doubt = [event.at for event in await service.store.jobs.events(record.job_id) if "not known yet" in event.text]
    assert sent[0] - doubt[0] >= timedelta(seconds=60)


async def test_a_job_that_never_arrives_fails_after_three_attempts(service: Service, site: Crowd) -> None:
    losing("/sbatch", "before", site, times=3)
    done = await service.over(await service.accept())
    assert (done.stage, done.attempts, done.submission, len(site.jobs)) == (Stage.FAILED, 3, "none", 0)
    assert "3 times" in done.reason


async def test_nothing_is_sent_again_while_the_owner_cannot_ask(service: Service, site: Crowd) -> None:
    losing("/sbatch", "before", site)
    site.is_silent = True
    record = await service.accept()
    await service.until(record, lambda job: job.submission == "in_doubt")
    began = service.clock.now()
    await holds(lambda: service.clock.now() - began > timedelta(minutes=10))
    assert (await service.get(record)).submission == "in_doubt"
    assert service.running.stand("geneva").doubts == 1
    assert service.running.is_stale(await service.get(record))
    site.is_silent = False
    assert (await service.over(record)).attempts == 2


async def test_nothing_is_sent_again_while_the_folder_cannot_be_seen(service: Service, site: Crowd) -> None:
    losing("/sbatch", "before", site)
    site.is_silent = True
    record = await service.accept()
    await service.until(record, lambda job: job.submission == "in_doubt")
    kept = site.folders.pop(record.job_id)
    site.is_silent = False
    began = service.clock.now()
    await holds(lambda: service.clock.now() - began > timedelta(minutes=5))
    assert (await service.get(record)).submission == "in_doubt"
    site.folders[record.job_id] = kept
    assert (await service.over(record)).attempts == 2


async def test_a_job_that_has_begun_is_adopted_though_slurm_has_forgotten_it(
    service: Service, site: Crowd
) -> None:
    site.forgets, site.waits, site.lasts = 0.0, 0, 0
    losing("/sbatch", "after", site)
    record = await service.accept()
    done = await service.over(record)
    assert (done.stage, done.attempts, site.runs[record.job_id]) == (Stage.SUCCESSFUL, 1, 1)


async def test_a_job_is_adopted_by_the_accounting(service: Service, site: Crowd) -> None:
    site.forgets, site.accounting, site.waits = 0.0, True, 10_000
    losing("/sbatch", "after", site)
    record = await service.accept()
    await holds(lambda: bool(site.jobs))
    site.cancel(site.of(record.job_id)[0])
    done = await service.over(record)
    assert (done.stage, done.attempts) == (Stage.CANCELED, 1)
    assert "at the site" in done.reason


async def test_a_late_twin_ends_by_itself_and_the_first_is_the_job(service: Service, site: Crowd) -> None:
    losing("/sbatch", "before", site)
    site.waits = 10_000
    record = await service.accept()
    sent = await service.until(record, lambda job: job.submission == "sent")
    # What hung on the front end submits only now.
    late = site.late(record.job_id, "alice")
    site.begin(late, site.clock.now())
    done = await service.over(record)
    assert sent.native_id != str(late.number) == done.native_id
    assert site.runs[record.job_id] == 1
    assert [job.word for job in site.of(record.job_id)] == ["CANCELLED", "COMPLETED"]


async def test_a_cancelled_job_in_doubt_is_not_sent_again(service: Service, site: Crowd) -> None:
    losing("/sbatch", "before", site)
    site.is_silent = True
    record = await service.accept()
    record = await service.until(record, lambda job: job.submission == "in_doubt")
    await service.running.cancel(record)
    site.is_silent = False
    done = await service.over(record)
    assert (done.stage, done.attempts, len(site.jobs)) == (Stage.CANCELED, 1, 0)


# -- the service ends and begins -----------------------------------------------------------------------------


async def test_what_was_being_sent_when_the_service_ended_is_in_doubt(service: Service, site: Crowd) -> None:
    record = await service.accept(stage=Stage.NEW)
    await service.stop()
    await service.start()
    record = await service.store.jobs.change(await service.get(record), {"stage": Stage.READY}, "READY")
    await service.store.jobs.change(record, {"submission": "sending", "attempts": 1, "sent": site.clock.now()})
    site.late(record.job_id, "alice")
    await service.stop()
    await service.start()
    done = await service.over(record)
    assert (done.stage, done.attempts, len(site.jobs)) == (Stage.SUCCESSFUL, 1, 1)
    assert any("not known yet" in event.text for event in await service.store.jobs.events(record.job_id))


@pytest.mark.parametrize("accounting", [True, False])
async def test_jobs_that_end_while_the_service_is_down(service: Service, site: Crowd, accounting: bool) -> None:
    site.accounting, site.forgets = accounting, 0.0
    site.ends = lambda job: 7 << 8 if job.login == "bob" else 0
    site.lasts = 10_000
    alice, bob = await service.accept("alice"), await service.accept("bob")
    await service.until(bob, is_at(Stage.RUNNING))
    await service.until(alice, is_at(Stage.RUNNING))
    await service.stop()
    site.lasts = 60
    ends = site.clock.now() + timedelta(seconds=120)
    await holds(lambda: site.clock.now() > ends)
    await service.start()
    assert (await service.over(alice)).stage is Stage.SUCCESSFUL
    done = await service.over(bob)
    assert (done.stage, done.exit_code) == (Stage.FAILED, 7)
    assert done.elapsed_s is not None
    assert abs(done.elapsed_s - 60) <= 2


async def test_a_job_that_began_and_ended_while_the_service_was_down_is_charged(
    service: Service, site: Crowd
) -> None:
    site.waits, site.forgets = 10_000, 0.0
    project = await project_of_all(service)
    ran, killed = [
        await service.accept(owner, project="neuro", project_id=project, limit_s=3600)
        for owner in ("alice", "bob")
    ]
    for record in (ran, killed):
        await service.until(record, lambda job: job.native_state == "PENDING")
    await service.stop()
    began, ended = (site.clock.now() + timedelta(seconds=seconds) for seconds in (0, 45))
    for record in (ran, killed):
        site.begin(site.of(record.job_id)[0], began)
    site.end(site.of(ran.job_id)[0], ended)
    del site.jobs[site.of(killed.job_id)[0].number]
    await holds(lambda: site.clock.now() > ended)
    await service.start()
    done, gone = await service.over(ran), await service.over(killed)
    assert (done.stage, gone.stage) == (Stage.SUCCESSFUL, Stage.FAILED)
    assert done.started == gone.started == began.replace(microsecond=0)
    assert done.elapsed_s in {45, 46}
    neuro = await service.store.projects.get("geneva", "neuro")
    assert (await service.store.ledger.quota(neuro, "alice")).time_left == neuro.user_time - done.elapsed_s
    # Nobody knows for how long it ran.
    assert (await service.store.ledger.quota(neuro, "bob")).time_left == neuro.user_time


async def test_a_job_that_waits_is_sent_after_the_next_start_as_its_script_was_made(
    service: Service, site: Crowd
) -> None:
    site.is_silent = True
    record = await service.accept()
    record = await service.until(record, lambda job: job.submission == "in_doubt")
    text = await service.store.jobs.text(record.job_id)
    assert text
    assert text == await service.running.script(record)
    await service.stop()
    service.live = type(service.live)(str(without_types(service.folder)))
    await service.start()
    site.is_silent = False
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
    lost = await service.over(await service.accept())
    assert lost.stage is Stage.FAILED
    assert "not offered any more" in lost.reason


def without_types(folder: Path) -> Path:
    """Take all job types out of the catalogue."""
    path = folder / "catalogue.yaml"
    path.write_text(path.read_text().split("job_types:")[0])
    return path


# -- listed no more ------------------------------------------------------------------------------------------


async def vanishes(service: Service, site: Crowd) -> JobRecord:
    site.lasts = 10_000
    record = await service.accept()
    await service.until(record, is_at(Stage.RUNNING))
    del site.jobs[site.of(record.job_id)[0].number]
    return record


async def test_a_job_that_vanished_has_failed(service: Service, site: Crowd) -> None:
    done = await service.over(await vanishes(service, site))
    assert done.stage is Stage.FAILED
    assert "vanished" in done.reason
    assert done.elapsed_s is not None
    await holds(lambda: done.job_id not in site.tickets)


async def test_a_job_that_vanished_while_the_service_was_down_is_charged_until_it_was_last_seen(
    service: Service, site: Crowd
) -> None:
    site.lasts = 100_000
    number = await project_of_all(service)
    record = await service.accept(project="neuro", project_id=number, limit_s=36_000)
    await service.until(record, is_at(Stage.RUNNING))
    seen = await service.until(
        record,
        lambda job: bool(job.started and job.observed and job.observed - job.started > timedelta(minutes=5)),
    )
    await service.stop()
    site.jobs.clear()
    await service.start()
    done = await service.over(record)
    assert (done.stage, done.version) == (Stage.FAILED, seen.version + 1)
    project = await service.store.projects.get("geneva", "neuro")
    left = (await service.store.ledger.quota(project, "alice")).time_left
    assert project.user_time - left >= 300


async def test_when_jobs_were_seen_is_written_once_a_minute_for_all(
    service: Service, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    keep = Jobs.keep_observed

    async def counted(self: Jobs, seen: Mapping[str, datetime]) -> None:
        kept.extend([len(seen)] if seen else [])
        await keep(self, seen)

    monkeypatch.setattr(Jobs, "keep_observed", counted)
    site.waits = site.lasts = 100_000
    records = [await service.accept(f"user{number}") for number in range(10)]
    for record in records:
        await service.until(record, lambda job: job.native_state == "PENDING")
    began, kept[:] = site.clock.now(), []
    await holds(lambda: kept.count(10) >= 4)
    assert len(kept) <= (site.clock.now() - began) / timedelta(minutes=1) + 1


async def test_a_job_that_never_began_and_is_listed_no_more_has_failed(service: Service, site: Crowd) -> None:
    site.waits = 10_000
    record = await service.accept()
    await service.until(record, lambda job: job.native_state == "PENDING")
    site.jobs.clear()
    done = await service.over(record)
    assert (done.stage, "never started" in done.reason) == (Stage.FAILED, True)


async def test_how_a_job_ended_is_learned_at_the_owners_next_login(service: Service, site: Crowd) -> None:
    site.lasts = 10_000
    bob = await service.accept("bob")
    await service.until(bob, is_at(Stage.RUNNING))
    record = await vanishes(service, site)
    service.reader.missing = {"alice"}
    await service.until(record, lambda job: service.running.owes(job) != "")
    record = await service.get(record)
    assert service.running.owes(record) == "The job is over. How it ended is known at your next login."
    assert service.running.is_stale(record)
    assert not service.running.is_stale(await service.get(bob))
    service.reader.missing, service.reader.ends = set(), {"alice": 2**31 - 5}
    assert (await service.over(record)).stage is Stage.FAILED


async def test_absence_counts_only_from_who_has_seen_the_job(service: Service, site: Crowd) -> None:
    site.hides, site.waits = True, 200
    records = [await service.accept(owner) for owner in ("alice", "bob", "carol")]
    done = [await service.over(record) for record in records]
    assert [each.stage for each in done] == [Stage.SUCCESSFUL] * 3
    assert all(site.asked[owner] for owner in ("alice", "bob", "carol"))


async def test_a_failed_question_changes_nothing(service: Service, site: Crowd) -> None:
    site.waits = 10_000
    record = await service.accept()
    before = await service.until(record, lambda job: job.native_state == "PENDING")
    site.is_silent = True
    await holds(lambda: service.running.stand("geneva").is_stale)
    began = site.clock.now()
    await holds(lambda: site.clock.now() - began > timedelta(minutes=5))
    assert await service.get(record) == before
    site.is_silent = False
    await holds(lambda: not service.running.stand("geneva").is_stale)


# -- cancelled, held, put back -------------------------------------------------------------------------------


async def test_a_job_that_was_not_sent_is_canceled_at_once(service: Service, site: Crowd) -> None:
    record = await service.accept(stage=Stage.NEW)
    done = await service.running.cancel(record)
    assert (done.stage, len(site.jobs)) == (Stage.CANCELED, 0)
    with pytest.raises(WrongStage):
        await service.running.cancel(record)


@pytest.mark.parametrize("runs", [True, False])
async def test_a_cancelled_job_ends_when_its_site_says_so(service: Service, site: Crowd, runs: bool) -> None:
    site.waits, site.lasts = (0, 10_000) if runs else (10_000, 0)
    record = await service.accept()
    await service.until(record, lambda job: job.native_state == ("RUNNING" if runs else "PENDING"))
    site.is_frozen = True
    wanted = await service.running.cancel(record)
    assert wanted.stage is not Stage.CANCELED
    assert await service.running.cancel(record) == wanted
    site.is_frozen = False
    done = await service.over(record)
    assert (done.stage, done.reason) == (Stage.CANCELED, "The job was cancelled.")
    assert (done.exit_code, done.signal) == (None, 15 if runs else None)
    assert (done.started is not None) is runs
    await holds(lambda: record.job_id not in site.tickets)


async def test_a_cancellation_is_owed_while_the_site_is_away(service: Service, site: Crowd) -> None:
    site.lasts = 10_000
    record = await service.accept()
    await service.until(record, is_at(Stage.RUNNING))
    site.is_away = True
    wanted = await service.running.cancel(record)
    await holds(lambda: service.running.owes(wanted) != "")
    assert service.running.owes(wanted) == "The job will be cancelled as soon as Geneva can be told."
    assert service.running.stand("geneva").owed == 1
    site.is_away = False
    assert (await service.over(record)).stage is Stage.CANCELED


async def test_a_job_that_is_cancelled_while_it_is_sent_ends(service: Service, site: Crowd) -> None:
    site.waits, site.lasts = 10_000, 10_000
    site.submits.clear()
    record = await service.accept()
    record = await service.until(record, lambda job: job.submission == "sending")
    wanted = await service.running.cancel(record)
    assert (wanted.stage, wanted.submission) == (Stage.READY, "sending")
    site.submits.set()
    assert (await service.over(record)).stage is Stage.CANCELED
    assert [job.word for job in site.of(record.job_id)] == ["CANCELLED"]
    assert site.runs[record.job_id] == 0


async def test_a_job_is_held_and_released(service: Service, site: Crowd) -> None:
    site.waits = 10_000
    record = await service.accept()
    record = await service.until(record, lambda job: job.native_state == "PENDING")
    with pytest.raises(WrongStage):
        await service.running.release(record)
    await service.running.hold(record)
    held = await service.until(record, is_at(Stage.HELD))
    assert "held" in held.reason
    with pytest.raises(WrongStage):
        await service.running.hold(held)
    service.reader.missing = {"alice"}
    with pytest.raises(TicketNeeded):
        await service.running.release(held)
    service.reader.missing = set()
    await service.running.release(held)
    await service.until(record, is_at(Stage.QUEUED))
    site.waits = 0
    assert (await service.over(record)).stage is Stage.SUCCESSFUL


async def test_what_slurm_does_not_do_is_said(service: Service, site: Crowd) -> None:
    site.waits = 300
    record = await service.accept()
    record = await service.until(record, lambda job: job.native_state == "PENDING")
    site.waits = 0
    with pytest.raises(Unavailable, match="no longer pending"):
        await service.running.hold(record)


async def test_a_job_that_is_put_back_begins_again_with_its_ticket(service: Service, site: Crowd) -> None:
    site.waits, site.lasts = 0, 10_000
    record = await service.accept()
    await service.until(record, is_at(Stage.RUNNING))
    (job,) = site.of(record.job_id)
    job.word, job.began, job.reason = "PENDING", None, "BeginTime"
    site.tickets.discard(record.job_id)
    again = await service.until(record, is_at(Stage.QUEUED))
    assert "begins again" in again.reason
    assert again.started is None
    await holds(lambda: record.job_id in site.tickets)
    site.lasts = 20
    site.begin(job, site.clock.now())
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
    assert site.runs[record.job_id] == 1


# -- removed -------------------------------------------------------------------------------------------------


async def test_a_job_that_is_over_is_removed_with_its_folder(service: Service, site: Crowd) -> None:
    record = await service.accept()
    with pytest.raises(WrongStage):
        await service.running.remove(record)
    done = await service.over(record)
    gone = await service.running.remove(done)
    assert gone.stage is Stage.DELETED
    assert (await service.until(record, lambda job: job.removed is not None)).stage is Stage.DELETED
    assert record.job_id not in site.folders
    assert (await service.running.remove(gone)).stage is Stage.DELETED


async def test_a_folder_is_removed_when_its_time_has_come(service: Service, site: Crowd, clock: FastClock) -> None:
    site.lasts = 0
    record = await service.accept()
    done = await service.over(record)
    clock.speed = 5000
    removed = await service.until(record, lambda job: job.removed is not None)
    assert removed.stage is done.stage
    assert removed.removed
    assert done.remove_after
    assert removed.removed >= done.remove_after
    assert record.job_id not in site.folders


# -- tickets -------------------------------------------------------------------------------------------------


async def test_a_new_ticket_reaches_jobs_and_connections(service: Service, site: Crowd) -> None:
    site.lasts = 10_000
    record = await service.accept()
    await service.until(record, is_at(Stage.RUNNING))
    site.tickets.clear()
    assert site.renewed == []
    service.reader.ends = {"alice": 2**31 + 100}
    await holds(lambda: record.job_id in site.tickets)
    assert site.renewed == ["alice"]


async def test_only_jobs_with_an_older_ticket_than_their_owners_get_it_after_a_start(
    service: Service, site: Crowd
) -> None:
    site.lasts = 10_000
    records = [await service.accept(owner) for owner in ("alice", "alice", "bob")]
    for record in records:
        await service.until(record, is_at(Stage.RUNNING))
    while len(await service.store.jobs.ticket_ends("geneva")) < len(records):
        await service.clock.wait(1)
    await service.stop()
    site.tickets.clear()
    service.reader.ends = {"alice": 2**31 + 100}
    await service.start()
    await holds(lambda: site.tickets == {record.job_id for record in records[:2]})
    began = site.clock.now()
    await holds(lambda: site.clock.now() - began > timedelta(minutes=1))
    assert records[2].job_id not in site.tickets


async def test_a_job_whose_ticket_is_not_known_gets_its_owners_after_a_start(
    service: Service, site: Crowd
) -> None:
    site.lasts = 10_000
    record = await service.accept()
    await service.until(record, is_at(Stage.RUNNING))
    service.tickets.unwritten()
    await service.store.jobs.keep_ticket_ends({record.job_id: None})
    await service.stop()
    site.tickets.clear()
    await service.start()
    await holds(lambda: site.tickets == {record.job_id})


async def test_people_with_live_jobs_are_held(service: Service, site: Crowd, clock: FastClock) -> None:
    site.waits = 10_000
    await holds(lambda: service.holds.users() == frozenset())
    alice = await service.accept("alice")
    await service.accept("bob")
    await holds(lambda: service.holds.users() == {"alice", "bob"})
    await service.running.cancel(alice)
    await holds(lambda: service.holds.users() == {"bob"})
