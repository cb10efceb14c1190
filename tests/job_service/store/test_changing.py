"""What a change of a job keeps, and what it cannot be."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from job_service.errors import WrongStage
from job_service.record import JobRecord
from job_service.stages import Stage
from job_service.store.errors import Outdated
from job_service.store.store import Store
from job_service.store.values import Changes
from tests.job_service.store.builders import NOW, RUNS, Time, a_project, accepted, brought, new, within

_SENT: Changes = {"submission": "sent", "native_id": "17"}


async def test_a_change_is_kept_with_its_event_and_a_new_version(store: Store, time: Time) -> None:
    record = await accepted(store, new())
    time.passes(minutes=1)
    changes: Changes = {"stage": Stage.READY, "submission": "sending", "attempts": 1, "sent": time.now}
    after = await store.jobs.change(record, changes, "It is sent.")
    assert after == replace(record, **changes, version=2)
    assert await store.jobs.get(record.job_id) == after
    event = (await store.jobs.events(record.job_id))[-1]
    assert (event.at, event.stage, event.text) == (time.now, Stage.READY, "It is sent.")
    quiet = await store.jobs.change(after, {"native_state": "PENDING"})
    assert quiet.version == 3
    assert len(await store.jobs.events(record.job_id)) == 2


async def test_which_ticket_a_job_has_is_kept_and_is_no_change_of_it(store: Store) -> None:
    first, second = await accepted(store, new()), await accepted(store, new())
    assert await store.jobs.ticket_ends("geneva") == {}
    await store.jobs.keep_ticket_ends({})
    await store.jobs.keep_ticket_ends({first.job_id: NOW, second.job_id: NOW, "0" * 12: NOW})
    await store.jobs.keep_ticket_ends({second.job_id: None})
    assert await store.jobs.ticket_ends("geneva") == {first.job_id: NOW}
    assert await store.jobs.ticket_ends("bern") == {}
    assert await store.jobs.get(first.job_id) == first
    await brought(store, first, Stage.CANCELED)
    assert await store.jobs.ticket_ends("geneva") == {}


async def test_when_jobs_were_seen_is_kept_never_set_back_and_is_no_change_of_them(store: Store) -> None:
    first, second = [await accepted(store, new()) for _ in range(2)]
    first = await brought(store, first, *RUNS, observed=NOW)
    later = NOW + timedelta(minutes=1)
    await store.jobs.keep_observed({})
    await store.jobs.keep_observed({first.job_id: later, second.job_id: later, "0" * 12: later})
    await store.jobs.keep_observed({first.job_id: NOW})
    assert await store.jobs.get(first.job_id) == replace(first, observed=later)
    # Who knows the job from before can change it, and sets back nothing.
    named = await store.jobs.change(first, {"title": "another"})
    assert (await store.jobs.get(named.job_id)).observed == later
    over = await brought(store, named, Stage.FAILED, observed=NOW)
    await store.jobs.keep_observed({over.job_id: later})
    assert (await store.jobs.get(over.job_id)).observed in {NOW, later}
    assert (await store.jobs.get(second.job_id)).observed == later


async def test_two_who_change_a_job_never_overwrite_each_other(store: Store) -> None:
    record = await accepted(store, new())
    answers = await asyncio.gather(
        *(store.jobs.change(record, {"title": str(number)}) for number in range(5)), return_exceptions=True
    )
    (won,) = [answer for answer in answers if isinstance(answer, JobRecord)]
    assert [isinstance(answer, Outdated) for answer in answers].count(True) == 4
    assert await store.jobs.get(record.job_id) == won


async def test_an_end_says_when_and_whether_it_failed(store: Store, time: Time) -> None:
    time.passes(hours=1)
    failed = await brought(store, await accepted(store, new()), *RUNS, Stage.FAILED, exit_code=7)
    assert (failed.failed, failed.ended) == (True, time.now)
    told = NOW + timedelta(minutes=3)
    good = await brought(store, await accepted(store, new()), *RUNS, Stage.SUCCESSFUL, ended=told)
    assert (good.failed, good.ended) == (False, told)
    time.passes(hours=1)
    deleted = await brought(store, failed, Stage.DELETED, removed=time.now)
    assert (deleted.failed, deleted.ended, deleted.removed) == (True, failed.ended, time.now)
    assert await store.jobs.get(failed.job_id) == deleted


async def test_failed_while_running(store: Store) -> None:
    job = await brought(store, await accepted(store, new()), *RUNS)
    for stage in (Stage.RUNNING, Stage.QUEUED, Stage.HELD, Stage.RUNNING, Stage.STAGINGOUT):
        if stage is not job.stage:
            job = await brought(store, job, stage, exit_code=1)
        assert (job.failed, job.ended) == (False, None)


async def test_cancel_marked_a_finished_job_cancelled(store: Store) -> None:
    job = await brought(store, await accepted(store, new()), *RUNS, Stage.SUCCESSFUL)
    for stage in Stage:
        if stage not in (Stage.SUCCESSFUL, Stage.DELETED):
            with pytest.raises(WrongStage):
                await store.jobs.change(job, {"stage": stage}, "again")
    assert await store.jobs.get(job.job_id) == job


async def test_a_change_that_cannot_be_changes_nothing(store: Store) -> None:
    job = await accepted(store, new())
    for changes, event in (
        ({"stage": Stage.READY}, ""),
        ({"native_id": "17"}, "e"),
        ({"submission": "sent"}, "e"),
        ({"ended": NOW}, "e"),
        ({"owner": "bob"}, "e"),
        ({"job_id": "0" * 12}, "e"),
        ({"failed": True}, "e"),
        ({"version": 7}, "e"),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            await store.jobs.change(job, changes, event)  # type: ignore[arg-type]
    assert await store.jobs.get(job.job_id) == job
    assert len(await store.jobs.events(job.job_id)) == 1


async def test_many_change_in_one_transaction_and_each_hears_of_its_own(store: Store) -> None:
    project = await a_project(store)
    jobs = [await accepted(store, within(project, limit_s=10)) for _ in range(6)]
    outdated = jobs[0]
    jobs[0] = await store.jobs.change(outdated, {"title": "new"})
    over = await brought(store, jobs[1], Stage.CANCELED)
    wanted: list[tuple[JobRecord, Changes, str]] = [
        (outdated, {"stage": Stage.READY}, "late"),
        (over, {"stage": Stage.READY}, "late"),
        (jobs[2], {"stage": Stage.READY}, "sent"),
        (jobs[2], {"native_state": "PENDING"}, "twice"),
        (jobs[3], {"stage": Stage.FAILED, "reason": "no"}, "refused"),
        (jobs[4], {"stage": Stage.QUEUED, **_SENT}, "queued"),
        (replace(jobs[4], id=99, job_id="0" * 12), {"native_state": "PENDING"}, "whose"),
    ]
    wanted[5] = (await brought(store, jobs[4], Stage.READY), *wanted[5][1:])
    results = await store.jobs.change_all(wanted)
    assert [result is not None for result in results] == [False, False, True, False, True, True, False]
    for result in filter(None, results):
        assert await store.jobs.get(result.job_id) == result
        assert len(await store.jobs.events(result.job_id)) == result.version
    assert await store.jobs.get(jobs[5].job_id) == jobs[5]
    kinds = [entry.kind for entry in (await store.ledger.entries(project)).items]
    assert kinds.count("release") == 2
    assert await store.jobs.change_all([]) == []


async def test_more_jobs_change_at_once_than_one_question_names(store: Store) -> None:
    # Not all at once: each waits for those of its owner before it.
    jobs = []
    for _ in range(51):
        jobs += await asyncio.gather(*(store.jobs.accept(new(active_max=2000)) for _ in range(10)))
    results = await store.jobs.change_all([(job, {"stage": Stage.READY}, "go") for job, _ in jobs])
    assert {result.stage for result in results if result} == {Stage.READY}
    live = await store.jobs.live("geneva")
    assert live == tuple(sorted(filter(None, results), key=lambda record: record.id))
    assert await store.jobs.records(record.job_id for record in live) == {each.job_id: each for each in live}
