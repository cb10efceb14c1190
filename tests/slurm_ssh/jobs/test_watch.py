import asyncio

import pytest

from slurm_ssh.deadline import Deadline
from slurm_ssh.job import Job, JobReport, JobState
from slurm_ssh.jobs import watch as watch_module
from slurm_ssh.jobs.watch import JobWatch
from slurm_ssh.slurm.jobs import Row
from tests.support import builders

RUNNING = JobReport(JobState.RUNNING, "RUNNING", "", "geneva-n1")
Answer = tuple[Row, ...] | None


def _row(job: Job, **changed: str) -> Row:
    facts = {"job_id": job.job_id, "owner": job.owner, "mark": job.mark, **changed}
    return Row(report=RUNNING, **facts)


def _jobs(*numbers: int, **changed: str) -> list[Job]:
    return [builders.job(job_id=str(n), mark=f"jupyter-hub-{n}", **changed) for n in numbers]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "ABSENT_SECONDS", 0)


class _Slurm:
    """Answers queries from a script, the last answer for ever, and remembers them."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.queries: list[tuple[str, frozenset[str]]] = []
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def ask(self, job: Job, marks: frozenset[str]) -> Answer:
        self.queries.append((f"{job.owner}@{job.site_key}", marks))
        self.was_asked.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await self.may_answer.wait()
        return answer


async def _states(watch: JobWatch, job: Job, times: int) -> list[JobState]:
    return [(await watch.report(job)).state for _ in range(times)]


async def test_a_listed_job_is_reported_as_slurm_says() -> None:
    job = builders.job()
    assert await JobWatch(_Slurm((_row(job),)).ask).report(job) == RUNNING


async def test_all_who_ask_at_once_share_one_query() -> None:
    jobs = _jobs(1, 2, 3)
    slurm = _Slurm(tuple(_row(job) for job in jobs))
    watch = JobWatch(slurm.ask)
    reports = await asyncio.gather(*(watch.report(job) for job in jobs))
    assert reports == [RUNNING] * 3
    assert slurm.queries == [("alice@geneva", frozenset(job.mark for job in jobs))]


async def test_who_asks_while_a_query_is_under_way_gets_a_newer_answer() -> None:
    (job,) = _jobs(1)
    slurm = _Slurm((), (_row(job),))
    slurm.may_answer.clear()
    watch = JobWatch(slurm.ask)
    first = asyncio.create_task(watch.report(job))
    await slurm.was_asked.wait()
    second = asyncio.create_task(watch.report(job))
    await asyncio.sleep(0)
    slurm.may_answer.set()
    assert [(await first).state, (await second).state] == [JobState.UNKNOWN, JobState.RUNNING]
    assert len(slurm.queries) == 2


async def test_people_and_sites_are_asked_about_apart() -> None:
    jobs = [builders.job(), builders.job(owner="bob"), builders.job(site_key="lugano")]
    slurm = _Slurm(())
    watch = JobWatch(slurm.ask)
    await asyncio.gather(*(watch.report(job) for job in jobs))
    assert sorted(who for who, _ in slurm.queries) == ["alice@geneva", "alice@lugano", "bob@geneva"]


async def test_a_failed_query_says_nothing_about_a_job() -> None:
    assert set(await _states(JobWatch(_Slurm(None).ask), builders.job(), 5)) == {JobState.UNKNOWN}


async def test_a_job_is_gone_when_it_was_absent_twice() -> None:
    states = await _states(JobWatch(_Slurm(()).ask), builders.job(), 3)
    assert states == [JobState.UNKNOWN, JobState.GONE, JobState.GONE]


async def test_two_absences_a_moment_apart_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "ABSENT_SECONDS", 0.3)
    watch = JobWatch(_Slurm(()).ask)
    assert set(await _states(watch, builders.job(), 5)) == {JobState.UNKNOWN}
    await asyncio.sleep(0.3)
    assert await _states(watch, builders.job(), 1) == [JobState.GONE]


async def test_nobody_waits_for_an_answer_beyond_their_deadline() -> None:
    (job,) = _jobs(1)
    slurm = _Slurm((_row(job),))
    slurm.may_answer.clear()
    watch = JobWatch(slurm.ask)
    patient = asyncio.create_task(watch.report(job))
    await slurm.was_asked.wait()
    assert (await watch.report(job, Deadline.after(0.05))).state is JobState.UNKNOWN
    slurm.may_answer.set()
    assert await patient == RUNNING
    assert await watch.report(job, Deadline.after(60)) == RUNNING


async def test_one_answer_that_several_wait_for_is_one_absence() -> None:
    watch = JobWatch(_Slurm(()).ask)
    reports = await asyncio.gather(*(watch.report(builders.job()) for _ in range(3)))
    assert {report.state for report in reports} == {JobState.UNKNOWN}


async def test_a_failed_query_between_does_not_count_as_absent() -> None:
    states = await _states(JobWatch(_Slurm((), None, None, ()).ask), builders.job(), 4)
    assert states == [JobState.UNKNOWN] * 3 + [JobState.GONE]


async def test_a_job_that_is_seen_again_starts_afresh() -> None:
    job = builders.job()
    states = await _states(JobWatch(_Slurm((), (_row(job),), (), ()).ask), job, 4)
    assert states == [JobState.UNKNOWN, JobState.RUNNING, JobState.UNKNOWN, JobState.GONE]


async def test_a_forgotten_job_starts_afresh() -> None:
    watch = JobWatch(_Slurm(()).ask)
    await watch.report(builders.job())
    watch.forget(builders.job())
    assert (await watch.report(builders.job())).state is JobState.UNKNOWN


@pytest.mark.parametrize("other", [{"job_id": "18"}, {"owner": "bob"}, {"mark": "jupyter-hub-ffffffffffff"}])
async def test_a_row_of_another_job_is_no_sign_of_life(other: dict[str, str]) -> None:
    job = builders.job()
    states = await _states(JobWatch(_Slurm((_row(job, **other),)).ask), job, 2)
    assert states == [JobState.UNKNOWN, JobState.GONE]


async def test_who_stops_waiting_does_not_stop_the_others() -> None:
    jobs = _jobs(1, 2)
    slurm = _Slurm(tuple(_row(job) for job in jobs))
    slurm.may_answer.clear()
    watch = JobWatch(slurm.ask)
    impatient, patient = (asyncio.create_task(watch.report(job)) for job in jobs)
    await slurm.was_asked.wait()
    impatient.cancel()
    # At once, while the question is still under way.
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert not patient.done()
    slurm.may_answer.set()
    assert await patient == RUNNING
    assert len(slurm.queries) == 1


async def test_a_watch_goes_on_after_a_failed_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_ssh.jobs.watch.FIRST_PAUSE_SECONDS", 0)
    job = builders.job()
    seen: list[JobState] = []
    async for report in JobWatch(_Slurm(None, (_row(job),)).ask).reports(job):
        seen.append(report.state)
        if len(seen) == 3:
            break
    assert seen == [JobState.UNKNOWN, JobState.RUNNING, JobState.RUNNING]
