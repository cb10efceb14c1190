import asyncio

import pytest

from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, Refused, Unavailable
from slurm_ssh.job import Job, JobReport, JobState
from slurm_ssh.jobs import question
from slurm_ssh.jobs import watch as watch_module
from slurm_ssh.jobs.watch import JobWatch
from slurm_ssh.scheduler import Listing, Row
from tests.support import builders
from tests.support.waiting import Clock, until

RUNNING = JobReport(JobState.RUNNING, "RUNNING", "", "geneva-n1")
Answer = tuple[Row, ...] | Listing | Exception
AWAY = Unavailable("Geneva cannot be reached.", "no route")


def _row(job: Job, report: JobReport = RUNNING, **changed: str) -> Row:
    facts = {"job_id": job.job_id, "owner": job.owner, "mark": job.mark, **changed}
    return Row(report=report, **facts)


def _jobs(*numbers: int, **changed: str) -> list[Job]:
    return [builders.job(job_id=str(n), mark=f"jupyter-hub-{n}", **changed) for n in numbers]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "ABSENT_SECONDS", 0)
    monkeypatch.setattr(question, "_FIRST_REST_SECONDS", 0)


class _Slurm:
    """Answers questions from scripts, the last answer for ever, and remembers them; a monitor has its own."""

    def __init__(self, *answers: Answer, monitors: tuple[Answer, ...] | None = None) -> None:
        self.answers = list(answers)
        self.monitors = None if monitors is None else list(monitors)
        self.asked: list[str] = []
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def has_monitor(self, _site_key: str) -> bool:
        return self.monitors is not None

    async def of_site(self, job: Job) -> Listing:
        return await self._answer(f"monitor@{job.site_key}", self.monitors or [])

    async def of_owner(self, job: Job) -> Listing:
        return await self._answer(f"{job.owner}@{job.site_key}", self.answers)

    async def _answer(self, who: str, answers: list[Answer]) -> Listing:
        self.asked.append(who)
        self.was_asked.set()
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        await self.may_answer.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Listing) else Listing(answer)


async def _states(watch: JobWatch, job: Job, times: int) -> list[JobState]:
    return [(await watch.report(job)).state for _ in range(times)]


async def test_a_listed_job_is_reported_as_slurm_says() -> None:
    job = builders.job()
    assert await JobWatch(_Slurm((_row(job),))).report(job) == RUNNING


async def test_all_who_ask_at_once_share_one_query() -> None:
    jobs = _jobs(1, 2, 3)
    slurm = _Slurm(tuple(_row(job) for job in jobs))
    watch = JobWatch(slurm)
    reports = await asyncio.gather(*(watch.report(job) for job in jobs))
    assert reports == [RUNNING] * 3
    assert slurm.asked == ["alice@geneva"]


async def test_who_asks_while_a_query_is_under_way_gets_a_newer_answer() -> None:
    (job,) = _jobs(1)
    slurm = _Slurm((), (_row(job),))
    slurm.may_answer.clear()
    watch = JobWatch(slurm)
    first = asyncio.create_task(watch.report(job))
    await slurm.was_asked.wait()
    second = asyncio.create_task(watch.report(job))
    await asyncio.sleep(0)
    slurm.may_answer.set()
    assert [(await first).state, (await second).state] == [JobState.UNKNOWN, JobState.RUNNING]
    assert len(slurm.asked) == 2


async def test_people_and_sites_are_asked_about_apart() -> None:
    jobs = [builders.job(), builders.job(owner="bob"), builders.job(site_key="lugano")]
    slurm = _Slurm(())
    watch = JobWatch(slurm)
    await asyncio.gather(*(watch.report(job) for job in jobs))
    assert sorted(slurm.asked) == ["alice@geneva", "alice@lugano", "bob@geneva"]


async def test_a_failed_query_says_nothing_about_a_job() -> None:
    assert set(await _states(JobWatch(_Slurm(AWAY)), builders.job(), 5)) == {JobState.UNKNOWN}


async def test_a_job_is_gone_when_it_was_absent_twice() -> None:
    states = await _states(JobWatch(_Slurm(())), builders.job(), 3)
    assert states == [JobState.UNKNOWN, JobState.GONE, JobState.GONE]


async def test_two_absences_a_moment_apart_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "ABSENT_SECONDS", 60)
    watch, clock = JobWatch(_Slurm(())), Clock(monkeypatch)
    assert set(await _states(watch, builders.job(), 5)) == {JobState.UNKNOWN}
    clock.advance(60)
    assert await _states(watch, builders.job(), 1) == [JobState.GONE]


async def test_nobody_waits_for_an_answer_beyond_their_deadline() -> None:
    (job,) = _jobs(1)
    slurm = _Slurm((_row(job),))
    slurm.may_answer.clear()
    watch = JobWatch(slurm)
    patient = asyncio.create_task(watch.report(job))
    await slurm.was_asked.wait()
    assert (await watch.report(job, Deadline.after(0.05))).state is JobState.UNKNOWN
    slurm.may_answer.set()
    assert await patient == RUNNING
    assert await watch.report(job, Deadline.after(60)) == RUNNING


async def test_one_answer_that_several_wait_for_is_one_absence() -> None:
    watch = JobWatch(_Slurm(()))
    reports = await asyncio.gather(*(watch.report(builders.job()) for _ in range(3)))
    assert {report.state for report in reports} == {JobState.UNKNOWN}


async def test_a_failed_query_between_does_not_count_as_absent() -> None:
    states = await _states(JobWatch(_Slurm((), AWAY, AWAY, ())), builders.job(), 4)
    assert states == [JobState.UNKNOWN] * 3 + [JobState.GONE]


async def test_a_job_that_is_seen_again_starts_afresh() -> None:
    job = builders.job()
    states = await _states(JobWatch(_Slurm((), (_row(job),), (), ())), job, 4)
    assert states == [JobState.UNKNOWN, JobState.RUNNING, JobState.UNKNOWN, JobState.GONE]


async def test_a_forgotten_job_starts_afresh() -> None:
    watch = JobWatch(_Slurm(()))
    await watch.report(builders.job())
    watch.forget(builders.job())
    assert (await watch.report(builders.job())).state is JobState.UNKNOWN


@pytest.mark.parametrize("other", [{"job_id": "18"}, {"owner": "bob"}, {"mark": "jupyter-hub-ffffffffffff"}])
async def test_a_row_of_another_job_is_no_sign_of_life(other: dict[str, str]) -> None:
    job = builders.job()
    states = await _states(JobWatch(_Slurm((_row(job, **other),))), job, 2)
    assert states == [JobState.UNKNOWN, JobState.GONE]


async def test_who_stops_waiting_does_not_stop_the_others() -> None:
    jobs = _jobs(1, 2)
    slurm = _Slurm(tuple(_row(job) for job in jobs))
    slurm.may_answer.clear()
    watch = JobWatch(slurm)
    impatient, patient = (asyncio.create_task(watch.report(job)) for job in jobs)
    await slurm.was_asked.wait()
    impatient.cancel()
    # At once, while the question is still under way.
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert not patient.done()
    slurm.may_answer.set()
    assert await patient == RUNNING
    assert len(slurm.asked) == 1


async def test_a_watch_goes_on_after_a_failed_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "FIRST_PAUSE_ALONE_SECONDS", 0)
    job = builders.job()
    seen: list[JobState] = []
    async for report in JobWatch(_Slurm(AWAY, (_row(job),))).reports(job):
        seen.append(report.state)
        if len(seen) == 3:
            break
    assert seen == [JobState.UNKNOWN, JobState.RUNNING, JobState.RUNNING]


async def test_a_monitor_is_asked_once_for_everybody() -> None:
    jobs = [job for name in ("alice", "bob") for job in _jobs(1, 2, owner=name)]
    slurm = _Slurm(monitors=(tuple(_row(job) for job in jobs),))
    watch = JobWatch(slurm)
    assert await asyncio.gather(*(watch.report(job) for job in jobs)) == [RUNNING] * 4
    assert slurm.asked == ["monitor@geneva"]


async def test_what_a_monitor_does_not_list_its_owner_is_asked_for_and_the_monitor_not_again() -> None:
    """A site may hide people's jobs from others."""
    job = builders.job()
    slurm = _Slurm((_row(job),), (), monitors=((),))
    watch = JobWatch(slurm)
    assert await _states(watch, job, 3) == [JobState.RUNNING, JobState.UNKNOWN, JobState.GONE]
    assert slurm.asked == ["monitor@geneva"] + ["alice@geneva"] * 3


async def test_what_a_monitor_lists_no_more_goes_on_if_its_owner_sees_it() -> None:
    job = builders.job()
    slurm = _Slurm((_row(job),), monitors=((_row(job),), ()))
    assert await _states(JobWatch(slurm), job, 3) == [JobState.RUNNING] * 3
    assert slurm.asked == ["monitor@geneva"] * 2 + ["alice@geneva"] * 2


@pytest.mark.parametrize("error", [Refused("No ticket."), Broken("squeue failed."), ValueError("a defect")])
async def test_a_monitor_that_cannot_ask_is_replaced_by_the_owners(error: Exception) -> None:
    job = builders.job()
    slurm = _Slurm((_row(job),), monitors=((_row(job),), error))
    assert await _states(JobWatch(slurm), job, 2) == [JobState.RUNNING] * 2
    assert slurm.asked[-1] == "alice@geneva"


async def test_a_site_that_does_not_answer_its_monitor_is_asked_by_nobody_else() -> None:
    slurm = _Slurm(AWAY, monitors=(AWAY,))
    assert await _states(JobWatch(slurm), builders.job(), 2) == [JobState.UNKNOWN] * 2
    assert slurm.asked == ["monitor@geneva"] * 2


async def test_two_people_with_one_login_are_asked_for_apart() -> None:
    alice, bob = builders.job(), builders.job(user="bob", mark="jupyter-hub-ffffffffffff", job_id="18")
    asked = []

    class _Of(_Slurm):
        async def of_owner(self, job: Job) -> Listing:
            asked.append(job.user)
            return await super().of_owner(job)

    watch = JobWatch(_Of((_row(alice), _row(bob))))
    assert [await watch.report(alice), await watch.report(bob)] == [RUNNING] * 2
    assert asked == ["alice", "bob"]


async def test_a_row_that_cannot_be_read_is_no_absence() -> None:
    job = builders.job()
    slurm = _Slurm(Listing((), frozenset({job.mark})))
    assert set(await _states(JobWatch(slurm), job, 3)) == {JobState.UNKNOWN}


async def test_who_looks_in_passing_is_content_with_an_answer_of_a_moment_ago() -> None:
    jobs = _jobs(1, 2)
    slurm = _Slurm(tuple(_row(job) for job in jobs), ())
    watch = JobWatch(slurm)
    await watch.report(jobs[0])
    assert await watch.glance(jobs[0], 60) == RUNNING
    assert watch.latest(jobs[0], 60) == RUNNING
    # It was not known when that was asked.
    assert watch.latest(jobs[1], 60).state is JobState.UNKNOWN
    assert (await watch.glance(jobs[1], 60)).state is JobState.UNKNOWN
    assert len(slurm.asked) == 2


async def test_the_same_answer_is_one_absence_however_often_it_is_looked_at() -> None:
    watch = JobWatch(_Slurm(()))
    for _ in range(3):
        assert (await watch.glance(builders.job(), 60)).state is JobState.UNKNOWN
    assert (await watch.report(builders.job())).state is JobState.GONE


async def test_an_end_that_slurm_tells_too_late_for_one_look_is_there_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "_GLANCE_SECONDS", 0.02)
    (job,) = _jobs(1)
    ended = _row(job, report=JobReport(JobState.ENDED, "TIMEOUT"))
    slurm = _Slurm((ended,))
    slurm.may_answer.clear()
    watch = JobWatch(slurm)
    assert (await watch.glance(job, 0)).state is JobState.UNKNOWN
    slurm.may_answer.set()
    await until(lambda: watch.latest(job, 60).state is JobState.ENDED)
    slurm.may_answer.clear()
    assert (await watch.glance(job, 0)).state is JobState.ENDED


async def test_one_who_waits_hears_of_what_others_have_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "FIRST_PAUSE_ALONE_SECONDS", 60)
    monkeypatch.setattr(watch_module, "_JITTER", 0)
    jobs = _jobs(1, 2)
    slurm = _Slurm(tuple(_row(job) for job in jobs))
    watch, clock = JobWatch(slurm), Clock(monkeypatch, frozen=True)
    first, second = watch.reports(jobs[0]), watch.reports(jobs[1])
    assert [await anext(first), await anext(second)] == [RUNNING] * 2
    assert len(slurm.asked) == 2
    later = []
    for seconds, reports in ((0, first), (15, second)):
        clock.advance(seconds)
        later.append(asyncio.ensure_future(anext(reports)))
        await _some_turns()
    for seconds in (50, 15):
        clock.advance(seconds)
        await _some_turns()
    assert await asyncio.gather(*later) == [RUNNING] * 2
    assert len(slurm.asked) == 3


async def test_a_job_that_says_it_has_begun_is_asked_about_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # It has waited for long, so the next look is far away; its server will be up in a moment.
    monkeypatch.setattr(watch_module, "FIRST_LOOK_SECONDS", 0)
    monkeypatch.setattr(watch_module, "FIRST_PAUSE_ALONE_SECONDS", 0.01)
    monkeypatch.setattr(watch_module, "PAUSE_GROWTH", 1e6)
    monkeypatch.setattr(watch_module, "LONGEST_PAUSE_SECONDS", 3600)
    (job,) = _jobs(1)
    slurm, begun = _Slurm((_row(job, JobReport(JobState.PENDING)),)), asyncio.Event()
    reports = JobWatch(slurm).reports(job, begun)
    assert [(await anext(reports)).state for _ in range(2)] == [JobState.PENDING] * 2
    slurm.answers = [(_row(job),)]
    later = asyncio.ensure_future(anext(reports))
    begun.set()
    assert await later == RUNNING


async def test_a_job_that_begins_at_once_is_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "FIRST_LOOK_SECONDS", 3600)
    monkeypatch.setattr(watch_module, "FIRST_PAUSE_SECONDS", 3600)
    (job,) = _jobs(1)
    slurm, begun = _Slurm((_row(job),)), asyncio.Event()
    reports = JobWatch(slurm).reports(job, begun)
    first = asyncio.ensure_future(anext(reports))
    await _some_turns()
    assert slurm.asked == []
    begun.set()
    assert await first == RUNNING
    later = asyncio.ensure_future(anext(reports))
    await _some_turns()
    assert slurm.asked == ["alice@geneva"]
    later.cancel()


async def _some_turns() -> None:
    """Give others the turns of the loop in which they would have asked."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_slow_slurm_is_left_alone_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question, "_SHARE", 0.25)
    (job,) = _jobs(1)
    slurm = _Slurm((_row(job),))
    watch, clock = JobWatch(slurm), asyncio.get_running_loop().time
    slurm.may_answer.clear()
    first = asyncio.create_task(watch.report(job))
    await slurm.was_asked.wait()
    began = clock()
    await asyncio.sleep(0.1)
    slurm.may_answer.set()
    await first
    await watch.report(job)
    assert clock() - began >= 0.4


async def test_a_site_that_is_away_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    slurm = _Slurm(AWAY, AWAY, (), (), AWAY)
    watch = JobWatch(slurm)
    for _ in range(5):
        await watch.report(builders.job())
    lines = [record.getMessage() for record in caplog.records if "squeue" in record.getMessage()]
    name = "squeue at geneva for alice: "
    away = f"{name}Geneva cannot be reached. [no route]"
    assert lines == [away, f"{name}answers again", away]


@pytest.mark.parametrize("by_monitor", [False, True])
async def test_since_when_a_site_is_away_is_known_until_it_answers(by_monitor: bool) -> None:
    (job,) = _jobs(1)
    answers: tuple[Answer, ...] = (AWAY, AWAY, (_row(job),))
    watch = JobWatch(_Slurm((), monitors=answers) if by_monitor else _Slurm(*answers))
    assert watch.away_since(job) is None
    await watch.report(job)
    since = watch.away_since(job)
    assert since is not None
    await watch.report(job)
    assert watch.away_since(job) == since
    await watch.report(job)
    assert watch.away_since(job) is None
